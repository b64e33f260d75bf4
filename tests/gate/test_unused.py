"""Rules and names that mean nothing are named, and those that mean something are not."""

import pytest

from evalsuite.gate.judge import judge
from evalsuite.gate.policy_file import parse_policy
from tests.gate.made_up import make_run, retrieval, similarity

BEFORE_IT = "decides nothing: rules before it match the same cells"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("run"), retrieval(n=20), similarity(n=20))


def margin(*keys):
    return "\n".join(["[[margin]]", "absolute = 0.1", *keys])


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", []),
        ('metrics = ["main", "recall@*"]', []),
        ('metrics = ["main", "ndgc@10"]', ["metrics of the policy: 'ndgc@10' matches no metric"]),
        (margin('task = "scifakt"'), ["[[margin]] number 1 of the policy matches no cell"]),
        (margin('metric = "ndgc@10"'), ["[[margin]] number 1 of the policy matches no cell"]),
        (margin('metric = "recall@100"'), ["[[margin]] number 1 of the policy matches no cell"]),
        (margin('task = ["scifact", "x"]', "dim = [768, 7]"),
         ["number 1 of the policy: task 'x' matches no cell", "policy: dim '7' matches no cell"]),
        (margin() + "\n" + margin("dim = 128"), [f"number 2 of the policy {BEFORE_IT}"]),
        (margin("dim = 128") + "\n" + margin(), []),
        ('[[bytes]]\nmax_ratio = 1\nprecision = ["int8", "int3"]',
         ["[[bytes]] number 1 of the policy: precision 'int3' matches no cell"]),
        ('[[retention]]\nfloor = 0.1\nprecision = "binary"\ntype = ["STS", "STZ"]',
         ["[[retention]] number 1 of the policy: type 'STZ' matches no cell"]),
    ],
)  # fmt: skip
def test_what_matches_nothing_is_a_note(run, policy, expected):
    """Each misspelt name, rule that matches nothing and rule that never decides has one note."""
    verdict = judge(run, run, parse_policy("resamples = 1000\n" + policy, where="gate.toml"))
    notes = [note for note in verdict.notes if "of the policy" in note]
    assert len(notes) == len(expected)
    for note, words in zip(notes, expected, strict=True):
        assert words in note
