"""The part of a model card: the Hub reads its metadata, people read the rest."""

import pytest
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import EvalResult

from evalsuite.reporting.paper.card import model_card
from evalsuite.reporting.view import build_view


def card_of(run, figures=()):
    """The card of a run's checkpoint, as the Hub's own library reads it."""
    view = build_view([run])
    return ModelCard(model_card(view.checkpoints[0], view, figures), ignore_metadata_errors=False)


def test_the_hub_reads_every_number(minilm):
    """Of each task the main metric in points, at full width and at the recommended variant."""
    data = card_of(minilm).data
    assert data.model_name == "all-MiniLM-L6-v2"
    results = data.eval_results
    assert all(isinstance(result, EvalResult) for result in results)
    assert len(results) == 6
    first, second = results[:2]
    assert (first.task_type, first.dataset_name, first.dataset_split) == ("Retrieval", "SciFact", "test")
    assert (first.metric_type, first.metric_value) == ("ndcg_at_10", pytest.approx(64.51))
    assert first.metric_args["dim"] == 384
    assert first.metric_args["precision"] == "float32"
    assert first.metric_args["interval"] == pytest.approx([60.21, 68.81])
    assert second.metric_args["precision"] == "int8"
    assert "384/int8" in second.metric_name


def test_it_says_what_to_ship_and_shows_figures(minilm):
    """The advice, a table of neighbours on the front, images beside the card, the command."""
    text = card_of(minilm, ["quality-by-bytes-page.png"]).text
    assert "**Ship 384/int8.**" in text
    assert "![quality-by-bytes-page](quality-by-bytes-page.png)" in text
    assert "| **384/int8** |" in text
    assert minilm.record.provenance.command in text


def test_hostile_names_survive_as_text(nasty):
    """Quotes, colons and brackets end neither the metadata nor a string in it."""
    data = card_of(nasty).data
    assert "<script>alert(1)</script>\"& 'quoted'" in data.model_name
    assert "\x1b" not in data.model_name


def test_without_scores_there_are_no_results(all_failed):
    """An empty list, not a broken card."""
    view = build_view([all_failed])
    assert "results: []" in model_card(view.checkpoints[0], view, ())
