"""What the pytest plugin does once a test asks for the gate; imported no earlier."""

from __future__ import annotations

import dataclasses
import fnmatch
import inspect
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from evalsuite.api.question import Question
from evalsuite.core.errors import EvalsuiteError, UsageError
from evalsuite.core.files import write_text
from evalsuite.core.run import RECORD_FILE, Run
from evalsuite.core.verdict import Finding, Verdict
from evalsuite.gate.baseline import is_baseline
from evalsuite.gate.words import change, clean, points
from evalsuite.integrations.step_gate import open_baseline

_HARMFUL = ("fails", "blocks")
_LISTED = 20
"""Findings in the message of a failed test; the terminal summary has them all."""

Options = Mapping[str, str | None]


@dataclass(frozen=True)
class Gate:
    """A verdict in the hands of tests.

    Attributes:
        verdict: The verdict.
        folder: Where its files are: `verdict.json`, `verdict.md`, `verdict.xml`; `verdict.html` too if
            `--evalsuite-out` names it.
    """

    verdict: Verdict
    folder: Path

    @classmethod
    def of(cls, outcome: Mapping[str, Any]) -> Gate:
        """Read it from what `judge_once` returned."""
        return cls(_verdict(outcome), Path(outcome["folder"]))

    def check(self, task: str = "*", variant: str = "*", metric: str = "*") -> None:
        """Fail the test if anything chosen regressed, is missing or could not be judged.

        Args:
            task: Glob of tasks.
            variant: Glob of variants, such as `128/*`.
            metric: Glob of metrics.
        """
        __tracebackhide__ = True
        chosen = self.findings(task, variant, metric)
        bad = [finding for finding in chosen if finding.effect in _HARMFUL]
        everything = (task, variant, metric) == ("*", "*", "*")
        if not chosen:
            pytest.fail(
                f"neither side has a cell {task} {variant} {metric}: nothing was judged", pytrace=False
            )
        if bad or (everything and self.verdict.exit_code):
            more = f"\n... and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
            lines = [_line(finding) for finding in bad[:_LISTED]]
            pytest.fail("\n".join([self.verdict.headline, *lines]) + more, pytrace=False)

    def findings(self, task: str = "*", variant: str = "*", metric: str = "*") -> tuple[Finding, ...]:
        """Return what was found about some cells, the most harmful first; arguments as for `check`."""
        return tuple(
            finding
            for finding in self.verdict.findings
            if fnmatch.fnmatchcase(finding.task, task)
            and fnmatch.fnmatchcase(finding.variant, variant)
            and fnmatch.fnmatchcase(finding.metric, metric)
        )


def judge_once(folder: Path, options: Options, model: Any) -> dict[str, Any]:
    """Judge the model, or read what another process of this session has found.

    Args:
        folder: A folder that all processes of the session share, and no other session.
        options: Values of `--evalsuite-*` by the rest of their names.
        model: What is judged.

    Returns:
        The verdict as JSON knows it and `folder`, or `error`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "outcome.json"
    with FileLock(folder / ".lock"):
        if not done.exists():
            try:
                outcome = _judge(folder, options, model)
            except EvalsuiteError as error:
                outcome = {"error": str(error)}
            write_text(done, json.dumps(outcome))
        read: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return read


def summary_lines(outcome: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Write the terminal summary: a line, and whether it tells of harm."""
    if "error" in outcome:
        yield f"could not judge: {outcome['error']}", True
        return
    verdict = _verdict(outcome)
    for finding in verdict.findings:
        yield _line(finding), finding.effect in _HARMFUL
    yield verdict.headline, verdict.exit_code != 0
    yield f"verdict: {outcome['folder']}", False


def _judge(folder: Path, options: Options, model: Any) -> dict[str, Any]:
    """Evaluate, compare, and write the verdict's files.

    Raises:
        EvalsuiteError: If anything cannot be used.
    """
    from evalsuite.api import compare, write_verdict

    out = Path(options["out"]) if options["out"] else folder
    baseline = open_baseline(str(options["baseline"]))
    candidate = _candidate(model, options, baseline, out / "run")
    verdict = compare(baseline, candidate, options["policy"] or None)
    # The page takes seconds to draw, which only a session that names a folder to keep asks for.
    write_verdict(verdict, out, page=bool(options["out"]))
    return {"folder": str(out), **json.loads(verdict.to_json())}


def _candidate(model: Any, options: Options, baseline: Run, out: Path) -> Run:
    """Open the run that is judged, or evaluate the model on the baseline's question.

    Raises:
        UsageError: If no model is named, or a run is to be asked something else.
    """
    model = model() if inspect.isfunction(model) else model
    if model is None:
        message = "no model is named; give --evalsuite-model, or override the fixture evalsuite_model"
        raise UsageError(message)
    changes = [name for name in ("tasks", "dims", "precisions") if options[name]]
    if isinstance(model, Run) or (isinstance(model, str | os.PathLike) and _is_run(Path(model))):
        if changes:
            message = f"--evalsuite-{changes[0]}: a run answers its own question; name a model instead"
            raise UsageError(message)
        return open_baseline(model)
    return _asked(Question.of(baseline), options).ask(model, out, command="pytest")


def _asked(question: Question, options: Options) -> Question:
    """Change a question as the options say.

    Raises:
        UsageError: If a dimension is not a number.
    """
    words = {name: [word.strip() for word in (options[name] or "").split(",") if word.strip()] for name in
             ("tasks", "dims", "precisions")}  # fmt: skip
    wrong = [word for word in words["dims"] if not word.isdecimal()]
    if wrong:
        message = f"--evalsuite-dims {options['dims']}: not whole numbers: {', '.join(wrong)}"
        raise UsageError(message)
    return dataclasses.replace(
        question,
        tasks=words["tasks"] or question.tasks,
        dims=[int(word) for word in words["dims"]] or question.dims,
        precisions=words["precisions"] or question.precisions,
    )


def _is_run(path: Path) -> bool:
    """Tell whether a path is a run's folder, or a baseline's."""
    return (path / RECORD_FILE).exists() or is_baseline(path)


def _verdict(outcome: Mapping[str, Any]) -> Verdict:
    """Read a verdict back; what it works out itself is not stored in it."""
    return Verdict.model_validate({name: outcome[name] for name in Verdict.model_fields if name in outcome})


def _line(finding: Finding) -> str:
    """Write one finding on one line."""
    values = ""
    if finding.baseline is not None and finding.candidate is not None and finding.evidence is not None:
        values = (
            f"  {points(finding.baseline)} -> {points(finding.candidate)} ({change(finding.evidence.delta)})"
        )
    why = f"  {clean(finding.reason)}" if finding.effect != "none" else ""
    return f"{finding.status:<12} {clean(finding.name)}{values}{why}"
