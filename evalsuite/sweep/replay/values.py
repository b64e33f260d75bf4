"""The values behind mteb's metrics, one a query, pair, sentence, text or repetition of an experiment.

What a row is depends on the kind of task:

=====================  =======================  ==========================================================
kind                   row                      columns
=====================  =======================  ==========================================================
retrieval, reranking   query                    our retrieval metrics
STS                    pair                     `cosine`, and the score by people, `gold`
pair classification    pair                     `similarity`, `label`; `max_ap`, `max_accuracy`, `max_f1` and
                                                the main score: values whose mean is the metric, see
                                                `metrics.labelled_pairs`
classification         experiment (one draw     every metric of the experiment
(also multilabel,      of training texts)
regression)
clustering             experiment (one draw     every metric of the experiment
                       of texts, a level)
bitext mining          sentence                 `accuracy`: 1 if its translation was found;
                                                `precision`, `recall`, `f1` of its translation
summarization          text                     correlations over its summaries
zero-shot              text                     `accuracy`: 1 if its label was found
=====================  =======================  ==========================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import pearsonr, spearmanr

from evalsuite.core.measure import CUTOFFS
from evalsuite.metrics.labelled_pairs import RankedPairs

Doubles = npt.NDArray[np.float64]

TREC_NAMES = {
    "ndcg": "ndcg_cut", "map": "map_cut", "recall": "recall", "precision": "P", "hit_rate": "success",
}  # fmt: skip
"""What trec_eval calls our metrics; `mrr` is computed here, as mteb does."""

SIMILARITIES = {
    "similarity": ("similarity_scores", 1.0),
    "cosine": ("cosine_scores", 1.0),
    "manhattan": ("manhattan_distances", -1.0),
    "euclidean": ("euclidean_distances", -1.0),
    "dot": ("dot_scores", 1.0),
}
"""What mteb compares pairs by, where it saves that, and the sign that makes alike pairs large."""

PAIR_METRICS: dict[str, Callable[[RankedPairs], Doubles]] = {
    "ap": RankedPairs.average_precision,
    "accuracy": RankedPairs.best_accuracy,
    "f1": RankedPairs.best_f1,
}
"""Metrics of labelled pairs that have a value a pair."""


class QueryValues:
    """Listens to a retrieval task: keeps the per-query values from which mteb makes its means.

    Args:
        abstask: mteb's task, a copy of our own; its hook `task_specific_scores` is listened to.
    """

    def __init__(self, abstask: Any) -> None:
        self.tables: dict[tuple[str, str], pd.DataFrame] = {}
        self._original = abstask.task_specific_scores
        self._skip_first = bool(abstask.skip_first_result)
        abstask.task_specific_scores = self._listen

    def _listen(
        self,
        scores: Mapping[str, Mapping[str, float]],
        qrels: Mapping[str, Mapping[str, int]],
        results: Mapping[str, Mapping[str, float]],
        hf_split: str,
        hf_subset: str,
    ) -> Any:
        """Note the values, then answer as the task does."""
        columns: dict[str, list[float]] = {
            f"{ours}@{k}": [values[f"{theirs}_{k}"] for values in scores.values()]
            for ours, theirs in TREC_NAMES.items()
            for k in CUTOFFS
            if all(f"{theirs}_{k}" in values for values in scores.values())
        }
        first = [self._first_relevant(results[query], qrels[query]) for query in scores]
        columns |= {f"mrr@{k}": [1 / rank if rank <= k else 0.0 for rank in first] for k in CUTOFFS}
        self.tables[hf_split, hf_subset] = pd.DataFrame({"id": list(scores), **columns})
        return self._original(scores, qrels, results, hf_split=hf_split, hf_subset=hf_subset)

    def _first_relevant(self, found: Mapping[str, float], grades: Mapping[str, int]) -> float:
        """Return the rank of the best relevant document; infinity if none was found."""
        if self._skip_first:
            found = dict(sorted(found.items(), key=lambda item: item[1], reverse=True)[1:])
        ranked = sorted(found.items(), key=lambda item: (item[1], item[0]), reverse=True)
        ranks = (rank for rank, (document, _) in enumerate(ranked, 1) if grades.get(document, 0) > 0)
        return next(ranks, float("inf"))


def read_values(scores: Mapping[str, Any], predictions: Any, rows: Any, abstask: Any) -> pd.DataFrame:
    """Lay out the values behind the scores of one part.

    Args:
        scores: mteb's scores of the part.
        predictions: What mteb saves as the predictions of the part; None if it saved none.
        rows: The part's data.
        abstask: mteb's task.

    Returns:
        One row a value, with `id`; empty for a kind of task whose values are not known.
    """
    if "scores_per_experiment" in scores:
        return _experiments(scores["scores_per_experiment"])
    if "v_measures" in scores:
        return _clusterings(scores)
    if isinstance(predictions, Mapping):
        return _compared(predictions, rows, abstask)
    if hasattr(abstask, "get_candidate_labels") and predictions is not None:
        return _guesses(predictions, rows, abstask)
    return pd.DataFrame()


def _compared(predictions: Mapping[str, Any], rows: Any, abstask: Any) -> pd.DataFrame:
    """Read what was compared with what: summaries, labelled pairs, graded pairs, or sentences."""
    if "human_scores" in predictions:
        return _summaries(predictions)
    if "dot_scores" in predictions:
        labels = np.array(_labels(rows, abstask.label_column_name))
        return _pairs(predictions, labels, str(abstask.metadata.main_score))
    if "cosine_scores" in predictions:
        return _table({"cosine": predictions["cosine_scores"], "gold": list(rows["score"])})
    return _matches(next(iter(predictions.values())), rows) if len(predictions) == 1 else pd.DataFrame()


def _pairs(predictions: Mapping[str, Sequence[float]], labels: Doubles, main: str) -> pd.DataFrame:
    """Take labelled pairs at each metric's best kind of similarity, as mteb does, and at the main score's."""
    ranked = {
        kind: RankedPairs.of(sign * np.asarray(predictions[saved], dtype=np.float64), labels)
        for kind, (saved, sign) in SIMILARITIES.items()
    }
    columns = {"similarity": np.asarray(predictions["similarity_scores"]), "label": labels}
    for metric, values_of in PAIR_METRICS.items():
        kinds = {kind: values_of(each) for kind, each in ranked.items()}
        best = max(kinds, key=lambda kind: float(np.nan_to_num(kinds[kind].mean(), nan=-1.0)))
        columns[f"max_{metric}"] = kinds[best]
        asked = next((kind for kind in kinds if main == f"{kind}_{metric}"), None)
        if asked is not None:
            columns[main] = kinds[asked]
    return _table(columns)


def _experiments(experiments: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Read repeated classifications: every metric that is a number each time."""
    names = [name for name in experiments[0] if all(each[name] is not None for each in experiments)]
    return _table({name: [each[name] for each in experiments] for name in names}, "experiment ")


def _clusterings(scores: Mapping[str, Any]) -> pd.DataFrame:
    """Read repeated clusterings, level by level where labels have several."""
    lists = {name.removesuffix("_scores"): each for name, each in scores.items() if name.endswith("_scores")}
    lists["v_measure"] = scores["v_measures"]
    first = scores["v_measures"]
    if not isinstance(first, Mapping):
        return _table({"v_measure": first}, "experiment ")
    names = [f"{level}/{place}" for level, values in first.items() for place in range(len(values))]
    columns = {name: [v for values in levels.values() for v in values] for name, levels in lists.items()}
    return pd.DataFrame({"id": names, **columns})


def _summaries(predictions: Mapping[str, Sequence[Sequence[float]]]) -> pd.DataFrame:
    """Correlate, text by text, similarities of its summaries with the scores by people."""
    columns: dict[str, list[float]] = {}
    for prefix, kind in (("cosine_", "cosine_scores"), ("dot_", "dot_scores"), ("", "similarity_scores")):
        for name, correlate in (("spearman", spearmanr), ("pearson", pearsonr)):
            pairs = zip(predictions["human_scores"], predictions[kind], strict=True)
            columns[prefix + name] = [float(correlate(*pair).statistic) for pair in pairs]
    return _table(columns)


def _matches(neighbours: Sequence[Mapping[str, float]], rows: Any) -> pd.DataFrame:
    """See whether each sentence's nearest neighbour is its translation.

    mteb averages precision, recall and F1 over translations, weighted by how many sentences each belongs to.
    That is the mean over sentences of the value of their translation.
    """
    gold = [pair[1] for pair in rows["gold"]] if "gold" in rows else list(range(len(neighbours)))
    found = [each["corpus_id"] for each in neighbours[: len(gold)]]
    wanted, chosen = Counter(gold), Counter(found)
    right = Counter(
        translation for translation, other in zip(gold, found, strict=True) if translation == other
    )
    return _table(
        {
            "accuracy": [float(each == other) for each, other in zip(gold, found, strict=True)],
            "precision": [right[each] / max(chosen[each], 1) for each in gold],
            "recall": [right[each] / wanted[each] for each in gold],
            "f1": [2 * right[each] / (wanted[each] + chosen[each]) for each in gold],
        }
    )


def _guesses(predictions: Sequence[Sequence[float]], rows: Any, abstask: Any) -> pd.DataFrame:
    """See whether each text's most similar label is its own."""
    candidates = abstask.get_candidate_labels()
    labels = rows[abstask.label_column_name]
    right = [candidates.index(label) if isinstance(label, str) else label for label in labels]
    chosen = np.asarray(predictions).argmax(axis=1)
    return _table({"accuracy": (chosen == np.asarray(right)).astype(np.float64)})


def _labels(rows: Any, column: str) -> list[float]:
    """Read the labels of pairs; older data sets keep all of them in one row."""
    values = rows[column]
    nested = len(values) == 1 and isinstance(values[0], Sequence)
    return [float(label) for label in (values[0] if nested else values)]


def _table(columns: Mapping[str, Any], prefix: str = "") -> pd.DataFrame:
    """Number rows from 1."""
    table = pd.DataFrame(
        {name: np.asarray(list(values), dtype=np.float64) for name, values in columns.items()}
    )
    table.insert(0, "id", [f"{prefix}{number}" for number in range(1, len(table) + 1)])
    return table
