"""A verdict's page: what its first screen says, and which runs stand below it."""

import pytest

from evalsuite import api
from evalsuite.api.verdict_page import PAGE_FILE, write_page
from evalsuite.core.run import Run
from evalsuite.gate.judge import judge
from evalsuite.gate.policy import Policy
from tests.gate.made_up import make_run, retrieval, shifted, similarity

FAST = Policy(resamples=1000)


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """A baseline, and a candidate that lost five points at 128/binary; its label is hostile."""
    folder = tmp_path_factory.mktemp("sides")
    tasks = retrieval(n=100), similarity(n=60)
    worse = shifted(tasks[0], -0.05, variants=("128/binary",), noise=0.01)
    before = make_run(folder / "before", *tasks, label="shipped")
    return before, make_run(folder / "after", worse, tasks[1], label="<b>step</b> 900")


@pytest.fixture(scope="module")
def page(sides, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    write_page(judge(*sides, FAST), out)
    return (out / PAGE_FILE).read_text(encoding="utf-8")


def first_screen(page):
    """What stands above the sections of the report."""
    return page[page.index("<main") : page.index('class="advices')]


def test_the_first_screen_says_the_verdict_and_which_side_is_better_where(page):
    """Headline, both names, a sentence, and a table of changes with their signs."""
    top = first_screen(page)
    assert "REGRESSED: 1 finding of 8" in top
    assert "The candidate is shown higher nowhere, and lower at scifact · 128/binary · ndcg@10." in top
    assert '<span class="status lower">−5.00 ▼</span>' in top
    assert "&lt;b&gt;step&lt;/b&gt; 900" in top
    assert "<b>step" not in page


def test_both_sides_are_reported_below(page):
    """Each checkpoint has its recommendation, and every finding its row."""
    assert page.count('class="advice') >= 2
    assert page.count('<td><span class="status passed">') == 7


def test_queries_stand_with_their_first_documents(sides, tmp_path):
    """Where texts are at hand each document shows how it begins, and a relevant one is marked."""
    verdict = judge(*sides, FAST)
    finding = verdict.findings[0]
    move = finding.moved[0].model_copy(
        update={"documents": {"d1": "how <i>it</i> begins"}, "top_before": ("d1",), "relevant": ("d1",)}
    )
    findings = (finding.model_copy(update={"moved": (move,)}), *verdict.findings[1:])
    write_page(verdict.model_copy(update={"findings": findings}), tmp_path)
    page = (tmp_path / PAGE_FILE).read_text(encoding="utf-8")
    assert "<bdi>d1</bdi> ✓: <bdi>how &lt;i&gt;it&lt;/i&gt; begins</bdi>" in page


def test_an_emptied_candidate_has_a_page(sides, tmp_path):
    """Nothing was evaluated: the page says that it could not be judged."""
    empty = sides[1].record.model_copy(update={"cells": (), "per_query": ()})
    (tmp_path / "record.json").write_text(empty.to_json(), encoding="utf-8")
    write_page(judge(sides[0], Run.load(tmp_path), FAST), tmp_path)
    assert "COULD NOT JUDGE: 9 findings of 9" in first_screen((tmp_path / PAGE_FILE).read_text("utf-8"))


def test_a_committed_baseline_is_a_side_too(sides, tmp_path):
    """The page of a comparison with a baseline holds the baseline's checkpoint."""
    accepted = api.accept_baseline(sides[0], folder=tmp_path).folder
    verdict = api.compare(accepted, sides[1], FAST)
    assert write_page(verdict, tmp_path) == tmp_path / PAGE_FILE
    page = (tmp_path / PAGE_FILE).read_text(encoding="utf-8")
    title = page[page.index("<h1>") : page.index("</h1>")]
    assert "shipped" in title
    assert "&lt;b&gt;step" in title


def test_of_a_run_of_several_only_the_one_compared_is_shown(sides, tmp_path):
    """A third checkpoint in the candidate's run has no place on the page."""
    before, after = (side.record for side in sides)
    third = before.checkpoints[0].model_copy(update={"label": "third"})
    cells = (*after.cells, *(cell.model_copy(update={"checkpoint": "third"}) for cell in before.cells))
    record = after.model_copy(update={"checkpoints": (*after.checkpoints, third), "cells": cells})
    (tmp_path / "record.json").write_text(record.to_json(), encoding="utf-8")
    verdict = judge(sides[0], Run.load(tmp_path), FAST, checkpoints=(None, "<b>step</b> 900"))
    write_page(verdict, tmp_path)
    assert "third" not in (tmp_path / PAGE_FILE).read_text(encoding="utf-8")


def test_a_side_that_is_gone_or_another_run_by_now_is_left_out(sides, tmp_path):
    """One side gone: the other one is reported. Both gone: there is no page."""
    verdict = judge(*sides, FAST)
    gone = verdict.baseline.model_copy(update={"source": str(tmp_path / "nowhere")})
    write_page(verdict.model_copy(update={"baseline": gone}), tmp_path)
    assert "<h1><bdi>&lt;b&gt;step" in (tmp_path / PAGE_FILE).read_text(encoding="utf-8")
    other = verdict.candidate.model_copy(update={"created": "1999-01-01T00:00:00Z"})
    neither = verdict.model_copy(update={"baseline": gone, "candidate": other})
    assert write_page(neither, tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_verdict_files_include_the_page_unless_it_is_not_wanted(sides, tmp_path, monkeypatch):
    """`write_verdict` draws it beside the other files."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    verdict = judge(*sides, FAST)
    api.write_verdict(verdict, tmp_path / "plain", page=False)
    assert not (tmp_path / "plain" / PAGE_FILE).exists()
    api.write_verdict(verdict, tmp_path / "whole")
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    assert names == {PAGE_FILE, "verdict.json", "verdict.md", "verdict.xml"}
