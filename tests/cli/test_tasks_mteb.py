"""Promises of `evalsuite tasks list --mteb`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalsuite.cli.app import main


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["tasks", "list", *arguments])
    output = capsys.readouterr()
    return int(caught.value.code or 0), output.out, output.err


def test_the_table_shows_what_a_run_would_cost(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Name, type, language, sizes, time and whether the data is there; a total; how time was estimated."""
    (tmp_path / "SciFact").mkdir()
    code, out, _ = call(capsys, "--mteb", "SciFact", "STS17", "--mteb-data", str(tmp_path))
    assert code == 0
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert " ".join(rows["SciFact"]) == "SciFact Retrieval eng test 5.48 k 7.8 M 3 min local"
    assert rows["STS17"][:4] == ["STS17", "STS", "ara", "+8"]
    assert "total: 2 tasks, " in out
    assert "an estimate from characters, at 100 texts of 500 characters a second" in out


def test_json_has_every_number(capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get numbers, not units; the whole English benchmark is listed with its subsets."""
    code, out, _ = call(capsys, "--mteb", "MTEB(eng, v2)", "--json", "--texts-per-second", "1000")
    assert code == 0
    plan = json.loads(out)
    assert len(plan["tasks"]) == 41
    assert plan["texts_per_second"] == 1000
    assert plan["total_hours"] == pytest.approx(sum(task["hours"] for task in plan["tasks"]))
    (sts17,) = [task for task in plan["tasks"] if task["name"] == "STS17"]
    assert (sts17["languages"], sts17["subsets"], sts17["texts"]) == (["eng"], 1, 500)


def test_a_limit_keeps_the_cheapest_and_names_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    """What does not fit is named with the reason, unknown sizes apart."""
    arguments = ("--mteb", "SciFact", "STS12", "STSBenchmark:train", "--limit-hours", "0.01")
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    assert "total: 1 tasks" in out
    assert "left out, over 0.01 hours: SciFact" in out
    assert "left out, size unknown: STSBenchmark:train" in out


def test_filters_without_names_choose_among_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Types and languages are lists; every row matches both."""
    arguments = ("--mteb", "--mteb-types", "STS,Summarization", "--mteb-languages", "fra", "--json")
    _, out, _ = call(capsys, *arguments)
    tasks = json.loads(out)["tasks"]
    assert {task["type"] for task in tasks} == {"STS", "Summarization"}
    assert all("fra" in task["languages"] for task in tasks)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mteb", "near-miss"), "near-miss: not of MTEB"),
        (("--mteb", "--limit-hours", "0"), "--limit-hours 0: must be above 0"),
        (("--mteb", "--texts-per-second", "-1"), "--texts-per-second -1: must be above 0"),
        (("--mteb", "--mteb-types", "Nope"), "no MTEB type 'Nope'"),
        (("--limit-hours", "1"), "--limit-hours: only together with --mteb"),
        (("STS12",), "NAME: only together with --mteb"),
    ],
)
def test_wrong_usage_is_one_message(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    """Exit code 2, the option and the value, no traceback."""
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
