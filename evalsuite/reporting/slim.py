"""Drawings made short: equal styles become one CSS class, ids become numbers, needless groups vanish."""

from __future__ import annotations

import re
from xml.etree import ElementTree

_DECIMALS = re.compile(r"(?<![#\w])(-?\d*\.\d\d)\d+")
_FEWER_DECIMALS = re.compile(r"(?<![#\w])(-?\d*\.\d)\d+")
_NEEDLESS = re.compile(r"(?:font-family: [^;]*|stroke-dashoffset: 0|text-anchor: start);? ?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


class Shorthand:
    """Short names for what repeats in the drawings of one page.

    Args:
        prefix: Begins every class and id, so that drawings of one page keep apart; a letter.
        colours: Hex colour to the CSS that stands for it.
    """

    def __init__(self, prefix: str, colours: dict[str, str]) -> None:
        self._prefix = prefix
        self._colours = colours
        self._hex = re.compile("|".join(map(re.escape, colours))) if colours else None
        self._classes: dict[str, str] = {}
        self._ids: dict[str, str] = {}

    @property
    def css(self) -> str:
        """The rules of all classes handed out so far."""
        return "\n".join(f".{name}{{{style}}}" for style, name in self._classes.items())

    def markup(self, element: ElementTree.Element, *, fine: bool = False) -> str:
        """Write an element as short markup; texts are escaped.

        Args:
            element: Part of a drawing, names without namespaces; it is changed.
            fine: Keep hundredths of a point, which small shapes need; else tenths.
        """
        decimals = _DECIMALS if fine else _FEWER_DECIMALS
        for part in element.iter():
            part.tail = None
            if part.tag != "text":
                part.text = None
            self._shorten(part.attrib, decimals)
        _ungroup(element)
        return ElementTree.tostring(element, encoding="unicode").replace(" />", "/>")

    def _shorten(self, attributes: dict[str, str], decimals: re.Pattern[str]) -> None:
        """Shorten an element's attributes: what is smaller is invisible; an opacity of 0.05 is not."""
        for name, value in attributes.items():
            if name in ("id", "href"):
                attributes[name] = "#" * (name == "href") + self._id(value.removeprefix("#"))
            elif "scale(" not in value:
                shorter = (_DECIMALS if name == "style" else decimals).sub(r"\1", " ".join(value.split()))
                attributes[name] = _REFERENCE.sub(lambda match: f"url(#{self._id(match[1])})", shorter)
        style = attributes.pop("style", "")
        if style:
            attributes["class"] = self._class(_NEEDLESS.sub("", style).rstrip("; "))
        if attributes.get("transform", "").startswith("rotate(-0 "):
            del attributes["transform"]

    def _class(self, style: str) -> str:
        """Return the class that stands for a style."""
        short = style.replace(": ", ":").replace("; ", ";")
        if self._hex is not None:
            short = self._hex.sub(lambda match: self._colours[match[0]], short)
        return self._classes.setdefault(short, f"{self._prefix}s{len(self._classes)}")

    def _id(self, name: str) -> str:
        """Return the short form of an id."""
        return self._ids.setdefault(name, f"{self._prefix}{len(self._ids)}")


def _ungroup(element: ElementTree.Element) -> None:
    """Put the children of groups that say nothing in their place."""
    for child in list(element):
        _ungroup(child)
    children = [
        inner for child in element for inner in (child if child.tag == "g" and not child.attrib else [child])
    ]
    element[:] = children
