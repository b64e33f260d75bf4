"""The Markdown report: the same tables, escaped."""

import re

from markdown_it import MarkdownIt

from evalsuite.reporting.markdown import escape, render_markdown
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import NASTY, crowded_run


def rendered(source):
    """The HTML that a CommonMark renderer with tables makes."""
    return MarkdownIt("commonmark").enable("table").render(source)


def test_tables_hold_value_interval_and_retention(minilm):
    """Read back by a Markdown renderer, the cells are where they should be."""
    source = render_markdown(build_view([minilm]))
    page = rendered(source)
    assert page.count("<table>") == 4
    assert "61.3 ± 4.3 (95.0\N{NO-BREAK SPACE}%) <strong>*</strong>" in page
    assert source.startswith("# all\\-MiniLM\\-L6\\-v2\n\n**Ship 384/int8.**")


def test_every_row_has_as_many_cells_as_its_head(nasty):
    """Bars in names do not break a table."""
    page = rendered(render_markdown(build_view([nasty])))
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    assert {len(re.findall(r"<t[hd]", row)) for row in rows} == {5}


def test_foreign_text_is_only_text(nasty):
    """No tag, no emphasis, no escape survives."""
    source = render_markdown(build_view([nasty]))
    assert "<script" not in source
    assert "\x1b" not in source
    assert "<em>bold" not in rendered(source)
    assert "<code>" not in rendered(source)


def test_escape_shows_what_was_written():
    """A renderer gives the text back."""
    text = "a_b *c* [d](e) <f> `g` # 1. | ~h~ & i\\"
    page = rendered(escape(text)).strip().removeprefix("<p>").removesuffix("</p>")
    assert page.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text
    assert "\n" not in escape(NASTY + "\nsecond line")


def test_figures_failures_and_warnings_are_in(failing):
    """Pictures by relative path; reasons and warnings in words."""
    source = render_markdown(build_view([failing]), {"Retention": "figures/retention.png"})
    assert "![Retention](figures/retention.png)" in source
    assert "## 2 failed cells" in source
    assert "int8 calibration found a constant dimension" in source
    assert "## Warnings" in source
    assert "**failed**" in source


def test_a_run_without_scores_is_written(all_failed):
    """There is a page, and no advice."""
    assert "No recommendation" in render_markdown(build_view([all_failed]))


def test_many_variants_are_folded_and_read_back(crowded):
    """Long tables unfold where HTML is understood; a renderer finds every row, a precision each."""
    source = render_markdown(build_view([crowded]))
    page = rendered(source)
    assert source.count("<details>") == source.count("</details>") == 5
    assert page.count("<table>") == 5
    assert "<td>turboquant_4bit+asymmetric</td>" in page
    assert "256/int8+mteb (as mteb scores it)" in page
    assert "SQNR, dB" in page


def test_a_few_variants_stand_open():
    """Nothing is folded, and the fidelity stands below its task."""
    source = render_markdown(build_view([crowded_run(["float32", "int8", "binary"])]))
    assert "<details>" not in source
    assert "| 384/int8 | 31.5 | 0.9812 | 91.2\N{NO-BREAK SPACE}% |" in source
