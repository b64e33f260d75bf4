"""The site: builds without a warning and without the network, and every page is whole."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.docs.blocks import ROOT

_FETCHED = re.compile(r"<(?:script|img|iframe|source)[^>]+src=[\"']?(?:https?:)?//", re.IGNORECASE)
_STYLES = re.compile(
    r"<link[^>]+rel=[\"']?(?:stylesheet|preload|preconnect)[^>]+href=[\"']?(?:https?:)?//", re.I
)


def build(*words):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path):
    """`mkdocs build --strict` succeeds, and no page asks another host for a script, a style or an image."""
    done = build("--site-dir", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text("utf-8")
        assert not _FETCHED.search(text), page
        assert not _STYLES.search(text), page
    for name in ("reports/examples/demo/report.html", "ci/github-actions.yml", "api/verbs.html"):
        assert (tmp_path / "site" / name).is_file()


@pytest.mark.slow
def test_a_dead_link_fails_the_build(tmp_path):
    """The build can fail: a link to a report that is not kept is an error."""
    pages = tmp_path / "docs"
    pages.mkdir()
    (pages / "index.md").write_text("[gone](../reports/examples/no-such-report.html)\n")
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\nhooks: [{ROOT / 'docs' / 'hooks.py'}]\n")
    done = build("--config-file", tmp_path / "mkdocs.yml", "--site-dir", tmp_path / "site")
    assert done.returncode != 0
    assert "no-such-report.html, which is not there" in done.stdout + done.stderr
