"""Committed baselines: text that reviews well, loads as a run, and changes only by accepting."""

import json
import re
from dataclasses import replace

import pytest

from evalsuite.core.errors import RunFileError, UsageError
from evalsuite.core.run import Run
from evalsuite.core.spread import SpreadEntry, SpreadValue
from evalsuite.gate.accept import accept
from evalsuite.gate.baseline import is_baseline, list_baselines, load_baseline
from evalsuite.gate.judge import judge
from evalsuite.gate.policy import Policy
from tests.gate.made_up import make_run, retrieval, shifted, similarity

FAST = Policy(resamples=1000)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run"), retrieval(), similarity())


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_run_passes_against_its_own_baseline(run, tmp_path):
    """What was accepted is what is compared with: nothing changed, rankings of equal cosines included."""
    accept(run, folder=tmp_path)
    verdict = judge(load_baseline(tmp_path / "main"), run, FAST)
    assert verdict.exit_code == 0
    assert {finding.reason for finding in verdict.findings} == {"no query changed"}


def test_a_baseline_judges_as_its_run_does(run, tmp_path):
    """A regression has the same numbers against the baseline as against the run it was made of."""
    accept(run, folder=tmp_path)
    worse = make_run(tmp_path / "worse", shifted(retrieval(), -0.04), shifted(similarity(), 0, noise=0.3))
    against_run, against_baseline = (
        judge(run, worse, FAST),
        judge(load_baseline(tmp_path / "main"), worse, FAST),
    )
    for mine, reference in zip(against_baseline.findings, against_run.findings, strict=True):
        assert (mine.name, mine.status) == (reference.name, reference.status)
        assert mine.evidence.delta == pytest.approx(reference.evidence.delta, abs=1e-5)
        assert [m.id for m in mine.moved] == [m.id for m in reference.moved]
        assert [m.top_before for m in mine.moved] == [m.top_before for m in reference.moved]


def test_accepting_twice_changes_no_byte(run, tmp_path):
    """The second time nothing changed, and version control sees no change either."""
    first = accept(run, folder=tmp_path)
    before = files_of(first.folder)
    second = accept(run, folder=tmp_path)
    assert second.changes == ()
    assert second.unchanged == 8
    assert files_of(second.folder) == before


def test_small_numbers_keep_their_digits(run, tmp_path):
    """A second moment of 1.2e-7 is not rounded to nothing."""
    values = {"second_moment": 1.2345678e-7, "participation_ratio": 12.3456789}
    spread = SpreadEntry(
        checkpoint="model", task="scifact", side="document", dim=768, n=9, ideal_rank=768, missing={},
        values={name: SpreadValue(value=value) for name, value in values.items()},
    )  # fmt: skip
    measured = Run(run.record.model_copy(update={"spread": (spread,)}), run.folder)
    accept(measured, folder=tmp_path)
    (kept,) = load_baseline(tmp_path / "main").record.spread
    assert kept.values["second_moment"].value == 1.23457e-07
    assert kept.values["participation_ratio"].value == 12.345679


def test_what_changes_is_said(run, tmp_path):
    """Values, cells and the checkpoint: a line each."""
    accept(run, folder=tmp_path)
    other = retrieval()
    fewer = replace(other, values={v: x for v, x in other.values.items() if v != "768/int8"})
    changed = make_run(
        tmp_path / "run", shifted(fewer, -0.05, variants=("128/binary",), noise=0), label="after"
    )
    lines = accept(changed, folder=tmp_path).changes
    assert "~ checkpoint: model (model-finger) → after (after-finger)" in lines
    assert any(line.startswith("- scifact · 768/int8 · ndcg@10: was") for line in lines)
    assert any(line.startswith("~ scifact · 128/binary · ndcg@10: ") and "(-5.0)" in line for line in lines)
    assert any(line.startswith("- stsb · ") for line in lines)


def test_the_files_are_text_that_reviews_well(run, tmp_path):
    """One cell a line, one query a row, six decimals; a changed query is one changed line."""
    folder = accept(run, folder=tmp_path).folder
    lines = (folder / "baseline.json").read_text().splitlines()
    assert sum('"variant": ' in line for line in lines) == 8
    values = (folder / "values" / "000-scifact.ndcg@10.csv").read_text().splitlines()
    assert values[0] == "id,768/float32,768/int8,128/float32,128/binary"
    assert len(values) == 301
    assert all(len(number.partition(".")[2]) <= 6 for number in values[1].split(",")[1:])
    assert (folder / "values" / "001-stsb.cosine.csv").read_text().startswith("id,gold,768/float32")
    assert json.loads((folder / "baseline.json").read_text())["record"]["provenance"]["seconds"] == {}


def test_chosen_metrics_are_kept(run, tmp_path):
    """Other metrics than the main one are kept on request, and then they can be judged."""
    accept(run, folder=tmp_path, metrics=["main", "recall@*"])
    policy = Policy(resamples=1000, metrics=("recall@100",))
    verdict = judge(load_baseline(tmp_path / "main"), run, policy)
    assert [f.status for f in verdict.findings if f.metric == "recall@100"] == ["passed"] * 4


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (["nonsense"], "no metric 'nonsense'; it has: ndcg@10, recall@100"),
        (["main", "ndgc@*"], "no metric 'ndgc@*'"),
        (["recall@*"], "no metric of stsb would be kept; add main"),
        ([], "no metric of scifact would be kept; add main"),
    ],
)
def test_a_baseline_of_nothing_is_not_accepted(run, tmp_path, metrics, words):
    """Misspelt metrics, and tasks that would be left without any, are refused; what was there stays."""
    before = files_of(accept(run, folder=tmp_path).folder)
    with pytest.raises(UsageError, match=re.escape(words)):
        accept(run, folder=tmp_path, metrics=metrics)
    assert files_of(tmp_path / "main") == before


def test_a_metric_that_was_not_kept_does_not_pass(run, tmp_path):
    """The finding names the metric and the next step."""
    accept(run, folder=tmp_path)
    verdict = judge(
        load_baseline(tmp_path / "main"), run, Policy(resamples=1000, metrics=("recall@100", "main"))
    )
    assert verdict.exit_code == 3
    assert "the baseline holds no recall@100" in verdict.findings[0].reason


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 200])
def test_names_stay_in_the_folder(run, tmp_path, name):
    """A name that is a path is refused."""
    with pytest.raises(UsageError, match="cannot name a baseline"):
        accept(run, name, folder=tmp_path)


def test_failed_cells_are_not_accepted_unseen(tmp_path):
    """A failed cell would never be judged again: it is accepted only on request; an empty run never."""
    broken = make_run(tmp_path / "a", replace(retrieval(n=20), failed={"128/binary": "NaN"}))
    with pytest.raises(UsageError, match="scifact · 128/binary"):
        accept(broken, folder=tmp_path / "b")
    assert accept(broken, folder=tmp_path / "b", allow_failed=True).changes
    with pytest.raises(UsageError, match="no cell was scored"):
        accept(make_run(tmp_path / "c"), folder=tmp_path / "b")


def test_results_without_per_query_values_can_be_accepted(tmp_path):
    """Means are kept; whoever compares is told that nothing can be tested."""
    run = make_run(tmp_path / "a", replace(retrieval(n=20), kept=False))
    baseline = load_baseline(accept(run, folder=tmp_path / "b").folder)
    verdict = judge(baseline, run, FAST)
    assert verdict.exit_code == 3
    assert "no per-query values" in verdict.findings[0].reason


def test_baselines_are_listed_by_name(run, tmp_path):
    """What is no baseline is not listed."""
    assert list_baselines(tmp_path) == []
    for name in ("v2", "main"):
        accept(run, name, folder=tmp_path)
    (tmp_path / "notes").mkdir()
    assert [baseline.folder.name for baseline in list_baselines(tmp_path)] == ["main", "v2"]
    assert not is_baseline(tmp_path / "notes")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: text[:100], "cannot be read"),
        (lambda text: text.replace('"format": 1', '"format": 7'), "baseline format 7"),
        (lambda text: text[:0] + "[]", "baseline format None"),
        (lambda text: text.replace("values/000-scifact", "../../etc/000"), "outside its folder"),
        (lambda text: text.replace('"n": 300', '"n": "many"', 1), "damaged"),
    ],
)
def test_a_damaged_baseline_is_one_message(run, tmp_path, edit, words):
    """Cut, foreign, of another format, or pointing outside: named, with the file."""
    file = accept(run, folder=tmp_path).folder / "baseline.json"
    file.write_text(edit(file.read_text()))
    with pytest.raises(RunFileError, match=words) as caught:
        load_baseline(tmp_path / "main")
    assert "baseline.json" in str(caught.value)


VALUES = "values/000-scifact.ndcg@10.csv"


def edited(file, old, new):
    """Change a file by hand; say what was changed."""
    text = file.read_bytes()
    assert old in text
    file.write_bytes(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("damage", "names"),
    [
        (lambda folder: edited(folder / VALUES, b"\nq007,", b"\nq007,0"), [VALUES]),
        (lambda folder: edited(folder / "baseline.json", b'"value": 0.', b'"value": 0.0'), ["baseline.json"]),
        (lambda folder: (folder / VALUES).unlink(), [VALUES]),
        (lambda folder: (folder / "top.parquet").unlink(), ["top.parquet"]),
        (lambda folder: edited(folder / "top.parquet", b"scifact", b"scifakt"), ["top.parquet"]),
        (lambda folder: [(folder / VALUES).unlink(), (folder / "top.parquet").unlink()],
         [VALUES, "top.parquet"]),
    ],
)  # fmt: skip
def test_a_baseline_changed_by_hand_is_refused(run, tmp_path, damage, names):
    """Accepting is the only way to change one: any other change is named, file by file."""
    folder = accept(run, folder=tmp_path).folder
    damage(folder)
    with pytest.raises(RunFileError, match="changed or damaged since it was accepted") as caught:
        load_baseline(folder)
    assert f": {', '.join(names)};" in str(caught.value)


def test_line_endings_of_another_system_are_no_change(run, tmp_path):
    """Version control may check text files out with other line endings."""
    folder = accept(run, folder=tmp_path).folder
    for file in (folder / VALUES, folder / "baseline.json"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert judge(load_baseline(folder), run, FAST).exit_code == 0


def test_a_damaged_baseline_can_be_replaced(run, tmp_path):
    """Accepting again is the way out, and says that what was there could not be read."""
    folder = accept(run, folder=tmp_path).folder
    (folder / "baseline.json").write_text("{")
    changes = accept(run, folder=tmp_path).changes
    assert changes[0].startswith("! the baseline that was here is replaced unread: ")
    assert judge(load_baseline(folder), run, FAST).exit_code == 0
