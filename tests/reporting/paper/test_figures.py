"""Figures for print: as wide as asked, everything inside, fonts alike and embedded."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from evalsuite.reporting.paper.figures import COLUMN, PAGE, figures_for_print, slugs, without_most_controls
from evalsuite.reporting.svg import svg_text
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import realistic_run


@pytest.fixture(scope="module")
def printed(minilm):
    """The figures of two checkpoints on three tasks, by name."""
    view = build_view([minilm, realistic_run("candidate", lower=3.0)])
    return {each.name: each for each in figures_for_print(view)}


def test_a_figure_for_the_page_and_one_a_task_for_the_column(printed):
    """Three figures, each for the page and for three tasks; a column shows both checkpoints."""
    kinds = ("quality-by-dimension", "quality-by-bytes", "retention")
    tasks = ("column-scifact", "column-stsb", "column-standard-library")
    assert set(printed) == {f"{kind}-{place}" for kind in kinds for place in ("page", *tasks)}
    assert len(printed["retention-column-stsb"].figure.axes) == 2
    assert len(printed["retention-page"].figure.axes) == 6


def test_every_figure_is_exactly_as_wide_as_its_place(printed):
    """3.3 inches for a column, 6.75 for a page: nothing is scaled, so letters keep their size."""
    for name, each in printed.items():
        wanted = COLUMN.width if "column" in name else PAGE.width
        assert each.figure.get_size_inches()[0] == pytest.approx(wanted)
    svg = svg_text(printed["retention-column-stsb"].figure)
    assert float(re.search(r'<svg [^>]*width="([\d.]+)pt"', svg)[1]) == pytest.approx(72 * COLUMN.width)


def test_no_text_leaves_its_figure_and_none_is_too_small_to_read(printed):
    """Every label lies inside the figure; no letter is smaller than 5.5 points."""
    for name, each in printed.items():
        drawn = each.figure.get_tightbbox(FigureCanvasAgg(each.figure).get_renderer())
        width, height = each.figure.get_size_inches()
        assert min(drawn.x0, drawn.y0) > -0.02, name
        assert (drawn.x1 < width + 0.02, drawn.y1 < height + 0.02) == (True, True), name
        sizes = [text.get_fontsize() for text in each.figure.findobj(Text) if text.get_text()]
        assert min(sizes) >= 5.5, name


def test_one_typeface_and_no_title_in_the_figure(printed):
    """The paper's caption says what it is."""
    for each in printed.values():
        texts = [text for text in each.figure.findobj(Text) if text.get_text()]
        assert {text.get_fontname() for text in texts} == {"DejaVu Sans"}
        assert not {"Quality versus dimension", "Quality versus bytes per vector"} & {
            text.get_text() for text in texts
        }


def test_publishers_take_the_pdf_and_png_is_sharp(printed):
    """Fonts are embedded as TrueType, none as Type 3; 300 dots an inch; no date, so files repeat."""
    each = printed["quality-by-dimension-column-scifact"]
    files = dict(each.files())
    pdf = files[f"{each.name}.pdf"]
    assert pdf.startswith(b"%PDF-")
    assert b"/Type42" in pdf or b"/TrueType" in pdf or b"/CIDFontType2" in pdf
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf
    assert b"/FontFile2" in pdf
    png = files[f"{each.name}.png"]
    assert int.from_bytes(png[16:20], "big") == 990
    assert files == dict(each.files())


def test_controls_are_shown_in_float32_only(crowded):
    """Precisions would repeat what they show."""
    view = without_most_controls(build_view([crowded]))
    controls = [name for name in view.precisions if " " in name]
    assert controls
    assert all(name.endswith(" float32") for name in controls)
    assert all({cell.series for cell in panel.cells} <= set(view.precisions) for panel in view.panels)


def test_nothing_to_show_draws_nothing(all_failed):
    """Failed cells are said in the figures; without panels there is no figure."""
    assert list(figures_for_print(build_view([all_failed])))


@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_name_becomes_a_file_name_of_its_own(names):
    """Lower-case letters, digits and hyphens, never empty, never twice."""
    found = slugs(names)
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in found)
