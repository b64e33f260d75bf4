"""MtebTask: one task of MTEB, light until it is loaded."""

from __future__ import annotations

import copy
import importlib.metadata
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evalsuite.core.errors import TaskDataError
from evalsuite.tasks.mteb.data import load_abstask
from evalsuite.tasks.mteb.fingerprint import data_fingerprint
from evalsuite.tasks.mteb.native import native_part, suits_native_road
from evalsuite.tasks.mteb.rows import count_rows, place_of, split_size
from evalsuite.tasks.task import NativeTask

_AT_RANK = re.compile(r"(?P<metric>ndcg|map|recall|mrr|precision|hit_rate)_at_(?P<rank>\d+)")


@dataclass(frozen=True)
class MtebPart:
    """One split of one subset: what mteb scores on its own.

    Attributes:
        split: Name of the split, such as `test`.
        subset: Name of the subset, such as `en`; `default` for a task that has only one.
        languages: The subset's languages with their scripts, such as `eng-Latn`.
        native: The part as a task of our own; None where only mteb's evaluator gives the official score.
        size: Queries of a retrieval part, rows of any other.
    """

    split: str
    subset: str
    languages: tuple[str, ...]
    native: NativeTask | None
    size: int


class MtebTask:
    """A task of MTEB; metadata only until `load`.

    Args:
        abstask: mteb's task, filtered to the subsets wanted; it is copied, never changed.
        name: What to call the task; by default mteb's name.
        splits: The splits to use; by default the task's own.
        subsets: The subsets to use; by default those of `abstask`.
        languages: The explicit language filter that gave the subsets, for the record.
        folder: Folder with the task's data in place of the hub.

    Attributes:
        name: What the task is called in tables and files.
        task_name: mteb's name; prompts are looked up by it.
        task_type: mteb's name of the kind of task.
        main_score: mteb's name of the metric a table shows first, such as `ndcg_at_10`.
        main_metric: The same as a canonical text, such as `ndcg@10`.
        split: The splits, joined by commas.
        languages: The explicit language filter; empty means every subset.
        abstask: mteb's object, filtered to the splits and subsets; holds the data once loaded.
        has_native_road: Whether evalsuite's own search and metrics give the official scores, as far as that
            is known before the data is loaded; a part whose `native` is None needs mteb's evaluator.
        fingerprint: sha256 over every row that is scored or trained on; empty before the first load.
        counts: How many of each thing the task holds; empty before the first load.
        warnings: What is odd about the task or its data, one sentence each.
    """

    kind = "mteb"

    def __init__(
        self,
        abstask: Any,
        *,
        name: str | None = None,
        splits: Sequence[str] | None = None,
        subsets: Sequence[str] | None = None,
        languages: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        metadata = abstask.metadata
        self._template = _filtered(abstask, splits, subsets)
        self._parts: tuple[MtebPart, ...] | None = None
        self._folder = folder
        self.abstask = _copied(self._template)
        self.name = name or str(metadata.name)
        self.task_name = str(metadata.name)
        self.task_type = str(metadata.type)
        self.main_score = str(metadata.main_score)
        self.main_metric = canonical_metric(self.main_score)
        self.split = ",".join(self._template.eval_splits)
        self.languages = tuple(languages)
        self.source = f"mteb {importlib.metadata.version('mteb')}: {folder or hub_place(metadata)}"
        self.has_native_road = suits_native_road(abstask)
        self.fingerprint = ""
        self.counts: dict[str, int] = {}
        self.warnings: tuple[str, ...] = _metadata_warnings(metadata)

    @property
    def is_loaded(self) -> bool:
        """Whether the data is in memory."""
        return self._parts is not None

    @property
    def parts(self) -> tuple[MtebPart, ...]:
        """Each split of each subset.

        Raises:
            RuntimeError: If the task is not loaded.
        """
        if self._parts is None:
            message = f"{self.name}: not loaded; call load() first"
            raise RuntimeError(message)
        return self._parts

    def load(self) -> None:
        """Read the data; a second call does nothing.

        Raises:
            TaskDataError: If the data is not there (names the dataset and how to get it) or malformed.
        """
        if self.is_loaded:
            return
        loaded = load_abstask(self.abstask, self._template, self._folder)
        try:
            parts = self._read_parts(loaded)
            self.fingerprint, self.counts = data_fingerprint(loaded), count_rows(loaded)
        except (KeyError, TypeError, ValueError) as error:
            fault = f"the data lacks something that mteb expects of it ({type(error).__name__}: {error})"
            raise TaskDataError(place_of(loaded), [fault]) from error
        self.warnings = (*_metadata_warnings(loaded.metadata), *_part_warnings(parts))
        self.abstask, self._parts = loaded, parts

    def _read_parts(self, loaded: Any) -> tuple[MtebPart, ...]:
        """Describe each split of each subset of a loaded task."""
        spoken = loaded.metadata.hf_subsets_to_langscripts
        return tuple(
            MtebPart(
                split=split,
                subset=subset,
                languages=tuple(spoken.get(subset, ())),
                native=native_part(loaded, split, subset, self.source) if self.has_native_road else None,
                size=split_size(loaded, split, subset),
            )
            for split in loaded.eval_splits
            for subset in loaded.hf_subsets
        )

    def unload(self) -> None:
        """Let go of the data; fingerprint, counts and warnings stay."""
        self._parts = None
        self.abstask = _copied(self._template)

    def fresh_abstask(self) -> Any:
        """Copy mteb's object for one evaluation: the data is shared, the random state is a new task's.

        Multilabel classification and clustering draw from the state that the task carries, so evaluating
        one object twice gives two different scores.
        """
        duplicate = copy.copy(self.abstask)
        duplicate.rng_state = random.Random(duplicate.seed)  # noqa: S311
        duplicate.np_rng = np.random.default_rng(duplicate.seed)
        return duplicate


def canonical_metric(main_score: str) -> str:
    """Write mteb's name of a ranked metric as our own: `ndcg_at_10` is `ndcg@10`; others stay as they are."""
    match = _AT_RANK.fullmatch(main_score)
    return f"{match['metric']}@{match['rank']}" if match else main_score


def hub_place(metadata: Any) -> str:
    """Write where a task's data is on the hub, with the whole revision: `mteb/scifact@0228b52cf...`."""
    return f"{metadata.dataset['path']}@{metadata.dataset.get('revision') or 'main'}"


def _filtered(abstask: Any, splits: Sequence[str] | None, subsets: Sequence[str] | None) -> Any:
    """Copy mteb's task and set which splits and subsets are used."""
    duplicate = _copied(abstask)
    if splits:
        duplicate.filter_eval_splits(list(splits))
    if subsets is not None:
        duplicate.hf_subsets = list(subsets)
    return duplicate


def _copied(abstask: Any) -> Any:
    """Copy mteb's task deeply, but for its metadata, which is only ever replaced."""
    return copy.deepcopy(abstask, {id(abstask.metadata): abstask.metadata})


def _metadata_warnings(metadata: Any) -> tuple[str, ...]:
    """Say what mteb itself says against a task."""
    found = []
    if metadata.is_beta:
        found.append("mteb calls this task beta: its data and scores may change")
    if metadata.superseded_by:
        found.append(f"mteb has replaced this task by {metadata.superseded_by}")
    return tuple(found)


def _part_warnings(parts: Sequence[MtebPart]) -> list[str]:
    """List the native parts' oddities, each with its part where there are several."""
    found = []
    for part in parts:
        prefix = f"{part.split}/{part.subset}: " if len(parts) > 1 else ""
        found += [prefix + text for text in (part.native.warnings if part.native else ())]
    return found
