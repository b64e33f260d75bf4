"""The record: what earlier versions wrote still loads, and no interval is a value."""

import json

import pytest

from evalsuite.core.errors import RunFileError
from evalsuite.core.record import MetricValue, RunRecord, TaskEntry


def test_a_record_from_before_mteb_loads(finished_run):
    """Without the fields that came with MTEB tasks a record reads as it always did."""
    content = json.loads(finished_run.record.to_json())
    del content["official"], content["asked"]["mteb"], content["asked"]["prompts"]
    for task in content["tasks"]:
        for name in ("road", "languages", "parts"):
            del task[name]
    assert RunRecord.from_json(json.dumps(content), where="record.json") == finished_run.record


def test_an_interval_may_be_unknown():
    """A metric without interval goes to JSON and back."""
    value = MetricValue(value=0.5)
    assert MetricValue.model_validate_json(value.model_dump_json()) == value
    assert value.lower is None


def test_a_task_of_mteb_says_its_road_and_parts():
    """Road, language filter and parts of a task survive the way through JSON."""
    entry = TaskEntry(
        name="t", kind="mteb", task_type="STS", split="test", source="mteb", main_metric="cosine_spearman",
        fingerprint="", counts={}, road="native", languages=("eng",),
        parts=({"split": "test", "subset": "en", "languages": ("eng-Latn",), "n": 3},),
    )  # fmt: skip
    assert TaskEntry.model_validate_json(entry.model_dump_json()) == entry
    assert entry.parts[0].n == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content["cells"].append(content["cells"][0]), "is there 2 times"),
        (lambda content: content["tasks"].append(content["tasks"][0]), "task 'harbour' is there 2 times"),
        (lambda content: content["tasks"].pop(0), "cells of a task 'harbour', which is not listed"),
        (lambda content: content["cells"][0].update(checkpoint="b"), "cells of a checkpoint 'b'"),
        (lambda content: content.update(hello=1), "hello: Extra inputs are not permitted"),
    ],
)
def test_a_record_that_contradicts_itself_is_not_read(finished_run, change, words):
    """Said twice, or of nothing that is listed: a reader would have to guess, and a gate might guess well."""
    content = json.loads(finished_run.record.to_json())
    change(content)
    with pytest.raises(RunFileError, match=f"damaged run record; evaluate again:\n  - .*{words}"):
        RunRecord.from_json(json.dumps(content), where="record.json")
