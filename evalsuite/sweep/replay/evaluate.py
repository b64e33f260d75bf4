"""The mteb road: one pass of mteb's evaluator a variant, all served from stored vectors.

The first pass is always full width and float32: it learns which texts the task asks for, and encodes those
that the store lacks. Quantizers are fitted after it, once, on the task's documents, else on all its texts.
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalsuite.core.errors import CheckpointError, EncodingError, EvalsuiteError, UsageError
from evalsuite.core.measure import UNRANKED
from evalsuite.core.progress import Progress, stage
from evalsuite.core.record import Failed, Outcome, PartEntry
from evalsuite.core.variant import Variant
from evalsuite.sweep.calibration import Calibration
from evalsuite.sweep.means import Part, merge_outcomes, stack, tag
from evalsuite.sweep.replay.library import Library
from evalsuite.sweep.replay.model import ReplayModel
from evalsuite.sweep.replay.outcome import Cost, flatten, outcome_of
from evalsuite.sweep.replay.serve import Server
from evalsuite.sweep.replay.values import QueryValues, read_values
from evalsuite.sweep.scored import MtebScores, bytes_per_vector, index_bytes
from evalsuite.sweep.spaces import Fitted
from evalsuite.tasks.mteb import MtebTask

logger = logging.getLogger(__name__)

ENCODE_OPTIONS = {"batch_size": 1024, "show_progress_bar": False}


@dataclass
class _Pass:
    """What one pass of mteb's evaluator gave: outcomes, values, official rows; or why it failed."""

    outcomes: dict[Part, Outcome]
    values: dict[Part, pd.DataFrame]
    official: list[pd.DataFrame]
    failure: str = ""


def score_replayed(
    task: MtebTask,
    library: Library,
    variants: Sequence[Variant],
    calibration: Calibration | int,
    progress: Progress,
) -> MtebScores:
    """Evaluate a loaded task at every variant through mteb's own evaluator.

    Args:
        task: The task, loaded.
        library: Vectors of the checkpoint for this task.
        variants: What to score.
        calibration: What quantizers are fitted on; a seed alone means the task's own texts.
        progress: Told about variants.

    Returns:
        Outcomes, values and official metrics. What mteb raises is a failed cell; the others are scored.

    Raises:
        StorageError: If the store cannot be written to.
    """
    width = library.checkpoint.dim
    seed = calibration if isinstance(calibration, int) else calibration.seed
    whole = Variant(width, "float32", weights=library.checkpoint.weights)
    unfitted = Fitted(Calibration(np.empty((0, width), dtype=np.float32), seed))
    first = _run(task, library, whole, unfitted)
    if first.failure:
        return _failed(task, variants, first.failure)
    if isinstance(calibration, int):
        calibration = Calibration.draw(library.calibration(), seed)
    fitted = Fitted(calibration)
    passes: dict[Variant, _Pass] = {}
    with stage(progress, f"scoring {task.name} with mteb", len(variants)):
        for variant in variants:
            passes[variant] = first if variant == whole else _run(task, library, variant, fitted)
            progress.advance(1, 1)
    return _collect(passes, first, seed)


def _collect(passes: Mapping[Variant, _Pass], first: _Pass, seed: int) -> MtebScores:
    """Put the passes together."""
    outcomes: dict[Variant, Outcome] = {
        variant: Failed(reason=each.failure)
        if each.failure
        else merge_outcomes(each.outcomes, each.values, seed)
        for variant, each in passes.items()
    }
    tables = [
        tag(table.assign(variant=str(variant)), part)
        for variant, each in passes.items()
        for part, table in each.values.items()
        if len(table)
    ]
    parts = tuple(part.entry(len(table) or None) for part, table in first.values.items())
    return MtebScores(outcomes, stack(tables), stack([t for p in passes.values() for t in p.official]), parts)


def _failed(task: MtebTask, variants: Sequence[Variant], reason: str) -> MtebScores:
    """Fail every variant: without its first pass a task's texts are not known."""
    outcomes: dict[Variant, Outcome] = {variant: Failed(reason=reason) for variant in variants}
    parts = tuple(
        PartEntry(split=part.split, subset=part.subset, languages=part.languages) for part in task.parts
    )
    return MtebScores(outcomes, pd.DataFrame(), pd.DataFrame(), parts)


def _run(task: MtebTask, library: Library, variant: Variant, fitted: Fitted) -> _Pass:
    """Let mteb evaluate the task at one variant."""
    began = time.perf_counter()
    server = Server(variant, fitted, task.task_type, _cutoff(task.main_metric))
    try:
        entries, tables = _evaluate(task, ReplayModel(library, server))
        stored = bytes_per_vector(variant, fitted), index_bytes(variant, fitted)
    except (EncodingError, CheckpointError, UsageError) as error:
        return _Pass({}, {}, [], str(error))
    except EvalsuiteError:
        raise
    except Exception as error:  # noqa: BLE001 - anything a task of mteb raises concerns that task alone
        return _Pass({}, {}, [], _describe(task, error))
    seconds = (time.perf_counter() - began) / max(len(entries), 1)
    cost = Cost(*stored, seconds, server.fidelity, server.tie_share)
    outcomes = {
        part: outcome_of(task, scores, tables[part], cost, fitted.calibration.seed)
        for part, scores in entries.items()
    }
    official = [part.rows(variant, flatten(scores)) for part, scores in entries.items()]
    return _Pass(outcomes, tables, official)


def _evaluate(
    task: MtebTask, model: ReplayModel
) -> tuple[dict[Part, Mapping[str, Any]], dict[Part, pd.DataFrame]]:
    """Run `mteb.evaluate`; return the scores of each part and the values behind them."""
    import mteb

    abstask = task.fresh_abstask()
    ranks = hasattr(abstask, "task_specific_scores")
    queries = QueryValues(abstask) if ranks else None
    with tempfile.TemporaryDirectory() as name, _quiet(), _without_bars(), _seeded(abstask.seed):
        folder = None if ranks or abstask.is_aggregate else Path(name)
        result = mteb.evaluate(
            model,
            abstask,
            cache=None,
            co2_tracker=False,
            prediction_folder=folder,
            show_progress_bar=False,
            encode_kwargs=dict(ENCODE_OPTIONS),
        )
        predictions = _read_predictions(folder, abstask)
    entries: dict[Part, Mapping[str, Any]] = {
        Part(split, scores["hf_subset"], tuple(scores["languages"])): scores
        for split, found in result.task_results[0].scores.items()
        for scores in found
    }
    tables = {}
    for part, scores in entries.items():
        if queries is not None:
            tables[part] = queries.tables.get((part.split, part.subset), pd.DataFrame())
        else:
            found = _predicted(predictions, part)
            tables[part] = read_values(scores, found, _rows(abstask, part), abstask)
    return entries, tables


def _read_predictions(folder: Path | None, abstask: Any) -> Mapping[str, Any]:
    """Read what mteb wrote beside its scores: subset to split to predictions."""
    file = None if folder is None else folder / abstask.prediction_file_name
    if file is None or not file.exists():
        return {}
    content: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _predicted(predictions: Mapping[str, Any], part: Part) -> Any:
    """Find the predictions of a part; bitext mining over parallel columns keeps all pairs together."""
    if part.subset in predictions:
        return predictions[part.subset][part.split]
    together = predictions.get("parallel", {}).get(part.split, {})
    return {part.subset: together[part.subset]} if part.subset in together else None


def _rows(abstask: Any, part: Part) -> Any:
    """Return the data of a part, which mteb keeps with or without its subset; None for aggregates."""
    if abstask.dataset is None:
        return None
    subset = abstask.dataset.get(part.subset) if hasattr(abstask.dataset, "get") else None
    split = (abstask.dataset if subset is None else subset)[part.split]
    single = len(split) == 1 and hasattr(split, "column_names") and _is_nested(split)
    return split[0] if single else split


def _is_nested(split: Any) -> bool:
    """Tell whether a data set of one row keeps all its pairs in lists."""
    return all(isinstance(value, list) for value in split[0].values())


def _cutoff(metric: str) -> int:
    """Return the cut-off of the main metric; without one no tie matters."""
    cutoff = metric.partition("@")[2]
    return int(cutoff) if cutoff.isdecimal() else UNRANKED


def _describe(task: MtebTask, error: Exception) -> str:
    """Say what mteb raised, where, and what to do."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{task.name}: mteb raised {type(error).__name__}: {error} "
        f"({Path(last.filename).name}:{last.lineno}); evaluate it with mteb alone to see more, "
        "or leave the task out"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep mteb's advice on each pass off the screen, and log its warnings.

    What mteb advises against, such as a task it has replaced, is said once, by `MtebTask.warnings`.
    """
    advice = logging.getLogger("mteb")
    level = advice.level
    advice.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    finally:
        advice.setLevel(level)
    for text in dict.fromkeys(str(each.message) for each in caught):
        logger.debug("mteb: %s", text)


@contextlib.contextmanager
def _without_bars() -> Iterator[None]:
    """Draw no bars of tqdm: some of mteb's evaluators have no switch for theirs, once a variant and part."""
    from tqdm.std import tqdm  # type: ignore[import-untyped]

    plain = tqdm.__init__

    def hidden(bar: Any, *values: Any, **options: Any) -> None:
        plain(bar, *values, **{**options, "disable": True})

    tqdm.__init__ = hidden
    try:
        yield
    finally:
        tqdm.__init__ = plain


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Start global random states as mteb does when it makes a task, and put them back."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - the state that mteb's libraries use
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
