"""Giving a task of mteb the data of a local folder, whichever of the known layouts it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.tasks.beir import is_beir, read_beir
from evalsuite.tasks.mteb.rows import is_retrieval, place_of, used_splits
from evalsuite.tasks.qrels import qrels_files
from evalsuite.tasks.splits import choose_split
from evalsuite.tasks.sts import read_sts, sts_files
from evalsuite.tasks.task import RetrievalTask

LAYOUTS = (
    "files with a README.md whose front matter has `configs:`, a folder saved by `datasets`, "
    "corpus.jsonl with queries.jsonl and qrels (retrieval), or one table a split (test.tsv, ...)"
)
"""What a folder of task data may hold, for messages."""

_SAVED_DICT, _SAVED_TABLE = "dataset_dict.json", "state.json"


def attach(abstask: Any, folder: Path) -> None:
    """Fill a task with the data of a folder; never asks the hub.

    A folder with a README's `configs:` goes through mteb's own loader, as the hub's copy would. Folders
    saved by `datasets` hold what the hub's copy holds, so mteb's transformations are applied to them. Plain
    texts (BEIR's files, STS tables) are taken as finished.

    Args:
        abstask: The task to fill.
        folder: The folder; the subsets of a multilingual task are folders in it, unless it has `configs:`.

    Raises:
        TaskDataError: If the folder is missing or empty, or its files are malformed.
    """
    if not folder.is_dir():
        raise TaskDataError(place_of(abstask), [f"{folder}: no such folder; it may hold {LAYOUTS}"])
    if not any(folder.iterdir()):
        raise TaskDataError(place_of(abstask), [f"{folder}: empty; it may hold {LAYOUTS}"])
    _check_subsets(abstask, folder)
    read, is_finished = _reader(abstask, folder)
    if read is None:
        check_judged(abstask, str(folder.resolve()), None)
        _load_from(abstask, folder)
        return
    if abstask.metadata.is_multilingual:
        abstask.dataset = {
            subset: read(abstask, _subset_folder(folder, subset)) for subset in abstask.hf_subsets
        }
    else:
        rows = read(abstask, folder)
        abstask.dataset = {"default": rows} if is_retrieval(abstask) else rows
    if not is_finished:
        abstask.dataset_transform(num_proc=None)
    abstask.data_loaded = True


def check_judged(abstask: Any, place: str, revision: str | None) -> None:
    """See that a retrieval task has judgements of its own in each split that it does not use by itself.

    mteb's loader takes the only judgements there are for whatever split is asked for, so that the split
    `dev` of a data set with `test` alone would have the scores of `test`.

    Args:
        abstask: The task, with the splits asked for.
        place: Folder or hub path of the data.
        revision: Revision of the hub path.

    Raises:
        UsageError: If a split has no judgements; names those there are.
    """
    asked = [split for split in abstask.eval_splits if split not in abstask.metadata.eval_splits]
    if not asked or not is_retrieval(abstask):
        return
    import datasets

    configs = datasets.get_dataset_config_names(place, revision)
    for subset in abstask.hf_subsets:
        for config in [name for name in (f"{subset}-qrels", "default", "qrels") if name in configs][:1]:
            there = datasets.get_dataset_split_names(place, config, revision=revision)
            for split in asked:
                choose_split(there, split, place)


Reader = Callable[[Any, Path], Any]


def _reader(abstask: Any, folder: Path) -> tuple[Reader | None, bool]:
    """Choose how a folder is read, and whether its rows are finished; None leaves it to mteb's loader."""
    if _has_configs(folder):
        return None, False
    sample = _subset_folder(folder, abstask.hf_subsets[0]) if abstask.metadata.is_multilingual else folder
    if is_retrieval(abstask):
        if _is_saved(sample) or any(_is_saved(path) for path in _folders(sample)):
            return _saved_retrieval, False
        return (_plain_retrieval, True) if sample.is_dir() and is_beir(sample) else (None, False)
    if _is_saved(sample) or any(_is_saved(path) for path in _folders(sample)):
        return _saved_rows, False
    if abstask.metadata.type == "STS" and _has_tables(sample, abstask.eval_splits):
        return _plain_pairs, True
    return (_tables, False) if sample != folder and sample.is_dir() else (None, False)


def _check_subsets(abstask: Any, folder: Path) -> None:
    """See that all subsets of a multilingual task have a folder, where one of them has.

    Raises:
        TaskDataError: Lists those without.
    """
    if not abstask.metadata.is_multilingual or _has_configs(folder):
        return
    missing = [subset for subset in abstask.hf_subsets if not _subset_folder(folder, subset).is_dir()]
    if missing and len(missing) < len(abstask.hf_subsets):
        fault = f"{folder}: no folder for {len(missing)} of {len(abstask.hf_subsets)} subsets"
        hint = "add them, or choose subsets with --mteb-languages"
        raise TaskDataError(place_of(abstask), [f"{fault} ({', '.join(missing)}); {hint}"])


def _load_from(abstask: Any, folder: Path) -> None:
    """Let mteb's loader read the folder in place of the hub."""
    # Remote code is never wanted, and the folder has no revision.
    kept = {key: value for key, value in abstask.metadata.dataset.items() if key != "trust_remote_code"}
    place = {**kept, "path": str(folder.resolve()), "revision": "local"}
    official = abstask.metadata
    abstask.metadata = official.model_copy(update={"dataset": place})
    try:
        abstask.load_data()
    finally:
        # Results name the dataset they are of, not the folder it was read from.
        abstask.metadata = official


def _plain_retrieval(abstask: Any, folder: Path) -> dict[str, Any]:
    """Read BEIR's files for every split that is evaluated: split -> corpus, queries, judgements.

    Raises:
        TaskDataError: If the task needs more than these files hold.
    """
    if abstask.metadata.type != "Retrieval":
        needed = "corpus, queries, default (judgements), and instruction or top_ranked"
        fault = f"{folder}: a task of type {abstask.metadata.type} needs a README.md with configs: {needed}"
        raise TaskDataError(place_of(abstask), [fault])
    there = list(qrels_files(folder))
    # Like mteb's loader: the only judgements there are serve for any split the task itself uses.
    only = there[0] if len(there) == 1 else None
    own = abstask.metadata.eval_splits
    return {
        split: _split_of(read_beir(folder, split=only if only and split in own else split))
        for split in abstask.eval_splits
    }


def _split_of(task: RetrievalTask) -> dict[str, Any]:
    """Lay our reading of a BEIR folder out as mteb's split data."""
    import datasets

    corpus = {
        "id": list(task.document_ids),
        "text": [document.text for document in task.documents],
        "title": [document.title for document in task.documents],
    }
    queries = {"id": list(task.query_ids), "text": [query.text for query in task.queries]}
    return {
        "corpus": datasets.Dataset.from_dict(corpus),
        "queries": datasets.Dataset.from_dict(queries),
        "relevant_docs": {query: dict(grades) for query, grades in task.qrels.items()},
        "top_ranked": None,
    }


def _plain_pairs(abstask: Any, folder: Path) -> Any:
    """Read one table of sentence pairs a split, as a `DatasetDict` with the task's own columns."""
    import datasets

    first, second = abstask.column_names
    splits = {}
    for split in abstask.eval_splits:
        task = read_sts(folder, split=split)
        columns = {
            first: [text.text for text in task.first],
            second: [text.text for text in task.second],
            "score": list(task.scores),
        }
        splits[split] = datasets.Dataset.from_dict(columns)
    return datasets.DatasetDict(splits)


def _tables(abstask: Any, folder: Path) -> Any:
    """Read whatever tables `datasets` finds in the folder of one subset."""
    import datasets

    del abstask
    return datasets.load_dataset(str(folder))


def _saved_rows(abstask: Any, folder: Path) -> Any:
    """Read what `save_to_disk` wrote: a dictionary of splits, folders of splits, or the only split.

    Raises:
        TaskDataError: If one table is all there is for a task that needs several splits.
    """
    import datasets

    if (folder / _SAVED_DICT).is_file():
        return datasets.load_from_disk(str(folder))
    if _is_saved(folder):
        splits = used_splits(abstask)
        if len(splits) > 1:
            fault = f"{folder}: one saved table, but the task needs the splits {', '.join(splits)}"
            raise TaskDataError(place_of(abstask), [f"{fault}; save a DatasetDict"])
        return datasets.DatasetDict({splits[0]: datasets.load_from_disk(str(folder))})
    tables = {path.name: datasets.load_from_disk(str(path)) for path in _folders(folder) if _is_saved(path)}
    return datasets.DatasetDict(tables)


def _saved_retrieval(abstask: Any, folder: Path) -> dict[str, Any]:
    """Read a folder with one saved dataset a config (corpus, queries, qrels, ...) through mteb's loader.

    Raises:
        TaskDataError: If a config is missing.
    """
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalDatasetLoader

    class SavedLoader(RetrievalDatasetLoader):  # type: ignore[misc]
        """mteb's loader, reading saved folders where it would ask for a config of a dataset."""

        def __init__(self, split: str) -> None:
            self.hf_repo, self.revision, self.trust_remote_code = str(folder), "local", False
            self.split, self.config = split, None
            self.dataset_configs = [path.name for path in _folders(folder) if _is_saved(path)]

        def _load_dataset_split(self, config: str, num_proc: int | None) -> Any:
            del num_proc
            by_split = (
                config.endswith(("default", "qrels")) and self.split not in abstask.metadata.eval_splits
            )
            return _saved_split(folder / config, self.split, only_this=by_split)

    missing = [name for name in ("corpus", "queries") if not _is_saved(folder / name)]
    if missing:
        faults = [f"{folder / name}: no dataset saved by `datasets`" for name in missing]
        raise TaskDataError(place_of(abstask), faults)
    return {split: SavedLoader(split).load() for split in abstask.eval_splits}


def _saved_split(folder: Path, split: str, *, only_this: bool) -> Any:
    """Read one split of a saved dataset; the only one there is serves for any, unless it must be this."""
    import datasets

    found = datasets.load_from_disk(str(folder))
    if not isinstance(found, datasets.DatasetDict):
        return found
    if only_this:
        choose_split(list(found), split, str(folder))
    return found[split] if split in found or len(found) > 1 else next(iter(found.values()))


def _subset_folder(folder: Path, subset: str) -> Path:
    """Name the folder of a subset."""
    return folder / subset


def _folders(folder: Path) -> list[Path]:
    """List the folders in a folder, sorted; none if it is not there."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _has_tables(folder: Path, splits: Sequence[str]) -> bool:
    """Tell whether a folder has a table of sentence pairs for each split, `dev` for `validation` included."""
    there = list(sts_files(folder)) if folder.is_dir() else []
    try:
        return bool(there) and all(choose_split(there, split, str(folder)) for split in splits)
    except UsageError:
        return False


def _is_saved(folder: Path) -> bool:
    """Tell whether `save_to_disk` wrote a folder."""
    return (folder / _SAVED_DICT).is_file() or (folder / _SAVED_TABLE).is_file()


def _has_configs(folder: Path) -> bool:
    """Tell whether a folder's README.md declares `configs:` in its front matter."""
    readme = folder / "README.md"
    if not readme.is_file():
        return False
    text = readme.read_text(encoding="utf-8", errors="replace")
    front = re.match(r"---\s*\n(?P<body>.*?)\n---", text, re.DOTALL)
    return front is not None and re.search(r"^configs:", front["body"], re.MULTILINE) is not None
