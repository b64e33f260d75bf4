"""The real command line, as a process: exit codes, messages, machine-readable output, a kill -9."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import evalsuite
from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS, write_beir


def start(*words, cache):
    environment = {**os.environ, "EVALSUITE_CACHE": str(cache), "COLUMNS": "100"}
    command = [sys.executable, "-m", "evalsuite", *map(str, words)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def run(*words, cache):
    process = start(*words, cache=cache)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small random EmbeddingGemma."""
    return build_embeddinggemma(tmp_path_factory.mktemp("model") / "tiny-gemma", corpus=WORDS)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_run_prints_a_table_and_writes_everything(model, small_tasks, tmp_path, cache):
    """One command: exit code 0, a table on stdout, the record, tables, figures and the page on disk."""
    code, out, err = run(
        "run", model, "--tasks", *small_tasks, "--dims", "64,16", "--precisions", "float32,binary",
        "--out", tmp_path / "out", cache=cache,
    )  # fmt: skip
    assert code == 0, err
    assert "harbour" in out
    assert "pairs" in out
    assert "encoding with tiny-gemma: 72 to do" in err.splitlines()[0]
    for name in ("record.json", "report.html", "report.md", "results.csv"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    assert evalsuite.load_run(tmp_path / "out").record.provenance.command.startswith("evalsuite run ")


def test_json_is_json(model, small_tasks, tmp_path, cache):
    """`--json` prints one JSON value to stdout, and `--quiet` silences stderr."""
    code, out, err = run(
        "run", model, "--tasks", small_tasks[0], "--dims", "32", "--quiet", "--json", "--no-report",
        "--out", tmp_path / "out", cache=cache,
    )  # fmt: skip
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert {(32, p) for p in ("float32", "float16", "int8", "binary")} == {
        (cell["dim"], cell["precision"]) for cell in answer["cells"]
    }
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dims", "4096"], "4096 is larger than tiny-gemma's 64"),
        (["--precisions", "int3"], "unknown precision 'int3'"),
        (["--tasks", "nope"], "nope"),
        (["--dtype", "float16"], "float16 overflows"),
        (["--dims", "abc"], "not whole numbers"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(model, words, message, tmp_path, cache):
    """What a user can fix is one message without a traceback, and nothing is written."""
    code, out, err = run("run", model, *words, "--out", tmp_path / "out", cache=cache)
    assert (code, out) == (2, "")
    assert message in err.replace("\n", " ")
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_failed_cell_is_exit_code_1(small_tasks, tmp_path, cache):
    """A model whose weights hold a NaN: every cell is there, failed, with its reason."""
    from safetensors.numpy import load_file, save_file

    broken = build_embeddinggemma(tmp_path / "broken", corpus=WORDS)
    weights = load_file(broken / "2_Dense" / "model.safetensors")
    weights["linear.weight"][0, 0] = np.nan
    save_file(weights, broken / "2_Dense" / "model.safetensors")
    code, out, err = run(
        "run", broken, "--tasks", small_tasks[0], "--dims", "64", "--out", tmp_path / "out", cache=cache
    )
    assert code == 1, err
    assert "failed" in out
    frame = evalsuite.load_run(tmp_path / "out").to_frame()
    assert len(frame) == 4
    assert frame["reason"].str.contains("NaN").all()


def test_tasks_check_lists_every_mistake(tmp_path, cache):
    """`tasks check` names file and line of each mistake and exits with 1."""
    folder = write_beir(tmp_path / "bad", {"a": "x"}, {"q": "y"}, {"q": {"a": 1}})
    (folder / "corpus.jsonl").write_text('{"_id": "a"}\nnot json\n')
    code, out, _ = run("tasks", "check", folder, cache=cache)
    assert code == 1
    assert "corpus.jsonl:1" in out
    assert "corpus.jsonl:2" in out


def test_inspect_describes_the_pipeline(model, cache):
    """`inspect` shows modules, prompts and attention; `--json` gives the same to machines."""
    code, out, err = run("inspect", model, cache=cache)
    assert code == 0, err
    for part in (
        "Transformer",
        "Pooling",
        "Dense",
        "Normalize",
        "bidirectional (probed)",
        "task: search result",
    ):
        assert part in out
    code, out, _ = run("inspect", model, "--json", cache=cache)
    assert json.loads(out)["bidirectional"] is True


def test_cache_commands(model, small_tasks, tmp_path, cache):
    """`cache list`, `verify` and `prune` see what a run stored, and damage is exit code 1."""
    run(
        "run",
        model,
        "--tasks",
        small_tasks[1],
        "--dims",
        "64",
        "--no-report",
        "--out",
        tmp_path / "o",
        cache=cache,
    )
    assert "tiny-gemma" in run("cache", "list", cache=cache)[1]
    assert run("cache", "verify", cache=cache)[0] == 0
    shard = next(cache.rglob("*.npy"))
    shard.write_bytes(shard.read_bytes()[:-4] + b"oops")
    code, out, _ = run("cache", "verify", cache=cache)
    assert (code, "1 damaged" in out) == (1, True)
    assert run("cache", "prune", cache=cache)[0] == 2
    assert run("cache", "prune", "tiny", cache=cache)[0] == 0
    assert "0 checkpoints" in run("cache", "list", cache=cache)[1]


def test_usage_mistakes_of_the_command_line_itself(cache):
    """An unknown command and a missing model are exit code 2, without a traceback."""
    for words in (["bogus"], ["run"], ["run", "m", "--nope"]):
        code, _, err = run(*words, cache=cache)
        assert code == 2
        assert "Traceback" not in err


LONG = 2600
"""Documents of three shards, with 16 queries."""


@pytest.fixture(scope="module")
def long_task(tmp_path_factory):
    """A corpus that takes the small model several shards."""
    documents = {
        f"d{i:05d}": " ".join(WORDS[(i * k + i // 16) % 16] for k in range(1, 20)) + f" {i}"
        for i in range(LONG)
    }
    queries = {f"q{i}": f"{WORDS[i]} {i * 150}" for i in range(16)}
    qrels = {f"q{i}": {f"d{i * 150:05d}": 1} for i in range(16)}
    return write_beir(tmp_path_factory.mktemp("long") / "long", documents, queries, qrels)


def committed_shards(cache):
    """The index files that commit shards."""
    return [file for file in cache.rglob("*.json") if file.name != "space.json"]


def committed_texts(cache):
    """Texts in committed shards."""
    return sum(len(json.loads(file.read_text())["keys"]) for file in committed_shards(cache))


def wait_for_shards(process, cache, count):
    """Wait until a run has committed so many shards."""
    deadline = time.monotonic() + 120
    while len(committed_shards(cache)) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def test_kill_and_repeat_gives_the_same_numbers(model, long_task, tmp_path, cache):
    """`kill -9` while encoding: repeated, it encodes only what is missing and ends with the same numbers."""
    words = [
        "run",
        model,
        "--tasks",
        long_task,
        "--dims",
        "64,16",
        "--batch-size",
        "16",
        "--no-report",
        "--quiet",
    ]
    process = start(*words, "--out", tmp_path / "killed", cache=cache)
    after = int(np.random.default_rng().integers(1, 3))
    wait_for_shards(process, cache, after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    assert not (tmp_path / "killed" / "record.json").exists()
    kept = committed_texts(cache)
    assert 0 < kept < LONG + 16

    code, _, err = run(*words, "--out", tmp_path / "killed", cache=cache)
    assert code == 0, err
    resumed = evalsuite.load_run(tmp_path / "killed")
    assert resumed.record.provenance.encodings[0].encoded == LONG + 16 - kept

    whole = evalsuite.evaluate(
        model, long_task, [64, 16], out=tmp_path / "whole", batch_size=16, cache_dir=tmp_path / "other-cache"
    )
    assert whole.record.provenance.encodings[0].encoded == LONG + 16
    columns = ["task", "variant", "metric", "value", "lower", "upper", "expected", "ties_won", "ties_lost"]
    assert resumed.to_frame()[columns].equals(whole.to_frame()[columns])


def test_ctrl_c_says_that_nothing_is_lost(model, long_task, tmp_path, cache):
    """SIGINT while encoding: exit code 130, one message, finished shards kept, no traceback."""
    words = ["run", model, "--tasks", long_task, "--batch-size", "16", "--no-report", "--out", tmp_path / "o"]
    process = start(*words, cache=cache)
    wait_for_shards(process, cache, 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "finished shards are kept" in err
    assert "Traceback" not in err
    assert committed_texts(cache) > 0
    assert not (tmp_path / "o" / "record.json").exists()
