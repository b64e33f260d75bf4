"""What must never pass: what is missing, failed, or was asked another question; and the message says why."""

from dataclasses import replace

import pytest

from evalsuite.core.run import Run
from evalsuite.gate.judge import judge
from evalsuite.gate.policy import Policy
from tests.gate.conftest import FAST, by_status
from tests.gate.made_up import make_run, retrieval

SMALLER = {"fingerprint": "other", "counts": {"documents": 999, "queries": 600}}
ONE_VARIANT = {"768/float32": retrieval(n=600).values["768/float32"]}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        (None, "missing", "has no task 'scifact'"),
        ({"name": "scifact2", "changes": {"fingerprint": "data of scifact"}}, "missing",
         "its 'scifact2' holds the same data: renamed?"),
        ({"changes": SMALLER}, "incomparable", "1000 documents in the baseline, 999 in the candidate"),
        ({"changes": {"fingerprint": "other"}}, "incomparable", "data differ"),
        ({"changes": {"split": "dev"}}, "incomparable", "split: test in the baseline"),
        ({"changes": {"main_metric": "recall@100"}}, "incomparable", "main metric"),
        ({"changes": {"languages": ("eng",)}}, "incomparable", "language filter"),
        ({"values": ONE_VARIANT}, "missing", "at this variant"),
        ({"failed": {"128/binary": "NaN"}}, "failed", "NaN"),
        ({"kept": False}, "inconclusive", "no per-query values"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_never_passes(baseline, tasks, tmp_path, changes, status, words):
    """Deleted, renamed, changed, cut, failed, or without values: exit code 3, and the message says why."""
    first = [] if changes is None else [replace(tasks[0], **changes)]
    verdict = judge(baseline, make_run(tmp_path, *first, tasks[1]), FAST)
    assert verdict.exit_code == 3
    found = next(f for f in verdict.findings if f.effect == "blocks")
    assert found.status == status
    assert words in found.reason


def test_an_empty_candidate_never_passes(baseline, tmp_path):
    """A run without a cell: every cell of the baseline is missing, exit code 3; so are two empty runs."""
    empty = make_run(tmp_path)
    verdict = judge(baseline, empty, FAST)
    assert verdict.exit_code == 3
    assert verdict.counts["missing"] == 9
    assert judge(empty, empty, FAST).exit_code == 3


def test_only_new_cells_are_nothing_compared(baseline, tasks, tmp_path):
    """If the two sides share nothing, nothing was judged, even where missing cells only warn."""
    other = make_run(tmp_path, replace(tasks[0], name="other"))
    lenient = Policy(resamples=1000, missing="warn")
    verdict = judge(baseline, other, lenient)
    assert verdict.exit_code == 3
    assert "nothing was compared" in verdict.headline


@pytest.mark.parametrize("change", [{"tie_rule": "random"}, {"calibration": "wikipedia"}])
def test_another_protocol_is_incomparable(baseline, tasks, tmp_path, change):
    """Another tie rule spoils rankings, another calibration spoils quantized levels; nothing else."""
    verdict = judge(baseline, make_run(tmp_path, *tasks, **change), FAST)
    spoiled = by_status(verdict, "incomparable")
    if "tie_rule" in change:
        assert {task for task, _ in spoiled} == {"scifact"}
    else:
        assert {variant for _, variant in spoiled} == {"768/int8", "128/binary"}
    assert verdict.exit_code == 3


def test_other_prompts_are_incomparable_unless_allowed(baseline, tasks, tmp_path):
    """A changed prompt is named; a policy can allow it."""
    candidate = make_run(tmp_path, *tasks, prompts={"query": "search: "})
    verdict = judge(baseline, candidate, FAST)
    assert verdict.exit_code == 3
    assert "another prompt 'query': 'query: ' in the baseline, 'search: '" in verdict.findings[0].reason
    assert judge(baseline, candidate, Policy(resamples=1000, prompts="any")).exit_code == 0


def test_other_queries_are_not_paired(baseline, tasks, tmp_path):
    """A table that holds other queries than the record's data is refused."""
    candidate = make_run(tmp_path, *tasks)
    file = tmp_path / "per_query" / "000.parquet"
    import pandas as pd

    table = pd.read_parquet(file)
    table[table["id"] != "q001"].to_parquet(file)
    verdict = judge(baseline, candidate, FAST)
    assert verdict.exit_code == 3
    assert "such as 'q001'" in verdict.findings[0].reason


def test_values_that_do_not_make_the_recorded_number_are_refused(baseline, tasks, tmp_path):
    """A record whose number was edited is not believed."""
    candidate = make_run(tmp_path, *tasks)
    text = (tmp_path / "record.json").read_text()
    mean = tasks[0].values["128/binary"].mean()
    assert str(mean) in text
    (tmp_path / "record.json").write_text(text.replace(str(mean), str(mean + 0.1)))
    verdict = judge(baseline, Run.load(candidate.folder), FAST)
    assert verdict.exit_code == 3
    assert "its record says" in verdict.findings[0].reason
