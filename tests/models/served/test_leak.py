"""A leaked key is impossible: every file, stream, log and exception of a run is searched for it."""

import logging
import os
import pickle
import subprocess
import sys
import traceback

import pytest

import evalsuite
from evalsuite.core.errors import EvalsuiteError
from evalsuite.models.served.open import open_served
from tests.models.served import server as bad

KEY = "sk-Zq7vX-93hTbLw-Key"
PIECES = [KEY[start : start + 6].encode() for start in range(len(KEY) - 5)]
ECHO = f"Incorrect key {KEY}, known keys end in {KEY[-6:]}"


@pytest.fixture
def _key(monkeypatch):
    monkeypatch.setenv("EVALSUITE_API_KEY", KEY)


def leaks(content):
    """The pieces of the key found in bytes or text."""
    content = content.encode() if isinstance(content, str) else content
    return [piece for piece in PIECES if piece in content]


def leaking_files(folder):
    """Every file below a folder that holds a piece of the key, in its content or its name."""
    return [
        path
        for path in folder.rglob("*")
        if leaks(str(path.relative_to(folder))) or (path.is_file() and leaks(path.read_bytes()))
    ]


def echoing(texts):
    """Refuse some texts for good, and repeat the key while doing so."""
    return bad.status(401, ECHO) if any("harbour" in text for text in texts) else None


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize("always", [lambda _: None, echoing], ids=["well", "refusing"])
def test_no_file_log_or_stream_of_a_run_holds_the_key(
    always, serve, small_tasks, tmp_path, caplog, capfd, monkeypatch
):
    """Record, tables, reports, store and debug logs, of a run that goes well and of one that is refused."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = serve([None, bad.status(500, ECHO), bad.status(429, ECHO)], always=always)
    run = evalsuite.evaluate(
        server.source, small_tasks, dims=[16], out=tmp_path / "run", cache_dir=tmp_path / "cache"
    )
    evalsuite.report(run, tmp_path / "report")
    assert any(header.get("Authorization") == f"Bearer {KEY}" for header in server.headers)
    assert len(list(tmp_path.rglob("*"))) > 10
    assert ("are not shown" in (tmp_path / "run" / "record.json").read_text()) == (always is echoing)
    assert leaking_files(tmp_path) == []
    assert leaks(caplog.text) == []
    assert leaks("".join(capfd.readouterr())) == []


def test_the_command_line_shows_no_key(serve, small_tasks, tmp_path):
    """The same as a process: exit codes, stdout, stderr and files, when it works and when it is refused."""
    # Reports are in the test above.
    environment = {**os.environ, "EVALSUITE_API_KEY": KEY, "EVALSUITE_CACHE": str(tmp_path / "cache")}
    for script, code in (([], 0), ([bad.status(403, ECHO)], 2)):
        server = serve(script)
        words = [
            "run",
            server.source,
            "--tasks",
            str(small_tasks[1]),
            "--dims",
            "16",
            "--no-report",
            "--out",
            str(tmp_path / "run"),
        ]
        done = subprocess.run(
            [sys.executable, "-m", "evalsuite", *words], env=environment, capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert leaks(done.stdout + done.stderr) == []
        assert b"Traceback" not in done.stderr
    assert leaking_files(tmp_path) == []


@pytest.mark.usefixtures("_key")
@pytest.mark.parametrize(
    "behave",
    [bad.status(401, ECHO), bad.status(400, ECHO), bad.status(503, ECHO), bad.drop, bad.half_json,
     bad.changed(lambda _: [{"index": KEY, "embedding": KEY}] * 8), bad.status(307, Location=f"http://{KEY}.h/")],
)  # fmt: skip
def test_no_exception_holds_the_key(behave, serve, quick):
    """Neither the message nor the chain of causes, whatever the server answers."""
    with pytest.raises(EvalsuiteError) as caught:
        open_served(serve(always=lambda _: behave).source, quick)
    assert leaks("".join(traceback.format_exception(caught.value))) == []


@pytest.mark.usefixtures("_key")
def test_no_object_holds_the_key(serve):
    """A checkpoint and its encoder show no key, and have none to show."""
    checkpoint = open_served(serve().source)
    encoder = checkpoint.encoder()
    encoder.encode(["a"], "")
    assert leaks(repr(checkpoint) + repr(vars(encoder)) + repr(vars(encoder._transport))) == []
    assert leaks(pickle.dumps([encoder.address, encoder.options])) == []


def test_the_search_can_fail(tmp_path):
    """A piece of the key in a file's content or name is found."""
    (tmp_path / "a").write_text(f"...{KEY[3:9]}...")
    (tmp_path / f"{KEY}.txt").touch()
    (tmp_path / "clean").write_text("nothing")
    assert len(leaking_files(tmp_path)) == 2
