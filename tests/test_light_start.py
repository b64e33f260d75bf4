"""The light start: help, listing and reporting import no model library."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "sentence_transformers", "mteb", "sklearn", "datasets")

PROBE = """
import json, sys
from evalsuite.cli.app import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as end:
    code = end.code or 0
print(json.dumps({"code": code, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def heavy_modules(code, *arguments):
    """Run Python code in a fresh process; return which heavy libraries it imported."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stderr.strip().splitlines()[-1])
    assert answer["code"] == 0, done.stderr
    return [name for name in HEAVY if name in answer["modules"]]


@pytest.mark.parametrize(
    "words", [["--help"], ["run", "--help"], ["--version"], ["tasks", "list"], ["cache", "list"]]
)
def test_commands_that_need_no_model_import_no_model_library(words):
    """The command answers without torch, transformers, sentence-transformers, mteb or scikit-learn."""
    assert heavy_modules(PROBE, json.dumps(words)) == []


def test_report_imports_no_model_library(finished_run, tmp_path):
    """A report is drawn from a run on disk alone."""
    words = ["report", str(finished_run.folder), "--out", str(tmp_path / "report")]
    assert heavy_modules(PROBE, json.dumps(words)) == []
    assert (tmp_path / "report" / "report.html").exists()


def test_help_imports_no_pandas_either():
    """`--help` imports nothing but the command line itself."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, '["--help"]'], capture_output=True, text=True, check=True
    )
    modules = json.loads(done.stderr.strip().splitlines()[-1])["modules"]
    assert not {"pandas", "numpy", "matplotlib", "pydantic", "scipy"} & set(modules)


def test_importing_the_package_is_light():
    """`import evalsuite` alone imports no heavy library."""
    answer = 'print(json.dumps({"code": 0, "modules": list(sys.modules)}), file=sys.stderr)'
    code = f"import json, sys, evalsuite; {answer}"
    assert heavy_modules(code) == []


def test_the_check_can_fail():
    """The probe does see torch when a command's process imports it."""
    assert heavy_modules("import torch\n" + PROBE, '["--help"]') == ["torch"]
