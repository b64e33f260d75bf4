"""The dictionaries of scores that mteb reports, from our own per-query and per-pair values.

Names, conventions and rounding are those of mteb 2.26 (`AbsTaskRetrieval`, `AbsTaskSTS`). What mteb adds to
any task, `main_score`, `hf_subset` and `languages`, is not made here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import ConstantInputWarning, NearConstantInputWarning, pearsonr, spearmanr

from evalsuite.core.measure import CUTOFFS
from evalsuite.metrics.abstention import confidences, nauc
from evalsuite.metrics.judgements import Doubles

Floats = npt.NDArray[np.float32]

_DECIMALS = 5
"""Decimals that mteb rounds retrieval means to; it leaves MRR and nAUC as they are."""

_MEANS = ("ndcg", "map", "recall", "precision", "hit_rate")
_JUDGED_BY = ("ndcg", "map", "recall", "precision", "mrr")
"""Metrics that mteb computes nAUC for."""


def retrieval_scores(
    values: Mapping[str, Doubles],
    top_scores: npt.NDArray[np.floating],
    cutoffs: Sequence[int] = CUTOFFS,
) -> dict[str, float]:
    """Make mteb's dictionary of one subset of a retrieval task.

    Args:
        values: Canonical metric text (`ndcg@10`) to float64 (queries,), as `metrics.retrieval.score` gives
            them. All six metrics of `core.measure.RANKED` at all `cutoffs`, and at 1.
        top_scores: (queries, depth) float32 or float64, the scores of each query's ranking, falling: of
            everything mteb would have in its results (the first `max(cutoffs)` documents, less those that
            `ignore_identical_ids` or `skip_first_result` took away). NaN fills up rows of queries with fewer.
        cutoffs: mteb's `k_values` of the task.

    Returns:
        `ndcg_at_k`, `map_at_k`, `recall_at_k`, `accuracy` (recall at 1), `precision_at_k`, `mrr_at_k`,
        `nauc_{metric}_at_k_{max|std|diff1}` and `hit_rate_at_k`, as fractions. An nAUC is NaN where no order
        of abstaining changes the mean.

    Raises:
        ValueError: If there is no query, or `top_scores` has another number of them.
    """
    queries = len(values[f"ndcg@{cutoffs[0]}"])
    if queries == 0 or len(top_scores) != queries:
        message = f"{queries} queries with values, {len(top_scores)} with rankings; both must be equal, not 0"
        raise ValueError(message)
    scores = {
        f"{name}_at_{k}": round(_mean(values[f"{name}@{k}"]), _DECIMALS) for name in _MEANS for k in cutoffs
    }
    scores["accuracy"] = round(_mean(values["recall@1"]), _DECIMALS)
    scores |= {f"mrr_at_{k}": _mean(values[f"mrr@{k}"]) for k in cutoffs}
    judged = {f"{name}_at_{k}": values[f"{name}@{k}"] for name in _JUDGED_BY for k in cutoffs}
    areas = nauc(confidences(top_scores), judged)
    return scores | {f"nauc_{metric}_{confidence}": area for (metric, confidence), area in areas.items()}


@dataclass(frozen=True)
class PairScores:
    """How alike the two sides of each pair are, four times over; float64 (pairs,) each.

    Attributes:
        cosine: Cosine similarity.
        manhattan: Negative sum of absolute differences.
        euclidean: Negative Euclidean distance.
        similarity: The model's own similarity: the inner product of the vectors at unit length.
    """

    cosine: Doubles
    manhattan: Doubles
    euclidean: Doubles
    similarity: Doubles

    @classmethod
    def of(cls, first: Floats, second: Floats) -> PairScores:
        """Compare the rows of two float32 (pairs, d) arrays.

        The arithmetic is that of scikit-learn's paired distances, in float32: values that are equal there
        are equal here, so that rank correlations agree.
        """
        left, right = _unit(first), _unit(second)
        return cls(
            cosine=(1 - 0.5 * _squares(left - right)).astype(np.float64),
            manhattan=-np.abs(first - second).sum(axis=-1).astype(np.float64),
            euclidean=-np.sqrt(_squares(first - second)).astype(np.float64),
            similarity=(left * right).sum(axis=-1).astype(np.float64),
        )


def sts_scores(pairs: PairScores, gold: Doubles) -> dict[str, float]:
    """Make mteb's dictionary of one subset of an STS task.

    Args:
        pairs: How alike the vectors of each pair are. For vectors scored in another way than by their own
            cosine, replace `similarity`.
        gold: float64 (pairs,), the scores by people; their scale does not matter.

    Returns:
        `pearson` and `spearman` (of the model's similarity), `cosine_*`, `manhattan_*` and `euclidean_*`.
        A correlation with something constant is NaN.

    Raises:
        ValueError: If there are fewer than two pairs.
    """
    sides = {
        "": pairs.similarity, "cosine_": pairs.cosine, "manhattan_": pairs.manhattan,
        "euclidean_": pairs.euclidean,
    }  # fmt: skip
    return {
        f"{prefix}{name}": value
        for prefix, side in sides.items()
        for name, value in zip(("pearson", "spearman"), _correlations(gold, side), strict=True)
    }


def _correlations(gold: Doubles, side: Doubles) -> tuple[float, float]:
    """Compute Pearson's and Spearman's correlation; NaN where one side is constant."""
    with warnings.catch_warnings():
        # scipy warns of constant sides, whose correlation is NaN: the dictionary says so already.
        warnings.simplefilter("ignore", ConstantInputWarning)
        warnings.simplefilter("ignore", NearConstantInputWarning)
        return float(pearsonr(gold, side)[0]), float(spearmanr(gold, side)[0])


def _mean(values: Doubles) -> float:
    """Average in the order of the queries: another order of the sum can round another way."""
    return float(sum(values.tolist()) / len(values))


def _unit(vectors: Floats) -> Floats:
    """Scale rows to unit length; rows of (nearly) no length stay as they are, as in scikit-learn."""
    norms = np.sqrt(_squares(vectors))
    norms[norms < 10 * np.finfo(norms.dtype).eps] = 1
    return np.asarray(vectors / norms[:, None])


def _squares(vectors: Floats) -> Floats:
    """Sum the squares of each row."""
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors))
