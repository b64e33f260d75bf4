"""What encoded the texts: weight levels have their own reference; their tensors, and roads, are shown."""

import pytest

from evalsuite.core.road import RoadEntry, RoadFidelity, Trial
from evalsuite.core.run import Run
from evalsuite.core.weights import GroupWeights, TensorWeights, WeightReport
from evalsuite.reporting.encoder_side import encoder_tables
from evalsuite.reporting.html import render_html
from evalsuite.reporting.markdown import render_markdown
from evalsuite.reporting.text import NO_BREAK
from evalsuite.reporting.view import build_view

REPORT = WeightReport(
    level="q4_0",
    embeddings=None,
    tensors=(
        TensorWeights(
            name="t", group="attention", shape=(64, 64), grid="q4_0", bits_per_weight=4.5, bytes=2304,
            sqnr_db=21.3,
        ),
    ),
    groups=(
        GroupWeights(
            group="token_embedding", grid="q4_0", tensors=1, values=4096, bits_per_weight=4.5, bytes=2304,
            sqnr_db=21.31,
        ),
        GroupWeights(
            group="vectors", grid="float32", tensors=2, values=64, bits_per_weight=32, bytes=256, sqnr_db=None
        ),
    ),
    native_bytes=16640,
    bytes=2560,
    bits_per_weight=4.92,
)  # fmt: skip
ROAD = RoadEntry(
    workers=2, threads=1, devices=(), dtype="bfloat16", tokens=2048, chosen="measured",
    trials=(
        Trial(workers=0, threads=2, dtype="float32", texts_per_second=20.0),
        Trial(workers=2, threads=1, dtype="bfloat16", texts_per_second=45.0),
    ),
    fidelity=RoadFidelity(texts=99, mean_cosine=0.99995, min_cosine=0.9991, score_difference=0.00075),
)  # fmt: skip


@pytest.fixture
def rounded(minilm):
    """The made-up run, as if its weights had been rounded to Q4_0."""
    record = minilm.record
    (entry,) = record.checkpoints
    entry = entry.model_copy(
        update={"weights": "q4_0", "weights_label": "q4_0 (PTQ)", "weight_report": REPORT}
    )
    cells = tuple(c.model_copy(update={"variant": f"q4_0@{c.variant}"}) for c in record.cells)
    return Run(record.model_copy(update={"checkpoints": (entry,), "cells": cells}), minilm.folder)


def test_a_weight_level_is_measured_against_its_own_full_width(rounded, minilm):
    """Retention, Pareto front and advice are those of the native run, under the level's names."""
    (view,), (native,) = build_view([rounded]).checkpoints, build_view([minilm]).checkpoints
    assert str(view.full) == "q4_0@384/float32"
    assert view.unreferenced == ()
    chosen = view.recommendation.chosen
    assert chosen is not None
    assert str(chosen.variant) == f"q4_0@{native.recommendation.chosen.variant}"
    assert [each.mean_retention for each in view.variants] == [
        each.mean_retention for each in native.variants
    ]


def test_parts_of_the_model_are_tabulated(rounded):
    """A row a part with grid, bits, bytes and decibel, and one for the whole model."""
    (table,) = encoder_tables(build_view([rounded]))
    label = rounded.record.checkpoints[0].label
    assert table.rows == (
        (label, "token embedding", "q4_0", "1", "4.50", f"2.3{NO_BREAK}kB", "21.3"),
        (label, "vectors", "float32", "2", "32.00", f"256{NO_BREAK}bytes", "–"),
        (label, "whole model", "q4_0", "1", "4.92", f"2.56{NO_BREAK}kB, 6.5× smaller", "–"),
    )


def test_roads_are_tabulated(minilm):
    """What was chosen, how much faster it was and how true it is; the default road needs no row."""
    made = minilm.record.provenance
    encodings = tuple(each.model_copy(update={"road": ROAD}) for each in made.encodings)
    record = minilm.record.model_copy(update={"provenance": made.model_copy(update={"encodings": encodings})})
    (table,) = encoder_tables(build_view([Run(record, minilm.folder)]))
    assert table.rows[0][1:] == (
        "2 workers of 1 thread, bfloat16", "measured", "2.25×", "99", "0.999950", "0.999100", "0.0750",
    )  # fmt: skip
    assert encoder_tables(build_view([minilm])) == ()


def test_both_faces_show_the_tables(rounded, minilm):
    """Markdown and HTML have the numbers; a run with native weights has neither table nor heading."""
    view = build_view([rounded])
    for page in (render_markdown(view), render_html(view)):
        assert "6.5× smaller" in page
        assert "token embedding" in page
        assert "SQNR is signal over quantization noise of the weights" in page
    plain = build_view([minilm])
    assert "of the weights" not in render_markdown(plain)
