"""What people and machines read: terminal, Markdown, JUnit, JSON."""

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from evalsuite.core.errors import RunFileError
from evalsuite.core.verdict import Verdict
from evalsuite.gate.judge import judge
from evalsuite.gate.junit import render_junit
from evalsuite.gate.markdown import render_markdown
from evalsuite.gate.policy import Policy
from evalsuite.gate.rows import detailed
from evalsuite.gate.terminal import render_terminal
from evalsuite.gate.verbs import VerdictFiles, write_verdict
from tests.gate.made_up import make_run, retrieval, shifted, similarity

NASTY = "<script>alert(1)</script> | `x` \x1b[31m \u202e & \"'"
FAST = Policy(resamples=1000)


@pytest.fixture(scope="module")
def verdict(tmp_path_factory):
    """A regression, missing cells, a failure, and names that try to break out."""
    folder = tmp_path_factory.mktemp("runs")
    tasks = retrieval(NASTY), similarity(), retrieval("gone", seed=4)
    worse = shifted(tasks[0], -0.05, variants=("128/binary",))
    failing = replace(tasks[1], failed={"128/binary": f"NaN {NASTY}"})
    before = make_run(folder / "a", *tasks, label="before")
    after = make_run(folder / "b", worse, failing, label=NASTY)
    return judge(before, after, FAST)


def printed(verdict, width=80):
    console = Console(width=width, record=True, file=io.StringIO(), highlight=False)
    for part in render_terminal(verdict):
        console.print(part)
    return console.export_text()


def test_the_terminal_is_ordered_by_harm_and_fits(verdict):
    """Headline first, the regression before what is missing, 80 columns, no control characters."""
    text = printed(verdict)
    assert text.startswith("REGRESSED: 1 finding of ")
    assert text.index("regressed") < text.index("missing")
    assert max(map(len, text.splitlines())) <= 80
    assert "128/binary" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "what moved most" in " ".join(text.split())


def test_equal_reasons_share_a_line(verdict):
    """Four missing cells of one deleted task are one line that names them."""
    assert printed(verdict).count("missing gone") == 1


def test_markdown_shows_names_as_they_are(verdict):
    """Nothing foreign becomes markup, and the table keeps its columns."""
    text = render_markdown(verdict)
    assert text.startswith("## ❌ REGRESSED")
    assert "<script" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ❌")]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 14
    assert "\x1b" not in text


def test_junit_counts_what_it_holds(verdict):
    """It parses; failures are regressions, errors could not be judged; nothing is lost."""
    suite = ElementTree.fromstring(render_junit(verdict)).find("testsuite")  # noqa: S314 - our own output
    cases = suite.findall("testcase")
    effects = [finding.effect for finding in verdict.findings]
    assert len(cases) == len(verdict.findings) == int(suite.get("tests"))
    assert len(suite.findall("testcase/failure")) == effects.count("fails") == int(suite.get("failures")) == 1
    assert len(suite.findall("testcase/error")) == effects.count("blocks") == int(suite.get("errors"))
    assert "alert(1)" in cases[0].get("classname")


def test_junit_is_never_green_without_cells(tmp_path):
    """A comparison of nothing is an error in JUnit too."""
    run = make_run(tmp_path / "a", retrieval(n=10))
    other = make_run(tmp_path / "b", retrieval("other", n=10))
    verdict = judge(run, other, Policy(missing="warn"))
    assert verdict.exit_code == 3
    suite = ElementTree.fromstring(render_junit(verdict)).find("testsuite")  # noqa: S314 - our own output
    assert suite.get("errors") == "1"
    assert len(suite.findall("testcase")) == int(suite.get("tests"))


def test_json_holds_everything(verdict):
    """Exit code, headline, counts and every finding with its evidence; no NaN."""
    content = json.loads(verdict.to_json(), parse_constant=pytest.fail)
    assert content["exit_code"] == 1
    assert len(content["findings"]) == len(verdict.findings)
    assert content["findings"][0]["evidence"]["p_drop_adjusted"] < 0.05


def test_json_reads_back_as_the_same_verdict(verdict):
    """What was written can be shown again; what is no verdict is named."""
    assert Verdict.from_json(verdict.to_json(), where="verdict.json") == verdict
    for text in ("{", "[]", '{"findings": 3}'):
        with pytest.raises(RunFileError, match=r"^v\.json: not a verdict"):
            Verdict.from_json(text, where="v.json")


def test_both_outputs_show_which_side_is_better_where(verdict):
    """A grid of dimensions by precisions: the regression is marked lower, cells that passed are harmless."""
    terminal = [line.split() for line in printed(verdict).splitlines()]
    assert ["dim", "float32", "int8", "binary"] in terminal
    (row,) = (line for line in terminal if line[:1] == ["128"])
    assert row[3:] == ["–", "-5.0", "▼"]
    (written,) = (line for line in render_markdown(verdict).splitlines() if line.startswith("| 128 |"))
    assert written.count("▼") == 1


def test_queries_that_neighbouring_variants_share_are_shown_once(tmp_path):
    """Four variants that move the same queries show them once; another task's queries are its own."""
    rng = np.random.default_rng(3)
    tasks = [retrieval("one"), retrieval("two")]
    moved = [rng.normal(-0.1, 0.2, 300) for _ in tasks]
    worse = [
        replace(task, values={variant: values + change for variant, values in task.values.items()})
        for task, change in zip(tasks, moved, strict=True)
    ]
    verdict = judge(make_run(tmp_path / "a", *tasks), make_run(tmp_path / "b", *worse), FAST)
    assert [finding.task for finding in detailed(verdict, 5)].count("one") == 1
    assert [finding.task for finding in detailed(verdict, 5)].count("two") == 1
    assert len(detailed(verdict, 1)) == 1


def test_a_clean_pass_is_short(tmp_path):
    """If everything passes there is no table, only the count."""
    run = make_run(tmp_path, retrieval(n=10))
    text = printed(judge(run, run, FAST))
    assert text.startswith("PASSED: no regression among 4 findings")
    assert len(text.splitlines()) < 12


def test_files_and_the_job_summary(verdict, tmp_path, monkeypatch):
    """Three files where asked for; a job summary is added to what earlier steps wrote."""
    summary = tmp_path / "summary.md"
    summary.write_text("# earlier\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    write_verdict(verdict, VerdictFiles.within(tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "verdict.json", "verdict.md", "verdict.xml",
    ]  # fmt: skip
    assert summary.read_text().startswith("# earlier\n## ❌ REGRESSED")


def test_no_summary_without_github(verdict, tmp_path, monkeypatch):
    """Without the variable nothing else is written."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    write_verdict(verdict, VerdictFiles(json=tmp_path / "v.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["v.json"]
