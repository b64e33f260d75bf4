"""Retention as tables of coloured numbers: a map that can be read aloud, copied and read on a phone."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalsuite.reporting.by_type import by_type
from evalsuite.reporting.panel import FailedCell, Panel
from evalsuite.reporting.retention import shade
from evalsuite.reporting.series import grouped, shipped
from evalsuite.reporting.text import MISSING, clean, metric_title, plural
from evalsuite.reporting.view import CheckpointView


@dataclass(frozen=True)
class Tile:
    """One cell of a map.

    Attributes:
        text: The percentage, `failed`, or a dash where nothing was asked for or nothing can be compared.
        style: CSS of its colours; empty for tiles without a number.
        title: What pointing at it shows: why it failed.
    """

    text: str
    style: str = ""
    title: str = ""


@dataclass(frozen=True)
class HeatMap:
    """One map: rows are precisions, columns dimensions.

    Attributes:
        title: The task, the kind of task, or all of them.
        note: The metric, or what was averaged.
        dims: Dimensions, rising.
        rows: Name of a precision with its tiles.
    """

    title: str
    note: str
    dims: tuple[int, ...]
    rows: tuple[tuple[str, tuple[Tile, ...]], ...]


def heat_maps(checkpoint: CheckpointView, least: float, *, crowded: bool = False) -> tuple[HeatMap, ...]:
    """Draw one map a task; before them, of several tasks, the mean and one map a kind of task.

    Args:
        checkpoint: The checkpoint with all of its tasks.
        least: Retention of the lightest shade.
        crowded: Whether there are too many tasks for a map each: kinds of task are all there is then.
    """
    return tuple(_maps(checkpoint, least, crowded=crowded))


def _maps(checkpoint: CheckpointView, least: float, *, crowded: bool) -> Iterator[HeatMap]:
    """List the maps, from the whole to its parts."""
    counted = [panel for panel in checkpoint.panels if panel.task not in checkpoint.unreferenced]
    kinds = by_type(counted)
    if len(counted) > 1:
        yield _map("Mean over tasks", plural(len(counted), "task"), counted, least)
    if len(kinds) > 1:
        for kind, panels in kinds.items():
            if len(panels) > 1:
                yield _map(f"Mean over {kind or 'other'} tasks", plural(len(panels), "task"), panels, least)
    alone = [panels[0] for panels in kinds.values() if len(panels) == 1]
    for panel in alone if crowded else checkpoint.panels:
        yield _map(clean(panel.task), metric_title(panel.metric), [panel], least)


def _map(title: str, note: str, panels: Sequence[Panel], least: float) -> HeatMap:
    """Lay out one map over one or several tasks."""
    dims = tuple(sorted({dim for panel in panels for dim in panel.dims}))
    names = grouped(dict.fromkeys(name for panel in panels for name in panel.precisions))
    if len(panels) > 1:
        names = shipped(names)
    rows = tuple((name, tuple(_tile(panels, dim, name, least) for dim in dims)) for name in names)
    return HeatMap(title, note, dims, rows)


def _tile(panels: Sequence[Panel], dim: int, name: str, least: float) -> Tile:
    """Fill one tile: the mean over the tasks, if all have a number."""
    cells = [panel.at(dim, name) for panel in panels]
    failed = [cell.reason for cell in cells if isinstance(cell, FailedCell)]
    if failed:
        return Tile("failed", title=clean(failed[0]) if len(panels) == 1 else plural(len(failed), "task"))
    kept = [cell.retention for cell in cells if cell is not None and not isinstance(cell, FailedCell)]
    known = [value for value in kept if value is not None]
    if not known or len(known) < len(panels):
        return Tile(MISSING)
    mean = statistics.fmean(known)
    face, ink = shade(mean, least)
    return Tile(f"{100 * mean:.1f}", f"background:{face};color:{ink[:4]}")
