"""The numbers a page carries for its script: one JSON element, safe inside HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from evalsuite.reporting.canvas import Frame
from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.text import clean, metric_title

_UNSAFE = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def island(data: Any) -> Markup:
    """Write data as JSON that cannot end its element: `<`, `>` and `&` are escaped, nothing is infinite."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_UNSAFE))  # noqa: S704  escaped just so


def panel_data(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Write what pointing at a mark shows: every scored cell of every panel."""
    return [
        {
            "metric": metric_title(panel.metric),
            "task": clean(panel.task),
            "unit": panel.unit,
            "cells": [_cell(cell) for cell in panel.scored],
        }
        for panel in panels
    ]


def frame_data(frames: Sequence[Frame]) -> list[list[float]]:
    """Write where the axes of each panel lie: left, top, width, height, then the limits of x and y."""
    return [
        [round(value, 4) for value in (frame.left, frame.top, frame.width, frame.height, *frame.x, *frame.y)]
        for frame in frames
    ]


def _cell(cell: ScoredCell) -> list[Any]:
    """Write one cell: name, dimension, bytes, points, interval, n, retention, tie share."""
    return [
        str(cell.variant),
        cell.variant.dim,
        round(cell.bytes_per_vector, 2),
        round(100 * cell.value, 2),
        _points(cell.lower),
        _points(cell.upper),
        cell.n,
        _points(cell.retention),
        _points(cell.tie_share),
    ]


def _points(fraction: float | None) -> float | None:
    """Write a fraction in points."""
    return None if fraction is None else round(100 * fraction, 2)
