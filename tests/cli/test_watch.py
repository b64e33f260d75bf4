"""`evalsuite watch` as a process: what it prints, its exit codes, and Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return build_embeddinggemma(folder, corpus=WORDS, hidden=16, dense=32, layers=1, heads=1, head_dim=16)


@pytest.fixture
def training(model, tmp_path):
    """Two checkpoints that are whole, and one that is being written."""
    folder = tmp_path / "training"
    for step in (10, 20, 30):
        copy = shutil.copytree(model, folder / f"checkpoint-{step}")
        if step < 30:
            (copy / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return folder


def words(training, small_tasks, *more):
    given = ["watch", training, "--tasks", small_tasks[0], "--dims", "16,8", "--precisions", "float32"]
    return [sys.executable, "-m", "evalsuite", *map(str, given), "--settle", "0", "--quiet", *map(str, more)]


def test_once_evaluates_what_is_whole_and_names_the_rest(training, small_tasks, tmp_path):
    """Exit code 0, a line a checkpoint with the verdict, a warning for the one that is not whole."""
    (tmp_path / "gate.toml").write_text("[[margin]]\nabsolute = 0.01\n")
    more = "--policy", tmp_path / "gate.toml", "--log", f"jsonl:{tmp_path / 'log.jsonl'}", "--once"
    done = subprocess.run(
        words(training, small_tasks, *more), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("checkpoint-10: step 10, mean ")
    assert "checkpoint-20: step 20, mean " in lines[1]
    assert "PASSED: " in lines[1]
    assert lines[2] == f"results: {training / 'evalsuite'}"
    assert "checkpoint-30: not evaluated, not complete: " in done.stderr
    assert "trainer_state.json" in done.stderr
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 2
    (tmp_path / "gate.toml").write_text("[[required]]\ndim = 9999\n")
    again = subprocess.run(
        words(training, small_tasks, *more), capture_output=True, text=True, check=False, timeout=300
    )
    assert again.returncode == 1, "what an earlier watch found counts"
    assert again.stdout.startswith("checkpoint-20: step 20, mean ")


def test_ctrl_c_ends_it_and_nothing_is_lost(training, small_tasks):
    """Stopped while it waits: exit code 130, one message, and what was evaluated is remembered."""
    process = subprocess.Popen(
        words(training, small_tasks, "--every", "600"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    memory, end = training / "evalsuite" / "watch.json", time.monotonic() + 240
    while time.monotonic() < end and not (memory.exists() and "checkpoint-20" in memory.read_text()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert set(json.loads(memory.read_text())["checkpoints"]) == {"checkpoint-10", "checkpoint-20"}


def test_mistakes_exit_with_2(small_tasks, tmp_path):
    """No such folder: one message."""
    done = subprocess.run(
        words(tmp_path / "nowhere", small_tasks, "--once"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nowhere: no such folder" in done.stderr
    assert "Traceback" not in done.stderr
