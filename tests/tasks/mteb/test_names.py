"""Promises of MTEB's names: tasks, benchmarks, filters, and what is said of those that cannot be used."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import mteb
import pytest
from mteb.abstasks import AbsTask
from mteb.mocks.mock_tasks import MockSTSTask

from evalsuite.core.errors import UsageError
from evalsuite.tasks.catalogue import resolve
from evalsuite.tasks.check import check
from evalsuite.tasks.mteb import MtebOptions, MtebRef, MtebTask, names
from tests.tasks.mteb.conftest import write_retrieval


def refs(*names: str, **options: object) -> list[MtebRef]:
    found = resolve(names, MtebOptions(**options))  # type: ignore[arg-type]
    assert all(isinstance(ref, MtebRef) for ref in found)
    return [ref for ref in found if isinstance(ref, MtebRef)]


def test_a_task_by_its_name_is_light() -> None:
    """A name gives one task with its metadata; nothing is loaded."""
    (ref,) = refs("STSBenchmark")
    task = ref.load()
    assert isinstance(task, MtebTask)
    assert (task.name, task.task_name, task.task_type, task.main_metric) == (
        "STSBenchmark",
        "STSBenchmark",
        "STS",
        "cosine_spearman",
    )
    assert (task.split, task.kind, task.languages, task.is_loaded) == ("test", "mteb", (), False)
    assert task.source == f"mteb {mteb.__version__}: mteb/stsbenchmark-sts@{ref.abstask.metadata.revision}"
    assert task.has_native_road
    assert "mteb has replaced this task by STSBenchmark.v2" in task.warnings


def test_task_objects_stand_for_themselves() -> None:
    """Objects of mteb's keep the subsets they were made with; a name and its object are one task."""
    made = mteb.get_task("STS22.v2", languages=["deu"])
    found = resolve(["STSBenchmark", mteb.get_task("STSBenchmark"), made, MockSTSTask()])
    assert [ref.name for ref in found] == ["STSBenchmark", "STS22.v2", "MockSTSTask"]
    task = found[1].load()
    assert isinstance(task, MtebTask)
    assert task.abstask.hf_subsets == list(made.hf_subsets)
    assert 0 < len(task.abstask.hf_subsets) < len(mteb.get_task("STS22.v2").hf_subsets)


def test_a_missing_folder_of_data_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tasks were to be looked up there; a relative path says from where it was looked for."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        refs("SciFact", "STSBenchmark", data=Path("gone"))
    assert str(caught.value).count("no such folder gone") == 1
    assert f"no such folder gone in {tmp_path}" in str(caught.value)


@pytest.mark.parametrize("asked", [3, None, MockSTSTask])
def test_what_is_no_task_at_all_is_said(asked: Any) -> None:
    """Neither a name nor a path nor an object: one message, no TypeError from within."""
    with pytest.raises(UsageError, match="is no task; give a name, a path or a task object"):
        resolve([asked])


def test_a_task_by_its_name_costs_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of mteb's two thousand tasks, each of which seeds every generator there is, only the one is made."""
    made: list[str] = []
    plain = AbsTask.__init__

    def counted(task: AbsTask, *values: object, **options: object) -> None:
        made.append(task.metadata.name)
        plain(task, *values, **options)

    names._task.cache_clear()
    monkeypatch.setattr(AbsTask, "__init__", counted)
    refs("BIOSSES", languages=("eng",))
    assert made == ["BIOSSES"]


def test_a_task_is_what_mteb_makes() -> None:
    """Subsets and splits of a task found by name are those of mteb's own list, and so are the names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = mteb.get_tasks(exclude_superseded=False, exclude_private=False, exclude_beta=False)
    official = {task.metadata.name: task for task in found}
    assert list(names._classes()) == list(official)
    for name in list(official)[::50]:
        mine = names._task(name)
        assert (mine.hf_subsets, mine.eval_splits) == (official[name].hf_subsets, official[name].eval_splits)


def test_english_benchmark_has_its_41_tasks_with_english_subsets_only() -> None:
    """The benchmark's own subsets are kept: STS17 is en-en, not the mean over all languages."""
    found = refs("MTEB(eng, v2)")
    assert len(found) == 41
    for ref in found:
        spoken = ref.abstask.metadata.hf_subsets_to_langscripts
        languages = {code.split("-")[0] for subset in ref.subsets for code in spoken[subset]}
        assert languages == {"eng"}, ref.name
    by_name = {ref.name: ref.subsets for ref in found}
    assert by_name["STS17"] == ("en-en",)
    assert by_name["STS22.v2"] == ("en",)


@pytest.mark.parametrize(
    ("name", "count"), [("MTEB(Multilingual, v2)", 131), ("MTEB(Code, v1)", 12), ("NanoBEIR", 13)]
)
def test_benchmarks_are_complete(name: str, count: int) -> None:
    """Each benchmark has the tasks mteb gives it, with its splits."""
    found = refs(name)
    assert len(found) == count
    official = {task.metadata.name: task for task in mteb.get_benchmark(name).tasks}
    for ref in found:
        task = ref.load()
        assert task.split == ",".join(official[task.task_name].eval_splits)
        assert task.abstask.hf_subsets == official[task.task_name].hf_subsets


def test_one_task_with_two_sets_of_subsets_is_two_tasks() -> None:
    """STS17 alone and in the English benchmark differ; each says which it is. The same twice is one."""
    found = refs("STS17", "MTEB(eng, v2)", "STS12")
    names = [ref.name for ref in found]
    assert "mteb/STS17" in names
    assert "MTEB(eng, v2)/STS17" in names
    assert names.count("STS12") == 1
    assert len(found) == 42


def test_an_aggregate_is_unfolded_into_its_members() -> None:
    """A task that only averages others becomes these others, which have data."""
    found = refs("CQADupstackRetrieval")
    assert len(found) == 12
    assert {ref.origin for ref in found} == {"CQADupstackRetrieval"}


def test_languages_filter_named_tasks_and_are_recorded() -> None:
    """Only subsets with the language stay, as mteb's own filter keeps them."""
    (ref,) = refs("STS17", languages=("deu",))
    official = mteb.get_task("STS17", languages=["deu"])
    task = ref.load()
    assert set(task.abstask.hf_subsets) == set(official.hf_subsets)
    assert task.languages == ("deu",)


def test_filters_choose_among_everything_and_within_benchmarks() -> None:
    """`mteb` stands for all current text tasks that match; a benchmark keeps its matching ones."""
    every = refs("mteb", types=("Summarization",))
    assert every
    assert {ref.abstask.metadata.type for ref in every} == {"Summarization"}
    medical = refs("MTEB(eng, v2)", domains=("Medical",))
    assert 0 < len(medical) < 41
    assert all("Medical" in ref.abstask.metadata.domains for ref in medical)
    sts = refs("MTEB(Multilingual, v2)", types=("STS",), languages=("pol",))
    assert all(ref.abstask.metadata.type == "STS" and ref.subsets for ref in sts)


def test_filters_that_exist_nowhere_are_all_named() -> None:
    """Wrong types, domains and languages come in one message with what exists."""
    with pytest.raises(UsageError) as caught:
        refs("mteb", types=("Retrival",), domains=("Medicine",), languages=("en",))
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("no MTEB type 'Retrival'; types: Any2AnyRetrieval, BitextMining,")
    assert lines[1].startswith("no MTEB domain 'Medicine'; domains: Academic,")
    assert lines[2] == "no MTEB text task in language 'en'; write ISO 639-3, such as 'eng' or 'eng-Latn'"


@pytest.mark.parametrize(
    ("reference", "options", "message"),
    [
        ("mteb", {}, "give at least one of them"),
        ("STSBenchmark", {"languages": ("deu",)}, "no subset in the languages asked for (deu); it has: eng"),
        ("MTEB(eng, v2)", {"types": ("BitextMining",)}, "none of its 41 tasks matches types BitextMining"),
        ("Flickr30kI2TRetrieval", {}, "Flickr30kI2TRetrieval: it needs image; evalsuite evaluates text"),
        ("MIEB(eng)", {}, "of its tasks need image"),
        ("STSBenchmark:tset", {}, "STSBenchmark has no split 'tset'; splits: test"),
        ("MTEB(eng, v2):test", {}, "MTEB(eng, v2) is a benchmark, and a benchmark takes no split"),
        ("MTEB(eng, v2)=x", {}, "MTEB(eng, v2) is a benchmark, and a benchmark takes no folder"),
        ("SciFact=/no/such", {}, "'SciFact=/no/such': no such folder /no/such"),
        ("CQADupstackRetrieval:test", {}, "stands for 12 tasks; give a split or folder to each of them"),
    ],
)
def test_names_that_cannot_be_used_say_why(
    reference: str, options: dict[str, tuple[str, ...]], message: str
) -> None:
    """Each refusal names the task or benchmark, what was asked and what there is."""
    with pytest.raises(UsageError) as caught:
        refs(reference, **options)
    assert message in str(caught.value)


def test_unknown_names_come_in_one_message_with_near_ones() -> None:
    """A misspelt MTEB name and a misspelt own name are told together."""
    with pytest.raises(UsageError) as caught:
        resolve(["STSBenchmrk", "near-mis", "near-miss"])
    text = str(caught.value)
    assert "'STSBenchmrk' is no task, suite, file or folder, nor a task or benchmark of MTEB" in text
    assert "did you mean 'STSBenchmark'" in text
    assert "did you mean 'near-miss'" in text
    assert "known suites:" in text


def test_a_split_makes_the_name_unless_it_is_the_default() -> None:
    """`:validation` is another task than the default split, `:test` is the same."""
    assert [ref.name for ref in refs("STSBenchmark", "STSBenchmark:test", "STSBenchmark:validation")] == [
        "STSBenchmark",
        "STSBenchmark:validation",
    ]


def test_own_tasks_and_mtebs_mix(tmp_path: Path) -> None:
    """Cards, folders and MTEB names come in the order asked for."""
    folder = write_retrieval(tmp_path / "drinks")
    found = resolve(["SciFact", "near-miss", folder, "STS12"])
    assert [ref.name for ref in found] == ["SciFact", "near-miss", "drinks", "STS12"]


def test_a_folder_of_ones_own_wins_over_a_name_of_mtebs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder called as an MTEB task is taken where it is meant; asked for both, each has its own name."""
    write_retrieval(tmp_path / "SciFact")
    monkeypatch.chdir(tmp_path)
    (own,) = resolve(["SciFact"])
    assert not isinstance(own, MtebRef)
    monkeypatch.chdir("/")
    both = resolve([tmp_path / "SciFact", "SciFact"])
    assert [ref.name for ref in both] == [f"{tmp_path.name}/SciFact", "mteb/SciFact"]


def test_local_data_is_taken_from_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DATA/TASKNAME is used where it is there; the environment variable gives DATA too."""
    write_retrieval(tmp_path / "SciFact")
    (scifact, sts) = refs("SciFact", "STS12", data=tmp_path)
    assert (scifact.folder, sts.folder) == (tmp_path / "SciFact", None)
    monkeypatch.setenv("EVALSUITE_MTEB_DATA", str(tmp_path))
    assert refs("SciFact")[0].folder == tmp_path / "SciFact"


def test_checking_an_mteb_task_reads_it(tmp_path: Path) -> None:
    """`check` counts what is there and turns missing data into a problem."""
    write_retrieval(tmp_path / "SciFact")
    (ref,) = refs("SciFact", data=tmp_path)
    report = check(ref)
    assert report.ok
    assert report.counts["documents"] == 3
    assert len(report.fingerprint) == 64
    (problem,) = check(refs("STS12")[0]).problems
    assert "could not be loaded" in problem


def test_own_names_never_import_mteb() -> None:
    """Resolving tasks of evalsuite's own, and a path, stays light."""
    script = (
        "import sys\n"
        "from evalsuite.tasks.catalogue import resolve, tasks_folder\n"
        "resolve(['near-miss', 'quick', tasks_folder() / 'near-miss.toml'])\n"
        "heavy = {'mteb', 'datasets', 'torch', 'sklearn'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
