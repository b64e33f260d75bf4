"""mteb's mock tasks made quick, and mteb's own way with the same fake model."""

import dataclasses

import mteb
from mteb.mocks import MOCK_TASK_REGISTRY
from mteb.models.abs_encoder import AbsEncoder

from evalsuite.models.fake import FakeEncoder, fake_checkpoint
from evalsuite.sweep.replay.model import model_meta
from evalsuite.tasks.mteb import MtebTask
from evalsuite.tasks.mteb.native import suits_native_road

QUICK = {"n_experiments": 3, "n_clusters": 2, "max_documents_per_cluster": 200}
"""Repetitions and samples of mteb's experiments, fewer than usual; the same on both sides of a comparison."""

QUICK_RANKS = (1, 10, 1000)
"""Cut-offs where only mteb ranks, fewer than usual: nAUC takes most of its time, each rank by itself."""


def mock(name):
    """Make a mock task of mteb."""
    task = MOCK_TASK_REGISTRY[name]()
    for attribute, value in QUICK.items():
        if hasattr(task, attribute):
            setattr(task, attribute, value)
    if hasattr(task, "k_values") and not suits_native_road(task):
        task.k_values = QUICK_RANKS
    return task


def every_mock():
    """All text tasks of mteb.mocks, as tasks of ours."""
    return [MtebTask(mock(name)) for name in MOCK_TASK_REGISTRY]


def checkpoint_of(encoder):
    """A checkpoint around an encoder that counts."""
    return dataclasses.replace(fake_checkpoint(encoder.dim), load=lambda: encoder)


class FakeModel(AbsEncoder):
    """The fake encoder as mteb's users would hand it to mteb."""

    def __init__(self, dim=64):
        self.mteb_model_meta = model_meta(fake_checkpoint(dim))
        self.encoder = FakeEncoder(dim)

    def encode(self, inputs, **options):
        return self.encoder.encode([text for batch in inputs for text in batch["text"]], "")


def mteb_scores(task):
    """What mteb itself reports: (split, subset) to its dictionary."""
    result = mteb.evaluate(FakeModel(), task, cache=None, co2_tracker=False, show_progress_bar=False)
    return {
        (split, entry["hf_subset"]): entry
        for split, entries in result.task_results[0].scores.items()
        for entry in entries
    }
