"""Rules beside margins: required cells, retention, spread, bytes, speed."""

from types import SimpleNamespace

import pytest

from evalsuite.core.record import Encoding, Scored
from evalsuite.core.run import Run
from evalsuite.gate.judge import judge
from evalsuite.gate.policy_file import parse_policy
from evalsuite.gate.spread_rules import judge_spread
from tests.gate.made_up import make_run, retrieval, similarity


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run"), retrieval(n=400), similarity())


def findings(text, baseline, candidate, subject):
    policy = parse_policy("resamples = 1000\n" + text, where="gate.toml")
    verdict = judge(baseline, candidate, policy)
    return [finding for finding in verdict.findings if finding.subject == subject], verdict


@pytest.mark.parametrize(
    ("rule", "status", "words"),
    [
        ('task = "scifact"\ndim = 768', "passed", "2 cells scored"),
        ('task = "scifakt"', "missing", "no such cell"),
        ('precision = "int4"', "missing", "no such cell"),
        ('task = "scifact"\nmetric = "recall@*"', "passed", "4 cells scored"),
        ('task = "scifact"\nmetric = "map@10"', "missing", "not scored: scifact · 768/float32"),
    ],
)
def test_required_cells(run, rule, status, words):
    """A cell that must be there and is not keeps the comparison from passing."""
    (found,), verdict = findings(f"[[required]]\n{rule}", run, run, "required")
    assert found.status == status
    assert words in found.reason
    assert verdict.exit_code == (0 if status == "passed" else 3)


@pytest.mark.parametrize(("floor", "status", "code"), [(0.5, "passed", 0), (0.99, "regressed", 1)])
def test_retention_floors(run, floor, status, code):
    """Binary keeps about 85 % of float32: above one half for sure, below 99 % for sure."""
    rule = f'[[retention]]\ntask = "scifact"\nprecision = "binary"\nfloor = {floor}'
    (found,), verdict = findings(rule, run, run, "retention")
    assert (found.status, verdict.exit_code) == (status, code)
    assert found.candidate < found.baseline
    assert "of 128/float32" in found.reason


def test_a_floor_inside_the_interval_is_inconclusive(run):
    """A floor at the measured ratio can neither be kept nor missed."""
    (found,), _ = findings(
        '[[retention]]\ntask = "scifact"\nprecision = "binary"\nfloor = 0.5', run, run, "retention"
    )
    ratio = found.candidate / found.baseline
    rule = f'[[retention]]\ntask = "scifact"\nprecision = "binary"\nfloor = {ratio + 1e-4}'
    (found,), verdict = findings(rule, run, run, "retention")
    assert (found.status, verdict.exit_code) == ("inconclusive", 3)


def test_retention_of_a_named_variant_and_of_correlations(run):
    """The reference may be a variant; pairs are resampled as pairs."""
    rule = '[[retention]]\nprecision = "binary"\nof = "768/float32"\nfloor = 0.3'
    found, _ = findings(rule, run, run, "retention")
    assert {(f.task, f.status) for f in found} == {("scifact", "passed"), ("stsb", "passed")}


def test_a_reference_that_is_not_there_is_missing(run):
    """Retention of what was not evaluated cannot pass."""
    found, verdict = findings(
        '[[retention]]\nprecision = "binary"\nof = "768/float16"\nfloor = 0.3', run, run, "retention"
    )
    assert {f.status for f in found} == {"missing"}
    assert verdict.exit_code == 3


def test_every_combination_that_a_required_rule_lists_is_required(run):
    """Two dimensions times two precisions are four requirements; the one that is not there is named."""
    rule = '[[required]]\ndim = [768, 128]\nprecision = ["float32", "int8"]'
    found, verdict = findings(rule, run, run, "required")
    assert {f.variant: f.status for f in found} == {
        "dim 768, precision float32": "passed",
        "dim 768, precision int8": "passed",
        "dim 128, precision float32": "passed",
        "dim 128, precision int8": "missing",
    }
    assert verdict.exit_code == 3


@pytest.mark.parametrize(("table", "key"), [("retention", "floor = 0.9"), ("bytes", "max_ratio = 1")])
def test_a_limit_that_nothing_is_held_to_is_missing(run, table, key):
    """A floor for a precision that nobody evaluated is not kept, and the finding says what was asked."""
    (found,), verdict = findings(f'[[{table}]]\nprecision = "int4"\n{key}', run, run, table)
    assert (found.status, verdict.exit_code) == ("missing", 3)
    assert (found.task, found.variant) == (f"[[{table}]] number 1", "precision int4")
    lenient = f'[[{table}]]\nprecision = "int4"\nseverity = "warn"\n{key}'
    assert findings(lenient, run, run, table)[1].exit_code == 0


def larger(run, factor):
    """The same run with larger vectors."""
    cells = tuple(
        cell.model_copy(update={"outcome": cell.outcome.model_copy(
            update={"bytes_per_vector": cell.outcome.bytes_per_vector * factor})})
        if isinstance(cell.outcome, Scored) else cell
        for cell in run.record.cells
    )  # fmt: skip
    return Run(run.record.model_copy(update={"cells": cells}), run.folder)


def test_bytes(run):
    """Vectors a quarter larger break a limit of 1.2 at every cell, and keep one of 1.25."""
    found, verdict = findings("[[bytes]]\nmax_ratio = 1.2", run, larger(run, 1.25), "bytes")
    assert len(found) == 8
    assert verdict.exit_code == 1
    assert findings("[[bytes]]\nmax_ratio = 1.25", run, larger(run, 1.25), "bytes")[1].exit_code == 0


@pytest.mark.parametrize(
    ("seconds", "encoded", "code"), [(14.0, 100, 0), (16.0, 100, 1), (0.0, 0, 3), (7.0, 50, 0)]
)
def test_speed(run, tmp_path, seconds, encoded, code):
    """Seconds a text against 0.1: 1.5 times is allowed; a run that encoded nothing cannot be judged."""
    encodings = (Encoding(checkpoint="model", texts=100, encoded=encoded, seconds=seconds),)
    slower = make_run(tmp_path, retrieval(n=400), similarity(), encodings=encodings)
    assert findings("[[speed]]\nmax_ratio = 1.5", run, slower, "speed")[1].exit_code == code


def with_spread(values):
    """A side that measured a statistic: (task, side, dim) -> value."""
    entries = [
        SimpleNamespace(checkpoint="m", task=task, side=side, dim=dim,
                        values={"second_moment_x_dim": SimpleNamespace(value=value)})
        for (task, side, dim), value in values.items()
    ]  # fmt: skip
    record = SimpleNamespace(spread=entries)
    return SimpleNamespace(run=SimpleNamespace(record=record), entry=SimpleNamespace(label="m"))


@pytest.mark.parametrize(
    ("limit", "before", "after", "status"),
    [
        ("max_rise = 0.1", 1.2, 1.31, "passed"),
        ("max_rise = 0.1", 1.2, 1.33, "regressed"),
        ("max_fall = 0.1", 1.2, 1.0, "regressed"),
        ("max = 1.5", None, 1.6, "regressed"),
        ("min = 1.5", 1.2, 1.6, "passed"),
        ("max_rise = 0.1", None, 1.2, "incomparable"),
        ("max_rise = 0.1", 1.2, None, "missing"),
    ],
)
def test_spread(limit, before, after, status):
    """A statistic is compared with its limits; what was not measured never passes."""
    policy = parse_policy(f'[[spread]]\nstatistic = "M2*d"\ndim = 256\n{limit}', where="gate.toml")
    key, other = ("scifact", "document", 256), ("scifact", "document", 128)
    parties = tuple(
        with_spread({other: 9.0, **({} if value is None else {key: value})}) for value in (before, after)
    )
    (found,) = judge_spread(policy.spread[0], parties, policy)
    assert found.status == status


def test_spread_that_nobody_measured_is_missing(run):
    """A rule on spread without spread in either run keeps the comparison from passing."""
    rule = '[[spread]]\nstatistic = "M2*d"\nmax_rise = 0.1'
    (found,), verdict = findings(rule, run, run, "spread")
    assert (found.status, verdict.exit_code) == ("missing", 3)
