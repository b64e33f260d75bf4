"""Loggers: JSON lines, TensorBoard and wandb, for real and without a network."""

import json
import math
import sys
import time

import pytest

from evalsuite.core.errors import RunFileError, UsageError
from evalsuite.integrations.loggers import JsonLinesLogger, Loggers, open_loggers

VALUES = {"near-miss_256/int8_ndcg@10": 0.75, "mean": 0.5}


def test_json_lines_are_in_order_and_not_doubled(tmp_path):
    """A step logged again replaces its line; NaN is null; a second logger goes on in the same file."""
    file = tmp_path / "logs" / "metrics.jsonl"
    first = JsonLinesLogger(file)
    first.log(10, {"mean": 0.1})
    first.log(20, {"mean": 0.2})
    again = JsonLinesLogger(file)
    again.log(10, {"mean": math.nan})
    again.log(5, VALUES)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines == [{"step": 5, **VALUES}, {"step": 10, "mean": None}, {"step": 20, "mean": 0.2}]


def test_a_file_that_is_no_log_is_left_alone(tmp_path):
    """One message, and the file stays as it was."""
    file = tmp_path / "notes.txt"
    file.write_text("dear diary\n")
    with pytest.raises(RunFileError, match="not a log of steps"):
        JsonLinesLogger(file).log(1, VALUES)
    assert file.read_text() == "dear diary\n"


def test_tensorboard_reads_back_what_was_logged(tmp_path):
    """Event files, read with TensorBoard's own reader."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = open_loggers([f"tensorboard:{tmp_path / 'tb'}"])
    logger.log(3, VALUES)
    logger.log(6, VALUES)
    logger.close()
    events = EventAccumulator(str(tmp_path / "tb"))
    events.Reload()
    found = [(event.step, event.value) for event in events.Scalars("near-miss_256/int8_ndcg@10")]
    assert found == [(3, 0.75), (6, 0.75)]


def test_wandb_keeps_an_offline_run(tmp_path, monkeypatch):
    """The numbers lie in wandb's own file on this machine, read with wandb's own reader."""
    pytest.importorskip("wandb")
    for name, value in (
        ("MODE", "offline"), ("DIR", str(tmp_path)), ("SILENT", "true"), ("CONSOLE", "off"),
        ("DISABLE_GIT", "true"), ("CACHE_DIR", str(tmp_path / "cache")),
        ("CONFIG_DIR", str(tmp_path / "config")), ("DATA_DIR", str(tmp_path / "data")),
    ):  # fmt: skip
        monkeypatch.setenv(f"WANDB_{name}", value)
    logger = open_loggers(["wandb:harbour"])
    logger.log(3, VALUES)
    logger.log(6, VALUES)
    logger.close()
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    # wandb's own process writes the file, a moment after the run is finished.
    rows, end = [], time.monotonic() + 60
    while len(rows) < 2 and time.monotonic() < end:
        time.sleep(0.1)
        rows = list(wandb_rows(file))
    assert [row["evalsuite/step"] for row in rows] == [3, 6]
    assert rows[0]["evalsuite/near-miss_256/int8_ndcg@10"] == 0.75


def wandb_rows(file):
    """The history of a run in wandb's file: a header of 7 bytes, then blocks as LevelDB writes them."""
    from wandb.proto import wandb_internal_pb2

    content, place, parts = file.read_bytes(), 7, b""
    while place + 7 <= len(content):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        if place + 7 + length > len(content):
            return
        parts += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            record = wandb_internal_pb2.Record.FromString(parts)
            parts = b""
            if record.WhichOneof("record_type") == "history":
                items = record.history.item
                yield {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


def test_wandb_uses_the_trainers_run(monkeypatch):
    """A run that is open already is logged to and left open."""

    class Run:
        def __init__(self):
            self.rows, self.finished = [], False

        def define_metric(self, name, step_metric=None):
            pass

        def log(self, row):
            self.rows.append(row)

        def finish(self):
            self.finished = True

    wandb = pytest.importorskip("wandb")
    run = Run()
    monkeypatch.setattr(wandb, "run", run)
    logger = open_loggers(["wandb:harbour"])
    logger.log(3, {"mean": 0.5})
    logger.close()
    assert (run.rows, run.finished) == ([{"evalsuite/step": 3, "evalsuite/mean": 0.5}], False)


def test_missing_extras_and_strange_words_are_one_message(monkeypatch, tmp_path):
    """Each mistake is named, with how to install what is missing."""
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UsageError) as error:
        open_loggers(["wandb:harbour", f"tensorboard:{tmp_path}", "mlflow:x", "wandb:"])
    lines = str(error.value).splitlines()
    assert lines[0] == 'wandb:harbour: wandb is not installed; run: pip install "evalsuite[wandb]"'
    assert 'pip install "evalsuite[tensorboard]"' in lines[1]
    assert lines[2].startswith("--log mlflow:x: not a logger; give one of: jsonl:FILE")
    assert lines[3].startswith("--log wandb:: not a logger")


def test_the_folder_that_wandb_leaves_behind_is_not_wandb(monkeypatch, tmp_path):
    """Python takes any folder for a package; one without a file is not the extra."""
    (tmp_path / "wandb").mkdir()
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(UsageError, match="wandb is not installed"):
        open_loggers(["wandb:harbour"])


def test_loggers_of_your_own_are_taken(tmp_path):
    """Anything with `log` and `close` is a logger."""
    seen = []

    class Own:
        def log(self, step, values):
            seen.append((step, dict(values)))

        def close(self):
            seen.append("closed")

    both = Loggers([open_loggers([Own()]), JsonLinesLogger(tmp_path / "metrics.jsonl")])
    both.log(1, VALUES)
    both.close()
    assert seen == [(1, VALUES), "closed"]
    assert (tmp_path / "metrics.jsonl").exists()
