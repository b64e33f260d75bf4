"""The nouns of spread: how evenly the vectors of one side of a task fill the sphere, at one dimension."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

Side = Literal["document", "query", "query-document"]
Better = Literal["lower", "higher", "nearer ideal", "neither"]


class Statistic(NamedTuple):
    """What a statistic is called and how it reads.

    Attributes:
        symbol: How formulas and plots write it.
        meaning: One sentence: what is measured.
        better: Which way is better, or `neither` where it only describes.
    """

    symbol: str
    meaning: str
    better: Better


STATISTICS: dict[str, Statistic] = {
    "mean_cosine": Statistic("M1", "Mean cosine over all pairs of different texts.", "nearer ideal"),
    "second_moment": Statistic("M2", "Mean squared cosine over all pairs of different texts.", "lower"),
    "second_moment_x_dim": Statistic("M2·d", "Second moment times the dimension; 1 on a sphere.", "lower"),
    "effective_dimension": Statistic(
        "1/M2", "Dimension of the uniform sphere that has the same second moment.", "higher"
    ),
    "gor_mean": Statistic("M1²", "Mean term of Global Orthogonal Regularization.", "lower"),
    "gor_second_moment": Statistic(
        "max(0, M2 - 1/d)", "Second-moment term of Global Orthogonal Regularization.", "lower"
    ),
    "mean_share": Statistic(
        "1 - tr C²/M2", "Share of the second moment that a common mean vector causes.", "lower"
    ),
    "cosine_sd_ratio": Statistic(
        "sd(s)·√d", "Spread of the cosines over that of a uniform sphere.", "nearer ideal"
    ),
    "beta_distance": Statistic(
        "KS", "Largest gap between the cosines' distribution and the Beta law of a uniform sphere.", "lower"
    ),
    "uniformity": Statistic("U", "log E exp(-2|x - y|²) over pairs of different texts.", "lower"),
    "participation_ratio": Statistic(
        "PR", "Directions that carry the variance, corrected for the number of texts.", "higher"
    ),
    "isoscore": Statistic("(PR-1)/(d-1)", "IsoScore from the corrected participation ratio.", "higher"),
    "participation_ratio_naive": Statistic(
        "PR, naive", "Participation ratio of the sample covariance, biased downward.", "higher"
    ),
    "isoscore_naive": Statistic(
        "IsoScore", "IsoScore as published, from the sample covariance, biased downward.", "higher"
    ),
    "rankme": Statistic("RankMe", "exp of the entropy of the uncentred singular values.", "higher"),
    "effective_rank": Statistic("erank", "exp of the entropy of the covariance's eigenvalues.", "higher"),
    "spectrum_decay": Statistic(
        "α", "Exponent of λ_i ~ i^-α, fitted from rank r/20 (at least 2) to rank r/2.", "lower"
    ),
    "spectrum_fit": Statistic("R²", "Share of log λ that the fitted power law explains.", "neither"),
    "top_component_share": Statistic("λ₁/Σλ", "Share of the variance in the first component.", "lower"),
    "rank": Statistic("r", "Numerical rank: directions above rounding noise.", "higher"),
    "energy_share": Statistic(
        "e_d",
        "Share of the full vector's squared length in this prefix; more than d/D is front-loaded.",
        "neither",
    ),
    "variance_ratio": Statistic(
        "max var/mean var", "Largest variance of a dimension over the mean.", "lower"
    ),
    "rogue_dims": Statistic(
        "#|μ_j| > 3σ_j", "Dimensions whose mean lies over three standard deviations from zero.", "lower"
    ),
    "mean_top3_share": Statistic(
        "Σ₃μ_j²/|μ|²", "Share of the mean vector's squared length in its three largest dimensions.", "lower"
    ),
    "bit_entropy": Statistic("H(p)", "Mean entropy of the sign bits.", "higher"),
    "bit_imbalance": Statistic("E|p - ½|", "Mean distance of a sign bit's frequency from one half.", "lower"),
    "bit_correlation": Statistic("E|φ|", "Mean absolute correlation of two sign bits.", "lower"),
    "effective_bits": Statistic(
        "PR(bits)", "Independent bits that carry the sign bits' variance, corrected for the sample.", "higher"
    ),
    "hub_skew": Statistic("S_k", "Skewness of how often a text is among the 10 nearest of others.", "lower"),
    "hub_excess": Statistic("S_k - Poisson", "Skewness beyond what chance (Poisson) brings.", "lower"),
    "antihub_share": Statistic("P(N_k = 0)", "Share of texts among nobody's 10 nearest.", "lower"),
    "robin_hood": Statistic(
        "Robin Hood", "Share of neighbour places to move until every text has equally many.", "lower"
    ),
    "twonn_dimension": Statistic(
        "TwoNN",
        "Intrinsic dimension from the two nearest neighbours; relative, at this sample size.",
        "neither",
    ),
    "mle_dimension": Statistic(
        "MLE", "Intrinsic dimension from the 20 nearest neighbours; relative, at this sample size.", "neither"
    ),
    "duplicate_share": Statistic("dup", "Share of sampled texts whose vector repeats another's.", "lower"),
    "mean_gap": Statistic("|μ_q - μ_d|", "Distance between the mean query and the mean document.", "lower"),
    "alignment": Statistic("A", "Mean squared distance of a query to its positive documents.", "lower"),
    "margin": Statistic(
        "d'", "Mean positive minus mean other cosine, in standard deviations of the others.", "higher"
    ),
}
"""Every statistic by name, in the order in which reports show them."""

CROSS_STATISTICS = (
    "mean_cosine", "second_moment", "second_moment_x_dim", "effective_dimension", "cosine_sd_ratio",
    "beta_distance", "hub_skew", "hub_excess", "antihub_share", "robin_hood",
    "mean_gap", "alignment", "margin",
)  # fmt: skip
"""Statistics of queries against documents."""

SIDE_STATISTICS = tuple(name for name in STATISTICS if name not in {"mean_gap", "alignment", "margin"})
"""Statistics of the texts of one side."""


class _Noun(BaseModel):
    """Base: immutable, strict about unknown fields, every field documented."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SpreadValue(_Noun):
    """One statistic of one side at one dimension."""

    value: float
    """What was measured."""
    ideal: float | None = None
    """What a uniform sphere of this rank shows with as many texts; None where there is no such value."""
    lower: float | None = None
    """Lower end of the 95 % interval; None where no interval is known."""
    upper: float | None = None
    """Upper end of the 95 % interval."""


class Curve(_Noun):
    """A line to draw, with the uniform sphere's line beside it."""

    x: tuple[float, ...]
    """Cosines at the middle of their bins, or ranks of components from 1."""
    y: tuple[float, ...]
    """Density of the cosine, or share of the variance."""
    ideal: tuple[float, ...]
    """The same for a uniform sphere of this rank with as many texts."""


class SideSpread(_Noun):
    """All statistics of one side at one dimension."""

    side: Side
    """Documents, queries, or queries against documents."""
    dim: int
    """Dimensions kept of each vector, renormalised."""
    n: int
    """Texts counted, without those whose prefix is all zeros; for queries against documents, the queries."""
    ideal_rank: int
    """Rank of the uniform sphere that ideals refer to: `dim`, or less where a head cannot fill it."""
    values: dict[str, SpreadValue]
    """Statistics by name (`STATISTICS`)."""
    missing: dict[str, str]
    """Statistics that could not be computed, and why."""
    cosines: Curve | None = None
    """Histogram of cosines against the Beta law."""
    spectrum: Curve | None = None
    """Eigenvalues of the covariance against the Marchenko-Pastur law, thinned for plots."""

    def of(self, checkpoint: str, task: str) -> SpreadEntry:
        """Say whose vectors these were."""
        return SpreadEntry(checkpoint=checkpoint, task=task, **dict(self))


class SpreadEntry(SideSpread):
    """The spread of one side of one task, encoded by one checkpoint, at one dimension."""

    checkpoint: str
    """Label of the checkpoint."""
    task: str
    """Name of the task."""
