"""Pages of made-up runs, opened once in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from evalsuite.reporting.html import render_html
from evalsuite.reporting.kept import with_intervals
from evalsuite.reporting.page.explorer import explore
from evalsuite.reporting.page.parts import PageParts
from evalsuite.reporting.page.texts import TaskTexts
from evalsuite.reporting.values import ValueReader
from evalsuite.reporting.view import build_view
from tests.reporting.conftest import nasty  # noqa: F401  a fixture
from tests.reporting.made_up import NASTY, realistic_run
from tests.reporting.made_up_parts import ablation, verdict, with_parts, with_values

HERE = Path(__file__).parent
HINT = "install Debian's chromium and nodejs, then run `npm ci` in tests/browser"


def _node_path() -> str:
    """Where node modules are looked for: those beside this file, then the user's."""
    return os.pathsep.join([str(HERE / "node_modules"), os.environ.get("NODE_PATH", "")])


def _browser() -> str:
    """Find the browser and the node modules, or skip and say what is missing."""
    chromium, node = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("node")
    if chromium is None or node is None:
        pytest.skip(f"no {'chromium' if chromium is None else 'node'} on this machine: {HINT}")
    asked = [node, "-e", "require.resolve('playwright-core'); require.resolve('axe-core')"]
    found = subprocess.run(
        asked, env={**os.environ, "NODE_PATH": _node_path()}, capture_output=True, check=False
    )
    if found.returncode:
        pytest.skip(f"node does not find playwright-core and axe-core: {HINT}")
    return chromium


def write_page(path: Path, runs, hostile: str = "") -> Path:
    """Write a page with every section it can have."""
    view = build_view([with_parts(run) for run in runs])
    values = ValueReader(view.runs)
    view = with_intervals(view, values)
    panel = view.panels[0]
    ids = values(panel.checkpoint, panel.task, panel.metric).ids
    texts = {panel.task: TaskTexts(
        asked={name: f"what is {name}? {hostile}" for name in ids},
        documents={f"{hostile}d{number}": f"document {number} {hostile}" for number in range(97)},
        relevant=dict.fromkeys(ids, (f"{hostile}d3",)),
    )}  # fmt: skip
    judged = verdict(name=hostile or "SciFact")
    if hostile:
        sides = {side: getattr(judged, side) for side in ("baseline", "candidate")}
        named = {side: entry.model_copy(update={"label": hostile}) for side, entry in sides.items()}
        judged = judged.model_copy(update=named)
    parts = PageParts(verdict=judged, ablation=ablation(), explorer=explore(view, values, texts))
    path.write_text(render_html(view, parts=parts), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def seen(tmp_path_factory, nasty):  # noqa: F811  the fixture
    """What a browser finds in the page of two checkpoints, and in one full of hostile texts."""
    chromium = _browser()
    folder = tmp_path_factory.mktemp("pages")
    runs = [
        with_values(realistic_run(label, lower=lower), folder / label)
        for label, lower in (("plain", 0.0), ("candidate", 3.0))
    ]
    report = write_page(folder / "report.html", runs)
    hostile = write_page(
        folder / "hostile.html", [with_values(nasty, folder / "nasty", hostile=NASTY)], hostile=NASTY
    )
    asked = ["node", str(HERE / "look.js"), chromium, str(report), str(hostile)]
    done = subprocess.run(
        asked,
        env={**os.environ, "NODE_PATH": _node_path()},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
