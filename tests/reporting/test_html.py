"""The page: self-contained, escaped, complete, well formed."""

import base64
import hashlib
import itertools
import json
import re
from html.parser import HTMLParser

import pytest

from evalsuite.core.run import Run
from evalsuite.reporting.html import render_html
from evalsuite.reporting.kept import with_intervals
from evalsuite.reporting.page.explorer import explore
from evalsuite.reporting.page.parts import PageParts
from evalsuite.reporting.svg import marker_svg
from evalsuite.reporting.values import ValueReader
from evalsuite.reporting.view import build_view
from tests.reporting.made_up import (
    NASTY,
    cells_of,
    checkpoint_entry,
    crowded_run,
    make_run,
    realistic_run,
    task_entry,
)
from tests.reporting.made_up_parts import ablation, probes, spread_entries, verdict, with_parts, with_values

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr"}


class Page(HTMLParser):
    """What a browser would see: elements, attributes, ids, headings; complains about bad nesting."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def attributes(self, name):
        return [attributes[name] for _, attributes in self.elements if name in attributes]


@pytest.fixture(scope="session", params=["minilm", "failing", "all_failed", "nasty", "pair", "crowded"])
def page_source(request):
    """Pages of every kind of run."""
    if request.param == "pair":
        return render_html(build_view([realistic_run(), realistic_run("worse", lower=3.0)]))
    return render_html(build_view([request.getfixturevalue(request.param)]))


def test_nothing_is_loaded(page_source):
    """No attribute, style or import points outside the page; the only script is the page's own."""
    page = Page(page_source)
    assert page.all("script") == [{"type": "application/json", "id": "data"}, {}]
    assert not page.all("link")
    assert not page.attributes("src")
    assert all(target.startswith("#") for target in page.attributes("href"))
    assert not re.search(r"url\((?!#)", page_source)
    assert "@import" not in page_source
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


def test_references_inside_drawings_resolve(page_source):
    """Every shape that a drawing refers to is in the page, once."""
    page = Page(page_source)
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    used = {target[1:] for target in page.attributes("href")}
    used |= set(re.findall(r"url\(#([^)]+)\)", page_source))
    used |= set(page.attributes("aria-labelledby"))
    assert used <= set(ids)


def test_it_can_be_read_without_eyes(page_source):
    """Headings descend without gaps, tables have captions and scopes, figures have words."""
    page = Page(page_source)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(cell.get("scope") in ("col", "row", "rowgroup") for cell in page.all("th"))
    pictures = [attributes for attributes in page.all("div") if attributes.get("role") == "img"]
    assert all(picture["aria-label"] for picture in pictures)
    assert all(drawing.get("aria-hidden") == "true" for drawing in page.all("svg"))
    assert page.all("html")[0]["lang"] == "en"


def test_every_figure_is_there():
    """Two drawn figures, a panel a task, in the page's colours; retention as tables of coloured numbers."""
    source = render_html(build_view([realistic_run()]))
    page = Page(source)
    assert len(page.all("figure")) == 6
    assert len([d for d in page.all("div") if d.get("role") == "img"]) == 6
    assert source.count("var(--fig-vermilion)") > 6
    maps = [table for table in page.all("table") if table.get("class") == "heat"]
    assert len(maps) == 5  # the mean, the mean of retrieval, three tasks
    assert source.count('style="background:#') == 5 * 16
    label = next(d["aria-label"] for d in page.all("div") if d.get("role") == "img")
    assert "float32 64.5 at 384 dimensions, 38.0 at 48" in label


def test_the_answer_comes_first():
    """The recommendation, its rule and the counts stand before any figure."""
    source = render_html(build_view([realistic_run()]))
    head = source[: source.index("<figure")]
    assert "Ship 384/int8" in head
    assert "Rule: the fewest bytes per vector" in head
    assert "<dd>48</dd>" in head


def test_failed_cells_are_prominent(failing):
    """Reasons stand before the figures, escaped, and again in the map and the table."""
    source = render_html(build_view([failing]))
    head = source[: source.index("<figure")]
    assert "2 failed cells" in head
    assert "the index refused &lt;them&gt; | twice" in head
    assert "5 judgements name unknown documents" in head
    assert "output is not of unit length" in head
    assert source.count("int8 calibration found a constant dimension (17)") == 3


def test_foreign_text_is_only_text(nasty):
    """Markup in a label, a reason, a warning or a command is shown, never obeyed."""
    source = render_html(build_view([nasty]))
    page = Page(source)
    assert len(page.all("script")) == 2
    assert "<script>alert" not in source
    assert "\x1b" not in source
    assert "\u202e" not in source
    shown = "".join(page.text)
    assert shown.count("<script>alert(1)</script>\"& 'quoted'") >= 8
    assert "שלום مرحبا 🚀" in shown
    assert NASTY not in source


def test_provenance_is_complete(minilm):
    """Everything needed to repeat the run is in the footer."""
    text = "".join(Page(render_html(build_view([minilm]))).text)
    made = minilm.record.provenance
    for fact in (made.command, made.tie_rule, made.calibration, made.interval, made.platform, "27cd111",
                 "torch 2.6.0", minilm.record.checkpoints[0].fingerprint, "SciFact-fingerprint",
                 "8,000 encoded, 123 reused", "encode 1\N{NO-BREAK SPACE}min 23"):  # fmt: skip
        assert fact in text


def test_the_same_run_gives_the_same_page():
    """No date, no random id."""
    assert render_html(build_view([realistic_run()])) == render_html(build_view([realistic_run()]))


def test_a_run_without_tasks_still_has_a_page():
    """Nothing to draw, and it says so by its counts."""
    page = Page(render_html(build_view([make_run([checkpoint_entry("m")], [], [])])))
    assert not page.all("figure")
    assert page.all("h1")


@pytest.mark.parametrize("marker", ["o", "s", "^", "X", "D", "*", "h", "P"])
def test_legend_marks_are_shapes(marker):
    """Every marker becomes one closed outline inside its box."""
    drawing = marker_svg(marker, colour="red")
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", drawing)]
    assert numbers
    assert all(1 < number < 15 for number in numbers)
    assert drawing.count("Z") == 1


@pytest.fixture(scope="session")
def crowded_source(crowded):
    """The page of many variants."""
    return render_html(build_view([crowded]))


def test_many_variants_unfold(crowded_source):
    """The front stands open; all variants and the fidelity unfold, grouped by dimension, without a script."""
    source = crowded_source
    page = Page(source)
    assert len(page.all("details")) == 5
    assert not any("open" in attributes for attributes in page.all("details"))
    assert source.count("All 188 variants, by dimension") == 3
    assert [a for a in page.all("th") if a["scope"] == "rowgroup"]
    before = source[: source.index("<details")]
    assert before.rindex("recommended</span>") > before.index("Every variant, smallest first")
    assert ".tall thead th { position: sticky" in source


def test_every_number_is_in_a_table(crowded, crowded_source):
    """What the figures leave out is written: each variant once in the fidelity, and in the scores."""
    source = re.sub("<wbr>|\\s+", "", crowded_source)
    for cell in crowded.record.cells:
        assert source.count(f'<thscope="row">{cell.variant}<') >= 3, cell.variant


def test_what_is_only_for_comparison_says_so(crowded_source):
    """Other tools' scoring and controls are marked in every table."""
    text = "".join(Page(crowded_source).text)
    for words in ("as mteb scores it", "as sentence-transformers scores it", "control: principal components"):
        assert text.count(words) >= 4


def test_a_few_variants_show_their_fidelity_at_once():
    """With up to 16 variants nothing is folded, and the columns without a value are left out."""
    source = render_html(build_view([crowded_run(["float32", "int8", "binary"])]))
    page = Page(source)
    text = "".join(page.text)
    assert not page.all("details")
    assert text.count("SQNR, dB") == 2
    assert source.count(">Overlap@10<") == 1
    assert "Clipped" not in text
    assert "31.5" in text


def test_the_legend_of_many_names_families(crowded_source):
    """A mark a family, and hollow ones for what is there to compare with."""
    source = crowded_source
    legend = source[source.index('aria-label="Legend"') : source.index("Pareto front</li>")]
    titles = re.findall(r"</svg>([^<]+)</li>", legend)
    assert titles == [
        "floats", "int8", "int4", "ternary, binary", "scalar (sq)", "PQ, OPQ", "RaBitQ", "TurboQuant",
        "As other tools score", "Controls",
    ]  # fmt: skip
    assert legend.count('fill="none"') == 2


def test_more_than_everything_is_written_as_measured():
    """A retention above 100 % is neither cut nor drawn out of its bar."""
    source = render_html(build_view([crowded_run(["float32", "int8"], bonus=3.0)]))
    assert "103.0\N{NO-BREAK SPACE}%" in source
    assert max(float(width) for width in re.findall(r"<i style=\"width: ([\d.]+)%", source)) <= 100


def test_only_the_page_s_own_script_may_run():
    """The policy names its hash; nothing may be loaded."""
    source = render_html(build_view([realistic_run()]))
    script = source.rpartition("<script>")[2].partition("</script>")[0]
    policy = next(m["content"] for m in Page(source).all("meta") if "http-equiv" in m)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_the_numbers_of_the_page_can_be_read(page_source):
    """One JSON element with choices, panels and frames that fit each other."""
    source = page_source.partition('id="data">')[2].partition("</script>")[0]
    data = json.loads(source)
    for frames in data["frames"].values():
        assert len(frames) == len(data["panels"])
    assert data["minimum"] == 0.98


def test_every_part_has_its_section(tmp_path):
    """Comparison, ablation, spread, search and queries, each reached from the top."""
    view = build_view([with_parts(with_values(realistic_run("m"), tmp_path))])
    values = ValueReader(view.runs)
    parts = PageParts(
        verdict(), ablation(), explore(with_intervals(view, values), values, {}), problems=["a file is gone"]
    )
    source = render_html(view, parts=parts)
    page = Page(source)
    linked = {a["href"] for a in page.all("a")}
    assert {"#verdict", "#ablation", "#spread", "#ann", "#queries"} <= linked
    assert {href[1:] for href in linked} <= set(page.attributes("id"))
    text = "".join(page.text)
    for words in ("REGRESSED: 1 finding", "gor-1 minus gor-0", "Does spread help codes?", "Query gap",
                  "faiss refused <it>", "a file is gone", "what is <b>bold</b>?"):  # fmt: skip
        assert words in text
    assert len(page.all("caption")) == len(page.all("table"))


def test_sections_without_content_are_absent(minilm):
    """A plain run has no empty headings and no dead links."""
    page = Page(render_html(build_view([minilm])))
    assert not {"verdict", "ablation", "history", "spread", "ann", "queries"} & set(page.attributes("id"))
    assert {a["href"][1:] for a in page.all("a")} <= set(page.attributes("id"))


def test_the_title_says_what_the_page_is_about(minilm):
    """A run, a comparison, an ablation: the heading and the tab."""
    view = build_view([minilm])
    parts = {
        "all-MiniLM-L6-v2": PageParts(),
        "step-900 against main": PageParts(verdict=verdict()),
        "Ablation: small": PageParts(ablation=ablation()),
    }
    for title, part in parts.items():
        source = render_html(view, parts=part)
        assert f"<title>{title} · evalsuite report</title>" in source
        assert f"<h1><bdi>{title}</bdi></h1>" in source
    assert "1 higher, 0 lower, 0 without an effect shown, of 1 number" in source.partition('id="rule"')[0]


def test_the_advice_on_the_arms_of_an_ablation_unfolds():
    """The effects are its answer; of a history every checkpoint's advice is seen at once."""
    task = task_entry("SciFact")
    arms = [f"arm-{number}" for number in range(5)]
    view = build_view([
        make_run([checkpoint_entry(arm)], [task], cells_of(arm, task, {"float32": {384: 64.5}}))
        for arm in arms
    ])  # fmt: skip
    folded = "What to ship of each of 5 checkpoints"
    assert folded in render_html(view, parts=PageParts(ablation=ablation()))
    assert folded not in render_html(view)


def test_bands_can_be_seen(minilm):
    """An interval's band keeps its opacity in the page."""
    source = render_html(build_view([minilm]))
    found = [float(opacity) for opacity in re.findall(r"\.ds\d+\{[^}]*?opacity:([\d.]+)", source)]
    assert found
    assert min(found) > 0.04


def test_three_checkpoints_make_a_history():
    """Quality over checkpoints is drawn, its texts as text."""
    source = render_html(build_view([realistic_run(f"step-{number}", lower=number) for number in (1, 2, 3)]))
    drawing = source.partition('id="history"')[2].partition("</section>")[0]
    assert "<svg" in drawing
    assert ">384/int8</text>" in drawing


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """Three checkpoints, ten tasks, 48 variants, everything measured and kept."""
    levels = ["float32", "float16", "int8", "int4", "binary", "ternary", "rabitq_2bit", "pq_1bit"]
    levels += ["int4+asymmetric", "binary+asymmetric", "binary+rescore4", "rabitq_2bit+asymmetric"]
    runs = []
    for label in ("plain", "gor-0.5", "gor-1"):
        run = crowded_run(levels, tasks=10, controls=False)
        names = [task.name for task in run.record.tasks]
        record = run.record.model_copy(update={
            "checkpoints": (checkpoint_entry(label),),
            "cells": tuple(cell.model_copy(update={"checkpoint": label}) for cell in run.record.cells),
            "provenance": run.record.provenance.model_copy(update={"encodings": ()}),
            "spread": tuple(spread_entries([label], names)), "ann": tuple(probes([label], names)),
        })  # fmt: skip
        folder = tmp_path_factory.mktemp("large")
        runs.append(with_values(Run(record, folder), folder, queries=30))
    return runs


def test_a_large_page_stays_small(large):
    """Below two megabytes for 3 checkpoints x 10 tasks x 48 variants, with every section."""
    view = build_view(large)
    assert view.cell_count == 3 * 10 * 48
    values = ValueReader(view.runs)
    view = with_intervals(view, values)
    parts = PageParts(verdict(100), ablation(), explore(view, values, {}))
    size = len(render_html(view, parts=parts).encode())
    assert size < 2_000_000
