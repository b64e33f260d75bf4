"""The probe: every index, asker and truth of one dimension and precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalsuite.core.ann import AnnCurve, AnnPoint, AnnProbe, Asked, Truth
from evalsuite.core.errors import UsageError
from evalsuite.vectors.ann.curve import area_under_curve, work_at
from evalsuite.vectors.ann.indexes import CountedIndex, Hnsw, Ivf
from evalsuite.vectors.ann.sample import ProbeSettings, Sample
from evalsuite.vectors.ann.stored import Stored, kth_best, recall, stored
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import Quantizer, quantizer

Floats = npt.NDArray[np.float32]

_EXACT = "float32"


@dataclass(frozen=True)
class _Truth:
    """Exact neighbours of one side, in one space.

    Attributes:
        name: `float32` or `codes`.
        queries: Those who ask, in that space.
        documents: The documents, in that space.
        threshold: float32 (queries,), the score of the k-th neighbour.
    """

    name: Truth
    queries: Stored
    documents: Stored
    threshold: Floats

    def recall(self, found: npt.NDArray[np.int64]) -> float:
        """Return the share of found documents that are neighbours."""
        return recall(found, self.queries, self.documents, self.threshold)


def probe(sample: Sample, dim: int, precision: str, settings: ProbeSettings | None = None) -> AnnProbe:
    """Measure recall against distance computations of HNSW and IVF for one dimension and precision.

    Prefixes are cut, scaled to unit length and quantized, documents and askers alike, the level being fitted
    to the indexed documents. Nothing is timed, nothing runs on more than one thread: the same arguments give
    the same result.

    Args:
        sample: What is indexed and who asks; draw it once for all dimensions and precisions.
        dim: Dimensions kept.
        precision: Name of the quantization level, such as `int8`.
        settings: Neighbours asked for and build parameters.

    Raises:
        UsageError: If there is no such dimension or precision, or the level cannot be fitted to so few
            documents.
    """
    settings = settings or ProbeSettings()
    width = sample.indexed.shape[1]
    if not 1 <= dim <= width:
        message = f"dim {dim} is not between 1 and {width}, the width of the vectors"
        raise UsageError(message)
    documents = unit_prefix(sample.indexed, dim)
    level = quantizer(precision).fit(documents, np.random.default_rng(sample.seed))
    held = stored(documents, level)
    k = min(settings.k, len(documents))
    sides: dict[Asked, Floats] = {"query": sample.queries, "document": sample.held_out}
    truths = {
        asked: _truths(unit_prefix(who, dim), documents, level, held, k) for asked, who in sides.items()
    }
    indexes: list[CountedIndex] = [kind(held, sample.seed, settings) for kind in (Hnsw, Ivf)]
    curves = [
        _curve(index, asked, truth, points, dim)
        for index in indexes
        for asked, both in truths.items()
        for truth, points in _sweep(index, both, k)
    ]
    return AnnProbe(
        dim=dim,
        precision=precision,
        k=k,
        documents=len(documents),
        queries=len(sample.queries),
        held_out=len(sample.held_out),
        seed=sample.seed,
        curves=tuple(curves),
    )


def _truths(askers: Floats, documents: Floats, level: Quantizer, held: Stored, k: int) -> tuple[_Truth, ...]:
    """Find the exact neighbours among the codes and among the float32 vectors; the codes come first."""
    spaces: dict[Truth, tuple[Stored, Stored]] = {
        "codes": (stored(askers, level), held),
        "float32": (Stored(askers, _EXACT), Stored(documents, _EXACT)),
    }
    return tuple(
        _Truth(name, ask, answer, kth_best(ask, answer, k)) for name, (ask, answer) in spaces.items()
    )


def _sweep(
    index: CountedIndex, truths: tuple[_Truth, ...], k: int
) -> Iterator[tuple[Truth, tuple[AnnPoint, ...]]]:
    """Search the codes once at every setting, and judge what was found by every truth."""
    askers = truths[0].queries
    results = [(parameter, index.search(askers, k, parameter)) for parameter in index.parameters]
    for truth in truths:
        points = tuple(
            AnnPoint(parameter=parameter, work=found.distances / len(askers), recall=truth.recall(found.rows))
            for parameter, found in results
        )
        yield truth.name, points


def _curve(
    index: CountedIndex, asked: Asked, truth: Truth, points: tuple[AnnPoint, ...], dim: int
) -> AnnCurve:
    """Sum a sweep up."""
    return AnnCurve(
        index=index.build.index,
        dim=dim,
        precision=index.documents.level,
        asked=asked,
        truth=truth,
        distance=index.documents.distance,
        points=points,
        auc=area_under_curve(points, len(index.documents)),
        work_at=work_at(points),
        build=index.build,
    )
