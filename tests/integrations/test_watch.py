"""Watch: each checkpoint once, only whole ones, through interruptions and restarts."""

import json
import shutil
from xml.etree import ElementTree

import pytest

from evalsuite.core.errors import RunFileError, StorageError, UsageError
from evalsuite.core.run import Run
from evalsuite.gate.policy import MarginRule, Policy, RequiredRule
from evalsuite.integrations import Question, StepGate, Watch
from evalsuite.integrations.complete import Settling
from evalsuite.integrations.watch import Settings
from evalsuite.models.build import build_embeddinggemma
from tests.conftest import WORDS

AT_ONCE = Settings(settling=Settling(0))


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Three models of other weights."""
    folder = tmp_path_factory.mktemp("checkpoints")
    return [
        build_embeddinggemma(
            folder / f"seed-{seed}",
            seed=seed,
            corpus=WORDS,
            hidden=16,
            dense=32,
            layers=1,
            heads=1,
            head_dim=16,
        )
        for seed in range(3)
    ]


@pytest.fixture
def question(small_tasks):
    return Question(small_tasks[:1], dims=[16, 8], precisions=["float32"])


@pytest.fixture
def training(tmp_path):
    """A trainer's folder."""
    (tmp_path / "training").mkdir()
    return tmp_path / "training"


def save(model, training, step):
    """Write a checkpoint as transformers' trainer does: the state last."""
    folder = shutil.copytree(model, training / f"checkpoint-{step}")
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return folder


def look(training, question, gate=None, settings=AT_ONCE):
    """One look of a new watch."""
    with Watch(training, question, gate, settings) as watching:
        return list(watching.look()), watching


def test_checkpoints_are_evaluated_in_order_and_once(models, training, question):
    """By step; a watch that is started again finds nothing to do, and goes on with what is new."""
    save(models[0], training, 100)
    save(models[1], training, 20)
    done, watching = look(training, question)
    assert [(each.name, each.step) for each in done] == [("checkpoint-20", 20), ("checkpoint-100", 100)]
    run = Run.load(training / "evalsuite" / "checkpoint-20")
    assert len(run.record.cells) == 2
    assert look(training, question)[0] == []
    save(models[2], training, 300)
    assert [each.step for each in look(training, question)[0]] == [300]
    lines = [json.loads(line) for line in (watching.out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 100, 300]
    assert lines[0]["harbour_16/float32_ndcg@10"] == run.record.cells[0].outcome.metrics["ndcg@10"].value


def test_three_steps_are_drawn(models, training, question):
    """Not before there are three; then as SVG and PNG, with the steps below the axis."""
    for step, model in zip((1, 2), models, strict=False):
        save(model, training, step)
    _, watching = look(training, question)
    assert not list(watching.out.glob("over-checkpoints.*"))
    save(models[2], training, 3)
    look(training, question)
    ElementTree.parse(watching.out / "over-checkpoints.svg")  # noqa: S314 - made here
    assert (watching.out / "over-checkpoints.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_shows_all_steps(models, training, question):
    """After each look, and again at a restart if a kill came before it was written."""
    save(models[0], training, 1)
    _, watching = look(training, question)
    page = watching.out / "report.html"
    assert "checkpoint-1" in page.read_text()
    save(models[1], training, 2)
    look(training, question)
    assert "checkpoint-2" in page.read_text()
    page.unlink()
    look(training, question)
    assert all(f"checkpoint-{step}" in page.read_text() for step in (1, 2))


def test_a_half_written_checkpoint_is_left_alone(models, training, question):
    """It is named with what it lacks, and evaluated once it is whole."""
    folder = save(models[0], training, 5)
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-10])
    done, watching = look(training, question)
    assert done == []
    assert f"{len(content) - 10} bytes of {len(content)}" in watching.waiting["checkpoint-5"]
    weights.write_bytes(content)
    assert [each.name for each in look(training, question)[0]] == ["checkpoint-5"]


def test_a_checkpoint_must_settle_first(models, training, question):
    """`--once` looks a second time after it had time to; whole but fresh is not enough."""
    save(models[0], training, 5)
    now = [0.0]
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    settings = Settings(settling=Settling(4.0, clock=lambda: now[0]))
    with Watch(training, question, None, settings) as watching:
        assert list(watching.look()) == []
        assert watching.waiting == {"checkpoint-5": "just written"}
    with Watch(training, question, None, settings) as watching:
        now[0] += 1
        done = list(watching.follow(60.0, once=True, sleep=sleep))
    assert ([each.name for each in done], slept) == (["checkpoint-5"], [4.0])


def test_it_goes_on_looking(models, training, question):
    """Between two looks it waits; what appears meanwhile is found."""

    class Enough(BaseException):
        pass

    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            raise Enough
        save(models[len(slept)], training, len(slept))

    with Watch(training, question, None, AT_ONCE) as watching:
        steps = watching.follow(7.0, sleep=sleep)
        found = [next(steps).step, next(steps).step]
        with pytest.raises(Enough):
            next(steps)
    assert (found, slept) == ([1, 2], [7.0, 7.0, 7.0])


def test_an_interruption_loses_nothing(models, training, question):
    """Ctrl-C while the second is evaluated: the first is kept, the second is done at the restart."""

    class Interrupted(BaseException):
        pass

    class Impatient:
        def start(self, stage, items, work):
            if (training / "evalsuite" / "checkpoint-1" / "record.json").exists():
                raise Interrupted

        def advance(self, items, work):
            pass

        def finish(self):
            pass

        def note(self, message):
            pass

    save(models[0], training, 1)
    save(models[1], training, 2)
    with pytest.raises(Interrupted):
        look(training, question, settings=Settings(settling=Settling(0), progress=Impatient()))
    assert [each.step for each in look(training, question)[0]] == [2]


def test_each_step_is_judged(models, training, question):
    """Against the first, also after a restart; the verdict lies beside the run and in the log."""
    save(models[0], training, 1)
    done, _ = look(training, question, StepGate("first"))
    assert done[0].verdict is None
    save(models[0], training, 2)
    done, watching = look(training, question, StepGate("first"))
    assert done[0].verdict.exit_code == 0
    assert done[0].verdict.baseline.source == str(watching.out / "checkpoint-1")
    assert (watching.out / "checkpoint-2" / "verdict.md").exists()
    last = json.loads((watching.out / "metrics.jsonl").read_text().splitlines()[-1])
    assert (last["step"], last["gate_exit_code"]) == (2, 0)


def test_what_was_evaluated_is_judged_anew_at_a_restart(models, training, question):
    """By the policy given now: a step that was let pass before is recalled as one that does not."""
    save(models[0], training, 1)
    save(models[1], training, 2)
    lenient = Policy(resamples=1000, margin=(MarginRule(absolute=0.99),))
    done, _ = look(training, question, StepGate("first", lenient))
    assert done[1].verdict.exit_code == 0
    strict = Policy(resamples=1000, required=(RequiredRule(dim="9999"),))
    done, watching = look(training, question, StepGate("first", strict))
    assert done == []
    assert [each.name for each in watching.recalled] == ["checkpoint-1", "checkpoint-2"]
    assert watching.recalled[0].verdict is None
    assert watching.recalled[1].verdict.exit_code == 3


def test_another_question_is_asked_anew(models, training, question):
    """Other dimensions: evaluated again; the old answers are not drawn with the new ones."""
    save(models[0], training, 1)
    look(training, question)
    other = Question(question.tasks, dims=[8], precisions=["float32"])
    assert [each.step for each in look(training, other)[0]] == [1]
    assert look(training, other)[0] == []


def test_a_checkpoint_that_cannot_be_evaluated_does_not_end_the_watch(models, training, question):
    """It is told once, with the reason; the next one is evaluated; changed files are tried again."""
    save(models[0], training, 2)
    bad = save(models[1], training, 1)
    settings = json.loads((bad / "modules.json").read_text())
    broken = [{**settings[0], "type": "stranger.Module"}, *settings[1:]]
    (bad / "modules.json").write_text(json.dumps(broken))
    done, _ = look(training, question)
    assert [(each.step, bool(each.problem)) for each in done] == [(1, True), (2, False)]
    assert "stranger" in done[0].problem
    done, watching = look(training, question)
    assert done == []
    assert [(each.step, bool(each.problem)) for each in watching.recalled] == [(1, True), (2, False)]
    (bad / "modules.json").write_text(json.dumps(settings))
    assert [(each.step, each.problem) for each in look(training, question)[0]] == [(1, "")]


def test_a_checkpoint_that_the_trainer_deletes_is_no_failure(models, training, question):
    """It vanishes before its turn: the others are evaluated, and nothing is remembered of it."""
    save(models[0], training, 1)
    save(models[1], training, 2)
    with Watch(training, question, None, AT_ONCE) as watching:
        steps = watching.look()
        assert next(steps).step == 1
        shutil.rmtree(training / "checkpoint-2")
        assert list(steps) == []
    assert "checkpoint-2" not in (watching.out / "watch.json").read_text()


def test_results_can_lie_elsewhere(models, training, question, tmp_path):
    """Another folder for the results; nothing is written into the trainer's."""
    save(models[0], training, 1)
    look(training, question, settings=Settings(out=tmp_path / "there", settling=Settling(0)))
    assert (tmp_path / "there" / "checkpoint-1" / "record.json").exists()
    assert [path.name for path in training.iterdir()] == ["checkpoint-1"]


def test_mistakes_are_one_message(training, question):
    """No such folder, a second watch, a memory that is damaged."""
    with pytest.raises(UsageError, match="no such folder"):
        Watch(training / "nowhere", question)
    with Watch(training, question), pytest.raises(StorageError, match="another watch"):
        Watch(training, question).__enter__()
    (training / "evalsuite" / "watch.json").write_text('{"format": 1')
    with pytest.raises(RunFileError, match="delete it to evaluate every checkpoint again"):
        look(training, question)
    (training / "evalsuite" / "watch.json").write_text('{"format": 2}')
    with pytest.raises(RunFileError, match="this evalsuite reads 1"):
        look(training, question)
