"""Approximate nearest neighbour search, measured: recall against distance computations.

Wall time says more about the machine than about the vectors; the number of distances that an index computes
does not depend on it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

RECALL_TARGETS = (0.9, 0.95, 0.99)
"""Recalls at which the work is read off every curve."""

Asked = Literal["query", "document"]
Truth = Literal["float32", "codes"]
IndexName = Literal["hnsw", "ivf"]


class _Noun(BaseModel):
    """Base of every part of a probe: immutable, strict about unknown fields, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HnswBuild(_Noun):
    """How a graph was built (Malkov & Yashunin 2018, arXiv 1603.09320)."""

    index: Literal["hnsw"] = "hnsw"
    """Tells the kinds of index apart in a file."""
    m: int
    """Links a vector keeps on every upper level; twice as many on the lowest."""
    ef_construction: int
    """Candidates held while a vector's links are chosen."""
    seed: int
    """Seed of the draw of levels; vectors are added in row order, on one thread."""


class IvfBuild(_Noun):
    """How inverted lists were built (Sivic & Zisserman 2003; Jegou et al. 2011, IVFADC)."""

    index: Literal["ivf"] = "ivf"
    """Tells the kinds of index apart in a file."""
    lists: int
    """Lists, each with a centroid; every search compares the query with all centroids."""
    training_documents: int
    """Vectors that k-means saw."""
    seed: int
    """Seed of k-means, which runs on one thread."""


class AnnPoint(_Noun):
    """One setting of an index, averaged over what was asked."""

    parameter: int
    """Candidates held while searching (`ef`) of hnsw, lists visited (`nprobe`) of ivf."""
    work: float
    """Distance computations a search: hnsw's entry point and upper levels, ivf's centroids included."""
    recall: float
    """Share of the k exact neighbours that were found; a document that ties with the k-th counts as one."""


class AnnCurve(_Noun):
    """Recall against work of one index over one way to store the vectors."""

    index: IndexName
    """`hnsw` or `ivf`."""
    dim: int
    """Dimensions kept."""
    precision: str
    """Quantization level of documents and of what was asked."""
    asked: Asked
    """`query`, or `document` for held-out documents that ask the index for their neighbours."""
    truth: Truth
    """Whose exact neighbours are to be found: those of the `float32` vectors of the same dimensions, or those
    of the same `codes`. The first is what a user gets, and codes limit it however long one searches; the
    second asks only how well the stored space can be searched."""
    distance: str
    """What one distance computation compares."""
    points: Annotated[tuple[AnnPoint, ...], Field(min_length=1)]
    """The sweep, in ascending order of the parameter."""
    auc: float
    """Mean recall over budgets drawn evenly in log(work) between 1 % and 100 % of the documents, from 0 to 1.
    A budget below the cheapest setting finds nothing; above the dearest, recall stays."""
    work_at: dict[float, float | None]
    """Recall to the least work that reaches it, log(work) linear between settings; None if none does. Where
    the cheapest setting already reaches it, that setting's work."""
    build: Annotated[HnswBuild | IvfBuild, Field(discriminator="index")]
    """How the index was built."""


class AnnProbe(_Noun):
    """Every curve of one dimension and precision, over one sample."""

    dim: int
    """Dimensions kept."""
    precision: str
    """Quantization level."""
    k: int
    """Neighbours asked for: 10, or all where there are fewer documents."""
    documents: int
    """Documents in the index."""
    queries: int
    """Queries that were asked."""
    held_out: int
    """Documents kept out of the index that were asked."""
    seed: int
    """Seed of the sample, of the level's fit and of the indexes."""
    curves: tuple[AnnCurve, ...]
    """One each (index, asked, truth)."""

    def curve(self, index: IndexName, asked: Asked, truth: Truth) -> AnnCurve:
        """Return the curve of one index, asker and truth.

        Raises:
            KeyError: If it was not measured.
        """
        wanted = (index, asked, truth)
        for curve in self.curves:
            if (curve.index, curve.asked, curve.truth) == wanted:
                return curve
        raise KeyError(wanted)

    def out_of_distribution_gap(self, index: IndexName, truth: Truth, recall: float) -> float | None:
        """Return the work of queries over the work of held-out documents at equal recall.

        1 where queries lie as the documents do. Graphs and lists are built for documents, and queries from
        another distribution can cost many times more (Jaiswal et al. 2022, OOD-DiskANN, arXiv 2211.12850).
        None where one of the two never reaches the recall; a lower bound where the documents' cheapest
        setting already does.

        Args:
            index: `hnsw` or `ivf`.
            truth: Whose neighbours are to be found.
            recall: One of `RECALL_TARGETS`.
        """
        asked, own = (self.curve(index, who, truth).work_at[recall] for who in ("query", "document"))
        return None if asked is None or own is None else asked / own


class AnnEntry(_Noun):
    """One probe, with whose vectors were probed."""

    checkpoint: str
    """Label of the checkpoint."""
    task: str
    """Name of the task."""
    probe: AnnProbe
    """What was measured."""


class AnnMissing(_Noun):
    """A probe that was asked for and could not be made."""

    checkpoint: str
    """Label of the checkpoint."""
    task: str
    """Name of the task."""
    reason: str
    """Why, and at which dimension and precision."""
