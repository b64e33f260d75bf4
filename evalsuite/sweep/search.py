"""Search a corpus once for every variant: stream blocks, feed lanes, keep the best, measure fidelity."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import UsageError
from evalsuite.core.record import Fidelity
from evalsuite.core.variant import ASYMMETRIC, PROTOCOLS, RESCORED, SYMMETRIC, Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.sweep.engine import LOCAL, Engine
from evalsuite.sweep.lanes import REFERENCE, Track
from evalsuite.sweep.losses import CodeLosses, weighted_mean
from evalsuite.sweep.protocols import search_protocol
from evalsuite.sweep.scan import Scan, Scanned
from evalsuite.sweep.spaces import Fitted, Space, spaces_of
from evalsuite.vectors.fidelity import ScoreAgreement, neighbour_overlap
from evalsuite.vectors.rescore import CANDIDATES_PER_STEP, rerank
from evalsuite.vectors.search import Pairs, Ranking

Floats = npt.NDArray[np.float32]

KEPT_ENTRIES = 48 * 1024 * 1024
"""Most ranked documents held at once over all queries and tracks; more queries take another pass."""

SAMPLED_DOCUMENTS = 256
"""Documents whose scores are compared with the float32 scores, drawn once a task."""


@dataclass
class Found:
    """What searching gave for one variant.

    Attributes:
        ranking: The best documents of each query.
        fidelity: How true the codes and scores were.
        seconds: Wall time, shared work split evenly.
    """

    ranking: Ranking
    fidelity: Fidelity
    seconds: float


@dataclass
class CorpusSearch:
    """A corpus, some queries, and what to search for.

    Attributes:
        corpus: Full-width document vectors, in the order of the tie rule.
        queries: float32 (queries, width), full-width query vectors.
        fitted: Projections and quantizers.
        depth: Documents kept a query.
        watch: Pairs whose scores are wanted.
        advance: Told how many documents were searched.
        seed: Seed of the sample of documents.
        engine: Where the corpus is scanned.
    """

    corpus: StoredVectors
    queries: Floats
    fitted: Fitted
    depth: int
    watch: Pairs
    advance: Callable[[int], None]
    seed: int
    engine: Engine = LOCAL

    def run(self, variants: Sequence[Variant]) -> tuple[dict[Variant, Found], dict[Variant, str]]:
        """Search for every variant.

        Returns:
            What was found, and for each variant that could not be searched the reason.
        """
        own = [variant for variant in variants if variant.scoring.mode not in PROTOCOLS]
        found, reasons = self._own(own) if own else ({}, {})
        for variant in variants:
            if variant.scoring.mode in PROTOCOLS:
                try:
                    found[variant] = self._protocol(variant)
                except UsageError as error:
                    reasons[variant] = str(error)
        return found, reasons

    def passes(self, variants: Sequence[Variant]) -> int:
        """Count how often the corpus will be read."""
        own = [variant for variant in variants if variant.scoring.mode not in PROTOCOLS]
        chunks = -(-len(self.queries) // self._chunk(len(_tracks(own)))) if own else 0
        return chunks + len(variants) - len(own)

    def _chunk(self, tracks: int) -> int:
        """Choose how many queries to search at once."""
        return max(1, KEPT_ENTRIES // (max(tracks, 1) * self.depth))

    def _own(self, variants: Sequence[Variant]) -> tuple[dict[Variant, Found], dict[Variant, str]]:
        """Stream the corpus for all variants at once, as many queries at a time as memory allows."""
        tracks = _tracks(variants)
        size = self._chunk(len(tracks))
        passes = [
            _Pass(self, start, min(start + size, len(self.queries)))
            for start in range(0, len(self.queries), size)
        ]
        for each in passes:
            each.run(tracks)
        whys = passes[0].found.reasons
        reasons = {v: whys[_track(v)] for v in variants if _track(v) in whys}
        masks = [each.mask for each in passes]
        truths = {
            space: _concatenate([each.found.rankings[_reference(space)] for each in passes], masks)
            for space in spaces_of(variants)
        }
        found = {v: self._join(v, passes, truths[Space.of(v)]) for v in variants if v not in reasons}
        return found, reasons

    def _join(self, variant: Variant, passes: Sequence[_Pass], truth: Ranking) -> Found:
        """Put the passes' queries together for one variant."""
        track = _track(variant)
        reference = _reference(track.space)
        began = time.perf_counter()
        firsts = [each.found.rankings[track] for each in passes]
        finals = [
            _rescored(each, first, variant) if variant.scoring.mode == RESCORED else first
            for each, first in zip(passes, firsts, strict=True)
        ]
        ranking = _concatenate(finals, [each.mask for each in passes])
        agreement = ScoreAgreement()
        for each in passes:
            agreement.update(each.found.sampled[reference], each.found.sampled[track])
        seconds = sum(each.found.seconds[track] for each in passes) + time.perf_counter() - began
        losses = passes[0].found.losses.get(track)
        return Found(ranking, _fidelity(ranking, truth, agreement, losses), seconds)

    def _protocol(self, variant: Variant) -> Found:
        """Score as another tool does."""
        began = time.perf_counter()
        ranking = search_protocol(self, variant)
        return Found(ranking, Fidelity(), time.perf_counter() - began)

    def sampled_rows(self) -> npt.NDArray[np.int64]:
        """Draw the documents whose scores are compared, ascending."""
        count = min(SAMPLED_DOCUMENTS, len(self.corpus))
        rng = np.random.default_rng(self.seed)
        return np.sort(rng.choice(len(self.corpus), count, replace=False)).astype(np.int64)


@dataclass
class _Pass:
    """One scan of the corpus for some of the queries.

    Attributes:
        search: The whole search.
        start: First query.
        stop: Query after the last.
        found: What was found, after `run`.
    """

    search: CorpusSearch
    start: int
    stop: int
    found: Scanned = field(init=False)

    def __post_init__(self) -> None:
        watch = self.search.watch
        self.queries = self.search.queries[self.start : self.stop]
        self.mask = (watch.query >= self.start) & (watch.query < self.stop)
        self.watch = Pairs(watch.query[self.mask] - self.start, watch.document[self.mask])

    def run(self, tracks: Sequence[Track]) -> None:
        """Scan the corpus once."""
        search = self.search
        sample = search.sampled_rows()
        scan = Scan(search.corpus, self.queries, search.fitted, search.depth, self.watch, sample, tracks)
        self.found = search.engine.scan(scan, search.advance)


def _track(variant: Variant) -> Track:
    """Return the stream of scores a variant starts from."""
    asymmetric = variant.scoring.mode == ASYMMETRIC and variant.precision != REFERENCE
    return Track(Space.of(variant), variant.precision, ASYMMETRIC if asymmetric else SYMMETRIC)


def _reference(space: Space) -> Track:
    """Return the stream that fidelity in a space is measured against."""
    return Track(space, REFERENCE, SYMMETRIC)


def _tracks(variants: Sequence[Variant]) -> list[Track]:
    """List the streams that variants need, float32 in every space included."""
    references = [_reference(space) for space in spaces_of(variants)]
    return list(dict.fromkeys([*references, *map(_track, variants)]))


def _rescored(part: _Pass, first: Ranking, variant: Variant) -> Ranking:
    """Reorder the candidates of each query with stored copies."""
    count = min(variant.scoring.multiplier * CANDIDATES_PER_STEP, first.rows.shape[1])
    search, space = part.search, Space.of(variant)
    rows, places = np.unique(first.rows[:, :count], return_inverse=True)
    copy = search.fitted.quantizer(space, variant.scoring.copy)
    documents = copy.decode(copy.encode(search.fitted.cut(search.corpus.take(rows), space)))
    queries = search.fitted.cut(part.queries, space)
    scores = np.empty((len(queries), count), dtype=np.float32)
    for query, own in enumerate(places.reshape(len(queries), count)):
        scores[query] = documents[own] @ queries[query]
    return rerank(first, scores, part.watch)


def _concatenate(rankings: Sequence[Ranking], masks: Sequence[npt.NDArray[np.bool_]]) -> Ranking:
    """Put the rankings of consecutive queries together; each mask tells which watched pairs are whose."""
    if len(rankings) == 1:
        return rankings[0]
    watched = np.empty(len(masks[0]), dtype=np.float32)
    for ranking, mask in zip(rankings, masks, strict=True):
        watched[mask] = ranking.watched
    return Ranking(
        np.concatenate([ranking.rows for ranking in rankings]),
        np.concatenate([ranking.scores for ranking in rankings]),
        np.concatenate([ranking.boundary for ranking in rankings]),
        watched,
    )


def _fidelity(
    ranking: Ranking, truth: Ranking, agreement: ScoreAgreement, losses: CodeLosses | None
) -> Fidelity:
    """Gather the label-free measures of one variant."""
    noise = None if losses is None else losses.noise
    return Fidelity(
        sqnr_db=None if noise is None else finite(noise.sqnr_db),
        mean_cosine=1.0 if noise is None else noise.mean_cosine,
        overlap_10=float(neighbour_overlap(truth.rows, ranking.rows, 10).mean()),
        overlap_100=float(neighbour_overlap(truth.rows, ranking.rows, 100).mean()),
        rank_correlation=agreement.rank_correlation,
        noise_ratio=agreement.noise_ratio,
        saturation=None if losses is None else weighted_mean(losses.saturated),
        clip_share=None if losses is None else weighted_mean(losses.clipped),
    )


def finite(value: float | None) -> float | None:
    """Return a value a record can hold: a code without any noise has no ratio to it."""
    return value if value is not None and math.isfinite(value) else None
