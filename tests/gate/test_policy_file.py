"""Policy files: what they say is what applies, and every mistake is named at once."""

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.core.errors import UsageError
from evalsuite.core.variant import Variant
from evalsuite.gate import policy as policy_module
from evalsuite.gate.policy import MarginRule, Policy
from evalsuite.gate.policy_file import parse_policy, read_policy


def test_the_documented_policy_is_a_policy():
    """The example in the documentation is valid, and uses every table there is."""
    example = re.search(r"applies\..*?::\n\n(.*?)\n\nA cell", policy_module.__doc__, re.DOTALL)[1]
    parsed = parse_policy(textwrap.dedent(example), where="docs")
    for table in ("margin", "required", "retention", "spread", "bytes", "speed"):
        assert len(getattr(parsed, table)) == 1


def test_the_documented_defaults_are_the_defaults():
    """Every key above the tables in the documentation has the value that applies without a file."""
    example = re.search(r"applies\..*?::\n\n(.*?)\n\n    \[\[margin", policy_module.__doc__, re.DOTALL)[1]
    parsed = parse_policy(textwrap.dedent(example), where="docs")
    assert parsed == Policy()
    assert parse_policy("", where="empty") == Policy()


MISTAKES = """
alpha = 2
margn = 0.01
missing = "perhaps"

[[margin]]
absolute = 0.01
relative = 0.01

[[margin]]
task = "scifact"
absolute = -1
presicion = "binary"

[[retention]]
precision = "binary"

[[spread]]
statistic = "M3"
max_rise = 0.1

[[spread]]
statistic = "M2*d"
"""


def test_every_mistake_is_named_at_once():
    """One message holds them all, each with its table, its number and the next step."""
    with pytest.raises(UsageError) as caught:
        parse_policy(MISTAKES, where="gate.toml")
    text = str(caught.value)
    assert text.startswith("gate.toml: 9 problems")
    assert text.count("number 2: give max_rise") == 1
    for words in (
        "alpha: Input should be less than 0.5; found 2",
        "margn: unknown key; did you mean 'margin'?",
        "missing: Input should be 'error' or 'warn'; found 'perhaps'",
        "[[margin]] number 1: give either absolute or relative",
        "[[margin]] number 2, absolute: Input should be greater than or equal to 0; found -1",
        "[[margin]] number 2, presicion: unknown key; did you mean 'precision'?",
        "[[retention]] number 1, floor: missing",
        "[[spread]] number 1, statistic: unknown statistic 'M3'",
        "[[spread]] number 2: give max_rise or max_fall",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alpha = ", "gate.toml: not TOML: Invalid value (at"),
        ("[[margin]]\nabsolute = 0.01\ndim = []", "number 1, dim: Value should have at least 1 item"),
        ('[[retention]]\nof = "12/"\nfloor = 0.9', "[[retention]] number 1, of: '12/' is not a variant"),
        ('[[retention]]\nof = "INT8!"\nfloor = 0.9', "'INT8!' is not a precision"),
        ('[[retention]]\nof = "int3"\nfloor = 0.9', "[[retention]] number 1, of: unknown precision 'int3'"),
        (
            '[[retention]]\nof = "64/int3"\nfloor = 0.9',
            "[[retention]] number 1, of: unknown precision 'int3'",
        ),
        ('[[spread]]\nstatistic = "M1"\nmin = 2\nmax = 1', "min 2 is above max 1: no value can keep both"),
        ("margin = 0.01", "margin: is a list of tables; write [[margin]] above the keys of each rule"),
        ("[required]\ndim = 768", "required: is a list of tables; write [[required]]"),
        ("margin = [1]\nspread = 2", "margin"),
    ],
)
def test_single_mistakes(text, words):
    """A mistake alone is named as precisely."""
    with pytest.raises(UsageError, match=re.escape(words)):
        parse_policy(text, where="gate.toml")


def test_checks_across_keys_are_not_hidden_by_other_mistakes():
    """A rule with a wrong key, both margins and an unknown reference is told all of it."""
    rules = """
        [[margin]]
        dims = 64
        absolute = 0.1
        relative = 0.1
        [[spread]]
        statistic = "M3"
        [[retention]]
        of = "INT8!"
        floor = 92
    """
    with pytest.raises(UsageError) as caught:
        parse_policy(rules, where="gate.toml")
    text = str(caught.value)
    assert text.startswith("gate.toml: 6 problems")
    for words in (
        "[[margin]] number 1: give either absolute or relative",
        "[[margin]] number 1, dims: unknown key; did you mean 'dim'?",
        "[[spread]] number 1: give max_rise or max_fall",
        "[[spread]] number 1, statistic: unknown statistic 'M3'",
        "[[retention]] number 1, of: 'INT8!' is not a precision",
        "[[retention]] number 1, floor: Input should be less than or equal to 2; found 92",
    ):
        assert words in text


def test_a_file_that_is_not_there(tmp_path):
    """The path is named."""
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read"):
        read_policy(tmp_path / "none.toml")


def test_the_first_matching_rule_decides():
    """Rules are read from the top; what none matches has one point."""
    rules = """
        [[margin]]
        dim = 128
        precision = "binary*"
        absolute = 0.05
        [[margin]]
        type = "STS"
        relative = 0.02
    """
    policy = parse_policy(rules, where="gate.toml")

    def size(variant, kind):
        return policy.margin_for("t", kind, Variant.parse(variant), "ndcg@10").size(0.5)

    assert size("128/binary+rescore4", "STS") == 0.05
    assert size("768/binary", "STS") == pytest.approx(0.01)
    assert size("768/binary", "Retrieval") == 0.01


def test_symbols_name_statistics():
    """A statistic may be written as papers write it."""
    for text in ("M2*d", "M2·d", "second_moment_x_dim", " m2 * D"):
        rule = parse_policy(f'[[spread]]\nstatistic = "{text}"\nmax = 2', where="gate.toml").spread[0]
        assert rule.statistic == "second_moment_x_dim"


@given(st.floats(0, 0.99), st.floats(0, 1))
def test_a_relative_margin_is_a_share_of_the_baseline(share, baseline):
    """What is kept and what may be lost add up to the baseline."""
    rule = MarginRule(relative=share)
    for value in (baseline, -baseline):
        assert rule.keep(value) * value + rule.size(value) == pytest.approx(value)
