"""Published rows beside measured ones: scores only where the task is the same, else what is kept."""

import pytest

from evalsuite.reporting.beside import retention_lines, score_lines
from evalsuite.reporting.by_dimension import dimension_caption, quality_by_dimension
from evalsuite.reporting.drawings import draw_all
from evalsuite.reporting.html import render_html
from evalsuite.reporting.markdown import render_markdown
from evalsuite.reporting.published import read_published
from evalsuite.reporting.retention_lines import retention_by_dimension
from evalsuite.reporting.view import build_view
from evalsuite.reporting.write import write_report
from tests.reporting.made_up import (
    cells_of,
    checkpoint_entry,
    make_run,
    mteb_cells,
    mteb_entry,
    realistic_run,
)

VALUES = {"float32": {768: 80.0, 256: 72.0}, "int8": {768: 79.0, 256: 71.0}}
TABLES = read_published(["embeddinggemma", "hakari", "hf-quantization", "jina-v5-gor"])


def run_of(*entries):
    cells = [cell for entry in entries for cell in mteb_cells("m", entry, VALUES)]
    return make_run([checkpoint_entry("m", dim=768)], entries, cells)


def panel_of(*args, **kwargs):
    return build_view([run_of(mteb_entry(*args, **kwargs))]).panels[0]


def test_scores_only_beside_the_same_task():
    """SCIDOCS has a published score; a task of another name has none, whatever its kind."""
    (line,) = score_lines(panel_of("SCIDOCS", "Retrieval"), TABLES)
    assert line.points == {768: 18.43}
    assert line.label == "published: embeddinggemma, MTEB(eng, v2)"
    assert score_lines(panel_of("SciFact", "Retrieval"), TABLES) == ()


def test_scores_only_beside_the_same_subsets():
    """STS17 was published for English: beside all eleven languages its score would lie."""
    assert score_lines(panel_of("STS17", "STS", subsets=["en-en"]), TABLES)
    assert score_lines(panel_of("STS17", "STS", subsets=["en-en", "fr-en"]), TABLES) == ()
    assert score_lines(panel_of("STS17", "STS"), TABLES) == ()


def test_an_own_task_of_the_same_name_is_another_task():
    """Only MTEB's tasks are those of MTEB's tables."""
    own = mteb_entry("SCIDOCS", "Retrieval").model_copy(update={"kind": "retrieval", "road": ""})
    run = make_run([checkpoint_entry("m", dim=768)], [own], cells_of("m", own, VALUES))
    assert score_lines(build_view([run]).panels[0], TABLES) == ()


def test_what_is_kept_goes_by_kind():
    """STS rows beside an STS task, in percent; none of another kind, no single points, no overall means."""
    lines = retention_lines(panel_of("STSBenchmark", "STS"), TABLES)
    assert [line.label.partition(", ")[2] for line in lines] == ["MTEB(Multilingual, v2)", "MTEB(eng, v2)"]
    assert lines[1].points == pytest.approx(
        {768: 100, 512: 100, 256: 100 * 83.8 / 83.6, 128: 100 * 83.3 / 83.6}
    )
    assert len(retention_lines(panel_of("X", "Retrieval"), TABLES)) == 3 + 5
    assert retention_lines(panel_of("AppsRetrieval", "Retrieval"), TABLES)[0].points[128] == pytest.approx(
        100 * 79.5 / 84.4
    )
    assert len(retention_lines(panel_of("AppsRetrieval", "Retrieval"), TABLES)) == 1


def test_published_lines_are_dashed_and_named():
    """Measured lines are solid, published ones dashed, all named beside the axes; full width comes first."""
    view = build_view([run_of(mteb_entry("X", "Retrieval"))], published=TABLES)
    ax = retention_by_dimension(view).axes[0]
    dashed = [line for line in ax.lines if str(line.get_label()).startswith("published: ")]
    assert len(dashed) == 8
    assert all(line.get_linestyle() not in ("-", "None") for line in dashed)
    assert [line.get_label() for line in ax.lines if line.get_linestyle() == "-"][1:] == ["float32", "int8"]
    assert {line.get_label() for line in dashed} <= {text.get_text() for text in ax.texts}
    assert ax.xaxis_inverted()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["128", "256", "512", "768"]


def test_the_same_task_is_in_the_quality_figure():
    """The axis makes room for it, and the caption says what is dashed."""
    view = build_view([run_of(mteb_entry("SCIDOCS", "Retrieval"))], published=TABLES)
    ax = quality_by_dimension(view).axes[0]
    assert ax.get_ylim()[0] < 18.43
    assert "published: embeddinggemma, MTEB(eng, v2)" in [text.get_text() for text in ax.texts]
    assert "Dashed: published" in dimension_caption(view)


def test_without_anything_that_fits_there_is_no_further_figure(minilm):
    """Three figures, or four with retention over dimension."""
    assert len(draw_all(build_view([minilm]))) == 3
    (other,) = read_published(["jina-v5-gor"])
    assert len(draw_all(build_view([minilm], published=[other]))) == 3
    assert len(draw_all(build_view([minilm], published=TABLES))) == 4


def test_all_failed_can_be_drawn(all_failed):
    """Published lines alone are drawn too."""
    figure = retention_by_dimension(build_view([all_failed], published=TABLES))
    assert len(figure.axes) == 3


def test_sources_and_filters_are_in_the_report(tmp_path):
    """Page and Markdown tabulate every row with its language filter, and say where it stands."""
    formats = ["html", "markdown"]
    files = write_report([realistic_run()], tmp_path, formats=formats, published=["embeddinggemma", "hakari"])
    for source in (files.html.read_text(encoding="utf-8"), files.markdown.read_text(encoding="utf-8")):
        plain = source.replace("\\", "")
        assert "every language subset of each task" in plain
        assert "https://arxiv.org/abs/2509.20354" in plain
        assert "68.36" in plain
        assert "51.98 (88.7" in plain


def test_reports_without_published_rows_are_unchanged(minilm):
    """Nothing about published scores appears unless asked for."""
    view = build_view([minilm])
    assert "ublished" not in render_html(view)
    assert "ublished" not in render_markdown(view)
