"""The first screen's answer."""

import pytest

from evalsuite.reporting.page.answer import answer, choices, share
from evalsuite.reporting.view import build_view


def test_the_answer_says_what_is_kept_and_what_it_costs(minilm):
    """Share of quality, of bytes, the worst task, and the price of a million vectors."""
    said = answer(build_view([minilm]).checkpoints[0])
    assert said.headline == "Ship 384/int8"
    assert said.keeps == "99.8\N{NO-BREAK SPACE}% of full quality at 1/4 of the bytes"
    assert "Mean over 3 tasks; least on SciFact, 99.7\N{NO-BREAK SPACE}%." in said.why
    assert "384 MB per million vectors instead of 1.54 GB" in said.why.replace("\N{NO-BREAK SPACE}", " ")


def test_the_short_list_is_the_neighbourhood_on_the_front(minilm):
    """Two smaller, the chosen, what is larger, and full quality, by rising bytes."""
    rows = answer(build_view([minilm]).checkpoints[0]).candidates
    assert [(row.name, row.role) for row in rows] == [
        ("384/binary", "smaller"), ("192/int8", "smaller"), ("384/int8", "recommended"),
        ("384/float16", "larger"), ("384/float32", "full quality"),
    ]  # fmt: skip
    assert [row.chosen for row in rows] == [False, False, True, False, False]


def test_without_a_choice_the_best_stand_there(minilm, all_failed):
    """A rule that nothing meets still shows what there is; a run of failures has no list."""
    view = build_view([minilm], min_retention=1.0)
    assert answer(view.checkpoints[0]).headline == "Keep 384/float32"
    failed = answer(build_view([all_failed]).checkpoints[0])
    assert (failed.headline, failed.keeps) == ("No recommendation", "")


def test_the_page_can_choose_among_what_may_be_shipped(crowded):
    """No control and no other tool's scoring, by rising bytes."""
    found = choices(build_view([crowded]).checkpoints[0])
    names = [variant[0] for variant in found["variants"]]
    assert not any("mteb" in name or name.startswith(("pca", "random")) for name in names)
    sizes = [variant[1] for variant in found["variants"]]
    assert sizes == sorted(sizes)
    assert found["bytes"] == 1536


@pytest.mark.parametrize(
    ("compression", "text"),
    [(12.0, "1/12"), (5.9, "1/5.9"), (1.0, "all"), (0.5, "200.0\N{NO-BREAK SPACE}%"), (None, "–")],
)  # fmt: skip
def test_compression_reads_as_a_share(compression, text):
    """A twelfth, everything, or more than everything."""
    assert share(compression) == text
