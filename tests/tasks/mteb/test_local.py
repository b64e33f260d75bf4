"""Promises of local data: every layout gives the same task, with no hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import datasets
import pytest

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.tasks.catalogue import resolve
from evalsuite.tasks.mteb import MtebOptions, MtebTask
from evalsuite.tasks.task import RetrievalTask, StsTask
from tests.tasks.mteb.conftest import (
    CONFIGS,
    CORPUS,
    PAIRS,
    QRELS,
    QUERIES,
    write_retrieval,
    write_rows,
)


def with_readme(folder: Path) -> None:
    write_retrieval(folder)
    (folder / "README.md").write_text(CONFIGS)


def without_readme(folder: Path) -> None:
    write_retrieval(folder)


def as_beir(folder: Path) -> None:
    write_retrieval(folder)
    (folder / "qrels.jsonl").unlink()
    lines = [f"{row['query-id']}\t{row['corpus-id']}\t{row['score']}" for row in QRELS]
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]) + "\n")


def as_saved(folder: Path) -> None:
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES)):
        datasets.Dataset.from_list([dict(row) for row in rows]).save_to_disk(folder / name)
    qrels = datasets.Dataset.from_list([dict(row) for row in QRELS])
    datasets.DatasetDict({"test": qrels, "train": qrels.select([0])}).save_to_disk(folder / "default")


def loaded(reference: str, data: Path | None = None) -> MtebTask:
    (ref,) = resolve([reference], MtebOptions(data=data))
    task = ref.load()
    assert isinstance(task, MtebTask)
    task.load()
    return task


@pytest.mark.parametrize("layout", [with_readme, without_readme, as_beir, as_saved])
def test_every_layout_of_a_retrieval_task_is_the_same_task(
    tmp_path: Path, layout: Callable[[Path], None]
) -> None:
    """README with configs, plain files, BEIR's folder and saved datasets: same texts, same fingerprint."""
    layout(tmp_path / "data" / "SciFact")
    write_retrieval(tmp_path / "other")
    task = loaded("SciFact", tmp_path / "data")
    native = task.parts[0].native
    assert isinstance(native, RetrievalTask)
    assert list(native.document_ids) == ["d3", "d2", "d1"]
    assert [document.title for document in native.documents] == ["Mate", "", "Tea"]
    assert native.qrels == {"q1": {"d1": 2, "d2": 0}, "q2": {"d3": 1}}
    assert native.documents[1].text == " Espresso is brewed under pressure. "
    assert task.fingerprint == loaded(f"SciFact={tmp_path / 'other'}").fingerprint
    assert task.counts == {"documents": 3, "queries": 2, "judgements": 3, "relevant judgements": 2}
    assert task.abstask.metadata.dataset["path"] == "mteb/scifact"


def test_the_source_names_the_folder(tmp_path: Path) -> None:
    """The record says where the data lay; without a folder it says the dataset and revision."""
    folder = write_retrieval(tmp_path / "here")
    assert loaded(f"SciFact={folder}").source.endswith(f": {folder}")
    (ref,) = resolve(["SciFact"])
    assert ref.load().source.endswith(": mteb/scifact@d56462d0e63a25450459c4f213e49ffdb866f7f9")


def as_tsv(folder: Path) -> None:
    folder.mkdir(parents=True)
    lines = ["\t".join(str(value) for value in row.values()) for row in PAIRS]
    (folder / "test.tsv").write_text("\n".join(["sentence1\tsentence2\tscore", *lines]) + "\n")


def as_json_lines(folder: Path) -> None:
    write_rows(folder / "test.jsonl", PAIRS)
    write_rows(folder / "train.jsonl", PAIRS[:1])


def as_parquet(folder: Path) -> None:
    folder.mkdir(parents=True)
    datasets.Dataset.from_list([dict(row) for row in PAIRS]).to_parquet(
        folder / "test-00000-of-00001.parquet"
    )


def as_saved_table(folder: Path) -> None:
    datasets.Dataset.from_list([dict(row) for row in PAIRS]).save_to_disk(folder)


def as_saved_splits(folder: Path) -> None:
    rows = datasets.Dataset.from_list([dict(row) for row in PAIRS])
    datasets.DatasetDict({"test": rows, "train": rows.select([0])}).save_to_disk(folder)


@pytest.mark.parametrize("layout", [as_tsv, as_json_lines, as_parquet, as_saved_table, as_saved_splits])
def test_every_layout_of_an_sts_task_is_the_same_task(tmp_path: Path, layout: Callable[[Path], None]) -> None:
    """Tables of any format and saved datasets give the same pairs; training rows do not count."""
    layout(tmp_path / "STSBenchmark")
    as_tsv(tmp_path / "other")
    task = loaded("STSBenchmark", tmp_path)
    native = task.parts[0].native
    assert isinstance(native, StsTask)
    assert [text.text for text in native.first] == [row["sentence1"] for row in PAIRS]
    assert list(native.scores) == [4.5, 1.0, 5.0]
    assert task.counts == {"pairs": 3}
    assert task.fingerprint == loaded(f"STSBenchmark={tmp_path / 'other'}").fingerprint


def test_classification_reads_tables_with_both_splits(tmp_path: Path) -> None:
    """A type without a native road is filled through mteb's own loader; its training rows count."""
    rows = [{"text": f"text {number}", "label": number % 2} for number in range(4)]
    folder = tmp_path / "banking"
    write_rows(folder / "test.jsonl", rows[:2])
    write_rows(folder / "train.jsonl", rows)
    task = loaded(f"Banking77Classification={folder}")
    assert task.counts == {"texts": 2, "training texts": 4}
    assert not task.has_native_road
    before = task.fingerprint
    write_rows(folder / "train.jsonl", [*rows, {"text": "more", "label": 1}])
    assert loaded(f"Banking77Classification={folder}").fingerprint != before


def test_one_saved_table_is_not_taken_for_two_splits(tmp_path: Path) -> None:
    """A classifier is never trained on the rows it is tested on because only one table was there."""
    rows = [{"text": "a", "label": 0}, {"text": "b", "label": 1}]
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    with pytest.raises(TaskDataError, match="needs the splits test, train; save a DatasetDict"):
        loaded(f"Banking77Classification={tmp_path / 'saved'}")


def test_subsets_of_a_multilingual_task_are_folders(tmp_path: Path) -> None:
    """Each subset that is used is read from the folder of its name; the others need not be there."""
    for subset in ("en-en", "en-de"):
        write_rows(tmp_path / "STS17" / subset / "test.jsonl", PAIRS)
    (ref,) = resolve(["STS17"], MtebOptions(languages=("deu",), data=tmp_path))
    task = ref.load()
    assert isinstance(task, MtebTask)
    task.load()
    assert [(part.subset, part.languages, part.size) for part in task.parts] == [
        ("en-de", ("eng-Latn", "deu-Latn"), 3)
    ]


def test_dev_is_validation(tmp_path: Path) -> None:
    """A file `dev.tsv` serves the split `validation`, quotes and all; tables of other splits are not read."""
    as_tsv(tmp_path / "sts")
    (tmp_path / "sts" / "test.tsv").rename(tmp_path / "sts" / "dev.tsv")
    (tmp_path / "sts" / "train.tsv").write_text('"\t\t\t\n')
    assert loaded(f"STSBenchmark:validation={tmp_path / 'sts'}").parts[0].split == "validation"


def test_missing_data_says_what_to_download_and_where_to_put_it() -> None:
    """Offline and without a folder, one problem names dataset, revision, command and the two other ways."""
    (ref,) = resolve(["SciFact"])
    task = ref.load()
    assert isinstance(task, MtebTask)
    with pytest.raises(TaskDataError) as caught:
        task.load()
    (problem,) = caught.value.problems
    revision = "d56462d0e63a25450459c4f213e49ffdb866f7f9"
    assert caught.value.where == "MTEB task SciFact"
    assert f"mteb/scifact at revision {revision} could not be loaded" in problem
    assert f"`hf download --repo-type dataset mteb/scifact --revision {revision}`" in problem
    assert "SciFact=FOLDER" in problem
    assert "--mteb-data" in problem
    assert not task.is_loaded


def test_a_filled_hub_cache_serves_offline(tmp_path: Path) -> None:
    """What `hf download` leaves in the hub's cache is read without the network."""
    revision = "d56462d0e63a25450459c4f213e49ffdb866f7f9"
    repository = tmp_path / "hub" / "datasets--mteb--scifact"
    with_readme(repository / "snapshots" / revision)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    task = loaded("SciFact")
    assert task.counts["documents"] == 3
    assert task.source.endswith("mteb/scifact@d56462d0e63a25450459c4f213e49ffdb866f7f9")


def test_mistakes_of_plain_files_are_all_listed(tmp_path: Path) -> None:
    """Plain files are checked as evalsuite's own tasks are."""
    folder = write_retrieval(tmp_path / "bad")
    (folder / "corpus.jsonl").write_text('{"_id": "d1"}\n{"_id": "d1", "text": "x"}\n')
    with pytest.raises(TaskDataError) as caught:
        loaded(f"SciFact={folder}")
    assert len(caught.value.problems) == 2


def test_reranking_without_candidates_is_refused(tmp_path: Path) -> None:
    """A re-ranking task is never scored as retrieval over its corpus."""
    with_readme(tmp_path / "rerank")
    with pytest.raises(TaskDataError, match="needs top_ranked"):
        loaded(f"AskUbuntuDupQuestions={tmp_path / 'rerank'}")
    without_readme(tmp_path / "plain")
    with pytest.raises(TaskDataError, match=r"type Reranking needs a README\.md with configs"):
        loaded(f"AskUbuntuDupQuestions={tmp_path / 'plain'}")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """An empty folder, a folder of unreadable files and one without the split each say so."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(TaskDataError, match="empty; it may hold"):
        loaded(f"SciFact={tmp_path / 'empty'}")
    write_rows(tmp_path / "halves" / "test.jsonl", [{"sentence1": "a", "other": "b"}])
    with pytest.raises(TaskDataError, match=r"halves|KeyError|column"):
        loaded(f"SICK-R={tmp_path / 'halves'}")
    write_rows(tmp_path / "pairs" / "train.jsonl", PAIRS)
    with pytest.raises(TaskDataError, match="no split 'test'; splits: train"):
        loaded(f"STSBenchmark={tmp_path / 'pairs'}")


def test_folders_of_one_name_and_edited_folders_are_read_anew(tmp_path: Path) -> None:
    """Two data folders whose tasks are called alike, and one folder after an edit, are three data sets."""
    for number, name in enumerate(("first", "second")):
        folder = write_retrieval(tmp_path / name / "SciFact")
        (folder / "README.md").write_text(CONFIGS)
        write_rows(folder / "corpus.jsonl", CORPUS[: 3 - number])
    first, second = (loaded("SciFact", tmp_path / name) for name in ("first", "second"))
    assert (first.counts["documents"], second.counts["documents"]) == (3, 2)
    write_rows(tmp_path / "first" / "SciFact" / "corpus.jsonl", CORPUS[1:])
    edited = loaded("SciFact", tmp_path / "first")
    assert edited.counts["documents"] == 2
    assert len({task.fingerprint for task in (first, second, edited)}) == 3


@pytest.mark.parametrize("layout", [with_readme, as_saved])
def test_nothing_is_written_beside_the_data(tmp_path: Path, layout: Callable[[Path], None]) -> None:
    """Reading a folder leaves it as it was."""
    layout(tmp_path / "SciFact")
    before = sorted(tmp_path.joinpath("SciFact").rglob("*"))
    loaded("SciFact", tmp_path)
    assert sorted(tmp_path.joinpath("SciFact").rglob("*")) == before


@pytest.mark.parametrize("layout", [with_readme, as_beir, as_saved])
def test_judgements_of_another_split_are_not_taken(tmp_path: Path, layout: Callable[[Path], None]) -> None:
    """A split that is asked for and has no judgements is refused, whatever other split has them."""
    layout(tmp_path / "SciFact")
    with pytest.raises(TaskDataError, match=r"has no split 'dev'; splits: .*test"):
        loaded("SciFact:dev", tmp_path)


def test_a_data_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A mistyped folder of local data does not silently become the hub."""
    with pytest.raises(UsageError, match=r"--mteb-data .* no such folder .*nowhere"):
        resolve(["SciFact"], MtebOptions(data=tmp_path / "nowhere"))


def test_subsets_without_a_folder_are_listed(tmp_path: Path) -> None:
    """Of a multilingual task the missing subsets are named, not what the loader stumbled over."""
    write_rows(tmp_path / "STS17" / "en-de" / "test.jsonl", PAIRS)
    (ref,) = resolve(["STS17"], MtebOptions(data=tmp_path, languages=("deu", "kor")))
    task = ref.load()
    with pytest.raises(TaskDataError, match=r"no folder for 1 of 2 subsets \(ko-ko\); add them"):
        task.load()
