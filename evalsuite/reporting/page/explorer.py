"""The explorer of queries: which ones break at a variant, and which documents they lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.core.measure import CORRELATIONS
from evalsuite.core.variant import Variant
from evalsuite.reporting.page.texts import TaskTexts
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.text import clean, metric_title, shorten
from evalsuite.reporting.values import PanelValues, ValuesOf
from evalsuite.reporting.view import CheckpointView, ReportView

QUERIES = 12
"""So many queries are shown a variant."""
_ROWS = 1_200
"""So many rows a page carries in all, where there are few enough panels: about 150 kB with texts."""
_WHOLE = 600
"""With more rows than these, texts are cut shorter."""
_TOP = 5
"""So many documents of each ranking."""
_QUERY_LENGTH, _TEXT_LENGTH, _LEAST_LENGTH = 260, 150, 40


@dataclass(frozen=True)
class Broken:
    """One query or pair that a variant treats worse than full-width float32.

    Attributes:
        id: Its id.
        before: Points at full-width float32; of a pair, its cosine.
        after: The same at the variant.
        loss: How much was lost; of a pair, by how many percent of all places its rank left that by people.
        top_before: Ids of the first documents at full-width float32.
        top_after: Ids of the first documents at the variant.
    """

    id: str
    before: float
    after: float
    loss: float
    top_before: tuple[str, ...] = ()
    top_after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broke:
    """What one variant broke on one task.

    Attributes:
        variant: The variant.
        worse: How many queries lost.
        better: How many won.
        total: How many there are.
        queries: Those that lost most.
    """

    variant: Variant
    worse: int
    better: int
    total: int
    queries: tuple[Broken, ...]


@dataclass(frozen=True)
class ExplorerPanel:
    """One checkpoint on one task."""

    checkpoint: str
    task: str
    metric: str
    correlation: bool
    broke: tuple[Broke, ...]
    texts: TaskTexts = field(default_factory=TaskTexts)
    text_length: int = _TEXT_LENGTH

    @property
    def first(self) -> Broke:
        """The variant to look at first: the one that breaks most."""
        return max(self.broke, key=lambda each: each.worse)

    @property
    def data(self) -> dict[str, Any]:
        """The panel for the page's script: every text once, rows refer to it by number."""
        pool = _Pool(self.texts, self.text_length)
        variants = [
            [str(each.variant), each.worse, each.better, each.total,
             [pool.row(query) for query in each.queries]]
            for each in self.broke
        ]  # fmt: skip
        return {
            "name": f"{clean(self.task)} · {clean(self.checkpoint)}", "metric": metric_title(self.metric),
            "pairs": self.correlation, "variants": variants, "docs": pool.documents,
            "first": self.broke.index(self.first),
        }  # fmt: skip


def explore(
    view: ReportView, values_of: ValuesOf, texts: Mapping[str, TaskTexts]
) -> tuple[ExplorerPanel, ...]:
    """Find the queries that break, for the variants that matter most on every task.

    Args:
        view: The report.
        values_of: Finds the per-query values of a panel.
        texts: Task to its texts, where they are at hand.
    """
    count = max(2, min(24, _ROWS // max(1, QUERIES * len(view.panels))))
    rows = QUERIES * count * max(1, len(view.panels))
    length = max(_LEAST_LENGTH, min(_TEXT_LENGTH, _TEXT_LENGTH * _WHOLE // rows))
    found = []
    for checkpoint in view.checkpoints:
        for panel in checkpoint.panels:
            values = values_of(panel.checkpoint, panel.task, panel.metric)
            broke = () if values is None else tuple(_broke(panel, values, checkpoint, count))
            if broke:
                correlation = panel.metric in CORRELATIONS and values is not None and values.gold is not None
                found.append(
                    ExplorerPanel(
                        panel.checkpoint, panel.task, panel.metric, correlation, broke,
                        texts.get(panel.task, TaskTexts()), length,
                    )
                )  # fmt: skip
    return tuple(found)


def _broke(panel: Panel, values: PanelValues, checkpoint: CheckpointView, count: int) -> Iterator[Broke]:
    """Work out the variants of one panel."""
    base = values.of(str(checkpoint.full))
    if base is None:
        return
    for variant in _wanted(panel, checkpoint, count):
        own = values.of(str(variant))
        if own is not None:
            broke = _compare(variant, values, str(checkpoint.full), (base, own), panel.metric)
            if broke.queries:
                yield broke


def _wanted(panel: Panel, checkpoint: CheckpointView, count: int) -> Sequence[Variant]:
    """Choose variants: the recommended one, the Pareto front, then those that lose most."""
    chosen = checkpoint.recommendation.chosen
    shippable = [cell for cell in panel.scored if not cell.variant.for_comparison]
    by_loss = sorted(shippable, key=lambda cell: cell.value)
    every = [
        *([chosen.variant] if chosen is not None else []),
        *(cell.variant for cell in panel.front),
        *(cell.variant for cell in by_loss),
    ]
    kept = [v for v in dict.fromkeys(every) if isinstance(panel.cells.get(v), ScoredCell)]
    picked = [variant for variant in kept if variant != checkpoint.full][:count]
    return sorted(picked, key=lambda v: (-v.dim, list(panel.precisions).index(v.series)))


def _compare(variant: Variant, values: PanelValues, full: str, pair: tuple[Any, Any], metric: str) -> Broke:
    """Compare one variant with full-width float32, query by query."""
    base, own = pair
    pairs = metric in CORRELATIONS and values.gold is not None
    loss = _rank_loss(base, own, values.gold) if pairs and values.gold is not None else base - own
    worst = np.argsort(-loss, kind="stable")[:QUERIES]
    tops = values.tops or {}
    queries = tuple(
        Broken(
            id=values.ids[index], before=float(base[index]), after=float(own[index]),
            loss=float(loss[index]), top_before=_first(tops, full, index),
            top_after=_first(tops, str(variant), index),
        )
        for index in worst.tolist() if loss[index] > 0
    )  # fmt: skip
    slack = 1e-9
    return Broke(variant, int((loss > slack).sum()), int((loss < -slack).sum()), len(loss), queries)


def _first(tops: Mapping[str, Sequence[Sequence[str]]], variant: str, index: int) -> tuple[str, ...]:
    """Return the first documents of a ranking."""
    return tuple(map(str, tops[variant][index][:_TOP])) if variant in tops else ()


def _rank_loss(base: Any, own: Any, gold: Any) -> npt.NDArray[np.float64]:
    """Return how much further each pair's rank is from its rank by people, as a share of all pairs."""
    target, before, after = (_ranks(np.asarray(column)) for column in (gold, base, own))
    return np.asarray((np.abs(after - target) - np.abs(before - target)) / max(len(target), 1))


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rank values from 1, ties in the middle."""
    ordered = np.sort(values)
    left, right = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((left + right + 1) / 2, dtype=np.float64)


class _Pool:
    """The documents of a panel, each once."""

    def __init__(self, texts: TaskTexts, length: int) -> None:
        self._texts, self._length = texts, length
        self._places: dict[str, int] = {}
        self.documents: list[list[str]] = []

    def row(self, query: Broken) -> list[Any]:
        """Write one query: id, text, before, after, loss, both rankings, the relevant documents."""
        relevant = list(self._texts.relevant.get(query.id, ()))[:_TOP]
        asked = shorten(clean(self._texts.asked.get(query.id, "")), _QUERY_LENGTH)
        numbers = [round(100 * value, 1) for value in (query.before, query.after, query.loss)]
        before, after, good = (self._all(ids) for ids in (query.top_before, query.top_after, relevant))
        return [clean(query.id), asked, *numbers, before, after, good]

    def _all(self, ids: Sequence[str]) -> list[int]:
        return [self._place(name) for name in ids]

    def _place(self, name: str) -> int:
        """Number a document."""
        if name not in self._places:
            self._places[name] = len(self.documents)
            text = shorten(clean(self._texts.documents.get(name, "")), self._length)
            self.documents.append([clean(name), text])
        return self._places[name]
