"""Promises of the STS reader."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.tasks.sts import read_sts

ROWS = [
    ("A man eats.", "A man is eating.", 4.5),
    ('It\'s "so", he said', "No.", 0.0),
    ("Ein Maß", "A litre", 3.25),
]
HEADER = ("sentence1", "sentence2", "score")


def table(rows: list[tuple[object, ...]], ending: str, header: tuple[str, ...] = HEADER) -> bytes:
    """Write rows as a table of the given format."""
    if ending == "parquet":
        buffer = io.BytesIO()
        pd.DataFrame(rows, columns=list(header)).to_parquet(buffer)
        return buffer.getvalue()
    if ending == "csv":
        text = io.StringIO()
        csv.writer(text).writerows([header, *rows])
        return text.getvalue().encode()
    if ending == "jsonl":
        lines = (json.dumps(dict(zip(header, row, strict=True))) for row in rows)
        return "".join(line + "\n" for line in lines).encode()
    return "".join("\t".join(map(str, row)) + "\n" for row in [header, *rows]).encode()


def problems(path: Path) -> list[str]:
    with pytest.raises(TaskDataError) as caught:
        read_sts(path)
    return list(caught.value.problems)


def tsv(tmp_path: Path, *lines: str, header: str = "sentence1\tsentence2\tscore") -> Path:
    path = tmp_path / "pairs.tsv"
    good = ["a b\tc d\t1", "e\tf\t2", "g\th\t3"]
    path.write_text("\n".join([header, *good, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name", ["p.tsv", "p.csv", "p.jsonl", "p.parquet", "p.tsv.gz", "p.csv.gz", "p.jsonl.gz"]
)
def test_every_format_holds_the_same_task(tmp_path: Path, name: str) -> None:
    """TSV (quotation marks are characters), CSV, JSON Lines and Parquet, zipped or not, read alike."""
    content = table(list(ROWS), name.split(".")[1])
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    task = read_sts(path)
    pairs = [(a.text, b.text, s) for a, b, s in zip(task.first, task.second, task.scores, strict=True)]
    assert pairs == ROWS
    assert list(task.pair_ids) == ["1", "2", "3"]
    assert (task.name, task.split, list(task.warnings)) == ("p", "test", [])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1).filter(str.strip),
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1).filter(str.strip),
            st.floats(0, 5),
        ),
        min_size=3,
        max_size=8,
    ).filter(lambda rows: len({score for *_, score in rows}) > 1)
)
def test_csv_and_json_keep_every_character(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, float]]
) -> None:
    """What is written comes back, whatever the sentences hold."""
    folder = tmp_path_factory.mktemp("pairs")
    fingerprints = set()
    for ending in ("csv", "jsonl"):
        path = folder / f"pairs.{ending}"
        path.write_bytes(table(list(rows), ending))
        task = read_sts(path)
        assert [(a.text, b.text) for a, b in zip(task.first, task.second, strict=True)] == [
            r[:2] for r in rows
        ]
        fingerprints.add(task.fingerprint)
    assert len(fingerprints) == 1


@pytest.mark.parametrize(
    "header",
    [
        ("text1", "text2", "similarity"),
        ("Sentence_A", "Sentence_B", "Label"),
        ("sentence1", "sentence2", "gold"),
    ],
)
def test_columns_go_by_several_names(tmp_path: Path, header: tuple[str, ...]) -> None:
    """The names other data sets use are understood, in any case."""
    path = tmp_path / "p.tsv"
    path.write_bytes(table(list(ROWS), "tsv", header))
    assert list(read_sts(path).scores) == [4.5, 0.0, 3.25]


def test_other_columns_and_ids_come_along(tmp_path: Path) -> None:
    """An id column names the pairs; columns that mean nothing here are passed over."""
    path = tmp_path / "p.jsonl"
    rows: list[tuple[object, ...]] = [(f"p{i}", "x", *row) for i, row in enumerate(ROWS)]
    path.write_bytes(table(rows, "jsonl", ("id", "category", *HEADER)))
    assert list(read_sts(path).pair_ids) == ["p0", "p1", "p2"]


def test_quoted_csv_sentence_may_run_over_lines(tmp_path: Path) -> None:
    """A mistake after a sentence of two lines is still named by the line it starts on."""
    path = tmp_path / "p.csv"
    path.write_text('sentence1,sentence2,score\n"two\nlines",b,1\nc,d,much\n')
    assert problems(path) == ["p.csv:4: score 'much' is not a finite number"]


def test_folder_gives_test_and_other_splits_by_name(tmp_path: Path) -> None:
    """`test` is the default, `dev` means `validation` too, and `test.tsv` is called after its folder."""
    folder = tmp_path / "stsb"
    folder.mkdir()
    for split in ("test", "validation"):
        (folder / f"{split}.tsv").write_bytes(table(list(ROWS), "tsv"))
    assert (read_sts(folder).name, read_sts(folder).split) == ("stsb", "test")
    assert (read_sts(folder, split="dev").name, read_sts(folder, split="dev").split) == (
        "stsb:validation",
        "validation",
    )
    assert read_sts(folder / "test.tsv").name == "stsb"
    assert read_sts(folder / "validation.tsv").name == "stsb:validation"
    with pytest.raises(UsageError, match="no split 'train'; splits: test, validation"):
        read_sts(folder, split="train")
    with pytest.raises(UsageError, match="is one file and has no splits"):
        read_sts(folder / "test.tsv", split="dev")


def test_folder_with_one_table_needs_no_split_name(tmp_path: Path) -> None:
    """The only table of a folder is its test split, whatever it is called."""
    (tmp_path / "pairs.jsonl").write_bytes(table(list(ROWS), "jsonl"))
    (tmp_path / "NOTES.md").write_text("notes")
    assert read_sts(tmp_path).name == tmp_path.name


def test_two_tables_of_one_split_are_a_mistake(tmp_path: Path) -> None:
    """Nothing chooses silently between test.csv and test.tsv."""
    for ending in ("csv", "tsv"):
        (tmp_path / f"test.{ending}").write_bytes(table(list(ROWS), ending))
    assert problems(tmp_path) == ["test.csv and test.tsv are tables of the same split; keep one"]


@pytest.mark.parametrize("name", ["nowhere", "empty", "notes.txt"])
def test_what_is_no_table_says_what_is_expected(tmp_path: Path, name: str) -> None:
    """A missing path, an empty folder and a file of another kind end in the same hint."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    (found,) = problems(tmp_path / name)
    assert found.endswith(
        "expected columns sentence1, sentence2 and score in a .tsv, .csv, .jsonl, .parquet file"
    )


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl"])
def test_empty_file_is_a_mistake(tmp_path: Path, ending: str) -> None:
    """A file without a header says what belongs there."""
    path = tmp_path / f"p.{ending}"
    path.write_text("")
    assert problems(path)[0].startswith(f"p.{ending}: empty; expected columns")


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "parquet"])
def test_missing_columns_list_those_found(tmp_path: Path, ending: str) -> None:
    """Every missing column is named once, with its other names and the columns there are."""
    path = tmp_path / f"p.{ending}"
    path.write_bytes(table(list(ROWS), ending, ("sentence1", "other", "points")))
    assert problems(path) == [
        f"p.{ending}: no column sentence2 (or sentence2, text2, sentence_b); found: sentence1, other, points",
        f"p.{ending}: no column score (or score, similarity, similarity_score, label, gold); "
        "found: sentence1, other, points",
    ]


BROKEN = [
    ("x\ty", "2 columns where the header has 3"),
    ("x\ty\t1\tz", "4 columns where the header has 3"),
    ("x\ty\tmuch", "score 'much' is not a finite number"),
    ("x\ty\tnan", "score 'nan' is not a finite number"),
    ("x\ty\tinf", "score 'inf' is not a finite number"),
    (" \ty\t1", "sentence1 is empty"),
    ("x\t\t1", "sentence2 is empty"),
]


@pytest.mark.parametrize(("line", "message"), BROKEN, ids=[row[1] for row in BROKEN])
def test_broken_pair_is_named_with_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    """Every way a row can be wrong has its sentence."""
    assert problems(tsv(tmp_path, line)) == [f"pairs.tsv:5: {message}"]


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    """Several mistakes of a row and of a file come in one error."""
    assert problems(tsv(tmp_path, "\t\tx", "y")) == [
        "pairs.tsv:5: sentence1 is empty",
        "pairs.tsv:5: sentence2 is empty",
        "pairs.tsv:5: score 'x' is not a finite number",
        "pairs.tsv:6: 1 columns where the header has 3",
    ]


def test_json_rows_are_checked_one_by_one(tmp_path: Path) -> None:
    """A field missing or of another type in one row is named with that row."""
    path = tmp_path / "p.jsonl"
    rows = [
        '{"id": 1, "sentence1": "a", "sentence2": "b", "score": 1}',
        '{"id": 1, "sentence1": 3, "score": true}',
    ]
    path.write_text("\n".join(rows) + "\n" + rows[0] + "\n")
    assert problems(path) == [
        "p.jsonl:2: sentence1 is a number, not a string",
        "p.jsonl:2: sentence2 is missing",
        "p.jsonl:2: score True is not a finite number",
        "p.jsonl:3: duplicate id '1', first on line 1",
    ]


def test_repeated_column_is_a_mistake(tmp_path: Path) -> None:
    """A header that names a column twice cannot be read."""
    path = tmp_path / "p.csv"
    path.write_text("sentence1,score,score\na,1,2\n")
    assert problems(path) == ["p.csv:1: column 'score' occurs twice"]


def test_csv_that_is_none_is_named(tmp_path: Path) -> None:
    """Quoting that does not end properly is reported with its line."""
    path = tmp_path / "p.csv"
    path.write_text('sentence1,sentence2,score\n"a"b,c,1\nd,e,2\n')
    (found,) = problems(path)
    assert found.startswith("p.csv:2: not CSV (")


def test_parquet_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    """A file that only ends in .parquet is reported, not raised from the library."""
    path = tmp_path / "p.parquet"
    path.write_bytes(b"not parquet")
    (found,) = problems(path)
    assert found.startswith("p.parquet: not a readable Parquet file (")


def test_too_few_pairs_or_one_score_cannot_be_correlated(tmp_path: Path) -> None:
    """A correlation needs three pairs and scores that differ."""
    path = tmp_path / "p.tsv"
    path.write_bytes(table([ROWS[0], ROWS[1]], "tsv"))
    assert problems(path) == ["p.tsv: 2 pairs; a correlation needs at least 3"]
    path.write_bytes(table([(a, b, 2) for a, b, _ in ROWS], "tsv"))
    assert problems(path) == ["p.tsv: every score is 2; a correlation needs scores that differ"]


def test_repeated_pairs_are_reported(tmp_path: Path) -> None:
    """Pairs that occur twice stay in and are counted; different scores are said."""
    task = read_sts(tsv(tmp_path, "a b\tc d\t5"))
    assert list(task.warnings) == [
        "1 of 4 pairs repeat another pair; all are counted",
        "1 pairs occur with different scores",
    ]


@pytest.mark.parametrize(("split", "count"), [("train", 5749), ("dev", 1500), ("test", 1379)])
def test_sts_benchmark_has_its_known_counts(shared_data: Path, split: str, count: int) -> None:
    """STSb is read whole, its unpaired quotation marks included."""
    task = read_sts(shared_data / "sts" / "stsb", split=split)
    assert len(task.scores) == count
    assert (min(task.scores), max(task.scores)) == (0.0, 5.0)
