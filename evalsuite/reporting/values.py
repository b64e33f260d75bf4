"""Per-query values of a run, read once and only the columns that a report needs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evalsuite.core.measure import CORRELATIONS
from evalsuite.core.run import Run

if TYPE_CHECKING:
    import pyarrow as pa

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PanelValues:
    """The values behind one checkpoint's scores on one task.

    Attributes:
        ids: Ids of queries or pairs, (n,).
        values: Variant text to float64 (n,), in the order of `ids`.
        gold: Scores by people, where the metric is a correlation.
        parts: Number of the part of each id, where the task has several.
        tops: Variant text to the ids of each query's first documents.
    """

    ids: Sequence[str]
    values: dict[str, Floats]
    gold: Floats | None = None
    parts: npt.NDArray[np.integer[Any]] | None = None
    tops: dict[str, Sequence[Sequence[str]]] | None = None

    def of(self, variant: str) -> Floats | None:
        """Return the values of a variant; None if it has none."""
        return self.values.get(variant)


ValuesOf = Callable[[str, str, str], PanelValues | None]
"""Finds values by checkpoint, task and metric."""


class ValueReader:
    """Reads per-query tables on first use and keeps them.

    Attributes:
        problems: What could not be read, one sentence a table.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._files = {
            (entry.checkpoint, entry.task): run.folder / entry.path
            for run in runs
            for entry in run.record.per_query
        }
        self._known: dict[tuple[str, str, str], PanelValues | None] = {}
        self.problems: list[str] = []

    def __call__(self, checkpoint: str, task: str, metric: str) -> PanelValues | None:
        """Return the values of one checkpoint on one task; None if there are none that can be read."""
        key = (checkpoint, task, metric)
        if key not in self._known:
            file = self._files.get((checkpoint, task))
            self._known[key] = None if file is None else self._read(file, metric)
        return self._known[key]

    def _read(self, file: Path, metric: str) -> PanelValues | None:
        """Read one table, or note why it cannot be read."""
        import pyarrow.parquet as pq

        try:
            # Not `read_table`, which imports pandas.
            with pq.ParquetFile(file, read_dictionary=["variant"]) as source:
                present = source.schema_arrow.names
                column = "cosine" if metric in CORRELATIONS and "cosine" in present else metric
                if column not in present:
                    return None
                wanted = [
                    name for name in ("variant", "id", column, "gold", "part", "top") if name in present
                ]
                # One thread: to start a pool takes longer than to read.
                return _values(source.read(columns=wanted, use_threads=False), column)
        except (OSError, ValueError) as error:
            self.problems.append(f"{file}: per-query values cannot be read ({error}); evaluate again")
            return None


def _values(table: pa.Table, column: str) -> PanelValues:
    """Sort a table by variant; variants that lack some ids, or have others, are left out."""
    blocks, all_ids, has = _blocks(table), table.column("id"), table.column_names
    first, last = next(iter(blocks.values()), (0, 0))
    ids = all_ids.slice(first, last - first)
    same = {name: (a, b) for name, (a, b) in blocks.items() if all_ids.slice(a, b - a).equals(ids)}
    everything = _numbers(table, column)
    tops = table.column("top") if "top" in has else None
    return PanelValues(
        ids=ids.to_pylist(),
        values={name: everything[a:b] for name, (a, b) in same.items()},
        gold=_numbers(table, "gold")[first:last] if "gold" in has else None,
        parts=_parts(table, first, last) if "part" in has else None,
        tops=None if tops is None else {n: _Lists(tops, a, b) for n, (a, b) in same.items()},
    )


def _blocks(table: pa.Table) -> dict[str, tuple[int, int]]:
    """Find where the rows of each variant begin and end; of one whose rows are apart, the last block."""
    coded = table.column("variant").unify_dictionaries().combine_chunks()
    names, codes = coded.dictionary.to_pylist(), _flat(coded.indices)
    edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    return {str(names[codes[a]]): (a, b) for a, b in itertools.pairwise(edges) if b > a}


def _numbers(table: pa.Table, column: str) -> Floats:
    """Return a column as float64, NaN where there is no value."""
    values = table.column(column).combine_chunks()
    if values.null_count:
        return np.array(values.to_pylist(), dtype=np.float64)
    return np.asarray(_flat(values), dtype=np.float64)


def _flat(values: pa.Array) -> npt.NDArray[Any]:
    """Look at numbers without absent ones; not by `to_numpy`, which imports pandas."""
    return np.from_dlpack(values)


def _parts(table: pa.Table, first: int, last: int) -> npt.NDArray[np.integer[Any]]:
    """Number the parts of the ids."""
    names = [str(name) for name in table.column("part").to_pylist()[first:last]]
    return np.asarray(np.unique(names, return_inverse=True)[1])


class _Lists(Sequence[Sequence[str]]):
    """Rows of a column of lists, turned into Python only when they are looked at."""

    def __init__(self, column: pa.ChunkedArray, first: int, last: int) -> None:
        self._rows = column.slice(first, last - first)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index].as_py() or []
