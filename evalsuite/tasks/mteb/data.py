"""Getting a task's rows: from a local folder, through mteb's own loader, or from the hub's cache."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalsuite.core.errors import TaskDataError, UserError
from evalsuite.tasks.mteb.cache import cache_of
from evalsuite.tasks.mteb.local import attach, check_judged
from evalsuite.tasks.mteb.options import DATA_VARIABLE
from evalsuite.tasks.mteb.rows import is_retrieval, place_of, split_rows

_RERANKING = ("Reranking", "InstructionReranking")
_SHOWN_REASON = 300


def load_abstask(abstask: Any, template: Any, folder: Path | None) -> Any:
    """Load a task of mteb.

    Without a folder mteb's own loader is asked first, which uses the hub or the cache of `datasets`. Where
    that fails, a snapshot in the hub's cache (what `hf download` makes) is read as a local folder, which
    mteb's loader does not do when it is offline.

    Args:
        abstask: A copy that may be filled.
        template: The same task without data, for a second attempt.
        folder: Folder to read in place of the hub.

    Returns:
        The loaded task, in the layout of mteb's version 2.

    Raises:
        TaskDataError: If the data cannot be had or is malformed.
    """
    where = place_of(abstask)
    with _quiet_datasets():
        if folder is not None:
            loaded = _read_folder(abstask, folder, where)
        else:
            loaded = _read_hub(abstask, template, where)
    _check_complete(loaded, where)
    return loaded


def cached_snapshot(metadata: Any) -> Path | None:
    """Find a task's dataset in the hub's cache, at exactly its revision; None if it is not all there."""
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    dataset = metadata.dataset
    try:
        folder = huggingface_hub.snapshot_download(
            dataset["path"], repo_type="dataset", revision=dataset.get("revision"), local_files_only=True
        )
    except (LocalEntryNotFoundError, HFValidationError, HfHubHTTPError, OSError):
        return None
    return Path(folder)


def _read_folder(abstask: Any, folder: Path, where: str) -> Any:
    """Read a local folder; whatever goes wrong inside is said of the folder."""
    try:
        with cache_of(folder):
            attach(abstask, folder)
            _to_second_version(abstask)
    except TaskDataError:
        raise
    except UserError as error:
        raise TaskDataError(where, [str(error)]) from None
    except Exception as error:  # a task's loader is code of mteb's that may raise anything
        raise TaskDataError(
            where, [f"{folder}: cannot be read as this task's data ({_reason(error)})"]
        ) from error
    return abstask


def _read_hub(abstask: Any, template: Any, where: str) -> Any:
    """Let mteb load the task, else read the hub's cache as a folder."""
    try:
        abstask.load_data()
        _to_second_version(abstask)
        check_judged(abstask, abstask.metadata.dataset["path"], abstask.metadata.dataset.get("revision"))
    except UserError as error:
        raise TaskDataError(where, [str(error)]) from None
    except Exception as error:  # a task's loader is code of mteb's that may raise anything
        snapshot = cached_snapshot(template.metadata)
        if snapshot is None:
            raise TaskDataError(where, [_missing(template.metadata, error)]) from error
        second = copy.deepcopy(template, {id(template.metadata): template.metadata})
        return _read_folder(second, snapshot, where)
    return abstask


def _to_second_version(abstask: Any) -> None:
    """Bring a retrieval task that still fills `queries`, `corpus` and `relevant_docs` to `dataset`."""
    if is_retrieval(abstask):
        abstask.convert_v1_dataset_format_to_v2(num_proc=None)


def _check_complete(abstask: Any, where: str) -> None:
    """Refuse data that mteb's evaluator would silently score as something else.

    Raises:
        TaskDataError: If a split is missing or empty, or a re-ranking task has no candidates.
    """
    problems = []
    for split in abstask.eval_splits:
        for subset in abstask.hf_subsets:
            rows = split_rows(abstask, split, subset)
            if not len(rows):
                problems.append(f"{split}/{subset}: no rows")
            elif abstask.metadata.type in _RERANKING and is_retrieval(abstask) and not rows.get("top_ranked"):
                problems.append(
                    f"{split}/{subset}: a re-ranking task needs top_ranked, the candidates to rank"
                )
    if problems:
        raise TaskDataError(where, problems)


def _missing(metadata: Any, error: Exception) -> str:
    """Say what could not be loaded and the two ways to get it."""
    path, revision = metadata.dataset["path"], metadata.dataset.get("revision")
    option = f" --revision {revision}" if revision else ""
    return (
        f"the dataset {path}{f' at revision {revision}' if revision else ''} could not be loaded "
        f"({_reason(error)}); download it with `hf download --repo-type dataset {path}{option}`, or put it "
        f"into a folder {metadata.name} inside the folder given as --mteb-data (or ${DATA_VARIABLE}), or "
        f"write {metadata.name}=FOLDER"
    )


def _reason(error: Exception) -> str:
    """Shorten an error to its kind and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:_SHOWN_REASON]}" if lines else type(error).__name__


@contextlib.contextmanager
def _quiet_datasets() -> Iterator[None]:
    """Keep `datasets` from drawing progress bars into ours."""
    import datasets

    was_silent = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not was_silent:
            datasets.enable_progress_bars()


def availability(metadata: Any, folder: Path | None) -> str:
    """Say without the network whether a task's data is at hand: `local`, `cached` or `missing`.

    Only folders are looked for, so that a list of a thousand tasks stays fast; a half-finished download
    counts as cached.
    """
    if folder is not None:
        return "local"
    import datasets
    from huggingface_hub import constants

    owner_and_name = str(metadata.dataset["path"]).split("/")
    revision = str(metadata.dataset.get("revision") or "main")
    hub = Path(constants.HF_HUB_CACHE) / "--".join(["datasets", *owner_and_name])
    built = Path(datasets.config.HF_DATASETS_CACHE) / "___".join(owner_and_name)
    return "cached" if (hub / "snapshots" / revision).is_dir() or built.is_dir() else "missing"
