"""Training pairs: read, cut, freed of duplicates, drawn by a seed, and split into batches."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evalsuite.ablation.recipe import PairSource, Recipe, RecipeError

COLUMNS = ("anchor", "positive", "negative")
DRAW_SEED = 0
"""Seed of the draw from each source: every arm and seed trains on the same pairs."""

Rows = list[tuple[str, ...]]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of all sources, one after the other.

    Attributes:
        texts: The different texts.
        columns: int64 (n, 2) or (n, 3), for each pair the numbers of its anchor, positive and hard negative.
        sources: int64 (n,), the number of each pair's source.
    """

    texts: tuple[str, ...]
    columns: Ints
    sources: Ints

    def __len__(self) -> int:
        return len(self.columns)


def load_pairs(recipe: Recipe) -> tuple[Pairs, Pairs]:
    """Read the pairs of a recipe.

    Returns:
        The pairs to train on and the pairs held out; both number the same texts.

    Raises:
        RecipeError: Lists every file that is malformed or too small.
    """
    problems: list[str] = []
    drawn = [_draw(source, recipe, problems) for source in recipe.data]
    if len({len(rows[0]) for rows in drawn if rows}) > 1:
        problems.append("some sources have hard negatives and others have none; give either all or none")
    parts = [(rows[: recipe.held_out], rows[recipe.held_out :]) for rows in drawn]
    problems += _held_out_problems(recipe, parts)
    problems += _size_problems(recipe, [len(rest) for _, rest in parts])
    if problems:
        raise RecipeError(recipe.name, problems)
    texts = tuple(dict.fromkeys(text for rows in drawn for row in rows for text in row))
    number = {text: index for index, text in enumerate(texts)}
    held_out, train = ([part[side] for part in parts] for side in (0, 1))
    return _numbered(train, number, texts), _numbered(held_out, number, texts)


def batches(pairs: Pairs, size: int, steps: int, seed: int, *, mixed: bool) -> list[Ints]:
    """Lay out the batches of a whole training; the same for every arm of a seed.

    Each epoch shuffles the pairs, cuts them into full batches and shuffles those; a rest is left for a
    later epoch's shuffle.

    Args:
        pairs: At least `size` of every source, or of all if mixed.
        size: Pairs a batch.
        steps: Number of batches.
        seed: Seed of the order.
        mixed: Whether a batch holds pairs of all sources.

    Returns:
        Row numbers of each batch, int64 (size,).
    """
    groups = (
        [np.arange(len(pairs))]
        if mixed
        else [np.flatnonzero(pairs.sources == source) for source in np.unique(pairs.sources)]
    )
    rng = np.random.default_rng(seed)
    laid: list[Ints] = []
    while len(laid) < steps:
        epoch: list[Ints] = []
        for group in groups:
            order = rng.permutation(group)
            epoch += [order[start : start + size] for start in range(0, len(order) - size + 1, size)]
        laid += [epoch[index] for index in rng.permutation(len(epoch))]
    return laid[:steps]


def _draw(source: PairSource, recipe: Recipe, problems: list[str]) -> Rows:
    """Read one source, cut its texts, drop duplicates, and draw its pairs in random order."""
    try:
        rows = _read_file(Path(source.path)) if source.path else _read_dataset(source)
    except RecipeError as error:
        problems += [f"{error.where}: {problem}" for problem in error.problems]
        return []
    cut = recipe.max_words
    short = [tuple(" ".join(text.split()[:cut]) for text in row) for row in rows] if cut else rows
    unique = list(dict.fromkeys(short))
    order = np.random.default_rng(DRAW_SEED).permutation(len(unique))
    return [unique[index] for index in order[: source.pairs]]


def _read_file(path: Path) -> Rows:
    """Read a tab-separated file with a header.

    Raises:
        RecipeError: If it cannot be read, holds no pairs, or a line is not what the header says.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecipeError(str(path), [f"cannot be read ({reason})"]) from None
    # Not splitlines: texts may hold separators of other scripts.
    lines = [line.rstrip("\r") for line in text.split("\n")]
    header = tuple(lines[0].split("\t"))
    if header not in (COLUMNS[:2], COLUMNS):
        expected = " or ".join(repr("\t".join(COLUMNS[:count])) for count in (2, 3))
        raise RecipeError(str(path), [f"line 1: the header is {lines[0]!r}, not {expected}"])
    rows = {number: tuple(line.split("\t")) for number, line in enumerate(lines[1:], start=2) if line}
    _check_rows(rows, len(header), str(path))
    return list(rows.values())


def _read_dataset(source: PairSource) -> Rows:
    """Read a split of a dataset.

    Raises:
        RecipeError: If the library is missing, the dataset cannot be had, or lacks a column.
    """
    try:
        import datasets
    except ImportError:
        raise RecipeError(source.dataset, ["needs the library datasets: pip install datasets"]) from None
    try:
        folder = Path(source.dataset).expanduser()
        found: Any = (
            datasets.load_from_disk(str(folder)) if folder.is_dir() else datasets.load_dataset(source.dataset)
        )
        table = found[source.split] if isinstance(found, dict) else found
    except (OSError, ValueError, KeyError) as error:
        raise RecipeError(source.dataset, [f"cannot be loaded ({type(error).__name__}: {error})"]) from error
    names = [name for name in COLUMNS if name in table.column_names]
    if names[:2] != list(COLUMNS[:2]):
        raise RecipeError(source.dataset, [f"has the columns {table.column_names}, not anchor and positive"])
    rows = list(zip(*(table[name] for name in names), strict=True))
    _check_rows(dict(enumerate(rows, start=1)), len(names), source.dataset)
    return rows


def _check_rows(rows: Mapping[int, Sequence[str]], width: int, where: str) -> None:
    """Make sure that there are pairs, by number of line, and that none has an empty or missing text.

    Raises:
        RecipeError: Names the first lines that are wrong and counts the rest.
    """
    wrong = [
        number
        for number, row in rows.items()
        if len(row) != width or not all(isinstance(text, str) and text.strip() for text in row)
    ]
    problems = [f"line {number}: not {width} texts" for number in wrong[:5]]
    if len(wrong) > 5:
        problems.append(f"... and {len(wrong) - 5:,} more such lines")
    if not rows:
        problems.append("holds no pairs")
    if problems:
        raise RecipeError(where, problems)


def _held_out_problems(recipe: Recipe, parts: Sequence[tuple[Rows, Rows]]) -> list[str]:
    """Say which sources have no more pairs than are kept from training."""
    return [
        f"held_out: {recipe.held_out} pairs are kept from training, and {source.name} has only {len(kept)}"
        for source, (kept, rest) in zip(recipe.data, parts, strict=True)
        if kept and not rest
    ]


def _size_problems(recipe: Recipe, counts: list[int]) -> list[str]:
    """Say which sources cannot fill a batch; those that could not be read were named already."""
    if recipe.batches == "mixed":
        total = sum(counts)
        if 0 < total < recipe.batch:
            return [f"batch: {recipe.batch} pairs a step, and there are only {total} to train on"]
        return []
    return [
        f"batch: {recipe.batch} pairs a step, and {source.name} has only {count} to train on"
        for source, count in zip(recipe.data, counts, strict=True)
        if 0 < count < recipe.batch
    ]


def _numbered(parts: Sequence[Rows], number: dict[str, int], texts: tuple[str, ...]) -> Pairs:
    """Replace texts by their numbers."""
    columns = [[number[text] for text in row] for rows in parts for row in rows]
    sources = [index for index, rows in enumerate(parts) for _ in rows]
    return Pairs(texts, np.asarray(columns, dtype=np.int64), np.asarray(sources, dtype=np.int64))
