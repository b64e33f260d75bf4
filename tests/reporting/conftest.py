"""Fixtures of the reports' tests: made-up runs, good and bad."""

from __future__ import annotations

import pytest

from evalsuite.core.run import Run
from tests.reporting.made_up import (
    NASTY,
    SCIFACT,
    broken,
    cells_of,
    checkpoint_entry,
    crowded_run,
    make_run,
    realistic_run,
    task_entry,
)


@pytest.fixture(scope="session")
def minilm() -> Run:
    return realistic_run()


@pytest.fixture(scope="session")
def crowded() -> Run:
    """Two tasks, forty-odd levels and controls at four dimensions."""
    return crowded_run()


@pytest.fixture(scope="session")
def failing() -> Run:
    """Two cells failed, with a warning on the task and on the checkpoint."""
    run = realistic_run()
    reasons = {
        ("SciFact", "48/binary"): "48/binary: 48 dimensions need 6 bytes; the index refused <them> | twice",
        ("STSb", "96/int8"): "int8 calibration found a constant dimension (17)",
    }
    record = run.record.model_copy(
        update={
            "tasks": (
                task_entry("SciFact", warnings=["5 judgements name unknown documents"]),
                *run.record.tasks[1:],
            ),
            "checkpoints": (checkpoint_entry("all-MiniLM-L6-v2", warnings=["output is not of unit length"]),),
        }
    )
    return broken(Run(record, run.folder), reasons)


@pytest.fixture(scope="session")
def all_failed() -> Run:
    run = realistic_run()
    return broken(run, {(cell.task, cell.variant): "model returned NaN" for cell in run.record.cells})


@pytest.fixture(scope="session")
def nasty() -> Run:
    """Labels, names and texts full of markup, quotes, right-to-left letters, emoji and escapes."""
    task = task_entry(NASTY, warnings=[NASTY])
    run = make_run(
        [checkpoint_entry(NASTY, warnings=[NASTY])], [task], cells_of(NASTY, task, SCIFACT), folder="nasty"
    )
    provenance = run.record.provenance.model_copy(update={"command": NASTY, "git": {"commit": NASTY}})
    record = run.record.model_copy(update={"provenance": provenance})
    return broken(Run(record, run.folder), {(NASTY, "48/int8"): NASTY})
