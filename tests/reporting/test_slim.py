"""Short drawings: smaller, and still the same picture."""

from xml.etree import ElementTree

import pytest

from evalsuite.reporting.slim import Shorthand


@pytest.fixture
def short():
    return Shorthand("d", {"#1b1f24": "var(--ink)"})


def written(short, markup):
    """Write a drawing short."""
    return short.markup(ElementTree.fromstring(markup))  # noqa: S314  our own drawing


def test_equal_styles_share_a_class(short):
    """In the colours of the theme, without what every browser does anyway."""
    style = "stroke: #1b1f24; stroke-width: 2; stroke-dashoffset: 0"
    assert written(short, f'<g id="a"><path style="{style}"/><path style="{style}"/></g>') == (
        '<g id="d0"><path class="ds0"/><path class="ds0"/></g>'
    )
    assert short.css == ".ds0{stroke:var(--ink);stroke-width:2}"


def test_references_follow_their_ids(short):
    """Whichever comes first; two drawings of one page keep apart."""
    drawing = '<g clip-path="url(#long-name)"><use href="#mark"/><path id="long-name"/><path id="mark"/></g>'
    assert written(short, drawing) == (
        '<g clip-path="url(#d0)"><use href="#d1"/><path id="d0"/><path id="d1"/></g>'
    )
    assert "#e0" in written(Shorthand("e", {}), '<use href="#mark"/>')


def test_groups_that_say_nothing_vanish(short):
    """Their children stay, in order; groups that clip or move stay too."""
    drawing = (
        '<svg><g><g><path d="M0 0"/></g><text>a &lt; b</text></g><g transform="scale(2)"><path/></g></svg>'
    )
    assert written(short, drawing) == (
        '<svg><path d="M0 0"/><text>a &lt; b</text><g transform="scale(2)"><path/></g></svg>'
    )


def test_numbers_keep_a_tenth_of_a_point(short):
    """Small shapes keep a hundredth, a scale all of its digits."""
    path = '<path d="M 1.23456 -0.98765 L 10 20"/>'
    assert written(short, path) == '<path d="M 1.2 -0.9 L 10 20"/>'
    assert short.markup(ElementTree.fromstring(path), fine=True) == '<path d="M 1.23 -0.98 L 10 20"/>'  # noqa: S314
    written(short, '<path style="fill-opacity: 0.05"/>')
    assert "fill-opacity:0.05" in short.css
    assert "0.015625" in written(short, '<g transform="scale(0.015625)"><path/></g>')
