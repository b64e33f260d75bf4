"""History: many runs as one frame, and as SQL views."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from evalsuite.core.run import Run
from evalsuite.history import tables
from evalsuite.history.database import Database
from evalsuite.history.find import AnyPath, find_runs
from evalsuite.history.parquet import RunFiles, list_files

if TYPE_CHECKING:
    import pandas as pd


class History:
    """The runs at or below some folders.

    Five views can be asked in SQL: `results` (one row a cell and metric), `per_query` (the values behind the
    means), `official` (what mteb reports), `spread` (statistics of the embedding space) and `runs`. Each row
    names the folder of its run and when the run ended. Labels and names are those of the runs: whether two
    runs judged the same checkpoint on the same data, `fingerprint` and `task_fingerprint` tell.

    Attributes:
        runs: Those that can be read, the oldest first.

    Args:
        paths: Folders, searched to any depth, or `record.json` files.

    Raises:
        UsageError: If there is no path, one does not exist or one holds no run; names all of those.
        RunFileError: If there are runs, but none that can be read.
    """

    def __init__(self, paths: AnyPath | Iterable[AnyPath]) -> None:
        found = find_runs(paths if isinstance(paths, Iterable) and not isinstance(paths, str) else [paths])
        self.runs: Sequence[Run] = found.runs
        self._unread = found.problems

    def __repr__(self) -> str:
        return f"History({len(self.runs)} runs, {len(self.problems)} problems)"

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each run or Parquet file that is left out because it cannot be read."""
        return self._unread + self._files.problems

    def frame(self) -> pd.DataFrame:
        """Return the view `results` as pandas: one row a cell and metric of every run, as fractions.

        Columns are `history.tables.RESULT_COLUMNS`: those of `Run.to_frame` after whose a row is. DuckDB is
        not needed.
        """
        return tables.to_frame(tables.results(self.runs))

    def query(self, sql: str) -> pd.DataFrame:
        """Answer one SELECT over the views.

        Raises:
            UsageError: If DuckDB is not installed, or it is not one SELECT that DuckDB can answer.
            RunFileError: If the Parquet files of different runs do not fit into one view.
        """
        return self._database.query(sql)

    def views(self) -> dict[str, tuple[str, ...]]:
        """List the views and their columns.

        Raises:
            UsageError: If DuckDB is not installed.
            RunFileError: If the Parquet files of different runs do not fit into one view.
        """
        return self._database.views()

    @functools.cached_property
    def _files(self) -> RunFiles:
        """The Parquet files, looked at when first needed."""
        return list_files(self.runs)

    @functools.cached_property
    def _database(self) -> Database:
        """The views, made when first needed."""
        made = {
            "results": tables.results(self.runs),
            "spread": tables.spread(self.runs),
            "runs": tables.overview(self.runs),
        }
        return Database(made, self._files)
