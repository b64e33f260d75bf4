"""Readings: one number of one checkpoint, and what the number becomes when any one query is left out.

Leaving out turns every statistic, means as well as correlations and ratios, into values a query (the
jackknife's pseudo-values, Tukey 1958), so all of them are compared by one method. The pseudo-values of a mean
are the queries' own values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from evalsuite.core.ablation import Measured
from evalsuite.core.ann import AnnEntry, AnnProbe
from evalsuite.core.record import Scored, TaskEntry
from evalsuite.core.run import Run
from evalsuite.core.spread import STATISTICS, SpreadEntry
from evalsuite.core.variant import PREFIX, Variant

Doubles = npt.NDArray[np.float64]

POINTS = 100.0
_CHUNK = 256

UNQUANTIZED = "float32"


@dataclass(frozen=True)
class Reading:
    """A number, and the same number without each query.

    Attributes:
        value: The number.
        left_out: float64 (n,), entry i without query i; empty if the number is one of a whole side.
    """

    value: float
    left_out: Doubles

    @property
    def pseudo(self) -> Doubles:
        """The jackknife's pseudo-values, `n value - (n-1) left_out_i`: float64 (n,), or (1,) if none."""
        n = len(self.left_out)
        return np.array([self.value]) if n < 2 else n * self.value - (n - 1) * self.left_out

    def over(self, other: Reading) -> Reading:
        """Divide by another number of the same queries, in percent; NaN where that is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.float64(100.0 * self.value) / other.value
            return Reading(float(value), 100.0 * self.left_out / other.left_out)


Readings = dict[Measured, dict[str, Reading]]
"""What was measured, to checkpoint label, to the number."""


def read_mean(values: Doubles) -> Reading:
    """Read the mean of values a query, in points."""
    scaled = POINTS * values
    n = len(scaled)
    left_out = (scaled.sum() - scaled) / (n - 1) if n > 1 else np.empty(0)
    return Reading(float(scaled.mean()), left_out)


def read_spearman(cosines: Doubles, gold: Doubles) -> Reading:
    """Read a rank correlation, in points.

    Leaving out pair i lowers the ranks above it by one and those equal to it by a half, so nothing is sorted
    anew.
    """
    left, right = rankdata(cosines), rankdata(gold)
    whole = POINTS * float(np.corrcoef(left, right)[0, 1])
    n = len(gold)
    if n < 4:
        return Reading(whole, np.empty(0))
    parts = []
    for start in range(0, n, _CHUNK):
        chosen = np.arange(start, min(start + _CHUNK, n))
        first, second = _ranks_without(left, chosen), _ranks_without(right, chosen)
        parts.append(POINTS * _correlate_without(first, second, chosen))
    return Reading(whole, np.concatenate(parts))


def quality(run: Run) -> Readings:
    """Read the main metric of every task and variant, and how much of it each level retains.

    A quantized level retains a share of the float32 quality at the same dimension; float32 at fewer
    dimensions retains a share of that at the full width.
    """
    found: Readings = {}
    for task in run.record.tasks:
        for label, cells in _scored(run, task).items():
            numbers = {way: _reading(run, task, label, way, outcome) for way, outcome in cells.items()}
            full = max(way.dim for way in cells)
            for way, number in numbers.items():
                _note(found, "quality", task, way, label, number)
                reference = numbers.get(_reference(way, full))
                if reference is not None and _reference(way, full) != way:
                    _note(found, "retention", task, way, label, number.over(reference))
    return found


def spread(entries: Iterable[SpreadEntry], names: Iterable[str] = STATISTICS) -> Readings:
    """Read spread statistics; one number a side, so only seeds tell chance apart."""
    found: Readings = {}
    wanted = tuple(names)
    for entry in entries:
        for name in wanted:
            if name in entry.values:
                what = Measured(
                    quantity="spread",
                    task=entry.task,
                    name=f"{entry.side} {name}",
                    dim=entry.dim,
                    precision=UNQUANTIZED,
                )
                reading = Reading(entry.values[name].value, np.empty(0))
                found.setdefault(what, {})[entry.checkpoint] = reading
    return found


def ann(entries: Iterable[AnnEntry], recall: float = 0.95) -> Readings:
    """Read the work of approximate search: distances to reach a recall, and the area under the curve.

    Args:
        entries: What was probed.
        recall: The recall whose work is read, one of `RECALL_TARGETS`.
    """
    found: Readings = {}
    for entry in entries:
        probe = entry.probe
        for name, value in _searched(probe, recall):
            what = Measured(
                quantity="ann", task=entry.task, name=name, dim=probe.dim, precision=probe.precision
            )
            found.setdefault(what, {})[entry.checkpoint] = Reading(value, np.empty(0))
    return found


def _searched(probe: AnnProbe, recall: float) -> Iterator[tuple[str, float]]:
    """Name and yield the numbers of every curve; a recall that is never reached has no work."""
    for curve in probe.curves:
        if curve.truth == "codes" and probe.precision == UNQUANTIZED:
            continue  # Codes of float32 are the vectors themselves: the curve is there already.
        name = f"{curve.index} {curve.asked} against {curve.truth}"
        yield f"{name}, area", curve.auc
        work = curve.work_at.get(recall)
        if work is not None:
            yield f"{name}, work at recall {recall:g}", work


def _scored(run: Run, task: TaskEntry) -> dict[str, dict[Variant, Scored]]:
    """Find the scored cells of every checkpoint on a task; controls of the projection are left out."""
    found: dict[str, dict[Variant, Scored]] = {}
    for cell in run.record.cells:
        way = Variant.parse(cell.variant)
        if cell.task == task.name and isinstance(cell.outcome, Scored) and way.projection == PREFIX:
            found.setdefault(cell.checkpoint, {})[way] = cell.outcome
    return found


def _reading(run: Run, task: TaskEntry, label: str, way: Variant, outcome: Scored) -> Reading:
    """Read one cell's main metric, from its per-query values where it is a mean or a correlation of them."""
    if task.kind not in ("retrieval", "sts"):
        return Reading(POINTS * outcome.metrics[task.main_metric].value, np.empty(0))
    values = np.asarray(run.per_query(task.name, way, task.main_metric, checkpoint=label), dtype=np.float64)
    if task.kind == "sts":
        gold = run.per_query(task.name, way, "gold", checkpoint=label)
        return read_spearman(values, np.asarray(gold, dtype=np.float64))
    return read_mean(values)


def _reference(way: Variant, full: int) -> Variant:
    """Return what a variant's quality is a share of."""
    dim = full if way.level == UNQUANTIZED else way.dim
    return Variant.parse(f"{dim}/{UNQUANTIZED}")


def _note(
    found: Readings, quantity: str, task: TaskEntry, way: Variant, label: str, reading: Reading
) -> None:
    what = Measured.model_validate(
        {
            "quantity": quantity,
            "task": task.name,
            "name": task.main_metric,
            "dim": way.dim,
            "precision": way.level,
        }
    )
    found.setdefault(what, {})[label] = reading


def _ranks_without(ranks: Doubles, chosen: npt.NDArray[np.int64]) -> Doubles:
    """Return the mid-ranks after leaving out each chosen place: float64 (chosen, n)."""
    left = ranks[chosen][:, None]
    lowered = (ranks[None, :] > left) + 0.5 * (ranks[None, :] == left)
    return np.asarray(ranks[None, :] - lowered, dtype=np.float64)


def _correlate_without(first: Doubles, second: Doubles, chosen: npt.NDArray[np.int64]) -> Doubles:
    """Correlate the rows of two (chosen, n) arrays of ranks, each row without its own chosen place."""
    one, two = _centred(first, chosen), _centred(second, chosen)
    cross = np.einsum("ij,ij->i", one, two)
    squares = np.einsum("ij,ij->i", one, one) * np.einsum("ij,ij->i", two, two)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(cross / np.sqrt(squares))


def _centred(ranks: Doubles, chosen: npt.NDArray[np.int64]) -> Doubles:
    """Take the mean rank off, and let each row's chosen place add nothing."""
    centred: Doubles = np.subtract(ranks, ranks.shape[1] / 2)
    centred[np.arange(len(chosen)), chosen] = 0.0
    return centred
