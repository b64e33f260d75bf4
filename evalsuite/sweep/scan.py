"""A scan: one stream over a corpus, or over a part of it, for some queries and all variants at once.

A scan of a corpus in parts, joined again in their order, gives the very numbers of one scan, provided that
parts begin at whole blocks: an engine may share the parts out.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.core.variant import ASYMMETRIC, SYMMETRIC
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.sweep.lanes import Block, Lane, LevelCodes, Track, build_lanes
from evalsuite.sweep.losses import CodeLosses
from evalsuite.sweep.spaces import Fitted
from evalsuite.vectors.merge import merge_rankings
from evalsuite.vectors.search import Pairs, Ranking, TopK, host

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]

BLOCK_DOCUMENTS = 4096
LEAST_BLOCK = 256
BLOCK_SCORES = 8 * 1024 * 1024
"""Most scores held at once for a track: bounds memory whatever the corpus."""


@dataclass(frozen=True)
class Scan:
    """What is looked for, and where.

    Attributes:
        corpus: Full-width document vectors, in the order of the tie rule; a part of it after `part`.
        queries: float32 (queries, width), full-width query vectors.
        fitted: Projections and quantizers.
        depth: Documents kept a query.
        watch: Pairs whose scores are wanted; document rows count over the whole corpus.
        sample: int64 (s,), ascending rows of the whole corpus all of whose scores are kept.
        tracks: What must be scored.
        first: Row of the part's first document in the whole corpus.
    """

    corpus: StoredVectors
    queries: Floats
    fitted: Fitted
    depth: int
    watch: Pairs
    sample: Longs
    tracks: Sequence[Track]
    first: int = 0

    @property
    def block(self) -> int:
        """Documents of a block."""
        return block_rows(BLOCK_DOCUMENTS, len(self.queries))

    def part(self, start: int, stop: int) -> Scan:
        """Return the scan of the documents `start` to `stop`; `start` must begin a block."""
        return dataclasses.replace(self, corpus=self.corpus.slice(start, stop), first=self.first + start)

    def run(self, advance: Callable[[int], None]) -> Scanned:
        """Read the corpus once.

        Args:
            advance: Told how many documents were searched.

        Raises:
            EncodingError: If a score that matters is not a number.
        """
        steps = self.steps()
        while True:
            try:
                advance(next(steps))
            except StopIteration as end:
                found: Scanned = end.value
                return found

    def steps(self) -> Generator[int, None, Scanned]:
        """Read the corpus block by block, yielding the documents of each; returns what was found."""
        lanes, reasons = build_lanes(self.tracks, self.queries, self.fitted)
        best = {t: TopK(len(self.queries), self.depth, self.watch) for lane in lanes for t in lane.tracks}
        here = slice(*np.searchsorted(self.sample, [self.first, self.first + len(self.corpus)]))
        sample = self.sample[here]
        sampled = {track: np.empty((len(self.queries), len(sample)), np.float32) for track in best}
        seconds = dict.fromkeys(best, 0.0)
        for start, rows in self._blocks():
            block = Block(rows, self.fitted)
            columns = slice(*np.searchsorted(sample, [start, start + len(rows)]))
            for lane in lanes:
                began = time.perf_counter()
                for track, scores in lane.scores(block):
                    best[track].update(scores, start)
                    sampled[track][:, columns] = host(scores[:, sample[columns] - start])
                share = (time.perf_counter() - began) / max(len(lane.tracks), 1)
                for track in lane.tracks:
                    seconds[track] += share
            yield len(rows)
        # Rankings are smaller than the searches they come from, which end here.
        rankings = {track: best.pop(track).ranking() for track in list(best)}
        return Scanned(rankings, sampled, _losses(lanes), reasons, seconds)

    def _blocks(self) -> Iterator[tuple[int, Floats]]:
        """Read the documents in order: row of the first in the whole corpus, float32 (block, width) rows."""
        for start in range(0, len(self.corpus), self.block):
            yield self.first + start, self.corpus.block(start, start + self.block)


@dataclass(frozen=True)
class Scanned:
    """What a scan found.

    Attributes:
        rankings: The best documents of each query, a track each.
        sampled: float32 (queries, s), scores of the sampled documents in the scanned part, a track each.
        losses: What quantizing lost; a track each, both scorings of a level sharing theirs.
        reasons: Why a track could not be scored.
        seconds: Wall time, shared work split evenly.
    """

    rankings: Mapping[Track, Ranking]
    sampled: Mapping[Track, Floats]
    losses: Mapping[Track, CodeLosses]
    reasons: Mapping[Track, str]
    seconds: Mapping[Track, float]

    def then(self, later: Scanned, depth: int) -> Scanned:
        """Join with what was found side by side in the part of the corpus that comes next."""
        return Scanned(
            {t: merge_rankings(each, later.rankings[t], depth) for t, each in self.rankings.items()},
            {t: np.concatenate([each, later.sampled[t]], axis=1) for t, each in self.sampled.items()},
            {t: each.then(later.losses[t]) for t, each in self.losses.items()},
            self.reasons,
            {t: max(each, later.seconds[t]) for t, each in self.seconds.items()},
        )


def block_rows(wanted: int, queries: int) -> int:
    """Return documents of a block whose scores for so many queries fit the bound."""
    return max(LEAST_BLOCK, min(wanted, BLOCK_SCORES // queries))


def _losses(lanes: Sequence[Lane]) -> dict[Track, CodeLosses]:
    """List the losses of all levels that were scored."""
    return {
        Track(lane.space, lane.level.name, mode): lane.losses
        for lane in lanes
        if isinstance(lane, LevelCodes)
        for mode in (SYMMETRIC, ASYMMETRIC)
    }
