"""The probe as a whole: exhaustive settings find everything, and the shape of a space shows in the work."""

import json

import numpy as np
import pytest

from evalsuite.core.ann import AnnProbe
from evalsuite.core.errors import UsageError
from evalsuite.vectors.ann import ProbeSettings, Sample, probe
from evalsuite.vectors.ann.stored import Stored, kth_best, stored
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.quantizers import quantizer

SMALL = ProbeSettings(max_documents=1500, max_queries=60, m=8, ef_construction=40, max_ef=256)


def normal(n, width, seed, spectrum=None):
    """Gaussian vectors, by default isotropic."""
    scale = np.ones(width) if spectrum is None else spectrum
    return (np.random.default_rng(seed).standard_normal((n, width)) * scale).astype(np.float32)


def sample_of(documents, queries, seed=0, settings=SMALL):
    """Draw what the tests probe."""
    return Sample.draw(documents, queries, seed, settings)


@pytest.fixture(scope="module")
def isotropic():
    """A sample of the uniform sphere."""
    return sample_of(normal(2000, 32, 0), normal(80, 32, 1))


@pytest.mark.parametrize("precision", ["float32", "int8", "binary"])
def test_exhaustive_settings_find_every_neighbour(precision):
    """Lists all visited, and candidates as many as documents: recall 1 over the codes."""
    sample = sample_of(normal(300, 24, 0), normal(40, 24, 1))
    settings = ProbeSettings(max_ef=300)
    result = probe(sample, 24, precision, settings)
    for index in ("hnsw", "ivf"):
        for asked in ("query", "document"):
            assert result.curve(index, asked, "codes").points[-1].recall == 1.0


def test_ivf_ends_at_every_document_and_centroid():
    """The dearest IVF setting costs N + nlist: 270 indexed documents and 16 lists."""
    result = probe(sample_of(normal(300, 8, 0), normal(40, 8, 1), settings=ProbeSettings()), 8, "float32")
    assert (result.documents, result.held_out, result.queries) == (270, 30, 40)
    assert result.curve("ivf", "query", "codes").points[-1].work == 270 + 16


def test_searching_longer_costs_more_and_finds_more(isotropic):
    """Work rises along every sweep, and recall with it but for chance."""
    for curve in probe(isotropic, 32, "float32", SMALL).curves:
        work, found = (np.array([getattr(p, what) for p in curve.points]) for what in ("work", "recall"))
        assert (np.diff(work) > 0).all()
        assert (np.diff(found) > -0.01).all()
        assert found[-1] > found[0]


def test_over_float32_both_truths_are_one(isotropic):
    """Without a loss, the neighbours of the codes are the neighbours of the vectors."""
    result = probe(isotropic, 32, "float32", SMALL)
    for index in ("hnsw", "ivf"):
        codes, exact = (result.curve(index, "query", truth) for truth in ("codes", "float32"))
        assert codes.model_dump(exclude={"truth"}) == exact.model_dump(exclude={"truth"})


def test_codes_limit_what_a_long_search_can_find(isotropic):
    """Sign codes searched exhaustively keep exactly the neighbours that exact search over them keeps."""
    result = probe(isotropic, 32, "binary", SMALL)
    dearest = result.curve("ivf", "query", "float32").points[-1]
    level = quantizer("binary")
    documents, queries = (unit_prefix(side, 32) for side in (isotropic.indexed, isotropic.queries))
    codes = [stored(side, level) for side in (queries, documents)]
    exact = [Stored(side, "float32") for side in (queries, documents)]
    # Ties among codes leave the tenth open: between the luckiest and the unluckiest choice.
    distances = np.bitwise_count(codes[0].values[:, None] ^ codes[1].values[None]).sum(axis=2)
    near = (queries @ documents.T) >= kth_best(*exact, 10)[:, None]
    unlucky, lucky = (
        np.mean(
            [row[np.lexsort((sign * row, far))[:10]].mean() for row, far in zip(near, distances, strict=True)]
        )
        for sign in (1, -1)
    )
    assert unlucky <= dearest.recall <= lucky < 0.9
    assert result.curve("ivf", "query", "float32").work_at[0.9] is None


def test_the_shape_of_a_space_shows_in_the_work(isotropic):
    """Vectors of four effective dimensions need far fewer distances than the uniform sphere."""
    few = np.where(np.arange(32) < 4, 1.0, 0.05)
    low = sample_of(normal(2000, 32, 0, few), normal(80, 32, 1, few))
    spread, collapsed = (probe(each, 32, "float32", SMALL) for each in (isotropic, low))
    for index in ("hnsw", "ivf"):
        sphere, line = (each.curve(index, "document", "codes") for each in (spread, collapsed))
        assert line.auc > sphere.auc + 0.05
        assert line.work_at[0.95] < 0.6 * sphere.work_at[0.95]


def test_strange_queries_cost_more_than_documents():
    """Queries that leave the documents' subspace have a gap above 1; queries like documents have none."""
    few = np.where(np.arange(32) < 8, 1.0, 0.1)
    documents = normal(2000, 32, 0, few)
    alike, strange = (
        probe(sample_of(documents, queries), 32, "float32", SMALL)
        for queries in (normal(80, 32, 1, few), normal(80, 32, 1, few[::-1]))
    )
    for index in ("hnsw", "ivf"):
        assert 0.8 < alike.out_of_distribution_gap(index, "codes", 0.9) < 1.25
    assert strange.out_of_distribution_gap("ivf", "codes", 0.9) > 1.3


def test_the_same_arguments_give_the_same_result():
    """Everything is repeatable, and another seed is another probe."""
    documents, queries = normal(400, 16, 0), normal(30, 16, 1)
    first, again, other = (
        probe(sample_of(documents, queries, seed), 16, "int8", SMALL).model_dump_json() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_prefix_is_the_probe_of_the_prefix(isotropic):
    """Dimensions beyond the prefix do not matter."""
    cut = Sample(
        isotropic.indexed[:, :8], isotropic.held_out[:, :8], isotropic.queries[:, :8], isotropic.seed
    )
    assert probe(isotropic, 8, "float32", SMALL) == probe(cut, 8, "float32", SMALL)


def test_the_record_holds_what_was_built(isotropic):
    """Seed, links, candidates, lists and training sample stand in the JSON."""
    written = json.loads(probe(isotropic, 32, "int8", SMALL).model_dump_json())
    assert AnnProbe.model_validate(written).seed == 0
    builds = [curve["build"] for curve in written["curves"]]
    assert {"index": "hnsw", "m": 8, "ef_construction": 40, "seed": 0} in builds
    assert {"index": "ivf", "lists": 39, "training_documents": 1500, "seed": 0} in builds
    assert len(builds) == 8


@pytest.mark.parametrize("documents", [2, 3, 9, 11])
@pytest.mark.parametrize("precision", ["float32", "binary"])
def test_tiny_corpora_are_probed(documents, precision, capfd):
    """Fewer documents than k or lists: k shrinks, everything can be found, and nothing is said."""
    result = probe(sample_of(normal(documents, 8, 0), normal(3, 8, 1)), 8, precision, SMALL)
    assert result.k == min(10, documents - 1)
    assert result.curve("ivf", "query", "codes").points[-1].recall == 1.0
    assert "".join(capfd.readouterr()) == ""


def test_collapsed_vectors_are_probed():
    """When all vectors are one, every document ties and whatever is found is a neighbour."""
    same = np.ones((200, 8), dtype=np.float32)
    result = probe(sample_of(same, same[:5]), 8, "int8", SMALL)
    assert result.curve("ivf", "query", "codes").points[-1].recall == 1.0
    assert result.curve("ivf", "query", "float32").points[-1].recall == 1.0


@pytest.mark.parametrize("dim", [0, 33])
def test_a_dimension_that_is_not_there_is_named(isotropic, dim):
    """The message says what there is."""
    with pytest.raises(UsageError, match=f"dim {dim} is not between 1 and 32"):
        probe(isotropic, dim, "float32", SMALL)


def test_an_unknown_precision_is_named(isotropic):
    """The message lists the known levels."""
    with pytest.raises(UsageError, match="unknown precision 'int9'"):
        probe(isotropic, 8, "int9", SMALL)
