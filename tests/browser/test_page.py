"""The page in a real browser: it works, it reads, it stays inside its file."""

import csv
import io

from tests.reporting.made_up import NASTY

KEPT_384_INT8 = "Ship 384/int8"


def test_nothing_goes_wrong_and_nothing_leaves_the_file(seen):
    """No message on the console, no error, no request but the file itself."""
    assert seen["found"] == {"errors": [], "requests": [], "dialogs": 0}


def test_every_figure_is_drawn(seen):
    """Each has a size and words: two figures of three tasks of two checkpoints, and small charts."""
    boxes = seen["figures"]["boxes"]
    for figure, count in (("dimension", 6), ("bytes", 6)):
        assert sum(box["figure"] == figure for box in boxes) == count
    assert sum(box["figure"] == "chart" for box in boxes) >= 12
    assert all(box["width"] > 150 and box["height"] > 100 and box["words"] > 20 for box in boxes)


def test_the_rule_can_be_changed(seen):
    """A looser rule takes less, an impossible budget is said, the cautious rule takes more, reset returns."""
    rule = seen["rule"]
    assert rule["start"]["headline"] == KEPT_384_INT8
    assert rule["loose"]["headline"] == "Ship 192/binary"
    assert "of full quality at 1/64 of the bytes" in rule["loose"]["keeps"]
    assert "at least 80\N{NO-BREAK SPACE}%" in rule["loose"]["rule"]
    assert rule["tight"]["headline"] == "Nothing fits this rule"
    assert "48/binary" in rule["tight"]["keeps"]
    assert "at most 6 bytes" in rule["tight"]["rule"]
    assert rule["sure"]["headline"] != KEPT_384_INT8
    assert "lower end" in rule["sure"]["rule"]
    assert rule["reset"]["headline"] == KEPT_384_INT8


def test_page_and_script_say_the_same(seen):
    """What the script writes after a reset is what the page said without it."""
    start, reset = seen["rule"]["start"], seen["rule"]["reset"]
    for field in ("keeps", "why", "rows"):
        assert reset[field] == start[field]


def test_tables_sort(seen):
    """Numbers by value, both ways, and assistive technology is told."""
    tables = seen["tables"]

    def numbers(texts):
        return [float(text.replace(",", "")) for text in texts]

    assert numbers(tables["rising"]) == sorted(numbers(tables["before"]))
    assert numbers(tables["falling"]) == sorted(numbers(tables["before"]), reverse=True)
    assert tables["said"] == "descending"


def test_tables_filter_and_download(seen):
    """Only rows with the word stay, also in the file."""
    tables = seen["tables"]
    assert len(tables["filtered"]) == 4
    assert all("binary" in name for name in tables["filtered"])
    assert tables["count"] == "4 rows"
    rows = list(csv.reader(io.StringIO(tables["csv"].removeprefix("\ufeff"))))
    assert rows[0][:2] == ["Variant", "Bytes"]
    assert [row[0] for row in rows[1:]] == ["384/binary", "192/binary", "96/binary", "48/binary"]
    assert tables["file"] == "Variants-of-plain.csv"


def test_marks_say_what_they_are(seen):
    """By mouse and by keyboard: value, interval, bytes and n; Escape closes."""
    figures = seen["figures"]
    for said in (figures["keyed"], figures["pointed"]):
        assert "48/binary" in said
        assert "nDCG@10 18.2 [13.9, 22.5]" in said
        assert "6 bytes per vector" in said
        assert "n = 300 queries" in said
    assert figures["hidden"]
    assert "n = 5,183" in figures["told"]


def test_broken_queries_can_be_explored(seen):
    """Another task and another variant show other queries, with texts where they are at hand."""
    explorer = seen["explorer"]
    assert "what is q0" in explorer["first"]["rows"][0]
    assert "document" in explorer["first"]["rows"][0]
    assert "queries lose" in explorer["first"]["summary"]
    assert "pairs lose" in explorer["panel"]["summary"]
    assert explorer["variant"]["rows"] != explorer["panel"]["rows"]


def test_the_theme_changes(seen):
    """The button turns paper and figures dark; print is always light."""
    before, after = seen["theme"]["before"], seen["theme"]["after"]
    assert after["chosen"] == "dark"
    assert after["paper"] != before["paper"]
    assert after["ink"] != before["ink"]
    assert (seen["printed"]["tools"], seen["printed"]["paper"]) == (0, "rgb(255, 255, 255)")


def test_it_reads_with_scripts_off(seen):
    """The answer, every figure and table, and the queries; no dead control."""
    still = seen["still"]
    assert still["headline"] == KEPT_384_INT8
    assert still["controls"] == 0
    assert still["drawings"] >= 24
    assert still["tables"] > 12
    assert still["broken"] > 5


def test_it_fits_a_sheet_of_paper(seen):
    """A4 between margins: no table is cut, and none makes the browser shrink the whole page."""
    assert seen["printed"]["width"] == 718


def test_it_fits_a_phone(seen):
    """Nothing sticks out of a screen 390 pixels wide."""
    assert seen["phone"] == 390


def test_axe_finds_nothing_serious(seen):
    """Light, dark and on a phone, everything unfolded."""
    assert seen["axe"] == {"light": [], "dark": [], "phone": []}


def test_hostile_texts_are_only_text(seen):
    """Markup, quotes, right-to-left letters and emoji show as they are; nothing runs."""
    hostile = seen["hostile"]
    assert (hostile["errors"], hostile["requests"], hostile["dialogs"], hostile["scripts"]) == ([], [], 0, 2)
    assert hostile["text"].count("<script>alert(1)</script>\"& 'quoted'") >= 10
    assert "שלום مرحبا 🚀" in hostile["text"]
    assert "<script>alert(1)</script>" in hostile["title"]
    assert "<script>alert(1)</script>" in hostile["broken"]
    assert not set("\x1b\u202e") & set(hostile["text"])
    assert NASTY not in hostile["text"]
