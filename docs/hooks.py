"""A hook of mkdocs: pages link to kept reports where they lie in the checkout, and the site takes them in.

A link such as `../reports/examples/demo/report.html` works on disk and on a code host. The site has no
folder above its own, so the file is taken into the site (Markdown as a page, with the files beside it that
it shows) and the link loses its dots.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

_LINK = re.compile(r"\]\(\.\./(?P<path>reports/[^)#\s]+)")
_BESIDE = re.compile(r"\]\((?P<path>(?![a-z]+:|/|\.\.)[^)#\s]+)")
"""A link to a file in or below a report's own folder."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take every linked file of `reports/` into the site.

    Raises:
        PluginError: If a page links to a report that is not there.
    """
    root = Path(config.config_file_path).parent
    texts = {page.src_uri: page.content_string for page in files.documentation_pages()}
    wanted = {match["path"]: page for page, text in texts.items() for match in _LINK.finditer(text)}
    for path, page in list(wanted.items()):
        if path.endswith(".md") and (root / path).is_file():
            found = _BESIDE.finditer((root / path).read_text(encoding="utf-8"))
            wanted |= {str(Path(path).parent / match["path"]): page for match in found}
    for path, page in sorted(wanted.items()):
        if not (root / path).is_file():
            message = (
                f"{page} links to ../{path}, which is not there; draw the example again or drop the link"
            )
            raise PluginError(message)
        source = str(root / path)
        files.append(File.generated(config, path, abs_src_path=source, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to reports at their place in the site."""
    del page, config, files
    return _LINK.sub(r"](\g<path>", markdown)
