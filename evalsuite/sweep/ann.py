"""Probe approximate search over a task's documents, at every dimension and a few precisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from evalsuite.core.ann import AnnProbe
from evalsuite.core.errors import UsageError
from evalsuite.core.progress import Progress
from evalsuite.core.variant import Variant
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.sweep.sides import Floats, TaskSides
from evalsuite.vectors.ann.probe import probe
from evalsuite.vectors.ann.sample import ProbeSettings, Sample

PROBED = ("float32", "int8", "binary")
"""Precisions that are probed where the grid has them: the vectors, bytes, and bits."""


def probed_levels(variants: Iterable[Variant]) -> list[str]:
    """List the precisions of a grid that are probed."""
    asked = {variant.precision for variant in variants}
    return [name for name in PROBED if name in asked]


def probe_search(
    sides: TaskSides, dims: Sequence[int], levels: Sequence[str], seed: int, progress: Progress
) -> tuple[list[AnnProbe], list[str]]:
    """Probe every dimension and precision over one sample of a task's documents and queries.

    Args:
        sides: The vectors; only those drawn are read.
        dims: Dimensions of the prefixes.
        levels: Names of the precisions.
        seed: Seed of the sample, of fits and of indexes.
        progress: Told about probes.

    Returns:
        The probes, and why others could not be made.
    """
    if sides.queries is None:
        return [], []
    try:
        sample = Sample.draw(_enough(sides.documents, seed), sides.queries.all(), seed)
    except UsageError as error:
        return [], [str(error)]
    probes, reasons = [], []
    for dim in dims:
        for level in levels:
            try:
                probes.append(probe(sample, dim, level))
            except UsageError as error:
                reasons.append(f"{dim}/{level}: {error}")
            progress.advance(1, 1)
    return probes, reasons


def _enough(documents: StoredVectors, seed: int) -> Floats:
    """Read all documents, or as many drawn at random as a sample can hold: a larger corpus stays on disk."""
    settings = ProbeSettings()
    most = settings.max_documents + settings.max_queries
    if len(documents) <= most:
        return documents.all()
    rows = np.random.default_rng(seed).choice(len(documents), most, replace=False)
    return documents.take(np.sort(rows))
