"""Compare a checkpoint with what was shipped before, and accept a new baseline."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.api.runs import load_run
from evalsuite.core.progress import Progress
from evalsuite.core.run import Run
from evalsuite.core.verdict import Verdict
from evalsuite.gate import accept, baseline, verbs
from evalsuite.gate.judge import judge
from evalsuite.gate.sides import Openers, Source, open_sides
from evalsuite.gate.texts import with_texts

if TYPE_CHECKING:
    from evalsuite.gate.policy import Policy


def compare(
    baseline: Source,
    candidate: Source,
    policy: Policy | str | os.PathLike[str] | None = None,
    *,
    checkpoints: tuple[str | None, str | None] = (None, None),
    texts: bool = True,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Judge a candidate against a baseline, at every dimension and precision.

    Args:
        baseline: A run, its folder, the name of a committed baseline, results of mteb, or a checkpoint,
            which is evaluated on the other side's question.
        candidate: The same.
        policy: A policy, or the path of a policy file; by default one point a cell.
        checkpoints: Labels of the baseline's and the candidate's checkpoint; None where a run has only one.
        texts: Look up the texts of queries that moved, where the tasks' data are at hand.
        cache_dir: Folder of the embedding store, for a checkpoint that has to be evaluated.
        progress: Told about the work when a checkpoint has to be evaluated.

    Returns:
        The verdict; `exit_code` is 0 passed, 1 regressed, 3 could not judge.

    Raises:
        UserError: If a side cannot be opened, or the policy has mistakes.
    """

    def evaluated(model: str, other: Run | None) -> Run:
        from evalsuite.api.question import Question

        question = Question() if other is None else Question.of(other)
        return question.ask(model, cache_dir=cache_dir, progress=progress)

    # Read first: a mistake in it must not show after minutes of encoding.
    name, rules = verbs.open_policy(policy)
    openers = Openers(load_run, evaluated, _is_model)
    before, after = open_sides(baseline, candidate, openers)
    verdict = judge(before, after, rules, policy_name=name, checkpoints=checkpoints)
    return with_texts(verdict, after) if texts else verdict


def write_verdict(
    verdict: Verdict,
    out: str | os.PathLike[str] | None = None,
    *,
    junit: str | os.PathLike[str] | None = None,
    markdown: str | os.PathLike[str] | None = None,
    page: bool = True,
) -> None:
    """Write a verdict as JSON, Markdown, JUnit XML and a page, and to the job summary of GitHub Actions.

    Args:
        verdict: The verdict.
        out: Folder for all four files.
        junit: Another place for the XML.
        markdown: Another place for the Markdown.
        page: Whether to draw the page; its figures take some seconds.

    Raises:
        StorageError: If a file cannot be written.
    """
    files = verbs.VerdictFiles() if out is None else verbs.VerdictFiles.within(Path(out))
    verbs.write_verdict(
        verdict,
        verbs.VerdictFiles(
            json=files.json,
            markdown=files.markdown if markdown is None else Path(markdown),
            junit=files.junit if junit is None else Path(junit),
        ),
    )
    if out is not None and page:
        from evalsuite.api.verdict_page import write_page

        write_page(verdict, Path(out))


def accept_baseline(
    run: Run | str | os.PathLike[str],
    name: str = accept.DEFAULT_NAME,
    *,
    checkpoint: str | None = None,
    metrics: Sequence[str] = ("main",),
    folder: str | os.PathLike[str] | None = None,
    allow_failed: bool = False,
) -> accept.Accepted:
    """Make a run the baseline that later checkpoints are compared with.

    Args:
        run: A run, or its folder.
        name: Name of the baseline.
        checkpoint: Label of the checkpoint; may be left out when the run has only one.
        metrics: Metrics kept: `main`, or globs such as `recall@100`.
        folder: Where baselines are kept; `reports/baselines` by default.
        allow_failed: Accept a run with failed cells.

    Raises:
        UserError: If the run cannot be read or holds nothing to compare with, or the name is impossible.
    """
    return accept.accept(
        run if isinstance(run, Run) else load_run(run),
        name,
        checkpoint=checkpoint,
        metrics=metrics,
        folder=_baselines(folder),
        allow_failed=allow_failed,
    )


def list_baselines(folder: str | os.PathLike[str] | None = None) -> Sequence[Run]:
    """Open every committed baseline, by name.

    Raises:
        RunFileError: If one is damaged.
    """
    return baseline.list_baselines(_baselines(folder))


def _baselines(folder: str | os.PathLike[str] | None) -> Path:
    """Return where baselines are kept."""
    return baseline.BASELINES_FOLDER if folder is None else Path(folder)


def _is_model(word: str) -> bool:
    """Tell whether a word can name a checkpoint; imported here, since opening models is heavy."""
    from evalsuite.api.models import is_model_name

    return is_model_name(word)
