"""Promises of the BEIR reader."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.tasks.beir import read_beir
from tests.tasks.conftest import DOCUMENTS, QRELS, QUERIES, BeirMaker, json_lines

IDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)


def problems(folder: Path, split: str | None = None) -> list[str]:
    with pytest.raises(TaskDataError) as caught:
        read_beir(folder, split=split)
    return list(caught.value.problems)


def test_reads_documents_descending_and_queries_ascending(beir: BeirMaker) -> None:
    """Row order is trec_eval's order among ties; titles, grades and the split come along."""
    task = read_beir(beir())
    assert list(task.document_ids) == ["d3", "d2", "d1"]
    assert [text.title for text in task.documents] == ["", "Coffee", "Tea"]
    assert list(task.query_ids) == ["q1", "q2"]
    assert task.qrels == {"q1": {"d1": 2, "d2": 0}, "q2": {"d3": 1}}
    assert (task.name, task.split, list(task.warnings)) == ("drinks", "test", [])


@settings(max_examples=40, deadline=None)
@given(
    documents=st.dictionaries(IDS, st.tuples(TEXTS, TEXTS), min_size=1, max_size=6),
    queries=st.dictionaries(IDS, TEXTS, min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
    zipped=st.booleans(),
)
def test_order_and_packing_of_files_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory,
    documents: dict[str, tuple[str, str]],
    queries: dict[str, str],
    order: random.Random,
    zipped: bool,
) -> None:
    """The same texts and judgements in any line order, plain or zipped, have the same fingerprint."""
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in documents.items()]
    asked = [{"_id": key, "text": text} for key, text in queries.items()]
    judged = [(q, d, 1 + (i + j) % 3) for i, q in enumerate(queries) for j, d in enumerate(documents)]
    fingerprints = set()
    for pack in (False, zipped):
        folder = tmp_path_factory.mktemp("data")
        for rows in (corpus, asked, judged):
            order.shuffle(rows)
        qrels = "".join(f"{query}\t{document}\t{grade}\n" for query, document, grade in judged)
        parts = {"corpus.jsonl": json_lines(corpus), "queries.jsonl": json_lines(asked), "qrels.tsv": qrels}
        for name, text in parts.items():
            content = text.encode()
            path = folder / (name + ".gz" if pack else name)
            path.write_bytes(gzip.compress(content) if pack else content)
        task = read_beir(folder, name="same")
        assert dict(zip(task.query_ids, [text.text for text in task.queries], strict=True)) == queries
        assert {
            key: (text.title, text.text) for key, text in zip(task.document_ids, task.documents, strict=True)
        } == (documents)
        fingerprints.add(task.fingerprint)
    assert len(fingerprints) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qrels.tsv", QRELS),
        ("qrels.tsv", "q1\td1\t2\nq1\td2\t0\nq2\td3\t1.0\n"),
        ("qrels.tsv", "score\tcorpus-id\tquery-id\r\n2\td1\tq1\r\n0\td2\tq1\r\n1\td3\tq2\r\n"),
        (
            "qrels.jsonl",
            json_lines(
                [
                    {"query-id": "q1", "corpus-id": "d1", "score": 2},
                    {"query-id": "q1", "corpus-id": "d2", "score": 0.0},
                    {"query": "q2", "document": "d3", "grade": 1},
                ]
            ),
        ),
    ],
    ids=["header", "no header", "columns by name", "json"],
)
def test_judgements_in_every_accepted_form_are_the_same(beir: BeirMaker, name: str, text: str) -> None:
    """A header, the order of columns, line ends, the place and the format change no judgement."""
    expected = read_beir(beir("expected")).fingerprint
    folder = beir("other", qrels=None)
    (folder / name).write_bytes(text.encode())
    assert read_beir(folder).fingerprint == expected


def test_integer_ids_are_their_text(beir: BeirMaker) -> None:
    """An id may be a JSON integer, under `_id` or `id`; judgements name it by its digits."""
    folder = beir(
        corpus=[{"_id": 1, "text": "one"}, {"id": 2, "text": "two"}],
        queries=[{"id": 7, "text": "which"}],
        qrels="7\t2\t1\n",
    )
    assert read_beir(folder).qrels == {"7": {"2": 1}}


def test_byte_order_mark_and_blank_lines_are_no_data(beir: BeirMaker) -> None:
    """A byte order mark at the start and empty lines are passed over."""
    folder = beir()
    corpus = folder / "corpus.jsonl"
    corpus.write_bytes(b"\xef\xbb\xbf" + corpus.read_bytes() + b"\n\n")
    assert len(read_beir(folder).documents) == 3


def test_split_is_test_else_the_only_one_else_asked(beir: BeirMaker) -> None:
    """Another split than the default is part of the name; a missing or open choice lists the splits."""
    three = beir("three", qrels={"train": QRELS, "test": QRELS, "validation": QRELS})
    assert (read_beir(three).split, read_beir(three).name) == ("test", "three")
    assert read_beir(three, split="train").name == "three:train"
    assert read_beir(three, split="dev").split == "validation"
    assert read_beir(beir("one", qrels={"train": QRELS})).name == "one"
    with pytest.raises(UsageError, match=r"no split 'deev'; splits: test, train, validation"):
        read_beir(three, split="deev")
    with pytest.raises(UsageError, match=r"three2:train; splits: train, validation"):
        read_beir(beir("three2", qrels={"train": QRELS, "validation": QRELS}))


def test_missing_folder_says_what_is_expected(tmp_path: Path) -> None:
    """A path without a folder is one message with the layout."""
    assert problems(tmp_path / "nowhere") == [
        "no such folder; expected one with corpus.jsonl, queries.jsonl and qrels/test.tsv (each plain or .gz)"
    ]


def test_all_missing_files_are_listed(beir: BeirMaker) -> None:
    """An empty folder lists corpus, queries and judgements."""
    found = problems(beir(corpus=None, queries=None, qrels=None))
    assert [text.split(" (")[0] for text in found] == [
        "corpus.jsonl is missing",
        "queries.jsonl is missing",
        "judgements are missing: no qrels/*.tsv, qrels.tsv or qrels.jsonl; expected corpus.jsonl, "
        "queries.jsonl and qrels/test.tsv",
    ]


def test_empty_files_are_mistakes(beir: BeirMaker) -> None:
    """No documents, no queries and no judgements are three mistakes, found at once."""
    assert problems(beir(corpus=[], queries=[], qrels="query-id\tcorpus-id\tscore\n")) == [
        "corpus.jsonl: empty: no documents",
        "queries.jsonl: empty: no queries",
        "qrels/test.tsv: empty: no judgements",
    ]


def test_the_same_file_twice_is_a_mistake(beir: BeirMaker) -> None:
    """Nothing chooses silently between a plain and a zipped file, or two files of one split."""
    folder = beir()
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(b"{}"))
    (folder / "qrels.tsv").write_text(QRELS)
    assert problems(folder) == [
        "both corpus.jsonl and corpus.jsonl.gz are there; keep one",
        "qrels/test.tsv and qrels.tsv are judgements of the same split; keep one",
    ]


BROKEN_ROWS = [
    ('{"_id": "x", "text": ', "corpus.jsonl:4: not JSON (Expecting value, column 22)"),
    ("[1, 2]", "corpus.jsonl:4: the line is a list, not an object {...}"),
    ('{"text": "t"}', "corpus.jsonl:4: no _id"),
    ('{"_id": "x"}', "corpus.jsonl:4: no text (_id 'x')"),
    ('{"_id": "x", "text": null}', "corpus.jsonl:4: text is null, not a string (_id 'x')"),
    ('{"_id": "x", "text": 5}', "corpus.jsonl:4: text is a number, not a string (_id 'x')"),
    ('{"_id": "x", "text": "t", "title": []}', "corpus.jsonl:4: title is a list, not a string (_id 'x')"),
    ('{"_id": 1.5, "text": "t"}', "corpus.jsonl:4: _id 1.5 is empty or neither a string nor an integer"),
    ('{"_id": " ", "text": "t"}', "corpus.jsonl:4: _id ' ' is empty or neither a string nor an integer"),
    ('{"_id": "d2", "text": "t"}', "corpus.jsonl:4: duplicate document id 'd2', first on line 2"),
    (
        '{"_id": "x", "text": "\\ud83d"}',
        "corpus.jsonl:4: text holds half a surrogate pair, which is not a character (_id 'x')",
    ),
]


@pytest.mark.parametrize(("line", "message"), BROKEN_ROWS, ids=[row[0] for row in BROKEN_ROWS])
def test_broken_document_is_named_with_file_and_line(beir: BeirMaker, line: str, message: str) -> None:
    """Every way a line of the corpus can be wrong has its sentence."""
    assert problems(beir(corpus=[*DOCUMENTS, line])) == [message]


def test_nesting_beyond_reason_is_a_mistake_not_a_crash(beir: BeirMaker) -> None:
    """JSON nested a hundred thousand deep is refused with its line."""
    (found,) = problems(beir(corpus=[*DOCUMENTS, "[" * 100_000]))
    assert found.startswith("corpus.jsonl:4: not usable JSON")


def test_bytes_that_are_not_utf8_are_named(beir: BeirMaker) -> None:
    """A line in another encoding is named with the byte that gave it away."""
    folder = beir()
    with (folder / "queries.jsonl").open("ab") as file:
        file.write('{"_id": "q3", "text": "caf\xe9"}\n'.encode("latin-1"))
    assert problems(folder) == ["queries.jsonl:3: not UTF-8 at byte 27 of the line"]


def test_cut_off_archive_is_a_mistake(beir: BeirMaker) -> None:
    """A gzip file that ends early is reported, however many lines were readable."""
    folder = beir(corpus=None)
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(json_lines(DOCUMENTS).encode())[:-12])
    (found,) = problems(folder)
    assert found.startswith("corpus.jsonl.gz: cannot be read after line ")


BROKEN_JUDGEMENTS = [
    ("q1 d1 1", "1 tab-separated columns where 3 belong (query-id, corpus-id, score)"),
    ("q1\t0\td1\t1", "4 tab-separated columns where 3 belong (query-id, corpus-id, score)"),
    ("q1\td3\t0.5", "grade '0.5' is not a whole number"),
    ("q1\td3\tnan", "grade 'nan' is not a whole number"),
    ("q1\td3\t", "grade '' is not a whole number"),
    ("q1\t\t1", "document id '' is empty or not a string"),
    ("\td1\t1", "query id '' is empty or not a string"),
    ("q1\td1\t1", "query 'q1', document 'd1' is judged 1, but 2 on line 2; keep one"),
]


@pytest.mark.parametrize(("line", "message"), BROKEN_JUDGEMENTS, ids=[row[1] for row in BROKEN_JUDGEMENTS])
def test_broken_judgement_is_named_with_file_and_line(beir: BeirMaker, line: str, message: str) -> None:
    """Every way a line of the judgements can be wrong has its sentence."""
    assert problems(beir(qrels=QRELS + line + "\n")) == [f"qrels/test.tsv:5: {message}"]


def test_first_line_is_data_unless_it_names_the_columns(beir: BeirMaker) -> None:
    """A broken first judgement is not mistaken for a header."""
    assert problems(beir(qrels="q1\td1\tmuch\nq2\td3\t1\n")) == [
        "qrels/test.tsv:1: grade 'much' is not a whole number"
    ]


def test_json_judgement_without_its_fields_is_named(beir: BeirMaker) -> None:
    """A judgement in JSON says which of its fields are missing."""
    folder = beir(qrels=None)
    rows = [{"query-id": "q1"}, {"query-id": "q1", "corpus-id": "d1", "score": True}]
    (folder / "qrels.jsonl").write_text(json_lines(rows))
    assert problems(folder) == [
        "qrels.jsonl:1: no corpus-id and no score",
        "qrels.jsonl:2: grade True is not a whole number",
    ]


def test_judgements_of_another_data_set_are_a_mistake(beir: BeirMaker) -> None:
    """When no judged query exists there is nothing to score, which is an error and not an empty result."""
    (found,) = problems(beir(qrels="x1\td1\t1\n"))
    assert found.startswith("no query of the judgements is in queries.jsonl")


def test_mistakes_of_all_files_are_reported_at_once(beir: BeirMaker) -> None:
    """One error names what is wrong in the corpus, the queries and the judgements."""
    folder = beir(corpus=[*DOCUMENTS, "{"], queries=[*QUERIES, QUERIES[0]], qrels=QRELS + "q1\td1\n")
    assert [text.split(": ")[0] for text in problems(folder)] == [
        "corpus.jsonl:4",
        "queries.jsonl:3",
        "qrels/test.tsv:5",
    ]


def test_long_lists_are_cut_and_counted_and_show_every_file(beir: BeirMaker) -> None:
    """Of a thousand mistakes fifty are printed at most, some from each file, and the rest is counted."""
    folder = beir(corpus=[*DOCUMENTS, *["{"] * 1000], qrels=QRELS + "q1\n")
    with pytest.raises(TaskDataError) as caught:
        read_beir(folder)
    text = str(caught.value)
    assert "1,001 problems" in text
    assert "qrels/test.tsv:5" in text
    assert text.endswith(f"... and {1001 - 26} more")
    folder = beir("many", corpus=[*DOCUMENTS, *["{"] * 51])
    assert len(problems(folder)) == 51
    assert problems(folder)[-1] == "... and 1 more"


def warnings(folder: Path) -> list[str]:
    return list(read_beir(folder).warnings)


def test_judged_documents_missing_from_the_corpus_stay_in_the_judgements(beir: BeirMaker) -> None:
    """They count as relevant and not found, as ArguAna's five really do, and a warning says so."""
    folder = beir(qrels=QRELS + "q1\tgone\t1\nq2\tgone\t1\n")
    assert read_beir(folder).qrels["q1"]["gone"] == 1
    assert warnings(folder) == [
        "2 judgements of documents that are not in the corpus; kept, and counted as not found: gone"
    ]


def test_judgements_of_unknown_queries_are_dropped_and_counted(beir: BeirMaker) -> None:
    """Queries that are judged but not there cannot be asked."""
    folder = beir(qrels=QRELS + "q8\td1\t1\nq8\td2\t1\nq9\tgone\t-1\n")
    assert "q8" not in read_beir(folder).qrels
    assert warnings(folder) == ["3 judgements dropped: no such query in queries.jsonl: q8, q9"]


def test_queries_without_judgements_are_not_scored(beir: BeirMaker) -> None:
    """They are left out of the task, reported, and never scored as 0."""
    folder = beir(queries=[*QUERIES, *({"_id": f"q{i}", "text": "?"} for i in range(3, 9))])
    assert list(read_beir(folder).query_ids) == ["q1", "q2"]
    assert warnings(folder) == ["6 queries without judgements; not scored: q3, q4, q5, q6, q7, ..."]


def test_negative_grades_and_hopeless_queries_are_counted(beir: BeirMaker) -> None:
    """Negative grades stay as given and are counted; a query with nothing relevant is named."""
    folder = beir(qrels="q1\td1\t2\nq2\td3\t-1\nq2\td1\t0\n")
    assert read_beir(folder).qrels["q2"] == {"d3": -1, "d1": 0}
    assert warnings(folder) == [
        "1 negative grade counted as not relevant, as trec_eval does",
        "1 query without a relevant document; scored 0, as trec_eval does: q2",
    ]


def test_empty_and_repeated_texts_are_reported(beir: BeirMaker) -> None:
    """Empty documents are named, repeated ones counted; both stay in, as in Cranfield."""
    extra = [
        {"_id": "e1", "text": ""},
        {"_id": "e2", "title": " ", "text": ""},
        {**DOCUMENTS[0], "_id": "d9"},
    ]
    folder = beir(corpus=[*DOCUMENTS, *extra], queries=[{"_id": "q1", "text": " "}, QUERIES[1]])
    assert len(read_beir(folder).documents) == 6
    assert warnings(folder) == [
        "1 query with an empty text: q1",
        "2 empty documents: e1, e2",
        "1 document repeats the title and text of another; equal scores are certain",
    ]


def test_repeated_judgements_that_agree_are_counted_once(beir: BeirMaker) -> None:
    """The same judgement twice is odd, not wrong."""
    assert warnings(beir(qrels=QRELS + "q1\td1\t2\n")) == [
        "1 judgement repeated with the same grade; counted once"
    ]


@pytest.mark.parametrize(
    ("name", "split", "documents", "queries", "judgements"),
    [
        ("scifact", None, 5183, 300, 339),
        ("scifact", "train", 5183, 809, 919),
        ("cranfield", None, 1400, 225, 1612),
        ("cisi", None, 1460, 76, 3114),
    ],
)
def test_public_data_sets_have_their_known_counts(
    shared_data: Path, name: str, split: str | None, documents: int, queries: int, judgements: int
) -> None:
    """SciFact, Cranfield and CISI are read whole."""
    task = read_beir(shared_data / "retrieval" / name, split=split)
    found = (len(task.documents), len(task.queries), sum(map(len, task.qrels.values())))
    assert found == (documents, queries, judgements)


def test_cranfields_empty_documents_are_named(shared_data: Path) -> None:
    """Documents 471 and 995 are empty in the original."""
    assert "2 empty documents: 471, 995" in read_beir(shared_data / "retrieval" / "cranfield").warnings
