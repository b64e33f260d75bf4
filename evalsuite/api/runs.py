"""Load runs, and write reports and mteb's result files from them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.core.errors import UsageError
from evalsuite.core.files import storage_errors
from evalsuite.core.run import RECORD_FILE, Run

if TYPE_CHECKING:
    from evalsuite.reporting.write import Extras, ReportFiles

RUNS_FOLDER = Path("reports") / "runs"
"""Where runs go that were given no folder."""


def load_run(path: str | os.PathLike[str]) -> Run:
    """Open a run from its folder or its `record.json`, or results that mteb wrote as if they were a run.

    Args:
        path: A run, or a folder of mteb's results: a cache, a model, a revision or an experiment.

    Raises:
        RunFileError: If there is no readable record.
    """
    folder = Path(path)
    if folder.name == RECORD_FILE or (folder / RECORD_FILE).exists():
        return Run.load(folder)
    from evalsuite.interop.mteb_results import is_mteb_results, read_mteb_results

    return read_mteb_results(folder) if is_mteb_results(folder) else Run.load(folder)


def write_mteb_results(run: Run | str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[Path]:
    """Write a run's MTEB tasks in mteb's layout, for `mteb.ResultCache` to read; other tasks are left out.

    Args:
        run: A run, or its folder.
        folder: Folder to write to.

    Returns:
        The files written.

    Raises:
        StorageError: If the folder cannot be written to.
    """
    from evalsuite.interop.mteb_results import write_mteb_results as write

    return list(write(run if isinstance(run, Run) else load_run(run), Path(folder)))


def prepare_mteb_results(folder: str | os.PathLike[str]) -> None:
    """See, before anything is encoded, that results can be written in mteb's layout.

    Args:
        folder: Folder to write to; it is made.

    Raises:
        UsageError: If mteb is not installed.
        StorageError: If the folder cannot be made.
    """
    from evalsuite.models.registry import mteb_version

    mteb_version()
    with storage_errors(Path(folder)):
        Path(folder).mkdir(parents=True, exist_ok=True)


def report(
    run: Run | str | os.PathLike[str] | Sequence[Run | str | os.PathLike[str]],
    out: str | os.PathLike[str] | None = None,
    *,
    published: Sequence[str] = (),
    formats: Sequence[str] | None = None,
    extras: Extras | None = None,
) -> ReportFiles:
    """Write tables, figures and the HTML page of one or several runs.

    Args:
        run: Runs, or folders of runs.
        out: Folder to write to; by default the folder of the first run.
        published: Names of published tables, or their files, to draw as dashed lines beside measured ones.
        formats: What to write: `html`, `markdown`, `figures`, `csv` (all by default), and `paper`.
        extras: What the page shows beside its runs: the verdict of a comparison, what an ablation found.

    Returns:
        The paths of what was written.

    Raises:
        RunFileError: If a run cannot be read.
        UsageError: If there is no such published table or format.
        StorageError: If the folder cannot be written to.
    """
    from evalsuite.reporting.write import FORMATS, write_report

    given = [run] if isinstance(run, Run | str | os.PathLike) else list(run)
    runs = [each if isinstance(each, Run) else load_run(each) for each in given]
    if not runs:
        message = "no run given; name at least one folder that holds a record.json"
        raise UsageError(message)
    folder = runs[0].folder if out is None else Path(out)
    return write_report(runs, folder, formats=formats or FORMATS, published=published, extras=extras)
