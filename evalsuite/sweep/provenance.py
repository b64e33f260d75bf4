"""Provenance: the circumstances of a run, complete enough to repeat it."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import shutil
import subprocess
from collections.abc import Sequence

from evalsuite.core.record import Encoding, Provenance
from evalsuite.core.spec import SweepSpec
from evalsuite.stats import intervals
from evalsuite.sweep.calibration import describe

LIBRARIES = (
    "evalsuite", "numpy", "pandas", "scipy", "sentence-transformers", "tokenizers", "torch", "transformers",
)  # fmt: skip

TIE_RULE = "score descending, then document id descending (trec_eval)"


def provenance(
    asked: SweepSpec,
    command: str,
    device: str,
    engine: str,
    seconds: dict[str, float],
    encodings: Sequence[Encoding],
) -> Provenance:
    """Gather the circumstances.

    Args:
        asked: The question.
        command: The command line or call that made the run.
        device: Device the models ran on.
        engine: What did the heavy work.
        seconds: Wall time by stage.
        encodings: What was encoded, a checkpoint each.
    """
    import torch

    return Provenance(
        created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        command=command,
        versions={"python": platform.python_version(), **library_versions()},
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        device=device,
        threads=torch.get_num_threads(),
        engine=engine,
        git=git_state(),
        tie_rule=TIE_RULE,
        calibration=describe(asked.calibration),
        interval=intervals.METHOD,
        seconds={stage: round(value, 3) for stage, value in seconds.items()},
        encodings=tuple(encodings),
    )


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide the numbers."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def git_state() -> dict[str, str]:
    """Return the commit of the working folder and whether it was dirty; empty outside a repository."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return {}
    changes = _git("status", "--porcelain")
    return {"commit": commit, "dirty": "unknown" if changes is None else "yes" if changes else "no"}


def _git(*arguments: str) -> str | None:
    """Ask git; None if there is no git, no repository or no answer."""
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
