"""GridEvaluator and StopOnRegression, alone and inside a real training."""

import json
import math

import pandas as pd
import pytest

from evalsuite.core.errors import UsageError
from evalsuite.core.run import Run
from evalsuite.integrations import GridEvaluator, Question, StepGate, StopOnRegression
from evalsuite.integrations.evaluator import earlier_runs
from evalsuite.models.loading import load_pipeline
from tests.conftest import WORDS

PRIMARY = "mean_16/float32"


@pytest.fixture(scope="module")
def question(small_tasks):
    """Two dimensions, two precisions, on a retrieval task of 60 documents."""
    return Question(small_tasks[:1], dims=[16, 8], precisions=["float32", "binary"])


@pytest.fixture
def model(tiny):
    return load_pipeline(tiny, dtype="float32", device="cpu", trust_remote_code=False)


def corrupt(model):
    """Make every vector nonsense: the last layer's weights become noise."""
    import torch

    torch.manual_seed(3)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "embed" in name or "linear" in name:
                weights.copy_(torch.randn_like(weights))


def trainer_for(model, folder, evaluator, callbacks=(), **arguments):
    """A trainer that evaluates and saves each step."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    rows = {
        "anchor": [f"{WORDS[i % 16]} {i}" for i in range(32)],
        "positive": [f"the {WORDS[i % 16]} {i}" for i in range(32)],
    }
    given = {
        "output_dir": str(folder), "max_steps": 2, "per_device_train_batch_size": 4, "learning_rate": 1e-2,
        "eval_strategy": "steps", "eval_steps": 1, "save_strategy": "steps", "save_steps": 1,
        "report_to": "none", "use_cpu": True, "disable_tqdm": True, "logging_steps": 1, "seed": 0,
        "dataloader_pin_memory": False, **arguments,
    }  # fmt: skip
    return SentenceTransformerTrainer(
        model=model, args=SentenceTransformerTrainingArguments(**given),
        train_dataset=Dataset.from_dict(rows), loss=MultipleNegativesRankingLoss(model),
        evaluator=evaluator, callbacks=list(callbacks),
    )  # fmt: skip


def test_a_real_training_is_evaluated_step_by_step(model, question, tmp_path):
    """Two steps: a run each, with its own fingerprint; the trainer logs the metrics and chooses the best."""
    from transformers import EarlyStoppingCallback

    evaluator = GridEvaluator(
        question,
        name="grid",
        primary=PRIMARY,
        gate=StepGate("first"),
        log=[f"jsonl:{tmp_path / 'own.jsonl'}"],
    )
    trainer = trainer_for(
        model, tmp_path, evaluator, [EarlyStoppingCallback(early_stopping_patience=5)],
        metric_for_best_model=f"eval_{evaluator.primary_metric}", load_best_model_at_end=True,
    )  # fmt: skip
    trainer.train()
    runs = [Run.load(tmp_path / "eval" / f"step-{step}") for step in (1, 2)]
    entries = [run.record.checkpoints[0] for run in runs]
    assert len({entry.fingerprint for entry in entries}) == 2
    assert [entry.label.rpartition("/")[2] for entry in entries] == ["step-1", "step-2"]
    logged = {row["step"]: row for row in trainer.state.log_history if f"eval_grid_{PRIMARY}" in row}
    for step, run in zip((1, 2), runs, strict=True):
        (value,) = [
            cell.outcome.metrics["ndcg@10"].value for cell in run.record.cells if cell.variant == "16/float32"
        ]
        assert logged[step][f"eval_grid_{PRIMARY}"] == value
        assert logged[step]["eval_grid_harbour_16/float32_ndcg@10"] == value
    assert trainer.state.best_metric == max(logged[step][f"eval_grid_{PRIMARY}"] for step in (1, 2))
    assert "eval_grid_gate_exit_code" not in logged[1]
    assert logged[2]["eval_grid_gate_exit_code"] in (0, 1, 3)
    assert (tmp_path / "eval" / "step-2" / "verdict.json").exists()
    for file in (tmp_path / "eval" / "metrics.jsonl", tmp_path / "own.jsonl"):
        assert [json.loads(line)["step"] for line in file.read_text().splitlines()] == [1, 2]
    assert "grid" in (tmp_path / "checkpoint-2" / "README.md").read_text()


def test_a_regression_stops_the_training(model, question, tmp_path):
    """The first step is already worse than the baseline: the second is never trained."""
    baseline = question.ask(model, tmp_path / "baseline")
    better = {
        cell.variant: cell.outcome.model_copy(update={"metrics": {
            "ndcg@10": cell.outcome.metrics["ndcg@10"].model_copy(update={"value": 1.0})}})
        for cell in baseline.record.cells
    }  # fmt: skip
    cells = tuple(cell.model_copy(update={"outcome": better[cell.variant]}) for cell in baseline.record.cells)
    table = baseline.folder / baseline.record.per_query[0].path
    pd.read_parquet(table).assign(**{"ndcg@10": 1.0}).to_parquet(table)
    perfect = Run(baseline.record.model_copy(update={"cells": cells}), baseline.folder)
    evaluator = GridEvaluator(question, gate=StepGate(perfect))
    stop = StopOnRegression(evaluator)
    trainer = trainer_for(model, tmp_path / "out", evaluator, [stop], max_steps=4)
    trainer.train()
    assert trainer.state.global_step == 1
    assert stop.reason.startswith("REGRESSED")


def test_the_weights_in_memory_are_what_is_judged(model, question, tmp_path):
    """Other weights, other fingerprint and other numbers; the same weights again, the same."""
    evaluator = GridEvaluator(question)
    first = evaluator(model, str(tmp_path), steps=1)
    again = evaluator(model, str(tmp_path), steps=2)
    corrupt(model)
    other = evaluator(model, str(tmp_path), steps=3)
    runs = [Run.load(tmp_path / f"step-{step}") for step in (1, 2, 3)]
    prints = [run.record.checkpoints[0].fingerprint for run in runs]
    assert (first, prints[0]) == (again, prints[1])
    assert prints[2] != prints[0]
    assert other != first


def test_it_leaves_the_training_as_it_was(model, question, tmp_path):
    """Training mode, weights and the generator of random numbers are untouched."""
    import torch

    model.train()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    GridEvaluator(question)(model, str(tmp_path), steps=1)
    assert torch.equal(torch.rand(3), expected)
    assert model.training
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_vectors_of_a_step_do_not_stay(model, question, tmp_path, monkeypatch):
    """The user's store does not grow with every step."""
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path / "store"))
    GridEvaluator(question)(model, str(tmp_path / "out"), steps=1)
    assert not (tmp_path / "store").exists()


def test_weights_that_are_nan_are_not_a_zero(model, question, tmp_path):
    """The metrics are NaN, the verdict says so and the training stops."""
    import torch

    evaluator = GridEvaluator(question, gate=StepGate("first"))
    stop = StopOnRegression(evaluator)
    evaluator(model, str(tmp_path), steps=1)
    with torch.no_grad():
        next(model.parameters()).fill_(math.nan)
    flat = evaluator(model, str(tmp_path), steps=2)
    assert math.isnan(flat["mean"])
    assert (flat["failed_cells"], flat["gate_exit_code"]) == (4, 3)
    control = type("Control", (), {"should_training_stop": False})()
    stop.on_evaluate(None, None, control)
    assert control.should_training_stop


def test_patience_counts_in_a_row():
    """A pass between two regressions starts the count again; no verdict is a pass."""

    class Verdict:
        def __init__(self, code):
            self.exit_code, self.headline = code, f"code {code}"

    evaluator = type("Evaluator", (), {"verdict": None})()
    stop, stopped = StopOnRegression(evaluator, patience=2), []
    for code in (None, 1, 0, 1, 3):
        evaluator.verdict = None if code is None else Verdict(code)
        control = type("Control", (), {"should_training_stop": False})()
        stop.on_evaluate(None, None, control)
        stopped.append(control.should_training_stop)
    assert stopped == [False, False, False, False, True]
    assert stop.reason == "code 3"


def test_a_resumed_training_is_judged_against_its_own_first_step(model, question, tmp_path):
    """Runs of earlier steps are found again; those of another question are not."""
    GridEvaluator(question, gate=StepGate("first"))(model, str(tmp_path), steps=1)
    resumed = GridEvaluator(question, gate=StepGate("first"))
    flat = resumed(model, str(tmp_path), steps=2)
    assert flat["gate_exit_code"] == 0
    assert resumed.verdict.baseline.source == str(tmp_path / "step-1")
    assert set(earlier_runs(tmp_path, question)) == {1, 2}
    other = Question(question.tasks, dims=[8], precisions=["float32"])
    assert earlier_runs(tmp_path, other) == {}


def test_after_the_training_it_is_called_final(model, question, tmp_path):
    """Without a step the run is `final`, logged behind the last step."""
    evaluator = GridEvaluator(question)
    evaluator(model, str(tmp_path), steps=7)
    evaluator(model, str(tmp_path))
    assert (tmp_path / "final" / "record.json").exists()
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [7, 8]


def test_an_unknown_primary_metric_is_named(model, question, tmp_path):
    """Its first evaluation says which there are."""
    with pytest.raises(UsageError, match="no metric 'ndcg'"):
        GridEvaluator(question, primary="ndcg")(model, str(tmp_path), steps=1)
