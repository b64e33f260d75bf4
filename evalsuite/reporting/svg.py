"""Figures as bytes: the same figure always gives the same file, and a page's theme can recolour a drawing."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as Outline

from evalsuite.reporting.style import TONES, drawing

PNG_DPI = 160

_HEX = re.compile(r"#[0-9a-f]{6}\b")
_ID = re.compile(r"(\bid=\"|href=\"#|url\(#)")
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


def svg_text(figure: Figure) -> str:
    """Draw a figure as a stand-alone SVG document, text as outlines."""
    buffer = io.StringIO()
    with drawing():
        figure.savefig(
            buffer, format="svg", facecolor=figure.get_facecolor(), metadata={"Date": None, "Creator": None}
        )
    return buffer.getvalue()


def png_bytes(figure: Figure) -> bytes:
    """Draw a figure as a PNG of `PNG_DPI` dots per inch."""
    buffer = io.BytesIO()
    with drawing():
        figure.savefig(
            buffer, format="png", dpi=PNG_DPI, facecolor=figure.get_facecolor(), metadata={"Software": None}
        )
    return buffer.getvalue()


def cut_up(svg: str, view_boxes: Sequence[str], *, prefix: str) -> Pieces:
    """Cut a drawing made by `svg_text` into panels that a page can place and recolour.

    The pieces are hidden from screen readers: the page describes them in words. They hold no foreign text,
    because text is drawn as outlines, comments are dropped and headings taken out.

    Args:
        svg: The drawing; its panels carry the ids that `canvas.lay_out` gives.
        view_boxes: The part of the drawing that each panel shows.
        prefix: Put before every id, because a page holds several drawings; letters, digits and hyphens.
    """
    root = ElementTree.fromstring(svg)  # noqa: S314  our own drawing
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    groups = {element.get("id", ""): element for element in root.iter("g")}
    shared = [shape for definitions in root.iter("defs") for shape in definitions]
    panels = []
    for number, box in enumerate(view_boxes):
        panel = groups[f"panel-{number}"]
        _strip(panel, {f"heading-{number}", f"subheading-{number}"})
        panels.append(_OPEN_SVG.format(box=box) + _markup(panel, prefix) + "</svg>")
    shapes = "".join(_markup(shape, prefix) for shape in shared if shape.tag != "style")
    hidden = f'<svg class="shapes" aria-hidden="true" focusable="false"><defs>{shapes}</defs></svg>'
    return Pieces(hidden, tuple(panels))


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


def theme_css(theme: str) -> str:
    """Write the CSS declarations of the figures' colours in one theme, `light` or `dark`."""
    return " ".join(f"--{tone.name}: {tone.dark if theme == 'dark' else tone.light};" for tone in TONES)


def _strip(panel: ElementTree.Element, headings: set[str]) -> None:
    """Take headings, shared shapes and ids of mere groups out of a panel."""
    for parent in list(panel.iter()):
        for child in list(parent):
            if child.tag == "defs" or child.get("id") in headings:
                parent.remove(child)
        if parent.tag == "g":
            parent.attrib.pop("id", None)


def _markup(element: ElementTree.Element, prefix: str) -> str:
    """Write an element as compact markup in the page's colours."""
    for part in element.iter():
        part.text = part.tail = None
        if "d" in part.attrib:
            part.set("d", " ".join(part.attrib["d"].split()))
    text = _ID.sub(rf"\g<1>{prefix}-", ElementTree.tostring(element, encoding="unicode"))
    variables = {tone.light: f"var(--{tone.name})" for tone in TONES}
    return _HEX.sub(lambda match: variables.get(match[0], match[0]), text)
