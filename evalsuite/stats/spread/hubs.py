"""Hubness on a sheet, beside what chance alone brings."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from evalsuite.stats.spread import ideal
from evalsuite.stats.spread.neighbours import HUB_NEIGHBOURS, hubness
from evalsuite.stats.spread.sheet import Sheet

HUB_STATISTICS = ("hub_skew", "hub_excess", "antihub_share", "robin_hood")


def put_hubness(sheet: Sheet, neighbour_rows: npt.NDArray[np.int64], texts: int) -> None:
    """Put the four statistics of neighbour counts; their ideals are those of Poisson counts.

    Args:
        sheet: The sheet.
        neighbour_rows: int64 (n, k), each row's neighbours, nearest first; the first 10 count.
        texts: Texts that can be neighbours.
    """
    if neighbour_rows.shape[1] < HUB_NEIGHBOURS or texts <= HUB_NEIGHBOURS:
        sheet.skip(f"needs more than {HUB_NEIGHBOURS} vectors, has {texts}", *HUB_STATISTICS)
        return
    found = hubness(neighbour_rows[:, :HUB_NEIGHBOURS], texts)
    chance = 1 / math.sqrt(found.rate)
    sheet.put("hub_skew", found.skew, chance)
    sheet.put("hub_excess", found.skew - chance, 0.0)
    sheet.put("antihub_share", found.antihubs, math.exp(-found.rate))
    sheet.put("robin_hood", found.robin_hood, ideal.poisson_robin_hood(found.rate))
