"""`evalsuite demo`: the main job on a real model and the bundled tasks, offline."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import typer

DEMO_PRECISIONS = ("float32", "int8", "int4", "binary")


def demo(
    out: Path = typer.Option(Path("reports") / "runs" / "demo", "--out", "-o", help="Folder of the run."),
    cache_dir: Path = typer.Option(None, help="Folder of the embedding store.  [default: user cache]"),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress, no tables."),
    as_json: bool = typer.Option(False, "--json", help="Print the results as JSON."),
) -> None:
    """Compare two heads with and without GOR on the bundled tasks; needs the extra `demo`.

    Both are heads on all-MiniLM-L6-v2, trained alike but for the Global Orthogonal Regularizer.
    """
    from evalsuite import api
    from evalsuite.ablation.twins import DIMS, TWINS
    from evalsuite.cli.progress import choose_progress
    from evalsuite.cli.run import show

    finished = api.evaluate(
        TWINS,
        dims=DIMS,
        precisions=DEMO_PRECISIONS,
        out=out,
        cache_dir=cache_dir,
        ann=True,
        progress=choose_progress(quiet=quiet),
        command=shlex.join(["evalsuite", *sys.argv[1:]]),
    )
    show(finished, api.report(finished).html, quiet=quiet, as_json=as_json)
