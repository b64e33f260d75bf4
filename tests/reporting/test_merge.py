"""Several runs read as one."""

import csv
import io

import pandas as pd

from evalsuite.reporting.merge import merged_csv, unify
from tests.reporting.made_up import SCIFACT, cells_of, checkpoint_entry, make_run, realistic_run, task_entry


def test_one_run_stays_as_it_is():
    """Nothing is renamed without need."""
    run = realistic_run()
    assert unify([run])[0].record == run.record


def test_labels_that_clash_get_a_number_everywhere():
    """Cells and encodings follow the checkpoint's new label."""
    first, second = unify([realistic_run(), realistic_run()])
    assert [c.label for c in first.record.checkpoints] == ["all-MiniLM-L6-v2"]
    renamed = "all-MiniLM-L6-v2 (2)"
    assert [c.label for c in second.record.checkpoints] == [renamed]
    assert {cell.checkpoint for cell in second.record.cells} == {renamed}
    assert second.record.provenance.encodings[0].checkpoint == renamed


def test_a_record_cut_to_one_checkpoint_forgets_how_others_were_encoded():
    """Encodings of checkpoints that the record no longer holds are left out."""
    run = realistic_run()
    record = run.record.model_copy(update={"checkpoints": (checkpoint_entry("other"),), "cells": ()})
    assert unify([type(run)(record, run.folder)])[0].record.provenance.encodings == ()


def test_tasks_share_a_name_only_if_their_data_is_the_same():
    """The same name with other data is another task; a third run finds its twin."""
    runs = []
    for label, data in (("a", "x"), ("b", "y"), ("c", "y"), ("d", "x")):
        task = task_entry("mine", data=data)
        runs.append(make_run([checkpoint_entry(label)], [task], cells_of(label, task, SCIFACT)))
    names = [run.record.tasks[0].name for run in unify(runs)]
    assert names == ["mine", "mine (2)", "mine (2)", "mine"]


def test_a_task_that_could_not_be_loaded_keeps_its_name():
    """Without a fingerprint there is nothing that contradicts the others."""
    task = task_entry("mine")
    lost = task.model_copy(update={"fingerprint": ""})
    runs = [make_run([checkpoint_entry("a")], [lost], []), make_run([checkpoint_entry("b")], [task], [])]
    assert [run.record.tasks[0].name for run in unify(runs)] == ["mine", "mine"]


def test_the_csv_holds_every_row_of_every_run():
    """One row a cell and metric, under unique labels; the first run's rows are those of its frame."""
    runs = unify([realistic_run(), realistic_run()])
    frame = pd.read_csv(io.StringIO(merged_csv(runs)))
    assert len(frame) == sum(len(run.to_frame()) for run in runs)
    assert set(frame["checkpoint"]) == {"all-MiniLM-L6-v2", "all-MiniLM-L6-v2 (2)"}
    own = runs[0].to_frame()
    half = frame[: len(frame) // 2]
    for column in ("task", "variant", "metric", "main", "value", "lower", "upper", "n", "bytes_per_vector"):
        assert half[column].tolist() == own[column].tolist()
    assert half["reason"].isna().all()


def test_a_failed_cell_has_its_reason_in_the_csv(failing, nasty):
    """Commas, quotes and line breaks in a reason do not break the row; an absent value is empty."""
    for run in (failing, nasty):
        rows = list(csv.DictReader(io.StringIO(merged_csv([run]))))
        failed = [row for row in rows if row["status"] == "failed"]
        assert {row["reason"] for row in failed} == {cell.outcome.reason for cell in run.failures}
        assert {row["value"] for row in failed} == {""}
