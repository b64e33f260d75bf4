"""The record: what earlier versions wrote still loads, and no interval is a value."""

import json

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
