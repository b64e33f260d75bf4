"""The kept reports: pages that open anywhere, and nothing of the machine that made them."""

import re

import pytest

from tests.docs.blocks import ROOT

KEPT = ROOT / "reports" / "examples"
PAGES = sorted(KEPT.rglob("*.html"))
TEXTS = sorted(path for path in KEPT.rglob("*") if path.suffix in (".html", ".md", ".tex", ".xml", ".svg"))
_MACHINE = re.compile(r"(?<![\w.])/(?:home|root|Users|tmp|work|mnt)/\w")
_FETCHED = re.compile(r"(?:src|href)=[\"']?(?:https?:)?//", re.IGNORECASE)


def name(path):
    """The path as the gallery's README writes it."""
    return path.relative_to(KEPT).as_posix()


def test_the_gallery_is_there():
    """The demo, a grid over two public tasks, a comparison; small enough for a repository."""
    assert {"demo/report.html", "minilm/report.html", "compare/verdict.html"} <= set(map(name, PAGES))
    assert sum(path.stat().st_size for path in KEPT.rglob("*") if path.is_file()) < 8_000_000


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_is_one_small_file(page):
    """Below two megabytes, under a policy that forbids requests, nothing fetched."""
    source = page.read_text(encoding="utf-8")
    assert len(source.encode()) < 2_000_000
    assert "default-src 'none'" in source
    assert not _FETCHED.search(source)


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_no_path_of_a_machine_is_kept(path):
    """Commands and sources are relative, so that they mean something elsewhere."""
    assert not _MACHINE.search(path.read_text(encoding="utf-8"))


def test_every_image_of_a_kept_markdown_file_is_kept():
    """A figure that a report or the README shows lies beside it."""
    for file in (*KEPT.rglob("*.md"), ROOT / "README.md"):
        for image in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", file.read_text(encoding="utf-8")):
            assert (file.parent / image).is_file(), f"{file}: {image}"


def test_the_readme_shows_two_figures_of_the_gallery():
    """What a visitor sees first is measured, and can be drawn again."""
    images = re.findall(r"\]\((reports/examples/[^)]+\.png)\)", (ROOT / "README.md").read_text("utf-8"))
    assert len(images) >= 2
