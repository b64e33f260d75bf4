"""The page of a verdict: which side is better where, what moved, and both sides' report below."""

from __future__ import annotations

import copy
from pathlib import Path

from evalsuite.api.runs import load_run, report
from evalsuite.core.errors import RunFileError
from evalsuite.core.run import Run
from evalsuite.core.verdict import Side, Verdict
from evalsuite.gate.baseline import is_baseline, load_baseline

PAGE_FILE = "verdict.html"


def write_page(verdict: Verdict, out: Path) -> Path | None:
    """Draw a verdict with the report of the runs that it compares.

    A verdict is kept without its runs. They are found again where it says they were read from; a side that is
    not there any more, or is another run by now, is left out of the report below the verdict.

    Args:
        verdict: The verdict.
        out: Folder of the page.

    Returns:
        The page; None if neither run is there any more.

    Raises:
        StorageError: If it cannot be written.
    """
    from evalsuite.reporting.write import Extras

    sides = (_found_again(side) for side in (verdict.baseline, verdict.candidate))
    runs = [run for run in sides if run is not None]
    if not runs:
        return None
    extras = Extras(verdict=verdict, page=PAGE_FILE)
    return report(runs, out, formats=("html",), extras=extras).html


def _found_again(side: Side) -> Run | None:
    """Open one side's run as it was, with no other checkpoint than the one compared."""
    folder = Path(side.source)
    try:
        run = load_baseline(folder) if is_baseline(folder) else load_run(folder)
    except RunFileError:
        return None
    known = {entry.label: entry.fingerprint for entry in run.record.checkpoints}
    as_it_was = known.get(side.label) == side.fingerprint and run.record.provenance.created == side.created
    return _only(run, side.label) if as_it_was else None


def _only(run: Run, label: str) -> Run:
    """Leave out every other checkpoint of a run."""
    record = run.record
    if len(record.checkpoints) == 1:
        return run
    own = {
        name: tuple(each for each in getattr(record, name) if each.checkpoint == label)
        for name in ("cells", "per_query", "official", "spread", "ann", "ann_missing")
    }
    checkpoints = tuple(entry for entry in record.checkpoints if entry.label == label)
    alone = copy.copy(run)
    alone.record = record.model_copy(update={**own, "checkpoints": checkpoints})
    return alone
