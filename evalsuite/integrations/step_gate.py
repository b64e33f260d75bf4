"""StepGate: each step of a training judged against the first, the best, the one before, or a fixed run."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.core.errors import UsageError
from evalsuite.core.files import write_text
from evalsuite.core.run import Run
from evalsuite.core.verdict import Verdict
from evalsuite.gate.baseline import BASELINES_FOLDER, is_baseline, load_baseline
from evalsuite.gate.judge import judge
from evalsuite.gate.markdown import render_markdown
from evalsuite.gate.policy import Policy
from evalsuite.gate.policy_file import read_policy

if TYPE_CHECKING:
    from evalsuite.api.question import AnyPath

FIRST, BEST, PREVIOUS = "first", "best", "previous"
MOVING = (FIRST, BEST, PREVIOUS)
"""References that are found among the steps themselves."""


def open_baseline(source: Run | AnyPath, folder: Path = BASELINES_FOLDER) -> Run:
    """Open what is compared with: a run, its folder, or a committed baseline by name or folder.

    Raises:
        UsageError: If there is no such thing.
        RunFileError: If it cannot be read.
    """
    if isinstance(source, Run):
        return source
    for path in (Path(source), folder / source):
        if is_baseline(path):
            return load_baseline(path)
    if not Path(source).exists():
        message = (
            f"{os.fspath(source)!r} is neither a run nor a baseline of {folder}; "
            "make one with: evalsuite baseline accept RUN"
        )
        raise UsageError(message)
    from evalsuite.api import load_run

    return load_run(source)


class StepGate:
    """Judges the steps of a training, one after the other.

    Args:
        against: `first`, `best` (by score), `previous`, or a run, its folder, or a committed baseline.
        policy: A policy or its file; by default one point a cell.

    Raises:
        UsageError: If the policy has mistakes or there is no such baseline; nothing was evaluated then.
    """

    def __init__(self, against: Run | AnyPath = FIRST, policy: Policy | AnyPath | None = None) -> None:
        self._moving = against if isinstance(against, str) and against in MOVING else ""
        self._reference = None if self._moving else open_baseline(against)
        self._best = -math.inf
        self._name = "default" if policy is None else "a policy given in code"
        # Read now, not at each step: what is judged by must not change under way.
        if isinstance(policy, str | os.PathLike):
            self._name, policy = os.fspath(policy), read_policy(Path(policy))
        self._policy = policy

    def judge(self, run: Run, score: float) -> Verdict | None:
        """Judge a step, write the verdict beside its run, and remember it.

        Args:
            run: What was measured at the step.
            score: Decides which step is the best; NaN never is.

        Returns:
            The verdict; None for the first step, if there is nothing to compare it with.

        Raises:
            StorageError: If the verdict cannot be written.
        """
        reference = self._reference
        verdict = None if reference is None else judge(reference, run, self._policy, policy_name=self._name)
        if verdict is not None:
            write_text(run.folder / "verdict.json", verdict.to_json())
            write_text(run.folder / "verdict.md", render_markdown(verdict))
        self.remember(run, score)
        return verdict

    def remember(self, run: Run, score: float) -> None:
        """Take a step into account without judging it, as one that was judged before a restart."""
        better = score > self._best
        if (
            (self._moving == FIRST and self._reference is None)
            or (self._moving == BEST and (better or self._reference is None))
            or self._moving == PREVIOUS
        ):
            self._reference = run
        self._best = score if better else self._best
