"""Promises of MtebTask: light until loaded, the texts mteb encodes, a fingerprint of every row."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from datasets import Dataset, DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from mteb import mocks
from mteb._create_dataloaders import create_dataloader
from mteb.types import PromptType

from evalsuite.tasks.mteb import MtebTask
from evalsuite.tasks.mteb.native import query_texts
from evalsuite.tasks.mteb.rows import unit_texts
from evalsuite.tasks.mteb.task import canonical_metric
from evalsuite.tasks.task import RetrievalTask, StsTask


def loaded(abstask: Any, **kwargs: Any) -> MtebTask:
    task = MtebTask(abstask, **kwargs)
    task.load()
    return task


@pytest.mark.parametrize("abstask", mocks.MOCK_TASK_TEST_GRID, ids=lambda task: task.metadata.name)
def test_every_text_type_loads_with_counts_and_a_fingerprint(abstask: Any) -> None:
    """All text tasks of mteb's mocks load; mteb's object given is left as it was."""
    before = abstask.data_loaded
    task = MtebTask(abstask)
    assert (task.fingerprint, task.counts, task.is_loaded) == ("", {}, False)
    task.load()
    assert abstask.data_loaded == before
    assert len(task.fingerprint) == 64
    assert all(count > 0 for count in task.counts.values())
    assert {(part.split, part.subset) for part in task.parts} == {
        (split, subset) for split in abstask.eval_splits for subset in abstask.hf_subsets
    }
    assert all(part.size > 0 and part.languages for part in task.parts)
    assert task.has_native_road == (task.task_type in ("Retrieval", "STS"))
    assert all((part.native is not None) == task.has_native_road for part in task.parts)


def test_parts_need_loading_and_unloading_lets_go() -> None:
    """Parts are there only while the data is; the fingerprint stays and loading again gives the same."""
    task = MtebTask(mocks.MockSTSTask())
    with pytest.raises(RuntimeError, match="not loaded"):
        _ = task.parts
    task.load()
    first = task.fingerprint
    task.unload()
    assert task.fingerprint == first
    assert task.abstask.dataset is None
    with pytest.raises(RuntimeError, match="not loaded"):
        _ = task.parts
    task.load()
    assert task.fingerprint == first


@pytest.mark.parametrize(
    "abstask",
    [mocks.MockRetrievalTask(), mocks.MockRetrievalDialogTask(), mocks.MockMultilingualRetrievalTask()],
    ids=lambda task: task.metadata.name,
)
def test_native_texts_are_those_mteb_encodes(abstask: Any) -> None:
    """Queries, bodies, titles and joined documents equal what mteb's data loader hands to a model."""
    task = loaded(abstask)
    for part in task.parts:
        rows = task.abstask.dataset[part.subset][part.split]
        native = part.native
        assert isinstance(native, RetrievalTask)
        options = {"task_metadata": task.abstask.metadata, "batch_size": 1}
        documents = dict(zip(native.document_ids, native.documents, strict=True))
        for batch in create_dataloader(rows["corpus"], prompt_type=PromptType.document, **options):
            document = documents[batch["id"][0]]
            assert document.text == batch["body"][0]
            assert document.title == batch.get("title", [""])[0]
            assert f"{document.title} {document.text}".strip() == batch["text"][0]
        queries = dict(zip(native.query_ids, native.queries, strict=True))
        for batch in create_dataloader(rows["queries"], prompt_type=PromptType.query, **options):
            assert queries[batch["id"][0]].text == batch["text"][0]
        assert native.qrels == rows["relevant_docs"]
        assert list(native.document_ids) == sorted(native.document_ids, reverse=True)


def test_instructions_follow_a_query_and_precede_a_conversation() -> None:
    """Both orders are mteb's, checked against its data loader."""
    metadata = mocks.MockInstructionRetrieval.metadata
    conversation = [[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]]
    for text in (["find it"], conversation):
        queries = Dataset.from_dict({"id": ["q"], "text": text, "instruction": ["only new ones"]})
        (batch,) = create_dataloader(queries, task_metadata=metadata, prompt_type=PromptType.query)
        assert [query.text for query in query_texts(queries)] == batch["text"]


def test_sts_pairs_are_mtebs_rows() -> None:
    """Both columns and the scores come over unchanged, in file order."""
    task = loaded(mocks.MockSTSTask())
    native = task.parts[0].native
    assert isinstance(native, StsTask)
    rows = task.abstask.dataset["test"]
    assert [text.text for text in native.first] == list(rows["sentence1"])
    assert [text.text for text in native.second] == list(rows["sentence2"])
    assert list(native.scores) == list(rows["score"])


def test_scoring_rules_reach_the_native_task_and_its_fingerprint() -> None:
    """`ignore_identical_ids` and `skip_first_result` are carried over and change the task's fingerprint."""

    class OwnRules(mocks.MockRetrievalTask):
        ignore_identical_ids = True
        skip_first_result = True

    plain = loaded(mocks.MockRetrievalTask()).parts[0].native
    native = loaded(OwnRules()).parts[0].native
    assert isinstance(native, RetrievalTask)
    assert isinstance(plain, RetrievalTask)
    assert (native.ignore_identical_ids, native.skip_first_result) == (True, True)
    assert (plain.ignore_identical_ids, plain.skip_first_result) == (False, False)
    assert native.fingerprint != plain.fingerprint


def test_scoring_of_a_tasks_own_takes_mtebs_road() -> None:
    """Overriding any scoring method, cut-offs of its own, prompts by side or odd main scores rule it out."""

    class OwnScores(mocks.MockRetrievalTask):
        def task_specific_scores(self, *args: Any, **kwargs: Any) -> dict[str, float]:
            return super().task_specific_scores(*args, **kwargs)

    class OwnRanks(mocks.MockRetrievalTask):
        k_values = (1, 2)

    class TwoSides(mocks.MockSTSTask):
        input1_prompt_type = PromptType.query

    class OtherScore(mocks.MockSTSTask):
        metadata = mocks.MockSTSTask.metadata.model_copy(update={"main_score": "euclidean_spearman"})

    assert MtebTask(mocks.MockRetrievalTask()).has_native_road
    for abstask in (OwnScores(), OwnRanks(), TwoSides(), OtherScore()):
        assert not MtebTask(abstask).has_native_road


def test_candidates_or_repeated_ids_leave_a_part_to_mteb() -> None:
    """What only shows in the data rules out the part: documents to re-rank, two documents of one id."""

    class Candidates(mocks.MockRetrievalTask):
        def load_data(self, *args: Any, **kwargs: Any) -> None:
            super().load_data(*args, **kwargs)
            self.dataset["default"]["test"] = {
                **self.dataset["default"]["test"],
                "top_ranked": {"q1": ["d1"], "q2": ["d1"]},
            }
            twice = self.dataset["default"]["val"]["corpus"].select([0, 1, 1])
            self.dataset["default"]["val"] = {**self.dataset["default"]["val"], "corpus": twice}

    task = loaded(Candidates())
    assert task.has_native_road
    assert [part.native for part in task.parts] == [None, None]


def test_filters_keep_the_splits_and_subsets_asked_for() -> None:
    """Splits, subsets and the language filter are set on the copy and recorded."""
    task = loaded(mocks.MockMultilingualRetrievalTask(), splits=["val"], subsets=["fra"], languages=["fra"])
    assert [(part.split, part.subset, part.languages) for part in task.parts] == [
        ("val", "fra", ("fra-Latn",))
    ]
    assert (task.split, task.languages) == ("val", ("fra",))
    assert task.abstask.hf_subsets == ["fra"]


class _Rows(mocks.MockPairClassificationTask):
    """A task whose rows a test sets."""

    rows: list[dict[str, Any]]

    def load_data(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs
        self.dataset = DatasetDict({"test": Dataset.from_list(self.rows)})
        self.data_loaded = True


def fingerprint_of(rows: list[dict[str, Any]]) -> str:
    abstask = _Rows()
    abstask.rows = rows
    return loaded(abstask).fingerprint


@settings(max_examples=25)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"sentence1": st.text(max_size=4), "sentence2": st.text(max_size=4), "labels": st.integers(0, 1)}
        ),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_any_change_of_a_row_changes_the_fingerprint(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """Each text and each label counts; the order of the columns does not."""
    before = fingerprint_of(rows)
    assert fingerprint_of([dict(reversed(row.items())) for row in rows]) == before
    changed = copy.deepcopy(rows)
    row = data.draw(st.sampled_from(changed))
    column = data.draw(st.sampled_from(sorted(row)))
    row[column] = 1 - row[column] if column == "labels" else row[column] + "x"
    assert fingerprint_of(changed) != before


def test_retrieval_fingerprint_ignores_the_order_of_documents() -> None:
    """How a corpus is ordered changes no score; what it says does."""

    class Reordered(mocks.MockRetrievalTask):
        def load_data(self, *args: Any, **kwargs: Any) -> None:
            super().load_data(*args, **kwargs)
            for rows in self.dataset["default"].values():
                rows["corpus"] = rows["corpus"].select([1, 0])

    class Retitled(mocks.MockRetrievalTask):
        def load_data(self, *args: Any, **kwargs: Any) -> None:
            super().load_data(*args, **kwargs)
            for rows in self.dataset["default"].values():
                rows["corpus"] = rows["corpus"].map(lambda row: {"title": row["title"] + "!"})

    plain = loaded(mocks.MockRetrievalTask()).fingerprint
    assert loaded(Reordered()).fingerprint == plain
    assert loaded(Retitled()).fingerprint != plain


def test_fresh_copies_draw_the_same_random_numbers() -> None:
    """Every evaluation starts from the state of a new task, and shares the data."""
    task = loaded(mocks.MockMultilabelClassification())
    first, second = task.fresh_abstask(), task.fresh_abstask()
    assert first.dataset is task.abstask.dataset
    assert first.np_rng.integers(1 << 30) == second.np_rng.integers(1 << 30)
    assert first.rng_state.random() == second.rng_state.random()
    new = mocks.MockMultilabelClassification()
    assert task.fresh_abstask().np_rng.integers(1 << 30) == new.np_rng.integers(1 << 30)


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("ndcg_at_10", "ndcg@10"),
        ("map_at_1000", "map@1000"),
        ("hit_rate_at_1", "hit_rate@1"),
        ("cosine_spearman", "cosine_spearman"),
        ("max_ap", "max_ap"),
        ("p-MRR", "p-MRR"),
    ],
)
def test_main_metrics_have_canonical_names(given_name: str, expected: str) -> None:
    """Ranked metrics get our names; all others keep mteb's."""
    assert canonical_metric(given_name) == expected


def test_rows_with_values_of_their_own_have_a_text_to_show() -> None:
    """Queries go by their id and have their instruction, sentences by their number."""
    expected = {
        "MockInstructionReranking": {"q1", "q2"},
        "MockBitextMiningTask": {"1", "2"},
        "MockSummarizationTask": {"1", "2"},
        "MockTextZeroShotClassification": {"1", "2"},
        "MockClassificationTask": set(),
    }
    for name, keys in expected.items():
        task = MtebTask(mocks.MOCK_TASK_REGISTRY[name]())
        task.load()
        texts = unit_texts(task.abstask, "test", "default")
        assert set(texts) == keys, name
        assert all(texts.values())
    queries = MtebTask(mocks.MOCK_TASK_REGISTRY["MockInstructionReranking"]())
    queries.load()
    row = queries.abstask.dataset["default"]["test"]["queries"][0]
    assert (
        unit_texts(queries.abstask, "test", "default")[row["id"]] == f"{row['text']} ({row['instruction']})"
    )
