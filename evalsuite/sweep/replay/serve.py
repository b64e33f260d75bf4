"""Serve vectors as an index of one variant would hold them, and note how true they are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evalsuite.core.errors import UsageError
from evalsuite.core.record import Fidelity
from evalsuite.core.variant import SYMMETRIC, Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.sweep.losses import weighted_mean
from evalsuite.sweep.means import merge_fidelity, weighted
from evalsuite.sweep.replay.candidates import CandidateSearch
from evalsuite.sweep.search import CorpusSearch, finite
from evalsuite.sweep.spaces import Fitted, Space, is_whole
from evalsuite.vectors.fidelity import SignalNoise
from evalsuite.vectors.rescore import CANDIDATES_PER_STEP
from evalsuite.vectors.search import Pairs, Ranking

Floats = npt.NDArray[np.float32]

NO_PAIRS = Pairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


@dataclass
class Server:
    """One variant at work.

    Attributes:
        variant: The variant.
        fitted: Projections and quantizers, shared by all variants of the task.
        task_type: mteb's name of the kind of task, for messages.
        tie_cutoff: Rank at which ties are counted.
    """

    variant: Variant
    fitted: Fitted
    task_type: str
    tie_cutoff: int
    _noise: SignalNoise = field(default_factory=SignalNoise)
    _saturated: list[tuple[float, int]] = field(default_factory=list)
    _clipped: list[tuple[float, int]] = field(default_factory=list)
    _searches: list[tuple[Fidelity, float, int]] = field(default_factory=list)

    def serve(self, vectors: Floats) -> Floats:
        """Return what full-width vectors become: float32 (n, dim), decoded.

        Vectors that are stored whole (full width, float32) come as the model gave them, not brought to unit
        length, as they would if mteb asked the model.

        Raises:
            UsageError: If the variant's scoring means more than vectors, or its level cannot be fitted.
        """
        if is_whole(self.variant, vectors.shape[1]):
            self._noise.update(vectors, vectors)
            return vectors
        if self.variant.scoring.mode != SYMMETRIC:
            message = (
                f"{self.variant.scoring.mode} scoring needs a ranking; {self.task_type} has none when mteb "
                "evaluates it; ask for the precision without a scoring"
            )
            raise UsageError(message)
        space = Space.of(self.variant)
        level = self.fitted.quantizer(space, self.variant.precision)
        cut = self.fitted.cut(vectors, space)
        codes = level.encode(cut)
        decoded = level.decode(codes)
        self._noise.update(cut, decoded)
        for share, shares in (
            (level.saturation(codes), self._saturated),
            (level.clip_share(cut), self._clipped),
        ):
            if share is not None:
                shares.append((share, len(cut)))
        return decoded

    def search(self, corpus: StoredVectors, queries: Floats, depth: int) -> Ranking:
        """Rank a corpus for full-width float32 (queries, width) queries, by any scoring.

        Raises:
            UsageError: If the variant cannot be searched, as its message says.
        """
        candidates = self.variant.scoring.multiplier * CANDIDATES_PER_STEP
        search = CorpusSearch(
            corpus=corpus,
            queries=queries,
            fitted=self.fitted,
            depth=min(max(depth, candidates), len(corpus)),
            watch=NO_PAIRS,
            advance=_ignore,
            seed=self.fitted.calibration.seed,
        )
        found, reasons = search.run([self.variant])
        if self.variant in reasons:
            raise UsageError(reasons[self.variant])
        ranking = found[self.variant].ranking
        tied = ranking.tie_across(min(self.tie_cutoff, ranking.rows.shape[1]))
        self._searches.append((found[self.variant].fidelity, float(tied.mean()), len(queries)))
        return ranking

    def rerank(self, corpus: StoredVectors, queries: Floats) -> CandidateSearch:
        """Prepare a corpus of which every query ranks a few given documents.

        Raises:
            UsageError: If the variant's level cannot be fitted.
        """
        search = CandidateSearch(self.variant, self.fitted, corpus, queries)
        if search.decoded is not None:
            self._noise.update(search.documents, search.decoded)
        return search

    @property
    def fidelity(self) -> Fidelity:
        """How true the vectors and scores were, over everything that was served."""
        if self._searches:
            counts = [count for *_, count in self._searches]
            return merge_fidelity([fidelity for fidelity, *_ in self._searches], counts)
        return Fidelity(
            sqnr_db=finite(self._noise.sqnr_db),
            mean_cosine=self._noise.mean_cosine,
            saturation=weighted_mean(self._saturated),
            clip_share=weighted_mean(self._clipped),
        )

    @property
    def tie_share(self) -> float | None:
        """Share of searched queries with equal scores on both sides of the cut-off; None without a search."""
        return weighted([share for _, share, _ in self._searches], [count for *_, count in self._searches])


def _ignore(documents: int) -> None:
    """Report nothing: variants are counted, not documents."""
    del documents
