"""Around the judge: open a policy before, write the verdict to files after."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from evalsuite.core.files import storage_errors, write_text
from evalsuite.core.verdict import Verdict
from evalsuite.gate.junit import render_junit
from evalsuite.gate.markdown import render_markdown
from evalsuite.gate.policy import Policy
from evalsuite.gate.policy_file import read_policy

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Environment variable in which GitHub Actions names the file of the job's summary."""


def open_policy(policy: Policy | str | os.PathLike[str] | None) -> tuple[str, Policy]:
    """Read a policy, before anything is evaluated that it would judge.

    Args:
        policy: A policy, or the path of a policy file; the default policy without one.

    Returns:
        What a verdict calls it, and the policy.

    Raises:
        UsageError: If the file cannot be read or has mistakes; names every one.
    """
    if isinstance(policy, str | os.PathLike):
        return os.fspath(policy), read_policy(Path(policy))
    return ("default", Policy()) if policy is None else ("a policy given in code", policy)


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
