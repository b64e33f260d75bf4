"""Training: deterministic, resumable after a kill, stopped by NaN, and its checkpoints load everywhere."""

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

import evalsuite
from evalsuite.ablation.frozen import open_over_base
from evalsuite.ablation.recipe import RecipeError, check_recipe
from evalsuite.ablation.state import TrainingError, load_state
from evalsuite.ablation.train import train
from evalsuite.core.errors import StorageError, UsageError
from evalsuite.models.opening import open_checkpoint
from tests.ablation.conftest import made_up_pairs, write_pairs


def weights(arm):
    return [
        load_file(file)["linear.weight"].numpy()
        for file in sorted(Path(arm.folder).glob("[45]_Dense/*.safetensors"))
    ]


def test_one_checkpoint_an_arm_and_seed(recipe, store, tmp_path):
    """Every arm and seed is a folder that sentence-transformers and evalsuite open, with dims and a card."""
    arms = train(recipe.model_copy(update={"seeds": [0, 1]}), tmp_path, store=store)
    assert [(arm.arm, arm.seed) for arm in arms] == [("without", 0), ("without", 1), ("with", 0), ("with", 1)]
    for arm in arms:
        model = SentenceTransformer(arm.folder, device="cpu")
        assert [type(module).__name__ for module in model] == [
            "Transformer", "Pooling", "Dense", "Dense", "Dense", "Dense", "Normalize",
        ]  # fmt: skip
        opened = open_checkpoint(arm.folder)
        assert (opened.dim, opened.matryoshka_dims, opened.warnings) == (16, (16, 8), ())
        assert f"seed {arm.seed}" in (Path(arm.folder) / "README.md").read_text(encoding="utf-8")
    assert not list((tmp_path / "states").iterdir())
    assert arms[2].history[-1]["step"] == 6
    assert set(arms[2].history[-1]) == {"step", "nce", "gor", "distillation"}


def test_the_same_recipe_gives_the_same_weights(recipe, store, tmp_path):
    """Bit for bit, and another seed gives others."""
    first, second = (train(recipe, tmp_path / name, store=store)[1] for name in ("a", "b"))
    other = train(recipe.model_copy(update={"seeds": [1]}), tmp_path / "c", store=store)[1]
    assert all((one == two).all() for one, two in zip(weights(first), weights(second), strict=True))
    assert any((one != two).any() for one, two in zip(weights(first), weights(other), strict=True))


def test_a_finished_arm_is_not_trained_again(recipe, store, tmp_path):
    """The folder is kept as it is; a recipe that adds a seed trains that seed only."""
    (first, _) = train(recipe, tmp_path, store=store)
    before = (Path(first.folder) / "modules.json").stat().st_mtime_ns
    again = train(recipe.model_copy(update={"seeds": [0, 1]}), tmp_path, store=store)
    assert again[0] == first
    assert (Path(first.folder) / "modules.json").stat().st_mtime_ns == before


def test_another_recipe_does_not_overwrite(recipe, store, tmp_path):
    """Checkpoints of other steps in the folder stop the training before it begins."""
    train(recipe, tmp_path, store=store)
    with pytest.raises(UsageError, match="trained by another recipe"):
        train(recipe.model_copy(update={"steps": 7}), tmp_path, store=store)


def test_many_heads_share_the_bases_weights(recipe, store, tmp_path, base):
    """The second checkpoint links to the first one's copy of the base, never to the base itself."""
    first, second = (Path(arm.folder) for arm in train(recipe, tmp_path, store=store))
    assert (first / "model.safetensors").samefile(second / "model.safetensors")
    assert not (first / "model.safetensors").samefile(base / "model.safetensors")


def test_gor_spreads(raw, store, tmp_path):
    """After more steps the arm with GOR has a lower second moment than the arm without."""
    arms = train(check_recipe({**raw, "steps": 60}, where=""), tmp_path, store=store)
    moments = []
    for arm in arms:
        vectors = SentenceTransformer(arm.folder, device="cpu").encode([pair[1] for pair in made_up_pairs()])
        gram = (vectors @ vectors.T) ** 2
        moments.append((gram.sum() - np.trace(gram)) / (48 * 47))
    assert moments[1] < 0.8 * moments[0]


def test_frozen_vectors_are_the_pipelines(recipe, store, tmp_path, base):
    """Evaluating a head over stored vectors of the base gives what the whole checkpoint gives."""
    arm = train(recipe, tmp_path, store=store)[1]
    texts = ["the anchor of the mast", "a gull"]
    whole = SentenceTransformer(arm.folder, device="cpu").encode(texts, prompt="query: ")
    opened = open_over_base(Path(arm.folder), open_checkpoint(str(base)), store)
    np.testing.assert_allclose(opened.encoder().encode(texts, "query: "), whole, atol=1e-6)
    assert opened.fingerprint == open_checkpoint(arm.folder).fingerprint


def test_a_sweep_runs_on_trained_arms(recipe, store, tmp_path, base, small_tasks):
    """All arms go through one run, encoded once by the base."""
    arms = train(recipe, tmp_path / "arms", store=store)
    opened = [open_over_base(Path(arm.folder), open_checkpoint(str(base)), store) for arm in arms]
    run = evalsuite.evaluate(opened, small_tasks, precisions=["float32", "binary"], out=tmp_path / "run")
    assert [entry.label for entry in run.record.checkpoints] == ["without-seed-0", "with-seed-0"]
    assert not run.failures


def test_full_training_changes_the_encoder(raw, store, tmp_path, base):
    """Everything is trained, and the result is deterministic although dropout and batches are random."""
    recipe = check_recipe(
        {**raw, "kind": "full", "steps": 3, "arms": {"a": {"nce": 1.0, "gor": 1.0}}}, where=""
    )
    first, second = (train(recipe, tmp_path / name, store=store)[0] for name in ("a", "b"))
    states = [
        SentenceTransformer(str(each), device="cpu").state_dict()
        for each in (base, first.folder, second.folder)
    ]
    assert all(torch.equal(states[1][name], states[2][name]) for name in states[1])
    assert all(not torch.equal(states[0][name], states[1][name]) for name in states[0] if "embed" in name)


def test_full_training_can_add_a_head_and_distil(raw, store, tmp_path):
    """A hidden width puts EmbeddingGemma's head behind any base."""
    arms = {"a": {"nce": 1.0, "distillation": 1.0}}
    recipe = check_recipe({**raw, "kind": "full", "steps": 2, "hidden": 24, "arms": arms}, where="")
    model = SentenceTransformer(train(recipe, tmp_path, store=store)[0].folder, device="cpu")
    assert [type(module).__name__ for module in model][-3:] == ["Dense", "Dense", "Normalize"]
    assert model[-3].out_features == 24


def test_hard_negatives_are_used(raw, store, tmp_path):
    """A third column changes what is learned."""
    rows = [(*pair, f"unrelated {number}") for number, pair in enumerate(made_up_pairs())]
    other = write_pairs(tmp_path / "n.tsv", rows, "anchor\tpositive\tnegative")
    arms = [
        train(check_recipe({**raw, "data": [{"path": path}]}, where=""), tmp_path / name, store=store)[0]
        for name, path in (("plain", raw["data"][0]["path"]), ("hard", str(other)))
    ]
    assert arms[1].history[0]["nce"] > arms[0].history[0]["nce"]


def test_a_teacher_of_another_width_needs_a_projection(raw, store, tmp_path):
    """The message says what to set; with it, training runs."""
    from evalsuite.models.build import build_embeddinggemma

    wide = build_embeddinggemma(tmp_path / "wide", hidden=24, layers=1, heads=1, head_dim=16)
    raw["teacher"] = str(wide)
    with pytest.raises(RecipeError, match="24 wide and the student's 16; set projection = true"):
        train(check_recipe(raw, where=""), tmp_path / "out", store=store)
    assert train(check_recipe({**raw, "projection": True}, where=""), tmp_path / "out", store=store)


def test_dims_are_checked_against_the_base(raw, store, tmp_path):
    """Too wide and full width missing come together."""
    with pytest.raises(RecipeError) as error:
        train(check_recipe({**raw, "dims": [32, 8]}, where="r"), tmp_path, store=store)
    assert "[32] exceed the base's width 16" in str(error.value)
    assert "the full width 16 is missing" in str(error.value)


def test_a_nan_stops_and_the_last_good_state_is_kept(raw, store, tmp_path):
    """A learning rate that explodes names the step; the state before it is finite and still there."""
    raw |= {"learning_rate": 1e30, "steps": 40, "save_every": 1}
    with pytest.raises(TrainingError, match=r"step \d+.*(not finite|NaN or infinity)"):
        train(check_recipe(raw, where=""), tmp_path, store=store)
    (state,) = (tmp_path / "states").glob("without-*")
    assert all(torch.isfinite(tensor).all() for tensor in load_file(state).values())


KILLED = """
    import os, signal, sys
    from evalsuite.ablation import state, trainer
    from evalsuite.ablation.recipe import check_recipe
    from evalsuite.ablation.train import train
    from evalsuite.embeddings.store import EmbeddingStore
    from pathlib import Path
    import json
    save = trainer.save_state
    def save_and_die(path, what):
        save(path, what)
        if what.step == 4:
            os.kill(os.getpid(), signal.SIGKILL)
    trainer.save_state = save_and_die
    raw, out, store = json.loads(sys.argv[1]), Path(sys.argv[2]), EmbeddingStore(Path(sys.argv[3]))
    train(check_recipe(raw, where=""), out, store=store)
"""


def test_a_killed_training_goes_on_bit_for_bit(raw, store, tmp_path):
    """kill -9 after step 4, then the same call: the weights are those of a training never killed."""
    whole = train(check_recipe(raw, where=""), tmp_path / "whole", store=store)
    asked = [json.dumps(raw), str(tmp_path / "killed"), str(store.root)]
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), *asked], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "without-seed-0").exists()
    resumed = train(check_recipe(raw, where=""), tmp_path / "killed", store=store)
    for one, two in zip(whole, resumed, strict=True):
        assert all((a == b).all() for a, b in zip(weights(one), weights(two), strict=True))
        assert one.history == two.history


def test_a_damaged_state_says_what_to_do(tmp_path):
    """A broken file is one message, not a traceback."""
    file = tmp_path / "state.safetensors"
    file.write_bytes(b"not safetensors")
    with pytest.raises(StorageError, match="delete it to train this arm anew"):
        load_state(file, "identity")
