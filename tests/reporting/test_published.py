"""Published tables: what ships is what the sources say, and what is malformed is refused."""

import pytest

from evalsuite.core.errors import UsageError
from evalsuite.reporting.published import FULL, MEAN_TYPE, published_names, read_published

TABLES = {table.name: table for table in read_published(published_names())}
HEAD = """
title = "T"
source = "S"
link = "https://example.org"
published = "2025"
read = "2026-01-02"
conditions = "C"
[defaults]
model = "m"
benchmark = "b"
filter = "f"
"""


def row(table, **wanted):
    """The one row with the given fields, defaults for the others."""
    plain = {"task_type": "", "task": "", "setting": "", "weights": "", "precision": "float32", "scoring": "",
             "measure": TABLES[table].series[0].measure}  # fmt: skip
    found = [
        series
        for series in TABLES[table].series
        if all(getattr(series, name) == value for name, value in {**plain, **wanted}.items())
    ]
    assert len(found) == 1
    return found[0]


def kept(table, series):
    """Retention in percent, as papers round it."""
    return [round(100 * share, 2) for share in TABLES[table].retention(series).values()]


def test_these_tables_ship():
    """Four sources, and no row twice."""
    assert list(TABLES) == ["embeddinggemma", "hakari", "hf-quantization", "jina-v5-gor"]
    for table in TABLES.values():
        rows = [series.model_copy(update={"at": {}}).model_dump_json() for series in table.series]
        assert len(set(rows)) == len(rows)
        assert all(0 < value <= 100 for series in table.series for value in series.points.values())
        assert all(table.retention(series) for series in table.series)


def test_retention_of_embeddinggemma_is_what_the_card_implies():
    """99.28, 97.60 and 95.22 % multilingual, 99.30, 98.13 and 95.68 % English, 91.56 % of code at 128."""
    assert kept("embeddinggemma", row("embeddinggemma", benchmark="MTEB(Multilingual, v2)")) == [
        100, 99.28, 97.6, 95.22,
    ]  # fmt: skip
    english = row("embeddinggemma", benchmark="MTEB(eng, v2)", setting="report and current card")
    assert kept("embeddinggemma", english) == [100, 99.3, 98.13, 95.68]
    code = row("embeddinggemma", benchmark="MTEB(Code, v1)", task_type="Retrieval")
    assert kept("embeddinggemma", code) == [100, 99.59, 97.06, 91.56]


def test_means_agree_with_their_parts():
    """Types average to the published Mean(TaskType), code tasks to the published mean."""
    for benchmark, setting in (("MTEB(Multilingual, v2)", ""), ("MTEB(eng, v2)", "report and current card")):
        types = [s for s in TABLES["embeddinggemma"].series if s.benchmark == benchmark and s.task_type]
        types = [series for series in types if not series.weights]
        mean = row("embeddinggemma", benchmark=benchmark, setting=setting, measure=MEAN_TYPE)
        for dim, value in mean.points.items():
            parts = [series.points[dim] for series in types]
            assert sum(parts) / len(parts) == pytest.approx(value, abs=0.06)
    tasks = [s for s in TABLES["embeddinggemma"].series if s.benchmark == "MTEB(Code, v1)" and s.task]
    code = row("embeddinggemma", benchmark="MTEB(Code, v1)", task_type="Retrieval")
    for dim, value in code.points.items():
        assert sum(series.points[dim] for series in tasks) / 12 == pytest.approx(value, abs=0.06)


def test_the_filter_tells_two_means_of_the_same_predictions_apart():
    """69.67 is English only, 68.36 is every language."""
    means = {
        series.filter: series.points[768]
        for series in TABLES["embeddinggemma"].series
        if series.benchmark == "MTEB(eng, v2)" and not (series.task or series.task_type or series.weights)
        and series.measure != MEAN_TYPE
    }  # fmt: skip
    assert means == {"English subsets only": 69.67, "every language subset of each task": 68.36}


def test_the_subsets_of_single_tasks_are_named():
    """STS17 is English with English: beside a mean over eleven languages it must not be drawn."""
    assert row("embeddinggemma", task="STS17").subset == "en-en"
    assert row("embeddinggemma", task="STS17").what == "STS17 (en-en)"


def test_retention_of_other_sources_by_hand():
    """HAKARI's binary at 128 keeps 54.95 %, e5 93.64 (not the blog's 94.68), GOR loses 1.90 of 64.50."""
    binary = row("hakari", task_type="Retrieval", precision="binary", scoring="Hamming")
    assert kept("hakari", binary)[-1] == pytest.approx(54.95)
    e5 = row("hf-quantization", model="intfloat/e5-base-v2", task_type="Retrieval", precision="int8",
             scoring="raw codes")  # fmt: skip
    assert kept("hf-quantization", e5) == [93.64]
    gor = row("jina-v5-gor", benchmark="MTEB", setting="with GOR", precision="binary")
    assert gor.points == {FULL: 62.6}
    assert kept("jina-v5-gor", gor) == [97.05]


def test_quantized_weights_are_measured_against_plain_ones():
    """Q4_0 keeps 60.62 of 61.15."""
    q4 = row("embeddinggemma", benchmark="MTEB(Multilingual, v2)", weights="int4 per block (Q4_0)")
    assert kept("embeddinggemma", q4) == [round(100 * 60.62 / 61.15, 2)]


def test_a_file_of_ones_own_is_read(tmp_path):
    """A path works as a name does; without a full width there is no retention."""
    (tmp_path / "mine.toml").write_text(HEAD + '[[series]]\nprecision = "int8"\nat = {64 = 10}\n')
    (table,) = read_published([str(tmp_path / "mine.toml")])
    assert (table.name, table.series[0].points) == ("mine", {64: 10.0})
    assert table.retention(table.series[0]) == {}


def test_unknown_names_are_refused():
    """The error lists what there is."""
    with pytest.raises(UsageError, match=r"nope.*known: embeddinggemma, hakari.*\.toml"):
        read_published(["hakari", "nope"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = ", "cannot be read"),
        (HEAD + "[[series]]\nat = {wide = 1.0}\n", "give dimensions or `full`, not wide"),
        (HEAD + "[[series]]\nat = {64 = 1.0}\ncolour = 3\n", "colour"),
        (HEAD.replace("https:", "ftp:"), "link"),
        ("series = 3\n" + HEAD, "not iterable"),
        (HEAD, "series"),
    ],
)
def test_malformed_files_are_refused(tmp_path, text, problem):
    """The message names file and field."""
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=problem) as caught:
        read_published([str(path)])
    assert "bad.toml" in str(caught.value)
