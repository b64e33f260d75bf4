"""Means of tasks by stratified bootstrap."""

import numpy as np
import pytest

from evalsuite.stats.macro import mean_of_tasks
from evalsuite.stats.paired import spread_of_mean
from evalsuite.stats.resample import bootstrap_means
from evalsuite.stats.strata import Strata


def test_equals_one_task_of_two_parts():
    """Two tasks averaged are one task of two parts: same mean, error, freedom and resamples' spread."""
    rng = np.random.default_rng(0)
    tasks = [rng.normal(0.01, 0.1, (25, 1)), rng.normal(-0.02, 0.3, (80, 1))]
    whole = np.concatenate(tasks)
    strata = Strata.of(["a"] * 25 + ["b"] * 80)
    spreads = [spread_of_mean(task, Strata.whole(len(task))) for task in tasks]
    draws = [bootstrap_means(t, Strata.whole(len(t)), np.random.default_rng(k), 4000)[:, 0]
             for k, t in enumerate(tasks)]  # fmt: skip
    found = mean_of_tasks(
        [float(task.mean()) for task in tasks],
        [(float(each.error[0]), float(each.freedom[0])) for each in spreads],
        draws,
    )
    reference = spread_of_mean(whole, strata)
    assert found.estimate == pytest.approx(strata.mean(whole)[0])
    assert found.spread.error[0] == pytest.approx(reference.error[0])
    assert found.spread.freedom[0] == pytest.approx(reference.freedom[0])
    together = bootstrap_means(whole, strata, np.random.default_rng(9), 4000)[:, 0]
    assert found.resampled.std() == pytest.approx(together.std(), rel=0.05)


def test_tasks_without_variation_leave_none():
    """If no task varies, neither does their mean."""
    found = mean_of_tasks([0.1, 0.3], [(0.0, 5.0), (0.0, 5.0)], [np.full(5, 0.1), np.full(5, 0.3)])
    assert found.estimate == pytest.approx(0.2)
    assert found.spread.error[0] == 0
