"""Score an STS task at every variant: cosines of what is stored, correlated with the scores by people.

A pair has no query side; where a scoring needs one, the first sentence is the query and the second is what is
stored. Rescoring reads the stored copy of every pair: each pair is its own candidate.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalsuite.core.errors import UsageError
from evalsuite.core.progress import stage
from evalsuite.core.record import Failed, Fidelity, MetricValue, Outcome, Scored
from evalsuite.core.variant import ASYMMETRIC, PROTOCOLS, RESCORED, Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.metrics.official import PairScores, sts_scores
from evalsuite.metrics.sts import cosines, pearson, spearman
from evalsuite.stats.intervals import pearson_interval, spearman_interval
from evalsuite.sweep.scored import ScoringContext, TaskScores, bytes_per_vector, index_bytes
from evalsuite.sweep.search import finite
from evalsuite.sweep.spaces import Fitted, Space, is_whole
from evalsuite.tasks.task import StsTask
from evalsuite.vectors.fidelity import ScoreAgreement, SignalNoise
from evalsuite.vectors.protocols import protocol
from evalsuite.vectors.quantizers.base import Codes

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def score_sts(
    task: StsTask,
    first: StoredVectors,
    second: StoredVectors,
    variants: Sequence[Variant],
    context: ScoringContext,
) -> TaskScores:
    """Score every variant from stored full-width vectors.

    Args:
        task: The task.
        first: Vectors of the left sentences.
        second: Vectors of the right sentences.
        variants: What to score.
        context: Calibration, seed and progress.

    Returns:
        Outcomes, and per pair the cosine and the score by people (`gold`).
    """
    scorer = _PairScorer(first.all(), second.all(), context.fitted)
    gold = np.asarray(task.scores, dtype=np.float64)
    outcomes: dict[Variant, Outcome] = {}
    tables = []
    official = {}
    with stage(context.progress, f"scoring {task.name}", len(variants)):
        for variant in variants:
            try:
                outcomes[variant], similarity = scorer.score(variant, gold)
                if context.official:
                    official[variant] = sts_scores(scorer.compared(variant, similarity), gold)
            except (UsageError, ValueError) as error:
                outcomes[variant] = Failed(reason=str(error))
            else:
                rows = {
                    "variant": str(variant),
                    "id": list(task.pair_ids),
                    "cosine": similarity,
                    "gold": gold,
                }
                tables.append(pd.DataFrame(rows))
            context.progress.advance(1, 1)
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return TaskScores(outcomes, table, official)


class _PairScorer:
    """Cosines of pairs at any variant.

    Args:
        first: float32 (pairs, width), full-width vectors of the left sentences.
        second: float32 (pairs, width), those of the right sentences.
        fitted: Projections and quantizers.
    """

    def __init__(self, first: Floats, second: Floats, fitted: Fitted) -> None:
        self._sides = first, second
        self._fitted = fitted

    def score(self, variant: Variant, gold: Doubles) -> tuple[Scored, Doubles]:
        """Score one variant; return the outcome and float64 (pairs,) cosines.

        Raises:
            UsageError: If the variant cannot be scored, as its message says.
            ValueError: If a correlation does not exist.
        """
        began = time.perf_counter()
        left, right = (self._fitted.cut(side, Space.of(variant)) for side in self._sides)
        if variant.scoring.mode in PROTOCOLS:
            similarity = protocol(variant.scoring.mode, variant.precision).pair_scores(left, right)
            fidelity = Fidelity()
        else:
            similarity, fidelity = self._own(variant, left, right)
        n, rho, r = len(gold), spearman(similarity, gold), pearson(similarity, gold)
        outcome = Scored(
            n=n,
            metrics={
                "cosine_spearman": _bounded(rho, spearman_interval(rho, n)),
                "cosine_pearson": _bounded(r, pearson_interval(r, n)),
            },
            bytes_per_vector=bytes_per_vector(variant, self._fitted),
            index_bytes=index_bytes(variant, self._fitted),
            seconds=time.perf_counter() - began,
            fidelity=fidelity,
        )
        return outcome, similarity

    def compared(self, variant: Variant, similarity: Doubles) -> PairScores:
        """Compare the vectors of each pair in mteb's four ways.

        Vectors that are stored whole are compared as the model gave them, without bringing them to unit
        length: that is what mteb does. A protocol has no vectors, only its own similarities.
        """
        if variant.scoring.mode in PROTOCOLS:
            nothing = np.full_like(similarity, np.nan)
            return PairScores(similarity, nothing, nothing, similarity)
        left, right = self._sides
        if not is_whole(variant, left.shape[1]):
            left, right = (self._fitted.cut(side, Space.of(variant)) for side in self._sides)
            left, right, _ = self._decoded(variant, left, right)
        return PairScores.of(left, right)

    def _decoded(self, variant: Variant, left: Floats, right: Floats) -> tuple[Floats, Floats, Codes]:
        """Return what is compared, float32 (pairs, d) a side, and the codes of the right side."""
        mode = variant.scoring.mode
        stored = variant.scoring.copy if mode == RESCORED else variant.precision
        level = self._fitted.quantizer(Space.of(variant), stored)
        codes = level.encode(right)
        query = left if mode in (ASYMMETRIC, RESCORED) else level.decode(level.encode(left))
        return query, level.decode(codes), codes

    def _own(self, variant: Variant, left: Floats, right: Floats) -> tuple[Doubles, Fidelity]:
        """Decode what is stored, and compare."""
        stored = variant.scoring.copy if variant.scoring.mode == RESCORED else variant.precision
        level = self._fitted.quantizer(Space.of(variant), stored)
        query, decoded, codes = self._decoded(variant, left, right)
        similarity = cosines(query, decoded)
        noise, agreement = SignalNoise(), ScoreAgreement()
        noise.update(right, decoded)
        agreement.update(cosines(left, right).astype(np.float32)[None], similarity.astype(np.float32)[None])
        return similarity, Fidelity(
            sqnr_db=finite(noise.sqnr_db),
            mean_cosine=noise.mean_cosine,
            rank_correlation=agreement.rank_correlation,
            noise_ratio=agreement.noise_ratio,
            saturation=level.saturation(codes),
            clip_share=level.clip_share(right),
        )


def _bounded(value: float, interval: tuple[float, float]) -> MetricValue:
    """Put a correlation beside its interval."""
    return MetricValue(value=value, lower=interval[0], upper=interval[1])
