"""One side: the table of nulls and defects, intervals that cover, and inputs at the edge."""

import numpy as np
import pytest

from evalsuite.core.spread import SIDE_STATISTICS
from evalsuite.stats.spread.side import WholeSide, measure_side
from evalsuite.stats.spread.stream import SampleSizes, SideStream
from tests.stats.spread import clouds


def spread(rows, dim=None, sizes=None, seed=0):
    """All statistics of rows at a dimension."""
    dim = dim or rows.shape[1]
    stream = SideStream((dim,), np.random.default_rng(seed), sizes)
    stream.feed(rows)
    return measure_side("document", WholeSide.of(stream), dim)


# Published nulls and defects: PR, IsoScore, RankMe, erank, S10, TwoNN, MLE20, uniformity, 1/M2.
TABLE = {
    "768, 1000": (clouds.uniform(1000, 768), (434, 0.565, 670, 523, 0.28, 176, 139, -3.990, 768)),
    "768, 4000": (clouds.uniform(4000, 768), (644, 0.839, 748, 698, 0.29, 193, 159, -3.990, 768)),
    "256, 4000": (clouds.uniform(4000, 256), (241, 0.939, 254, 248, 0.28, 97, 85, -3.969, 256)),
    "128, 4000": (clouds.uniform(4000, 128), (124, 0.969, 127.5, 126, 0.28, 63, 56, -3.938, 128)),
    "rank 512": (
        clouds.rank_deficient(4000, 768, 512), (454, 0.591, 504, 480, 0.30, 148, 127, -3.984, 512)
    ),
    "mean": (clouds.common_mean(4000, 768), (644, 0.838, 712, 698, 4.28, 172, 146, -2.680, 9.2)),
    "power law": (clouds.power_law(4000, 768), (40, 0.051, 597, 166, 4.12, 59, 44, -3.801, 40.2)),
    "topics": (clouds.topics(4000, 768), (176, 0.228, 626, 306, 0.79, 114, 60, -3.878, 184)),
}  # fmt: skip
NAMES = (
    "participation_ratio_naive", "isoscore_naive", "rankme", "effective_rank",
    "hub_skew", "twonn_dimension", "mle_dimension", "uniformity", "effective_dimension",
)  # fmt: skip
TOLERANCES = (0.04, 0.06, 0.01, 0.02, 0.35, 0.08, 0.06, 0.004, 0.04)


@pytest.mark.parametrize(("rows", "expected"), TABLE.values(), ids=TABLE)
def test_table_of_nulls_and_defects(rows, expected):
    """Uniform spheres, a lost rank, a common mean, a power law and topics show their known values."""
    found = spread(rows, sizes=SampleSizes(neighbours=4000)).values
    for name, value, tolerance in zip(NAMES, expected, TOLERANCES, strict=True):
        assert found[name].value == pytest.approx(value, rel=tolerance), name


@pytest.mark.parametrize(("n", "dim"), [(1000, 768), (3000, 128), (500, 32)])
def test_a_uniform_sphere_shows_the_ideals(n, dim):
    """Every statistic of uniform points is near its ideal at this dimension and number of texts."""
    loose = {
        "hub_skew": 0.2, "hub_excess": 0.2, "antihub_share": 2e-3, "robin_hood": 0.03, "mean_top3_share": 0.2,
        "bit_imbalance": 6e-3, "spectrum_decay": 0.02, "twonn_dimension": 0.15 * dim,
    }  # fmt: skip
    for name, found in spread(clouds.uniform(n, dim, seed=8)).values.items():
        allowed = loose.get(name, 0.03 * abs(found.ideal) + 2e-3)
        assert found.value == pytest.approx(found.ideal, abs=allowed), name


def test_a_lost_rank_is_found_and_ideals_follow():
    """512 directions in 768 dimensions: rank 512, ideal M2 of 1/512, and the measured M2 meets it."""
    found = spread(clouds.rank_deficient(2000, 768, 512))
    assert found.ideal_rank == 512
    assert found.values["rank"].value == 512
    assert found.values["second_moment"].ideal == 1 / 512
    assert found.values["second_moment"].value == pytest.approx(1 / 512, rel=0.01)
    assert found.values["gor_second_moment"].ideal == pytest.approx(1 / 512 - 1 / 768)
    for name in ("participation_ratio", "uniformity", "mle_dimension", "effective_bits", "rankme"):
        assert found.values[name].value == pytest.approx(found.values[name].ideal, rel=0.04), name


def test_bfloat16_rounding_is_no_rank():
    """Vectors stored by a bfloat16 encoder still show the rank of its head."""
    import torch

    rows = clouds.rank_deficient(600, 96, 64)
    rounded = torch.from_numpy(rows).bfloat16().float().numpy()
    assert spread(rounded).ideal_rank == 64


def test_few_texts_do_not_look_like_a_lost_rank():
    """With fewer distinct texts than dimensions ideals refer to the dimension, copies or not."""
    rows = clouds.uniform(50, 64)
    assert spread(rows).ideal_rank == 64
    assert spread(np.repeat(rows, 3, axis=0)).ideal_rank == 64
    assert spread(np.repeat(rows, 3, axis=0)).values["duplicate_share"].value == pytest.approx(2 / 3)


@pytest.mark.parametrize("cloud", [clouds.uniform, clouds.common_mean, clouds.power_law])
def test_intervals_cover(cloud):
    """About 95 % of the intervals from 100 samples of 200 hold what 20,000 texts show."""
    everything = cloud(20_000, 12, seed=9)
    names = ("mean_cosine", "second_moment", "effective_dimension", "participation_ratio", "uniformity")
    truth = spread(everything, sizes=SampleSizes(pairs=2048)).values
    covered = dict.fromkeys(names, 0)
    for rows in np.split(everything, 100):
        found = spread(rows).values
        for name in names:
            covered[name] += found[name].lower <= truth[name].value <= found[name].upper
    assert min(covered.values()) >= 0.88 * 100, covered


def test_a_collapse_does_not_look_ideal():
    """Texts that differ by a trace lie on one line; that is no head of rank 1 whose best M2 is 1."""
    rows = np.ones((200, 16)) + 1e-4 * clouds.uniform(200, 16)
    found = spread(rows.astype(np.float32))
    assert found.values["rank"].value == 1
    assert found.ideal_rank == 16
    assert found.values["second_moment_x_dim"].ideal == pytest.approx(1)


def test_a_spectrum_that_fades_is_no_lost_rank():
    """Directions below rounding noise at the end of a steep power law are a skew: the ideal stays 1/d."""
    found = spread(clouds.power_law(2000, 128, exponent=4.0))
    assert found.values["rank"].value < 128
    assert found.ideal_rank == 128


@pytest.mark.parametrize("count", [2, 3, 9])
def test_a_handful_of_texts_has_values_and_no_intervals(count):
    """The moments of two texts are known; what others would show is not."""
    values = spread(clouds.uniform(count, 8)).values
    assert {"mean_cosine", "second_moment"} <= set(values)
    assert all(value.lower is None and value.upper is None for value in values.values())


def test_the_mean_and_the_spectrum_are_told_apart():
    """A common mean takes the second moment, a power law does not; IsoScore sees only the latter."""
    shifted, faded = spread(clouds.common_mean(800, 64)).values, spread(clouds.power_law(800, 64)).values
    assert shifted["mean_share"].value > 0.85
    assert abs(faded["mean_share"].value) < 0.05
    assert shifted["isoscore"].value > 0.9
    assert faded["isoscore"].value < 0.5


def test_rogue_dimension_and_offset_bits_are_seen():
    """One large constant coordinate is a rogue dimension, owns the mean and wastes a bit."""
    rows = clouds.uniform(800, 16).copy()
    rows[:, 3] = 2
    found = spread(rows).values
    assert found["rogue_dims"].value == 1
    assert found["mean_top3_share"].value > 0.99
    assert found["bit_imbalance"].value > 0.5 / 16
    assert found["effective_bits"].value == pytest.approx(15, rel=0.03)


EDGES = {
    "one": clouds.uniform(1, 8),
    "two": clouds.uniform(2, 8),
    "five": clouds.uniform(5, 8),
    "fewer than dimensions": clouds.uniform(30, 64),
    "equal": np.ones((60, 8), dtype=np.float32),
    "copies": np.repeat(clouds.uniform(6, 8), 30, axis=0),
    "opposite": np.concatenate([np.ones((30, 8)), -np.ones((30, 8))]).astype(np.float32),
    "one dimension": clouds.uniform(60, 1),
    "zeros": np.zeros((40, 8), dtype=np.float32),
    "constant coordinates": np.concatenate([np.zeros((60, 4)), clouds.uniform(60, 4)], axis=1),
}


@pytest.mark.parametrize("rows", EDGES.values(), ids=EDGES)
def test_edges_are_measured_or_missing(rows):
    """Odd inputs neither crash nor lose a statistic: each is a finite value or has a reason."""
    found = spread(rows)
    assert {*found.values, *found.missing} == set(SIDE_STATISTICS)
    assert not set(found.values) & set(found.missing)
    assert all(reason for reason in found.missing.values())


def test_equal_vectors_have_a_mean_and_no_variance():
    """Equal texts: M1 = M2 = 1, all of it the mean's; what needs variance is missing."""
    found = spread(EDGES["equal"])
    assert found.values["mean_cosine"].value == pytest.approx(1, abs=1e-6)
    assert found.values["second_moment"].value == pytest.approx(1, abs=1e-6)
    assert found.values["mean_share"].value == pytest.approx(1, abs=1e-6)
    assert {"participation_ratio", "effective_rank", "top_component_share", "variance_ratio"} <= set(
        found.missing
    )
    assert found.spectrum is None
