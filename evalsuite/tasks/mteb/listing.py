"""Planning before a run: how large MTEB's tasks are and about how long they take to encode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.tasks.mteb.data import availability
from evalsuite.tasks.mteb.refs import MtebRef

DEFAULT_RATE = 100.0
"""Texts of `REFERENCE_CHARACTERS` a second: about a 100M model on a laptop's GPU, or a 20M model on a CPU."""

REFERENCE_CHARACTERS = 500
"""Length of the text that a rate of texts a second is about."""

READ_CHARACTERS = 2000
"""Characters of a text that a model with 512 tokens reads, about; longer texts are cut."""

_SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True)
class Size:
    """How much there is to encode, after mteb's descriptive statistics.

    Attributes:
        texts: Different texts, counted column by column.
        characters: Their characters in total.
        read: Characters that count for time: at most `READ_CHARACTERS` a text on average.
    """

    texts: int
    characters: int
    read: int


@dataclass(frozen=True)
class Listing:
    """One line of the plan.

    Attributes:
        name: The task.
        type: mteb's name of the kind of task.
        languages: ISO 639-3 codes of the subsets used.
        subsets: How many subsets are used.
        split: The splits, joined by commas.
        size: How much there is to encode; None if mteb has no statistics of it.
        hours: Estimated time to encode; None if the size is unknown.
        data: `local` (a folder given), `cached` (in a cache of the hub's) or `missing`.
    """

    name: str
    type: str
    languages: tuple[str, ...]
    subsets: int
    split: str
    size: Size | None
    hours: float | None
    data: str


@dataclass(frozen=True)
class Plan:
    """The tasks that fit into a time, and those that do not.

    Attributes:
        kept: Tasks that fit, in the order asked for.
        left_out: The others, in that order.
    """

    kept: tuple[Listing, ...]
    left_out: tuple[Listing, ...] = ()

    @property
    def hours(self) -> float:
        """Estimated time of the kept tasks whose size is known."""
        return sum(listing.hours or 0.0 for listing in self.kept)

    @property
    def unknown(self) -> int:
        """How many kept tasks are of unknown size."""
        return sum(listing.hours is None for listing in self.kept)


def list_task(ref: MtebRef, texts_per_second: float = DEFAULT_RATE) -> Listing:
    """Describe a task without reading its data.

    Args:
        ref: The task.
        texts_per_second: Encoding rate for texts of `REFERENCE_CHARACTERS`.
    """
    metadata = ref.abstask.metadata
    spoken = metadata.hf_subsets_to_langscripts
    languages = {code.split("-")[0] for subset in ref.subsets for code in spoken.get(subset, ())}
    size = task_size(ref)
    return Listing(
        name=ref.name,
        type=str(metadata.type),
        languages=tuple(sorted(languages)),
        subsets=len(ref.subsets),
        split=",".join(ref.splits or ref.abstask.eval_splits),
        size=size,
        hours=None if size is None else estimate_hours(size, texts_per_second),
        data=availability(metadata, ref.folder),
    )


def estimate_hours(size: Size, texts_per_second: float) -> float:
    """Estimate the time to encode once, in proportion to the characters a model reads."""
    return size.read / (texts_per_second * REFERENCE_CHARACTERS) / _SECONDS_AN_HOUR


def task_size(ref: MtebRef) -> Size | None:
    """Add up mteb's descriptive statistics over the splits and subsets used; None where one is missing.

    The few texts a classifier is trained on are not counted.
    """
    stored: Mapping[str, Any] = ref.abstask.metadata.descriptive_stats or {}
    columns: list[Mapping[str, Any]] = []
    for split in ref.splits or ref.abstask.eval_splits:
        of_split = stored.get(split)
        if of_split is None:
            return None
        by_subset = of_split.get("hf_subset_descriptive_stats")
        if by_subset and set(ref.subsets) - by_subset.keys():
            return None
        chosen = [by_subset[subset] for subset in ref.subsets] if by_subset else [of_split]
        columns += [column for part in chosen for column in _text_columns(part)]
    if not columns:
        return None
    return Size(
        texts=sum(int(column["unique_texts"]) for column in columns),
        characters=sum(_characters(column) for column in columns),
        read=sum(
            min(_characters(column), int(column["unique_texts"]) * READ_CHARACTERS) for column in columns
        ),
    )


def fit(listings: Sequence[Listing], limit_hours: float) -> Plan:
    """Keep the cheapest tasks that fit into a time together; tasks of unknown size are left out."""
    remaining, chosen = limit_hours, set()
    for place, hours in sorted(
        ((place, listing.hours) for place, listing in enumerate(listings) if listing.hours is not None),
        key=lambda pair: (pair[1], pair[0]),
    ):
        if hours > remaining:
            break
        remaining -= hours
        chosen.add(place)
    return Plan(
        kept=tuple(listing for place, listing in enumerate(listings) if place in chosen),
        left_out=tuple(listing for place, listing in enumerate(listings) if place not in chosen),
    )


def _text_columns(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the statistics of every text column of one split or subset."""
    for value in part.values():
        if isinstance(value, Mapping) and {"average_text_length", "unique_texts"} <= value.keys():
            yield value


def _characters(column: Mapping[str, Any]) -> int:
    """Count the characters of a column's different texts: each is encoded once, however often it occurs."""
    return round(float(column["average_text_length"]) * int(column["unique_texts"]))
