"""The reference tables: complete, and equal to the code they describe."""

from __future__ import annotations

import re

import pytest

from evalsuite.core.measure import CORRELATIONS, CUTOFFS, RANKED
from evalsuite.core.record import Fidelity
from evalsuite.core.spread import CROSS_STATISTICS, STATISTICS
from evalsuite.core.variant import PROTOCOLS
from evalsuite.core.verdict import PASSED_CODE, REGRESSED_CODE, UNJUDGED_CODE, Evidence
from evalsuite.gate import policy
from evalsuite.gate.policy_file import parse_policy
from evalsuite.history import tables
from evalsuite.models.weights.levels import EMBEDDINGS, known_weights
from evalsuite.vectors.quantizers import known_precisions
from tests.docs.blocks import PAGES, ROOT, blocks, rows

RULES = {
    "margin": policy.MarginRule,
    "required": policy.RequiredRule,
    "retention": policy.RetentionRule,
    "spread": policy.SpreadRule,
    "bytes": policy.BytesRule,
    "speed": policy.SpeedRule,
}


def text_of(page):
    return (ROOT / page).read_text("utf-8")


def named_rows(page, heading=""):
    """Rows whose first cell is a name in backticks, by that name."""
    return {row[0].strip("`"): row[1:] for row in rows(page, heading) if row[0].startswith("`")}


def test_every_statistic_of_spread_has_a_row():
    """Each statistic has formula, ideal and pitfall; its symbol and direction are those of the code."""
    found = named_rows("docs/spread.md")
    assert [name for name in STATISTICS if name not in found] == []
    assert [name for name in found if name not in STATISTICS] == []
    for name, statistic in STATISTICS.items():
        symbol, formula, ideal, better, beware = found[name]
        assert (symbol, better) == (statistic.symbol, statistic.better), name
        assert min(len(formula), len(ideal), len(beware)) > 0, name


def test_statistics_of_queries_against_documents_are_told():
    """Each statistic that exists only across sides stands under its heading."""
    own = set(named_rows("docs/spread.md", "## Queries against documents"))
    assert own == {"mean_gap", "alignment", "margin"}
    assert own < set(CROSS_STATISTICS)


def test_every_metric_has_a_row():
    """Each metric has formula, best value and pitfall, and the cut-offs are named."""
    found = named_rows("docs/numbers.md")
    for name in [*(f"{ranked}@k" for ranked in RANKED), *CORRELATIONS]:
        key = next(key for key in found if key.split("`")[0] == name)
        assert all(found[key]), name
    *most, last = map(str, CUTOFFS)
    assert f"k is {', '.join(most)} and {last}." in text_of("docs/numbers.md")


def test_every_measure_of_fidelity_precision_and_scoring_is_told():
    """Each column of fidelity, each precision and each other tool's scoring is on the page."""
    page = text_of("docs/numbers.md")
    for name in Fidelity.model_fields:
        assert f"`{name}`" in page, name
    for name in PROTOCOLS:
        assert f"`+{name}`" in page, name
    # A family is written `rabitq_1bit`, `_2bit`, `_4bit` or "`turboquant_1bit` to `_4bit`".
    for name in known_precisions():
        family = name.rpartition("_")[0]
        assert f"`{name}`" in page or (name.endswith("bit") and f"`{family}_1bit`" in page), name


def test_every_weight_level_has_a_row():
    """Each precision of a model's weights, and each choice for the token table, is on the page."""
    page = text_of("docs/numbers.md").split("### Weights of the model")[1].split("### Controls")[0]
    assert [name for name in (*known_weights(), *EMBEDDINGS) if f"`{name}`" not in page] == []


def test_every_number_of_a_comparison_has_a_row():
    """Each field of a finding's evidence but its size, margin and wording is explained."""
    page = text_of("docs/comparing.md")
    told = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in rows("docs/comparing.md"))))
    plain = {"n", "interval", "margin", "retention_lower", "retention_upper"}
    assert set(Evidence.model_fields) - told == plain
    assert "margin" in page


def test_every_key_of_a_policy_has_a_row_with_its_default():
    """The table of keys is the policy's fields, each with its default."""
    found = named_rows("docs/policy.md", "## Keys")
    fields = {name: field for name, field in policy.Policy.model_fields.items() if name not in RULES}
    assert list(found) == sorted(fields, key=list(found).index)
    assert set(found) == set(fields)
    for name, row in found.items():
        stated = parse_policy(f"{name} = {row[0].strip('`')}", where="page")
        assert getattr(stated, name) == fields[name].default, name


def test_every_key_of_a_rule_is_told():
    """Each rule has a row that names its own keys; the keys they share have rows of their own."""
    shared = set(named_rows("docs/policy.md", "## Choosing cells"))
    assert shared == set(policy.Selector.model_fields)
    found = named_rows("docs/policy.md", "## Rules")
    assert set(found) == {f"[[{name}]]" for name in RULES}
    for name, rule in RULES.items():
        keys, text = found[f"[[{name}]]"]
        common = shared if "all of the above" in keys else set()
        assert set(re.findall(r"`(\w+)`", keys)) | common == set(rule.model_fields), name
        assert text, name


@pytest.mark.parametrize("page", PAGES)
def test_every_policy_on_a_page_is_valid(page):
    """Policy files on pages can be read."""
    for block in blocks(page):
        if block.title == "policy.toml":
            parse_policy(block.body, where=block.place)


def test_exit_codes_are_the_gates():
    """The table of exit codes has the gate's codes, and 2 for wrong usage."""
    found = {row[0]: row[1] for row in rows("docs/judge.md", "## Exit codes") if row[0].isdecimal()}
    told = {code: text.split(":")[0] for code, text in found.items()}
    assert told == {
        str(PASSED_CODE): "passed",
        str(REGRESSED_CODE): "regressed",
        "2": "wrong usage",
        str(UNJUDGED_CODE): "could not judge",
    }


def test_every_view_of_history_is_told():
    """Each view that can be asked in SQL has a row."""
    found = named_rows("docs/history.md", "## In SQL")
    assert set(found) == {"results", "per_query", "official", "spread", "runs"}
    assert "reason" in tables.RESULT_COLUMNS


def test_spread_of_the_twins_is_that_of_their_cards():
    """Every M2·d by task on the page about GOR stands in the cards of the twins."""
    cards = [card("without"), card("with")]
    quoted = [row for row in rows("docs/gor.md", SPREAD) if row[1].isdecimal()]
    assert len(quoted) == 8
    for row in quoted:
        assert [each[row[:2]][4] for each in cards] == list(row[2:]), row


def test_scores_of_a_twin_are_those_of_its_card():
    """The scores that the page about choosing quotes stand in the card."""
    scores = card("without")
    places = [("384", 0), ("384", 1), ("128", 1), ("64", 1), ("384", 3), ("128", 3)]
    quoted = [row for row in rows("docs/choose.md") if row[0].endswith(("(retrieval)", "(similarity)"))]
    assert len(quoted) == 4
    for name, *said in quoted:
        task = name.split(" ")[0]
        assert [scores[task, dims][level].split(" ")[0] for dims, level in places] == said


def test_effects_are_those_of_the_kept_reports():
    """Tables and counts on the page about GOR are rows and lines of the reports on twins and doses."""
    twins, doses = (text_of(f"reports/examples/gor/{name}.md") for name in ("twins", "doses"))
    page = text_of("docs/gor.md")
    lines = [
        line
        for line in page.splitlines()
        if line.startswith(("- Quality", "- Retention", "- Spread:", "- Appr"))
    ]
    lines += [line for line in page.splitlines() if "of 4 corpora |" in line]
    assert len(lines) == 9
    assert [line for line in lines if f"\n{line}\n" not in twins] == []
    dosed = [line for line in page.splitlines() if line.startswith("| ") and "| quality |" in line]
    assert len(dosed) == 5
    assert [line for line in dosed if f"\n{line}\n" not in doses] == []
    worked = next(line for line in twins.splitlines() if line.startswith(WORK))
    assert "| 141.9 | 156.7 |" in worked
    assert "for a recall of 0.95\n  instead of 141.9." in page
    means = [row for row in rows("docs/gor.md", SPREAD) if " " in row[0] and row[1] != "without"]
    assert len(means) == 6
    for name, without, with_gor in means:
        found = next(
            line for line in twins.splitlines() if line.startswith(f"| mean over tasks | {name} | 384 |")
        )
        assert f"| {without} | {with_gor} |" in found
        assert "no effect" not in found


SPREAD = "### What the loss does to the space"
WORK = "| near-miss | hnsw query against float32, work at recall 0.95 | 256 |"


def card(arm):
    """Read the scores of a twin: (task, dims) to float32, int8, int4, binary, M2·d."""
    page = f"evalsuite/twins/minilm-{arm}-gor/README.md"
    return {row[:2]: row[2:] for row in rows(page, "## Scores") if row[1].isdecimal()}


LEVELS = {"float32", "int8", "int8_affine", "int8+mteb", "int8+sbert", "int8+hakari"}


def test_numbers_of_scifact_are_those_of_its_kept_table():
    """What the page beside other tools quotes of SciFact stands in the kept table of levels."""
    kept = {row[0]: row for row in rows("reports/examples/scifact-levels/README.md")}
    told = [row for row in rows("docs/beside.md") if row[0].strip("`") in LEVELS]
    assert {row[0].strip("`") for row in told} == LEVELS
    for row in told:
        assert list(row[1:]) == [cell.split(" ")[0] for cell in kept[row[0]][1:5]]


def test_a_missing_row_is_found():
    """The tables can be wrong: a made-up statistic has no row."""
    assert "no_such_statistic" not in named_rows("docs/spread.md")
