"""Figures as bytes: the same figure always gives the same file, and a page's theme can recolour a drawing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as Outline

from evalsuite.reporting.slim import Shorthand
from evalsuite.reporting.style import TONES, drawing

PNG_DPI = 160

_OPEN_SVG = '<svg viewBox="{box}" aria-hidden="true" focusable="false">'


@dataclass(frozen=True)
class Pieces:
    """A drawing cut up for a page.

    Attributes:
        shared: Shapes that the panels refer to: one hidden `<svg>` element, to be placed before them.
        panels: One `<svg>` element a panel, without heading, transparent, coloured by CSS variables.
    """

    shared: str
    panels: tuple[str, ...]


def svg_text(figure: Figure, *, outlines: bool = True) -> str:
    """Draw a figure as a stand-alone SVG document.

    Args:
        figure: The figure.
        outlines: Whether text is drawn as outlines, which look alike everywhere; else it stays text, which is
            small and can be searched.
    """
    buffer = io.StringIO()
    with drawing(), mpl.rc_context({"svg.fonttype": "path" if outlines else "none"}):
        figure.savefig(
            buffer, format="svg", facecolor=figure.get_facecolor(), metadata={"Date": None, "Creator": None}
        )
    return buffer.getvalue()


def png_bytes(figure: Figure, *, dpi: int = PNG_DPI) -> bytes:
    """Draw a figure as a PNG of so many dots per inch."""
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(
            buffer, format="png", dpi=dpi, facecolor=figure.get_facecolor(), metadata={"Software": None}
        )
    return buffer.getvalue()


def pdf_bytes(figure: Figure) -> bytes:
    """Draw a figure as a PDF; its fonts are embedded as TrueType, since publishers refuse Type 3 fonts."""
    buffer = io.BytesIO()
    with drawing(), mpl.rc_context({"pdf.fonttype": 42}):
        figure.savefig(
            buffer, format="pdf", facecolor=figure.get_facecolor(),
            metadata={"CreationDate": None, "Creator": None, "Producer": None},
        )  # fmt: skip
    return buffer.getvalue()


def cut_up(svg: str, view_boxes: Sequence[str], short: Shorthand) -> Pieces:
    """Cut a drawing made by `svg_text` into panels that a page can place and recolour.

    The pieces are hidden from screen readers: the page describes them in words. Comments are dropped and
    headings taken out; texts are escaped.

    Args:
        svg: The drawing; its panels carry the ids that `canvas.lay_out` gives.
        view_boxes: The part of the drawing that each panel shows.
        short: Short names for what repeats, its own for every drawing: ids of two drawings may be equal.
    """
    root = _parsed(svg)
    groups = {element.get("id", ""): element for element in root.iter("g")}
    shared = [shape for definitions in root.iter("defs") for shape in definitions]
    panels = []
    for number, box in enumerate(view_boxes):
        panel = groups[f"panel-{number}"]
        _strip(panel, {f"heading-{number}", f"subheading-{number}"})
        panels.append(_OPEN_SVG.format(box=box) + short.markup(panel) + "</svg>")
    shapes = "".join(short.markup(shape, fine=True) for shape in shared if shape.tag != "style")
    hidden = f'<svg class="shapes" aria-hidden="true" focusable="false"><defs>{shapes}</defs></svg>'
    return Pieces(hidden, tuple(panels))


def whole(svg: str, short: Shorthand, *, title: str) -> str:
    """Turn a drawing made by `svg_text` into one `<svg>` element that a page can place and recolour.

    Args:
        svg: The drawing.
        short: Short names for what repeats, as in `cut_up`.
        title: The drawing's own title, which the page replaces by a heading.
    """
    root = _parsed(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("metadata", "style") or (child.tag == "text" and child.text == title):
                parent.remove(child)
    body = "".join(short.markup(child, fine=child.tag == "defs") for child in root)
    return _OPEN_SVG.format(box=root.get("viewBox", "")) + body + "</svg>"


def marker_svg(marker: str, *, colour: str, hollow: bool = False) -> str:
    """Draw one marker as a small `<svg>` element for a legend.

    Args:
        marker: Matplotlib marker.
        colour: CSS colour.
        hollow: Whether to draw the outline only.
    """
    style = MarkerStyle(marker)
    outline = style.get_path().transformed(style.get_transform())
    extent = outline.get_extents()
    scale = 11 / max(extent.width, extent.height)
    letters = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C"}
    steps = []
    for points, code in outline.iter_segments(curves=True):
        coordinates = " ".join(
            f"{(8 + scale * x if index % 2 == 0 else 8 - scale * x):.2f}" for index, x in enumerate(points)
        )
        steps.append("Z" if code == Outline.CLOSEPOLY else f"{letters[code]}{coordinates}")
    paint = f'fill="none" stroke="{colour}" stroke-width="1.3"' if hollow else f'fill="{colour}"'
    return f'{_OPEN_SVG.format(box="0 0 16 16")}<path d="{" ".join(steps)}" {paint}/></svg>'


def shorthand(prefix: str) -> Shorthand:
    """Make short names for one drawing, in the colours of the page's theme.

    Args:
        prefix: A letter that no other drawing of the page has.
    """
    return Shorthand(prefix, {tone.light: f"var(--{tone.name})" for tone in TONES})


def theme_css(theme: str) -> str:
    """Write the CSS declarations of the figures' colours in one theme, `light` or `dark`."""
    return " ".join(f"--{tone.name}: {tone.dark if theme == 'dark' else tone.light};" for tone in TONES)


def _parsed(svg: str) -> ElementTree.Element:
    """Parse a drawing, names without their namespaces."""
    root = ElementTree.fromstring(svg)  # noqa: S314  our own drawing
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    return root


def _strip(panel: ElementTree.Element, headings: set[str]) -> None:
    """Take headings, shared shapes and ids of mere groups out of a panel."""
    for parent in list(panel.iter()):
        for child in list(parent):
            if child.tag == "defs" or child.get("id") in headings:
                parent.remove(child)
        if parent.tag == "g":
            parent.attrib.pop("id", None)
