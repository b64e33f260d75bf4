"""Promises of planning: sizes from mteb's statistics, times in proportion, the cheapest that fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.tasks.catalogue import resolve
from evalsuite.tasks.mteb import MtebOptions, MtebRef
from evalsuite.tasks.mteb.listing import Listing, Size, estimate_hours, fit, list_task, task_size


def ref(name: str, **options: object) -> MtebRef:
    (found,) = resolve([name], MtebOptions(**options))  # type: ignore[arg-type]
    assert isinstance(found, MtebRef)
    return found


def listing(name: str, hours: float | None) -> Listing:
    return Listing(name, "STS", ("eng",), 1, "test", None, hours, "missing")


def test_sizes_are_mtebs_statistics() -> None:
    """SciFact by hand: 5,183 documents of 1,499.4 characters and 300 queries of 90.3."""
    size = task_size(ref("SciFact"))
    assert size == Size(texts=5483, characters=7_771_451 + 27_104, read=7_771_451 + 27_104)


def test_long_texts_count_as_far_as_a_model_reads() -> None:
    """STS22 has articles of more than 2,000 characters on average; only 2,000 a text cost time."""
    size = task_size(ref("STS22.v2"))
    assert size is not None
    assert size.read < size.characters
    assert size.read <= size.texts * 2000


def test_only_the_subsets_used_are_counted() -> None:
    """A language filter makes a multilingual task smaller."""
    whole, german = task_size(ref("STS17")), task_size(ref("STS17", languages=("deu",)))
    assert whole is not None
    assert german is not None
    assert 0 < german.texts < whole.texts


def test_unknown_sizes_stay_unknown() -> None:
    """A split without statistics has no size and no time, not a size of 0."""
    line = list_task(ref("STSBenchmark:train"))
    assert (line.size, line.hours) == (None, None)


def test_time_is_in_proportion_to_characters_and_rate() -> None:
    """By hand: 1.8 million characters at 10 texts of 500 characters a second are 6 minutes."""
    size = Size(texts=1, characters=9_000_000, read=1_800_000)
    assert estimate_hours(size, 10) == pytest.approx(0.1)
    assert estimate_hours(size, 20) == pytest.approx(0.05)


def test_data_at_hand_is_told_apart(tmp_path: Path) -> None:
    """A local folder, a snapshot in the hub's cache and nothing are three different things."""
    assert list_task(ref("SciFact")).data == "missing"
    revision = "d56462d0e63a25450459c4f213e49ffdb866f7f9"
    (tmp_path / "hub" / "datasets--mteb--scifact" / "snapshots" / revision).mkdir(parents=True)
    assert list_task(ref("SciFact")).data == "cached"
    (tmp_path / "SciFact").mkdir()
    assert list_task(ref("SciFact", data=tmp_path)).data == "local"


@given(
    st.lists(st.none() | st.floats(0.001, 10), max_size=8),
    st.floats(0.001, 30),
)
def test_what_fits_is_the_cheapest_and_nothing_vanishes(hours: list[float | None], limit: float) -> None:
    """Kept tasks fit together, no left-out one is cheaper, unknown ones are left out, the order stays."""
    lines = [listing(str(number), value) for number, value in enumerate(hours)]
    plan = fit(lines, limit)
    kept = [line.hours for line in plan.kept if line.hours is not None]
    out = [line.hours for line in plan.left_out if line.hours is not None]
    assert sum(kept) <= limit + 1e-9
    assert all(line.hours is not None for line in plan.kept)
    assert not out or not kept or max(kept) <= min(out)
    assert not out or sum(kept) + min(out) > limit - 1e-9
    assert {*plan.kept, *plan.left_out} == set(lines)
    assert [line for line in lines if line in plan.kept] == list(plan.kept)
