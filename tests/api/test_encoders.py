"""How models encode in a run: what is refused before anything is loaded."""

import pytest
from safetensors.numpy import load_file, save_file

import evalsuite
from evalsuite.api import encoders
from evalsuite.api.encoders import check_workers
from evalsuite.core.errors import UsageError
from evalsuite.core.progress import Silent
from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS


def test_more_workers_than_a_machine_can_start_are_refused(monkeypatch):
    """Thousands of processes that load a model would stop the machine; a cluster may have them."""
    monkeypatch.setattr(encoders, "usable_cores", lambda: 2)
    check_workers(8, "local")
    check_workers("auto", "local")
    check_workers(5000, "ray")
    with pytest.raises(UsageError, match=r"5000 workers on 2 processors.*auto or at most 8"):
        check_workers(5000, "local")


@pytest.mark.parametrize("workers", [0, -3, "many"])
def test_what_is_no_number_of_workers_is_refused(workers):
    """The message says what may be given."""
    with pytest.raises(UsageError, match=r"give auto or a whole number from 1"):
        check_workers(workers, "local")


class Notes(Silent):
    """Keeps what a person is told."""

    def __init__(self):
        self.notes = []

    def note(self, message):
        """See `Progress.note`."""
        self.notes.append(message)


def test_a_road_that_cannot_be_taken_is_told(small_tasks, tmp_path):
    """A model that cannot be loaded cannot be measured: a note says so, and every cell has failed."""
    model = build_embeddinggemma(tmp_path / "sick", corpus=WORDS, hidden=16, dense=32, layers=1, heads=1)
    weights = load_file(model / "model.safetensors")
    save_file({name: each[:-1].copy() for name, each in weights.items()}, model / "model.safetensors")
    notes = Notes()
    run = evalsuite.evaluate(
        model, small_tasks[0], 16, "float32", tmp_path / "run",
        workers="auto", cache_dir=tmp_path / "store", device="cpu", progress=notes,
    )  # fmt: skip
    assert len(run.failures) == len(run.record.cells) == 1
    assert [note for note in notes.notes if note.startswith("sick: this process encodes, as by default: ")]
