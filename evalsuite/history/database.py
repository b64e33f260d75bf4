"""A DuckDB database in memory whose views are runs, locked before the first question.

Once locked it reads no file but the runs' own Parquet files, writes none, loads no extension and reaches no
network; a question is one SELECT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evalsuite.core.errors import RunFileError, UsageError
from evalsuite.history.parquet import RunFile, RunFiles

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

OWNER_COLUMNS = ("run", "created", "checkpoint", "task")
"""Whose a row of a Parquet file is; the columns of the file follow."""

_PER_QUERY = ("variant", "id")
_OFFICIAL = ("variant", "split", "subset", "languages", "metric", "value")
_LOCKS = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class Database:
    """The views of some runs.

    Args:
        tables: View to Arrow table.
        files: The Parquet files behind the views `per_query` and `official`.

    Raises:
        UsageError: If DuckDB is not installed.
        RunFileError: If the Parquet files of different runs do not fit into one view.
    """

    def __init__(self, tables: Mapping[str, pa.Table], files: RunFiles) -> None:
        self._connection = _connect()
        for name, table in tables.items():
            self._connection.register(name, table)
        self._view("per_query", files.per_query, _PER_QUERY)
        self._view("official", files.official, _OFFICIAL)
        self._lock([file.path for file in (*files.per_query, *files.official)])

    def views(self) -> dict[str, tuple[str, ...]]:
        """List the views and their columns."""
        rows = self._connection.execute(
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
            "WHERE NOT internal GROUP BY table_name ORDER BY table_name"
        ).fetchall()
        return {name: tuple(columns) for name, columns in rows if not name.startswith("_")}

    def query(self, sql: str) -> pd.DataFrame:
        """Answer one SELECT.

        Raises:
            UsageError: If it is not one SELECT, or DuckDB refuses it; says why and which views there are.
        """
        import duckdb

        try:
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1 or not _is_question(statements[0]):
                message = f"a query is one SELECT statement; runs are read, never changed\n{self._known()}"
                raise UsageError(message)
            return self._connection.execute(statements[0]).df()
        except duckdb.Error as error:
            message = f"the query cannot be answered: {str(error).strip()}\n{self._known()}"
            raise UsageError(message) from error

    def _known(self) -> str:
        """List views and columns for the end of an error message."""
        lines = ["views and their columns:"]
        for name, columns in self.views().items():
            plain = [column for column in columns if "@" not in column]
            metrics = [column for column in columns if "@" in column]
            more = f', and {len(metrics)} metrics in double quotes such as "{metrics[0]}"' if metrics else ""
            lines.append(f"  {name}: {', '.join(plain)}{more}")
        return "\n".join(lines)

    def _view(self, name: str, files: Sequence[RunFile], usual: Sequence[str]) -> None:
        """Make the view of one kind of Parquet file; columns that a file lacks are NULL there."""
        import duckdb
        import pyarrow as pa

        if not files:
            columns = (*OWNER_COLUMNS, *usual)
            empty = [(column, pa.float64() if column == "value" else pa.string()) for column in columns]
            self._connection.register(name, pa.schema(empty).empty_table())
            return
        owners = {column: [getattr(file, column) for file in files] for column in ("path", *OWNER_COLUMNS)}
        self._connection.register(f"_{name}", pa.table(owners))
        own = ", ".join(f"owner.{column}" for column in OWNER_COLUMNS)
        paths = ", ".join(_quoted(file.path) for file in files)
        try:
            self._connection.execute(
                f"CREATE VIEW {name} AS SELECT {own}, row.* EXCLUDE (filename) "  # noqa: S608 - quoted
                f"FROM read_parquet([{paths}], union_by_name = true, filename = true) AS row "
                f"JOIN _{name} AS owner ON owner.path = row.filename"
            )
        except duckdb.Error as error:
            message = f"the {name} tables of these runs do not fit together ({error}); query fewer runs"
            raise RunFileError(message) from error

    def _lock(self, paths: Sequence[str]) -> None:
        """Allow the runs' own files, and nothing else from now on."""
        allowed = ", ".join(map(_quoted, paths))
        self._connection.execute(f"SET allowed_paths = [{allowed}]")
        for statement in _LOCKS:
            self._connection.execute(statement)


def _connect() -> duckdb.DuckDBPyConnection:
    """Open a database in memory.

    Raises:
        UsageError: If DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        message = "SQL over runs needs DuckDB; install it with: pip install 'evalsuite[history]'"
        raise UsageError(message) from error
    # Without a temporary folder nothing is written, not even what does not fit into memory.
    return duckdb.connect(":memory:", config={"temp_directory": ""})


def _is_question(statement: duckdb.Statement) -> bool:
    """Tell whether a statement only reads; PIVOT is several statements to DuckDB."""
    import duckdb

    return statement.type in (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI)


def _quoted(text: str) -> str:
    """Write a text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
