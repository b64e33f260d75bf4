"""`evalsuite cache`: look after the embedding store."""

from __future__ import annotations

import datetime
from pathlib import Path

import typer

app = typer.Typer(help="Look after the stored embeddings.", no_args_is_help=True)
CACHE_DIR = typer.Option(None, "--cache-dir", help="Folder of the embedding store.  [default: user cache]")


@app.command("list")
def list_spaces(
    cache_dir: Path = CACHE_DIR, as_json: bool = typer.Option(False, "--json", help="Print as JSON.")
) -> None:
    """List what is stored: one line a checkpoint."""
    from evalsuite.cli.console import print_json, say
    from evalsuite.embeddings.store import EmbeddingStore
    from evalsuite.reporting.text import plural

    store = EmbeddingStore(cache_dir)
    spaces = store.spaces()
    if as_json:
        print_json({"root": str(store.root), "spaces": [vars(space) for space in spaces]})
        return
    for space in spaces:
        used = datetime.datetime.fromtimestamp(space.used, datetime.UTC)
        content = f"{plural(space.texts, 'text')}, {space.bytes / 2**20:.1f} MiB"
        say(f"{space.identity}  {space.label}  {content}, used {used:%Y-%m-%d %H:%M}")
    say(f"{plural(len(spaces), 'checkpoint')} in {store.root}")


@app.command()
def verify(cache_dir: Path = CACHE_DIR) -> None:
    """Check every stored shard against its checksum; exit code 1 if one is damaged."""
    from evalsuite.cli.console import say
    from evalsuite.embeddings.store import EmbeddingStore
    from evalsuite.reporting.text import plural

    checked = damaged = 0
    for shard, intact in EmbeddingStore(cache_dir).verify():
        checked += 1
        if not intact:
            damaged += 1
            lost = plural(len(shard.keys), "text")
            say(f"damaged: {shard.vectors} ({lost}; the next run encodes them again)")
    say(f"{plural(checked, 'shard')} checked, {damaged} damaged")
    if damaged:
        raise typer.Exit(1)


@app.command()
def prune(
    checkpoint: str = typer.Argument("", help="Identity, fingerprint or label, or the beginning of one."),
    older_than: float = typer.Option(0.0, min=0.0, help="Only what was not used for so many days."),
    everything: bool = typer.Option(False, "--all", help="Delete all stored embeddings."),
    cache_dir: Path = CACHE_DIR,
) -> None:
    """Delete stored embeddings; runs and reports are not touched."""
    from evalsuite.cli.console import fail, say
    from evalsuite.embeddings.store import EmbeddingStore
    from evalsuite.reporting.text import plural

    if not (checkpoint or older_than or everything):
        fail("name a checkpoint, give --older-than DAYS, or say --all")
    gone = EmbeddingStore(cache_dir).prune(identity=checkpoint, older_than_days=older_than)
    for space in gone:
        say(f"deleted: {space.identity}  {space.label}  {plural(space.texts, 'text')}")
    say(f"{plural(len(gone), 'checkpoint')} deleted")
