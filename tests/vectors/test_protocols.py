"""Compatibility protocols: equal to the tools' own code on the same vectors, with a reason where it fails."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import UsageError
from evalsuite.core.variant import PROTOCOLS, Variant
from evalsuite.vectors.prefix import unit_prefix
from evalsuite.vectors.protocols import known_protocols, protocol

MTEB = known_protocols()["mteb"]
EVERY = [(name, precision) for name, precisions in known_protocols().items() for precision in precisions]


def units(n, dim, seed=0):
    """Unit vectors off the origin: raw codes and real inner products disagree on them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dim)) + 0.5 * rng.standard_normal(dim)
    return unit_prefix(x.astype(np.float32), dim)


def run(scoring, queries, blocks):
    """Score a corpus as the engine does."""
    scoring.fit(iter(blocks))
    prepared = scoring.queries(queries)
    return torch.cat([scoring.scores(prepared, block) for block in blocks], dim=1).numpy()


# What holds for every protocol.


def test_every_protocol_of_the_variant_grammar_exists():
    """Whatever a variant may name can be scored."""
    assert tuple(known_protocols()) == PROTOCOLS
    for name, precision in EVERY:
        scoring = protocol(name, precision)
        assert (scoring.name, scoring.precision) == (name, precision)
        assert Variant.parse(f"64/{precision}+{name}").scoring.mode == name


@pytest.mark.parametrize(
    ("name", "precision", "says"),
    [
        ("mteb", "ternary", "float8_e4m3.*binary"),
        ("hakari", "int4", "int8, binary"),
        ("beir", "int8", "sbert"),
    ],
)
def test_unknown_names_list_what_exists(name, precision, says):
    """An error about a name shows the names that would have worked."""
    with pytest.raises(UsageError, match=says):
        protocol(name, precision)


@pytest.mark.parametrize(("name", "precision"), EVERY)
def test_scores_are_float32_and_queries_may_be_sliced(name, precision):
    """The engine may take queries in portions: scores of some are those rows of the scores of all."""
    queries, corpus = units(7, 24), units(40, 24, 1)
    scoring = protocol(name, precision)
    whole = run(scoring, queries, [corpus])
    assert whole.dtype == np.float32
    assert whole.shape == (7, 40)
    part = scoring.scores(scoring.queries(queries)[2:5], corpus)
    np.testing.assert_allclose(part.numpy(), whole[2:5], rtol=1e-6, atol=1e-6)


@given(st.sampled_from([each for each in EVERY if protocol(*each).chunk is None]), st.integers(1, 40))
def test_without_a_chunk_block_size_does_not_matter(which, size):
    """Where no chunk is asked for, cutting the corpus otherwise changes nothing; integers bit for bit."""
    queries, corpus = units(5, 17), units(40, 17, 1)
    blocks = [corpus[start : start + size] for start in range(0, 40, size)]
    cut, whole = (run(protocol(*which), queries, each) for each in (blocks, [corpus]))
    if which[0] == "mteb":
        np.testing.assert_allclose(cut, whole, atol=1e-6)
    else:
        np.testing.assert_array_equal(cut, whole)


def test_bytes_are_those_of_packed_codes_and_everything_kept():
    """Bits are rounded up to bytes; ranges are counted once; the float32 copy for rescoring is counted."""
    expected = {
        ("mteb", "float16"): (20, 0),
        ("mteb", "float8_e5m2"): (10, 0),
        ("mteb", "uint8"): (10, 0),
        ("mteb", "int4"): (5, 0),
        ("mteb", "binary"): (2, 0),
        ("sbert", "int8"): (10, 80),
        ("sbert", "binary"): (2, 0),
        ("hakari", "int8"): (10, 80),
        ("hakari_rescore", "binary"): (42, 0),
    }
    for which, sizes in expected.items():
        scoring = protocol(*which)
        assert (scoring.bytes_per_vector(10), scoring.index_bytes(10)) == sizes


@pytest.mark.parametrize(("name", "precision"), [("sbert", "int8"), ("hakari", "int8")])
def test_ranges_must_be_learnt_first(name, precision):
    """Scoring before fitting is a mistake in the program, and is told as one."""
    with pytest.raises(ValueError, match="call fit"):
        protocol(name, precision).queries(units(3, 4))
    with pytest.raises(ValueError, match="at least one vector"):
        protocol(name, precision).fit([])


def test_read_only_vectors_are_taken_without_a_warning():
    """Memory-mapped vectors cannot be written to; that is no reason to warn."""
    corpus = units(9, 8)
    corpus.flags.writeable = False
    for which in EVERY:
        run(protocol(*which), corpus, [corpus])


# mteb: its own code is the oracle.


class FakeEncoder:
    """An mteb encoder whose texts are row numbers."""

    def __init__(self, vectors):
        from mteb.models.model_meta import ModelMeta

        self.vectors = vectors
        self.mteb_model_meta = ModelMeta.create_empty()

    def encode(self, inputs, **kwargs):
        return np.stack([self.vectors[int(text)] for batch in inputs for text in batch["text"]])

    def similarity(self, first, second):
        from mteb.similarity_functions import cos_sim

        return cos_sim(first, second)

    def similarity_pairwise(self, first, second):
        from mteb.similarity_functions import pairwise_cos_sim

        return pairwise_cos_sim(first, second)


@pytest.fixture(scope="module")
def mteb_task():
    """Metadata of a text task, as mteb's functions want it."""
    mteb = pytest.importorskip("mteb")
    return mteb.get_task("STSBenchmark").metadata


@pytest.fixture
def compressed(mteb_task):
    """Put mteb's real CompressionWrapper around vectors."""
    from mteb.models import CompressionWrapper
    from mteb.types import OutputDType

    def wrap(vectors, precision):
        dtype = OutputDType({"float8_e4m3": "float8_e4m3fn"}.get(precision, precision))
        return CompressionWrapper(FakeEncoder(vectors), dtype)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Estimating quantization parameters")
        yield wrap


def test_mteb_has_no_other_usable_level(mteb_task):
    """Missing are float32, which the wrapper refuses, e8m0, which drops the sign, and the fnuz twins."""
    from mteb.types import OutputDType

    missing = {"float32", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"}
    theirs = {each.value for each in OutputDType} - missing
    assert {each.removesuffix("fn") for each in theirs} == set(MTEB)


@pytest.mark.parametrize("precision", MTEB)
def test_mteb_search_is_equal(precision, compressed, mteb_task):
    """mteb's chunked search over its CompressionWrapper gives these scores, chunk by chunk."""
    from datasets import Dataset
    from mteb.models.search_wrappers import chunked_full_corpus_search

    queries, corpus = units(6, 48), units(25, 48, 1)
    model = compressed(np.concatenate([queries, corpus]), precision)
    texts = [str(row) for row in range(31)]
    loader = [{"text": texts[:6]}]
    context = {"task_metadata": mteb_task, "hf_split": "test", "hf_subset": "default"}
    heaps = chunked_full_corpus_search(
        task_corpus=Dataset.from_dict({"id": texts[6:], "title": [""] * 25, "text": texts[6:]}),
        corpus_chunk_size=10,
        query_idx_to_id=dict(enumerate(texts[:6])),
        query_embeddings=model.encode(loader, **context),
        top_k=25,
        encode_kwargs={"show_progress_bar": False},
        encode_fn=model.encode,
        similarity_fn=model.similarity,
        **context,
    )
    theirs = np.zeros((6, 25), np.float32)
    for query, heap in heaps.items():
        for score, document in heap:
            theirs[int(query), int(document) - 6] = score
    ours = run(protocol("mteb", precision), queries, [corpus[:10], corpus[10:20], corpus[20:]])
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("precision", MTEB)
def test_mteb_pairs_are_equal(precision, compressed, mteb_task):
    """mteb's STS evaluator over its CompressionWrapper gives these cosines, rows of zeros included."""
    from datasets import Dataset
    from mteb._evaluators import AnySTSEvaluator
    from mteb.timing import TimingStack

    first, second = units(30, 16), units(30, 16, 1)
    first[3], second[4] = -np.abs(first[3]), -np.abs(second[4])
    columns = {"sentence1": [str(i) for i in range(30)], "sentence2": [str(i + 30) for i in range(30)]}
    evaluator = AnySTSEvaluator(
        Dataset.from_dict(columns),
        ("sentence1", "sentence2"),
        task_metadata=mteb_task,
        hf_split="test",
        hf_subset="default",
        input1_prompt_type=None,
        input2_prompt_type=None,
        timer=TimingStack(),
    )
    model = compressed(np.concatenate([first, second]), precision)
    theirs = evaluator(model, encode_kwargs={"batch_size": 8})["cosine_scores"]
    ours = protocol("mteb", precision).pair_scores(first, second)
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("precision", ["int8", "uint8", "int4", "uint4"])
def test_where_mteb_has_nan_there_is_a_reason(precision, compressed):
    """One query, or a dimension that never varies: mteb scores NaN, evalsuite says why and where."""
    corpus = units(12, 8)
    model = compressed(corpus, precision)
    one = model.encode([{"text": ["0"]}], task_metadata=None, hf_split="", hf_subset="")
    assert torch.isnan(one).all()
    scoring = protocol("mteb", precision)
    with pytest.raises(UsageError, match=r"NaN.*8 of 8 dimensions .first: 0.*1 queries"):
        scoring.queries(corpus[:1])
    constant = corpus.copy()
    constant[:, 5] = 0.25
    prepared = scoring.queries(corpus)
    with pytest.raises(UsageError, match=r"1 of 8 dimensions .first: 5.*12 documents"):
        scoring.scores(prepared, constant)
    with pytest.raises(UsageError, match="12 second sentences"):
        scoring.pair_scores(corpus, constant)


def test_mteb_integers_come_in_chunks_of_fifty_thousand():
    """Only integers have ranges, so only they are bound to mteb's chunks."""
    from mteb.models.search_wrappers import SearchEncoderWrapper

    default = SearchEncoderWrapper.__init__.__defaults__[0]
    assert {precision: protocol("mteb", precision).chunk for precision in MTEB} == {
        precision: default if "int" in precision else None for precision in MTEB
    }


def test_mteb_binary_is_not_hamming():
    """Documents at Hamming distance 1 from 1100: by {0, 1} cosine 1110 beats 1000, by Hamming they tie."""
    query = np.array([[1, 1, -1, -1]], np.float32)
    corpus = np.array([[1, 1, 1, -1], [1, -1, -1, -1]], np.float32)
    np.testing.assert_allclose(
        run(protocol("mteb", "binary"), query, [corpus]), [[2 / 6**0.5, 1 / 2**0.5]], rtol=1e-6
    )
    assert run(protocol("sbert", "binary"), query, [corpus]).tolist() == [[-1, -1]]


# sentence-transformers: its own code is the oracle.


def st_ranges(corpus):
    """Ranges as its documentation tells users to make them."""
    return np.vstack([corpus.min(axis=0), corpus.max(axis=0)])


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_sbert_codes_are_equal(precision):
    """Codes are those of quantize_embeddings with the corpus ranges, outliers and empty ranges included."""
    from sentence_transformers.util.quantization import quantize_embeddings

    queries, corpus = units(50, 33, 2), units(200, 33)
    corpus[:, 4] = 0.125
    scoring = protocol("sbert", precision)
    scoring.fit([corpus[:90], corpus[90:]])
    theirs = quantize_embeddings(queries, precision, ranges=st_ranges(corpus))
    np.testing.assert_array_equal(scoring.queries(queries).numpy(), theirs)
    codes = quantize_embeddings(corpus, precision, ranges=st_ranges(corpus))
    products = theirs.astype(np.int64) @ codes.astype(np.int64).T
    np.testing.assert_array_equal(scoring.scores(scoring.queries(queries), corpus).numpy(), products)


@pytest.mark.parametrize(("precision", "theirs", "dim"), [("uint8", "uint8", 64), ("uint8", "uint8", 384),
                                                          ("binary", "ubinary", 60)])  # fmt: skip
def test_sbert_search_is_equal(precision, theirs, dim):
    """semantic_search_faiss(exact, rescore=False) returns these scores in this order.

    Up to 258 dimensions faiss sums uint8 products exactly in float32; beyond, to float32's rounding.
    """
    from sentence_transformers.util.quantization import quantize_embeddings, semantic_search_faiss

    queries, corpus = units(20, dim, 2), units(150, dim)
    ranges = st_ranges(corpus)
    hits, _ = semantic_search_faiss(
        quantize_embeddings(queries, theirs, ranges=ranges),
        quantize_embeddings(corpus, theirs, ranges=ranges),
        corpus_precision=theirs,
        top_k=150,
        rescore=False,
        exact=True,
    )
    ours = run(protocol("sbert", precision), queries, [corpus[:70], corpus[70:]])
    sign = -1 if precision == "binary" else 1
    slack = 0 if dim <= 258 else 2**-22
    for scores, query_hits in zip(ours, hits, strict=True):
        found = scores[[hit["corpus_id"] for hit in query_hits]]
        np.testing.assert_allclose(found, [sign * hit["score"] for hit in query_hits], rtol=slack)
        assert (np.diff(found) <= slack * np.abs(found[1:])).all()


class FakeSentenceTransformer:
    """A model whose sentences are row numbers; quantizes each call as `SentenceTransformer.encode` does."""

    similarity_fn_name = "cosine"

    def __init__(self, vectors):
        self.vectors = vectors
        self.model_card_data = self

    def set_evaluation_metrics(self, *args):
        """Model cards are not of interest."""

    def encode(self, sentences, *, precision, normalize_embeddings, **kwargs):
        from sentence_transformers.util.quantization import quantize_embeddings

        assert normalize_embeddings
        return quantize_embeddings(self.vectors[[int(each) for each in sentences]], precision)


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary"])
def test_sbert_pairs_are_equal(precision):
    """EmbeddingSimilarityEvaluator(precision=...) correlates these cosines."""
    from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator

    first, second = units(60, 20), units(60, 20, 1)
    gold = np.random.default_rng(5).random(60)
    evaluator = EmbeddingSimilarityEvaluator(
        [str(i) for i in range(60)], [str(i + 60) for i in range(60)], gold.tolist(), precision=precision
    )
    theirs = evaluator(FakeSentenceTransformer(np.concatenate([first, second])))
    ours = protocol("sbert", precision).pair_scores(first, second)
    assert ours.dtype == np.float64
    assert np.corrcoef(ours, gold)[0, 1] == pytest.approx(theirs["pearson_cosine"], abs=1e-6)


# HAKARI-Bench cannot be installed: worked by hand.


def test_hakari_cuts_off_towards_zero_and_clips_queries():
    """With a corpus range of 0 to 255 the step is 1: 100.7 becomes -27, not -28; 300 becomes 127."""
    corpus = np.array([[0], [255], [100.7], [200.7]], np.float32)
    scoring = protocol("hakari", "int8")
    scoring.fit([corpus])
    codes = scoring.queries(np.concatenate([corpus, [[300], [-5]]]).astype(np.float32))
    assert codes[:, 0].tolist() == [-128, 127, -27, 72, 127, -128]
    assert scoring.scores(codes[2:3], corpus).tolist() == [[27 * 128, -27 * 127, 27 * 27, -27 * 72]]


def test_hakari_multiplies_raw_codes():
    """Raw codes are another metric: here a document of zeros beats the nearest one.

    The top of a range becomes 126, not 127: in float32 1 / (1 / 255) is just below 255.
    """
    corpus = np.array([[1.0, 0.0], [0.0, 0.0], [0.5, 1.0]], np.float32)
    query = np.array([[0.25, 0.0]], np.float32)
    scores = run(protocol("hakari", "int8"), query, [corpus])
    assert scores.tolist() == [[-64 * 126 + 128 * 128, 64 * 128 + 128 * 128, 0 - 128 * 126]]
    assert scores.argmax() == 1
    assert (query @ corpus.T).argmax() == 0


def test_hakari_rescoring_asks_for_a_hundred_candidates():
    """The first stage is that of `hakari`; the engine reorders the best hundred."""
    queries, corpus = units(4, 32), units(50, 32, 1)
    plain, rescored = protocol("hakari", "binary"), protocol("hakari_rescore", "binary")
    assert (plain.rescore_candidates, rescored.rescore_candidates) == (0, 100)
    scores = run(rescored, queries, [corpus])
    np.testing.assert_array_equal(scores, run(plain, queries, [corpus]))
    differing = ((queries > 0)[:, None, :] != (corpus > 0)[None, :, :]).sum(axis=2)
    np.testing.assert_array_equal(scores, -differing)


def test_hakari_has_no_pairs():
    """HAKARI-Bench scores no sentence pairs, so neither does its protocol."""
    with pytest.raises(UsageError, match="retrieval only"):
        protocol("hakari", "int8").pair_scores(units(3, 4), units(3, 4, 1))


def test_empty_ranges_are_safe_where_the_tools_are():
    """A dimension that never varies in the corpus gets step 1 in both tools: finite codes, no warning."""
    corpus = units(10, 6)
    corpus[:, 2] = 0.5
    for name in ("sbert", "hakari"):
        assert np.isfinite(run(protocol(name, "int8"), corpus[:1], [corpus])).all()
