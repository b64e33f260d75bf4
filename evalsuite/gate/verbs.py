"""What can be done with the gate: compare two runs, and write a verdict to files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.files import storage_errors, write_text
from evalsuite.core.run import Run
from evalsuite.core.verdict import Verdict
from evalsuite.gate.judge import judge
from evalsuite.gate.junit import render_junit
from evalsuite.gate.markdown import render_markdown
from evalsuite.gate.policy import Policy
from evalsuite.gate.policy_file import read_policy
from evalsuite.gate.texts import with_texts

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Environment variable in which GitHub Actions names the file of the job's summary."""


def compare_runs(
    baseline: Run,
    candidate: Run,
    policy: Policy | str | os.PathLike[str] | None = None,
    *,
    checkpoints: tuple[str | None, str | None] = (None, None),
    texts: bool = True,
) -> Verdict:
    """Judge a candidate against a baseline.

    Args:
        baseline: What is compared with.
        candidate: What is judged.
        policy: A policy, or the path of a policy file; the default policy without one.
        checkpoints: Labels of the baseline's and the candidate's checkpoint; None where a run has only one.
        texts: Look up the texts of queries that moved, where the tasks' data are at hand.

    Raises:
        UsageError: If the policy has mistakes, or a checkpoint is not named where it must be.
    """
    name = "default" if policy is None else "a policy given in code"
    if isinstance(policy, str | os.PathLike):
        name, policy = os.fspath(policy), read_policy(Path(policy))
    verdict = judge(baseline, candidate, policy, policy_name=name, checkpoints=checkpoints)
    return with_texts(verdict, candidate) if texts else verdict


@dataclass(frozen=True)
class VerdictFiles:
    """Where a verdict is written; None writes no such file.

    Attributes:
        json: The whole verdict.
        markdown: For people, on pull requests.
        junit: For CI systems.
    """

    json: Path | None = None
    markdown: Path | None = None
    junit: Path | None = None

    @classmethod
    def within(cls, folder: Path) -> VerdictFiles:
        """Name all three files in a folder."""
        return cls(folder / "verdict.json", folder / "verdict.md", folder / "verdict.xml")


def write_verdict(verdict: Verdict, files: VerdictFiles) -> None:
    """Write a verdict's files, and append to the job summary of GitHub Actions where there is one.

    Raises:
        StorageError: If a file cannot be written.
    """
    for path, text in (
        (files.json, verdict.to_json),
        (files.markdown, lambda: render_markdown(verdict)),
        (files.junit, lambda: render_junit(verdict)),
    ):
        if path is not None:
            write_text(path, text())
    summary = os.environ.get(STEP_SUMMARY)
    if summary:
        # Earlier steps have written to it: it is added to, as the runner asks, never replaced.
        with storage_errors(Path(summary)), Path(summary).open("a", encoding="utf-8") as file:
            file.write(render_markdown(verdict))
