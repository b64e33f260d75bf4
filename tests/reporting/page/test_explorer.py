"""The explorer: the queries that lose most, with their documents."""

import pytest

from evalsuite.reporting.page.explorer import explore
from evalsuite.reporting.page.texts import TaskTexts
from evalsuite.reporting.values import ValueReader
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import realistic_run
from tests.reporting.made_up_parts import with_values


@pytest.fixture
def panels(tmp_path):
    """A run of three tasks, texts of one of them at hand."""
    view = build_view([with_values(realistic_run("m"), tmp_path)])
    texts = TaskTexts({"q003": "which <b>?"}, {"d3": "the third"}, {"q003": ["d3", "d99"]})
    return explore(view, ValueReader(view.runs), {"SciFact": texts})


def test_the_worst_come_first(panels):
    """Losses fall, are real, and add up with the values."""
    for panel in panels:
        for broke in panel.broke:
            losses = [query.loss for query in broke.queries]
            assert losses == sorted(losses, reverse=True)
            assert losses[-1] > 0
            assert broke.worse + broke.better <= broke.total == 40
    retrieval = panels[0].broke[0].queries[0]
    assert retrieval.loss == pytest.approx(retrieval.before - retrieval.after)


def test_pairs_lose_by_their_rank(panels):
    """A correlation has no value a pair: what counts is how far its rank left that by people."""
    assert panels[1].correlation
    assert not panels[0].correlation
    assert all(0 < query.loss <= 1 for query in panels[1].broke[0].queries)


def test_the_coarse_variants_are_there_and_the_worst_is_shown_first(panels):
    """Never full-width float32 itself."""
    names = [str(broke.variant) for broke in panels[0].broke]
    assert "48/binary" in names
    assert "384/float32" not in names
    assert panels[0].first.worse == max(broke.worse for broke in panels[0].broke)


def test_texts_stand_in_the_page_once(panels):
    """Rows refer to documents by number; what has no text keeps its id."""
    data = panels[0].data
    assert len({name for name, _ in data["docs"]}) == len(data["docs"])
    rows = [row for variant in data["variants"] for row in variant[4] if row[0] == "q003"]
    assert rows
    assert rows[0][1] == "which <b>?"
    good = [data["docs"][place] for place in rows[0][7]]
    assert good == [["d3", "the third"], ["d99", ""]]


def test_many_panels_share_the_room(tmp_path):
    """However many tasks, the page carries a bounded number of rows."""
    runs = [with_values(realistic_run(f"m{number}"), tmp_path / str(number)) for number in range(8)]
    view = build_view(runs)
    found = explore(view, ValueReader(view.runs), {})
    assert sum(len(broke.queries) for panel in found for broke in panel.broke) <= 1_200


def test_with_many_panels_texts_are_cut_shorter(tmp_path):
    """A page of dozens of panels stays readable in size; a small one shows 150 characters."""
    texts = {"SciFact": TaskTexts(documents={f"d{number}": "word " * 60 for number in range(97)})}
    longest = []
    for count in (1, 8):
        runs = [with_values(realistic_run(f"m{n}"), tmp_path / f"{count}-{n}") for n in range(count)]
        view = build_view(runs)
        data = explore(view, ValueReader(view.runs), texts)[0].data
        longest.append(max(len(text) for _, text in data["docs"]))
    assert longest[0] > longest[1] >= 40


def test_without_values_there_is_nothing_to_explore(minilm):
    """No table, no section."""
    view = build_view([minilm])
    assert explore(view, ValueReader(view.runs), {}) == ()
