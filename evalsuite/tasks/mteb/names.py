"""From an MTEB name to tasks: tasks, benchmarks, `NAME=FOLDER`, and filters by type, language and domain."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalsuite.core.errors import UsageError, known_names
from evalsuite.tasks.mteb.options import MtebOptions
from evalsuite.tasks.mteb.refs import MtebRef
from evalsuite.tasks.splits import SPLIT_WORDS

EVERYTHING = "mteb"
"""The reference that stands for every text task that matches the filters."""

_SPLIT = re.compile(r"(?P<base>.+):(?P<split>[\w.-]+)")


class MtebNames:
    """What can be asked of mteb by name, under given options.

    Args:
        options: Filters and the folder of local data.

    Raises:
        UsageError: If there is no such folder; or lists every filter that matches nothing mteb knows.
    """

    def __init__(self, options: MtebOptions) -> None:
        self._options = options
        if options.data is not None:
            _existing(options.data, "local MTEB data (--mteb-data or $EVALSUITE_MTEB_DATA)")
        _check_filters(options)

    def names(self) -> list[str]:
        """List the names of all tasks and benchmarks."""
        return [*_classes(), *_benchmarks()]

    def find(self, text: str) -> list[MtebRef]:
        """Find what a text stands for; empty when it is no name of mteb's.

        Args:
            text: A task, a benchmark, `TASK:SPLIT`, `TASK=FOLDER` or `mteb` (everything that matches).

        Raises:
            UsageError: If it is a name but cannot be used: another modality, no such split or folder, no
                subset of the languages, no filter for `mteb`.
        """
        if text == EVERYTHING:
            return self._everything()
        name, has_folder, folder = text.partition("=")
        base, split = _parted(name)
        # Asked first: to know its benchmarks, mteb makes thousands of tasks.
        if base in _classes():
            local = _existing(Path(folder).expanduser(), repr(text)) if has_folder else None
            return self._refs(_task(base), split, local)
        if text in _benchmarks():
            return self._members(text)
        if base in _benchmarks():
            wanted = "folder" if has_folder else "split"
            message = f"{text!r}: {base} is a benchmark, and a benchmark takes no {wanted}"
            raise UsageError(message)
        return []

    def given(self, task: Any) -> list[MtebRef]:
        """Make the refs of a task object, with the splits and subsets that its maker left in it.

        Raises:
            UsageError: If it needs more than text, or has no subset of the languages.
        """
        return self._refs(task, None, None)

    def _refs(self, task: Any, split: str | None, local: Path | None) -> list[MtebRef]:
        """Make the refs of one task; an aggregate is unfolded into its members."""
        name, members = str(task.metadata.name), _unfolded(task)
        if members != [task] and (split or local):
            message = f"{name} stands for {len(members)} tasks; give a split or folder to each of them"
            raise UsageError(message)
        _refuse_modalities(name, members)
        refs = [self._ref(member, name if members != [task] else EVERYTHING) for member in members]
        empty = [ref.name for ref in refs if not ref.subsets]
        if empty:
            known = known_names(sorted(task.languages))
            asked = known_names(self._options.languages)
            message = f"{name}: no subset in the languages asked for ({asked}); it has: {known}"
            raise UsageError(message)
        return [_placed(ref, split, local) for ref in refs]

    def _members(self, benchmark: str) -> list[MtebRef]:
        """Make the refs of a benchmark's tasks that match, with the subsets the benchmark chose."""
        tasks = [each for task in _benchmarks()[benchmark].tasks for each in _unfolded(task)]
        matching = [task for task in tasks if _matches(task, self._options)]
        _refuse_modalities(benchmark, matching)
        refs = [ref for ref in (self._ref(task, benchmark) for task in matching) if ref.subsets]
        if not refs:
            message = f"{benchmark}: none of its {len(tasks)} tasks matches {_filters_text(self._options)}"
            raise UsageError(message)
        return refs

    def _everything(self) -> list[MtebRef]:
        """Make the refs of all current public text tasks that match.

        Raises:
            UsageError: If no filter is set, or nothing matches.
        """
        if not self._options.has_filters:
            message = (
                f"{EVERYTHING!r} stands for every text task that matches --mteb-types, --mteb-languages and "
                "--mteb-domains; give at least one of them"
            )
            raise UsageError(message)
        refs = self.matching()
        if not refs:
            message = f"{EVERYTHING!r}: no text task matches {_filters_text(self._options)}"
            raise UsageError(message)
        return refs

    def matching(self) -> list[MtebRef]:
        """Make the refs of all public text tasks that match, but those replaced by others or in beta."""
        names = [
            name for name, each in _classes().items() if _is_current(each) and _matches(each, self._options)
        ]
        return [ref for ref in (self._ref(_task(name), EVERYTHING) for name in names) if ref.subsets]

    def _ref(self, task: Any, origin: str) -> MtebRef:
        """Make the ref of one task, its subsets filtered, its data local where the data folder has it."""
        name = str(task.metadata.name)
        own = self._options.data / name if self._options.data else None
        return MtebRef(
            name=name,
            abstask=task,
            subsets=_subsets(task, self._options.languages),
            languages=self._options.languages,
            folder=own.resolve() if own is not None and own.is_dir() else None,
            origin=origin,
        )


@functools.cache
def _classes() -> Mapping[str, Any]:
    """Return the class of every task mteb knows, by name; its metadata is known without making the task."""
    with _quietly():
        from mteb.get_tasks import TASK_LIST
    return {str(each.metadata.name): each for each in TASK_LIST}


@functools.cache
def _task(name: str) -> Any:
    """Make a task of mteb; made once, and only ever copied."""
    with _quietly():
        import mteb

        return mteb.get_task(name)


@functools.cache
def _benchmarks() -> Mapping[str, Any]:
    """Make every benchmark mteb knows, under its name and its aliases."""
    with _quietly():
        import mteb

        found = mteb.get_benchmarks()
    aliases = {alias: each for each in found for alias in each.aliases or ()}
    return {**aliases, **{each.name: each for each in found}}


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep mteb from warning of every beta task it makes; `MtebTask.warnings` says it of those used."""
    logger = logging.getLogger("mteb")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _parted(name: str) -> tuple[str, str | None]:
    """Take `:SPLIT` off a name; no task of mteb's has a colon in its name."""
    match = _SPLIT.fullmatch(name)
    return (match["base"], match["split"]) if match else (name, None)


def _existing(folder: Path, what: str) -> Path:
    """Return a folder that must be there.

    Raises:
        UsageError: If it is not.
    """
    if not folder.is_dir():
        seen_from = "" if folder.is_absolute() else f" in {Path.cwd()}"
        message = f"{what}: no such folder {folder}{seen_from}"
        raise UsageError(message)
    return folder.resolve()


def _placed(ref: MtebRef, split: str | None, local: Path | None) -> MtebRef:
    """Give a ref the split and the folder that were asked for.

    Raises:
        UsageError: If the task can have no such split.
    """
    own = list(ref.abstask.eval_splits)
    if split is not None and split not in {*own, *SPLIT_WORDS}:
        message = f"{ref.name} has no split {split!r}; splits: {known_names(own)}"
        raise UsageError(message)
    is_default = split is None or own == [split]
    return dataclasses.replace(
        ref,
        name=ref.name if is_default else f"{ref.name}:{split}",
        splits=() if split is None else (split,),
        folder=local or ref.folder,
    )


def _unfolded(task: Any) -> list[Any]:
    """Replace an aggregate task, which has no data of its own, by its members."""
    from mteb.abstasks.aggregated_task import AbsTaskAggregate

    if not isinstance(task, AbsTaskAggregate):
        return [task]
    return [each for member in task.metadata.tasks for each in _unfolded(member)]


def _refuse_modalities(name: str, tasks: Iterable[Any]) -> None:
    """Stop at tasks with more than text.

    Raises:
        UsageError: Names the modalities.
    """
    others = [task for task in tasks if list(task.metadata.modalities) != ["text"]]
    if others:
        found = sorted({modality for task in others for modality in task.metadata.modalities} - {"text"})
        which = f"{len(others)} of its tasks need" if others[0].metadata.name != name else "it needs"
        message = f"{name}: {which} {' and '.join(found)}; evalsuite evaluates text tasks only"
        raise UsageError(message)


def _subsets(task: Any, languages: Sequence[str]) -> tuple[str, ...]:
    """List a task's subsets that have one of the languages; all without a filter."""
    from mteb.languages import LanguageScripts

    wanted = LanguageScripts.from_languages_and_scripts(languages or None)
    spoken = task.metadata.hf_subsets_to_langscripts
    return tuple(
        subset
        for subset in task.hf_subsets
        if any(wanted.contains_language(language) for language in spoken.get(subset, ()))
    )


def _matches(task: Any, options: MtebOptions) -> bool:
    """Tell whether a task, or a class of tasks, has one of the types and one of the domains asked for."""
    metadata = task.metadata
    has_type = not options.types or metadata.type in options.types
    return has_type and (not options.domains or bool(set(options.domains) & set(metadata.domains or ())))


def _is_current(task: Any) -> bool:
    """Tell whether a class of tasks belongs in a list of everything: public text, no older or beta version.

    Aggregates do not belong there: their members are in it.
    """
    from mteb.abstasks.aggregated_task import AbsTaskAggregate

    metadata = task.metadata
    only_text = list(metadata.modalities) == ["text"] and not issubclass(task, AbsTaskAggregate)
    return only_text and metadata.is_public and not metadata.superseded_by and not metadata.is_beta


def _check_filters(options: MtebOptions) -> None:
    """Refuse filters that no text task can match.

    Raises:
        UsageError: Lists them with the values that exist.
    """
    if not options.has_filters:
        return
    texts = [each.metadata for each in _classes().values() if list(each.metadata.modalities) == ["text"]]
    known = {
        "type": (options.types, {str(metadata.type) for metadata in texts}),
        "domain": (options.domains, {str(domain) for metadata in texts for domain in metadata.domains or ()}),
    }
    problems = [
        f"no MTEB {noun} {value!r}; {noun}s: {known_names(sorted(values))}"
        for noun, (asked, values) in known.items()
        for value in asked
        if value not in values
    ]
    codes = {
        code for metadata in texts for both in metadata.bcp47_codes for code in (both, both.split("-")[0])
    }
    problems += [
        f"no MTEB text task in language {value!r}; write ISO 639-3, such as 'eng' or 'eng-Latn'"
        for value in options.languages
        if value not in codes
    ]
    if problems:
        raise UsageError("\n".join(problems))


def _filters_text(options: MtebOptions) -> str:
    """Write the filters that are set."""
    parts = {"types": options.types, "languages": options.languages, "domains": options.domains}
    return (
        ", ".join(f"{name} {known_names(values)}" for name, values in parts.items() if values) or "anything"
    )
