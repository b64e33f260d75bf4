"""Intervals of retention: against a bootstrap, and what they leave alone."""

import numpy as np
import pytest

from evalsuite.core.variant import Variant
from evalsuite.reporting.kept import retention_variances, with_intervals
from evalsuite.reporting.panel import Panel, ScoredCell, compared
from evalsuite.reporting.values import PanelValues, ValueReader
from evalsuite.reporting.view import build_view
from evalsuite.stats.correlations import (
    bootstrap_pearson,
    bootstrap_spearman,
    pearson_columns,
    spearman_columns,
)
from tests.reporting.made_up import realistic_run
from tests.reporting.made_up_parts import with_values

FULL, CUT = Variant(8, "float32"), Variant(4, "int8")


def panel_of(metric, full, cut):
    """A panel of two cells."""
    cells = {
        variant: ScoredCell(variant, value, None, None, 400, 8.0, 1.0)
        for variant, value in ((FULL, full), (CUT, cut))
    }
    return Panel("m", "t", metric, (8, 4), ("float32", "int8"), compared(cells, FULL))


def deviation(metric, full, cut, gold=None, parts=None):
    """The standard error that the delta method gives, of two columns of values."""
    scores = (full.mean(), cut.mean())
    if gold is not None:
        columns = spearman_columns if metric == "cosine_spearman" else pearson_columns
        scores = tuple(columns(np.stack([full, cut], axis=1), gold))
    elif parts is not None:
        scores = tuple(
            np.mean([own[parts == part].mean() for part in np.unique(parts)]) for own in (full, cut)
        )
    values = PanelValues(ids=(), values={str(FULL): full, str(CUT): cut}, gold=gold, parts=parts)
    return retention_variances(panel_of(metric, *scores), values, FULL)[CUT] ** 0.5


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_a_ratio_of_means_has_the_bootstrap_s_error(rng):
    """Paired values: what both share cancels."""
    full = rng.beta(2, 1, 500)
    cut = np.clip(full - rng.exponential(0.1, 500), 0, 1)
    drawn = rng.integers(0, 500, (4000, 500))
    boot = (cut[drawn].mean(axis=1) / full[drawn].mean(axis=1)).std()
    assert deviation("ndcg@10", full, cut) == pytest.approx(boot, rel=0.08)


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("metric", ["cosine_spearman", "cosine_pearson"])
def test_a_ratio_of_correlations_has_the_bootstrap_s_error(metric, rounded, rng):
    """Also with ties among the scores by people."""
    gold = rng.uniform(0, 5, 500)
    full = gold + rng.normal(size=500)
    cut = full + rng.normal(size=500)
    gold = np.round(gold) if rounded else gold
    bootstrap = bootstrap_spearman if metric == "cosine_spearman" else bootstrap_pearson
    found = bootstrap(np.stack([full, cut], axis=1), gold, rng, 2000)
    boot = (found[:, 1] / found[:, 0]).std()
    assert deviation(metric, full, cut, gold) == pytest.approx(boot, rel=0.12)


def test_parts_are_strata(rng):
    """The score is the mean over the parts' means, however many queries each has."""
    parts = np.repeat([0, 1], [400, 40])
    full, cut = rng.beta(2, 1, 440), rng.beta(1, 1, 440)
    ratios = []
    for _ in range(3000):
        drawn = [rng.choice(np.flatnonzero(parts == part), (parts == part).sum()) for part in (0, 1)]
        means = [np.mean([own[rows].mean() for rows in drawn]) for own in (full, cut)]
        ratios.append(means[1] / means[0])
    assert deviation("ndcg@10", full, cut, parts=parts) == pytest.approx(np.std(ratios), rel=0.08)


def test_every_variant_gets_its_interval(tmp_path):
    """Around the mean retention; full quality is no measurement; the recommendation says it."""
    run = with_values(realistic_run(), tmp_path)
    view = build_view([run])
    sure = with_intervals(view, ValueReader(view.runs)).checkpoints[0]
    for summary in sure.variants:
        if summary.variant == sure.full:
            assert summary.lower is None
        else:
            assert summary.lower < summary.mean_retention < summary.upper
    assert "[" in sure.recommendation.sentence


def test_without_values_nothing_is_claimed(tmp_path, minilm):
    """No tables, or a task without one: no interval at all."""
    view = build_view([minilm])
    assert with_intervals(view, ValueReader(view.runs)) == view
    run = with_values(realistic_run(), tmp_path)
    (tmp_path / run.record.per_query[1].path).unlink()
    view = build_view([run])
    reader = ValueReader(view.runs)
    assert with_intervals(view, reader).checkpoints[0].variants[0].lower is None
    assert "001.parquet: per-query values cannot be read" in reader.problems[0]
