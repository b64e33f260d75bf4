"""Per-query values: read once, in order, and whatever is wrong is said."""

import subprocess
import sys

import pytest

from evalsuite.reporting.values import ValueReader
from tests.reporting.made_up import realistic_run
from tests.reporting.made_up_parts import with_values


@pytest.fixture
def run(tmp_path):
    return with_values(realistic_run("m"), tmp_path)


def test_means_are_the_recorded_scores(run):
    """The values behind a cell average to its score; rankings stand beside them."""
    values = ValueReader([run])("m", "SciFact", "ndcg@10")
    assert values.of("384/int8").mean() == pytest.approx(0.6432)
    assert len(values.ids) == 40
    assert values.tops["384/int8"][3][:2] == ["d3", "d4"]
    assert values.of("7/int8") is None


def test_correlations_bring_the_scores_by_people(run):
    """Cosines and gold, in one order."""
    values = ValueReader([run])("m", "STSb", "cosine_spearman")
    assert values.gold.shape == values.of("384/float32").shape == (40,)
    assert values.tops is None


def test_what_is_not_there_is_none(run):
    """Another task, another metric: no error, no values."""
    reader = ValueReader([run])
    assert reader("m", "nope", "ndcg@10") is None
    assert reader("m", "SciFact", "ndcg@7") is None
    assert reader.problems == []


def test_a_damaged_table_is_told_once(run):
    """The file and the next step are named."""
    (run.folder / run.record.per_query[0].path).write_text("not parquet")
    reader = ValueReader([run])
    assert reader("m", "SciFact", "ndcg@10") is None
    assert reader("m", "SciFact", "ndcg@10") is None
    assert len(reader.problems) == 1
    assert "000.parquet: per-query values cannot be read" in reader.problems[0]
    assert "evaluate again" in reader.problems[0]


def test_reading_loads_no_pandas(run):
    """A report must start fast."""
    code = (
        "import sys; from evalsuite.core.run import Run; from evalsuite.reporting.values import ValueReader;"
        f"assert ValueReader([Run.load({str(run.folder)!r})])('m', 'SciFact', 'ndcg@10').ids;"
        "sys.exit('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
