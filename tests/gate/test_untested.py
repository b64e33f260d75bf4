"""Metrics that are no mean of kept values: labelled pairs of which only similarities are kept."""

import shutil

import pandas as pd
import pytest

import evalsuite
from evalsuite.gate.accept import accept
from evalsuite.gate.baseline import load_baseline
from evalsuite.gate.judge import judge
from evalsuite.gate.rows import grouped
from evalsuite.models.fake import fake_checkpoint
from tests.gate.conftest import FAST
from tests.sweep.mteb_tasks import mock

pytestmark = pytest.mark.filterwarnings("ignore")  # of mteb's own libraries


def forget(run):
    """Keep the similarities of a run's pairs only."""
    for file in (run.folder / "per_query").glob("*.parquet"):
        values = pd.read_parquet(file)
        metrics = [name for name in values if name.startswith(("max_", "similarity_"))]
        values.drop(columns=metrics).to_parquet(file)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two checkpoints on a task of labelled pairs."""
    folder = tmp_path_factory.mktemp("pairs")
    return [
        evalsuite.evaluate(
            fake_checkpoint(16, seed=seed),
            mock("MockPairClassificationTask"),
            dims=[16, 8],
            precisions=["float32", "int8"],
            out=folder / str(seed),
            cache_dir=folder / "cache",
            spread=False,
        )
        for seed in range(2)
    ]


@pytest.fixture(scope="module")
def runs(whole, tmp_path_factory):
    """The same, with values of no metric."""
    folder = tmp_path_factory.mktemp("forgotten")
    copies = [shutil.copytree(run.folder, folder / str(place)) for place, run in enumerate(whole)]
    return [forget(evalsuite.load_run(copy)) for copy in copies]


def test_average_precision_is_tested(whole):
    """What a run keeps of its pairs is enough for the main metric of pair classification."""
    verdict = judge(whole[0], whole[1], FAST)
    assert len(verdict.findings) == 4
    assert all(finding.evidence is not None for finding in verdict.findings)
    assert not any("no_values" in finding.reason for finding in verdict.findings)


def test_the_same_values_pass(runs, tmp_path):
    """A run passes against itself and against its own baseline, though its metric cannot be tested."""
    accept(runs[0], folder=tmp_path)
    for baseline in (runs[0], load_baseline(tmp_path / "main")):
        verdict = judge(baseline, runs[0], FAST)
        assert verdict.exit_code == 0
        assert {finding.reason for finding in verdict.findings} == {"no query changed"}


def test_other_values_are_not_waved_through(runs):
    """Equal metrics of other similarities prove nothing: could not judge, on one line, with the next step."""
    verdict = judge(runs[0], runs[1], FAST)
    assert verdict.exit_code == 3
    (row,) = grouped(verdict)
    assert len(row.variants) == 4
    assert 'no_values = "points"' in row.first.reason
