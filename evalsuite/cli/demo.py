"""`evalsuite demo`: the main job on a real model and the bundled tasks, offline."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import typer

DEMO_DIMS = (384, 256, 128, 64)
"""The full width of the bundled encoder, and the prefixes the demo cuts it to."""


def demo(
    out: Path = typer.Option(Path("reports") / "runs" / "demo", "--out", "-o", help="Folder of the run."),
    cache_dir: Path = typer.Option(None, help="Folder of the embedding store.  [default: user cache]"),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress, no tables."),
    as_json: bool = typer.Option(False, "--json", help="Print the results as JSON."),
) -> None:
    """Evaluate all-MiniLM-L6-v2 on the bundled tasks and write the report; needs the extra `demo`."""
    from evalsuite import api
    from evalsuite.cli.progress import choose_progress
    from evalsuite.cli.run import show
    from evalsuite.models.hub import BUNDLED_NAME

    finished = api.evaluate(
        BUNDLED_NAME,
        dims=DEMO_DIMS,
        out=out,
        cache_dir=cache_dir,
        progress=choose_progress(quiet=quiet),
        command=shlex.join(["evalsuite", *sys.argv[1:]]),
    )
    show(finished, api.report(finished).html, quiet=quiet, as_json=as_json)
