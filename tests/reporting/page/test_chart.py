"""Small charts: well formed, escaped, themed."""

from xml.etree import ElementTree

from evalsuite.reporting.page.axes import linear, logarithmic
from evalsuite.reporting.page.chart import DASHES, IDEAL, SHAPES, Chart, Key, Look, Series


def chart_of(*series, title="x"):
    """A chart with a logarithmic horizontal axis."""
    return Chart("t", "", logarithmic(title, [1, 100]), linear("y", [0, 1]), series, "words")


def test_marks_say_their_value():
    """One mark a point, each with its tip; whiskers only where there is an interval."""
    series = Series(Look(), [(1.0, 0.2), (10.0, 0.4)], ["one", "<two>"], bands=[(0.1, 0.3), None])
    svg = chart_of(series).svg
    root = ElementTree.fromstring(str(svg))  # noqa: S314  our own drawing
    assert [title.text for title in root.iter("title")] == ["one", "<two>"]
    assert svg.count('class="w"') == 1
    assert root.get("aria-hidden") == "true"


def test_points_without_a_place_are_left_out():
    """Zero on a logarithmic axis, a value that is none."""
    svg = chart_of(Series(Look(), [(0.0, 0.2), (10.0, float("nan")), (20.0, 0.5)])).svg
    assert svg.count("<use") == 1
    assert "nan" not in svg


def test_texts_are_escaped():
    """Also those of the axes."""
    assert "<b>" not in chart_of(title="<b>bold").svg


def test_lines_differ_without_colour():
    """Dashes and marks tell series apart; the ideal has no mark."""
    drawn = {
        str(Key("k", Look(dash=dash, shape=shape)).svg) for dash, shape in zip(DASHES, SHAPES, strict=False)
    }
    assert len(drawn) == len(DASHES)
    assert Key("k", IDEAL).svg.count("<path") == 1
    assert 'class="fig-muted"' in Key("k", IDEAL).svg
