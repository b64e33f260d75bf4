"""`evalsuite inspect`: show a pipeline module by module, and where it is not what it claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from evalsuite.models.inspection import Inspection


def inspect(
    model: str = typer.Argument(..., metavar="MODEL", help="Folder or hub id of a model."),
    dtype: str = typer.Option("float32", help="float32, bfloat16 or float16."),
    device: str = typer.Option(None, help="Torch device, such as cpu or cuda:0."),
    revision: str = typer.Option(None, help="Commit, tag or branch of a hub model."),
    trust_remote_code: bool = typer.Option(
        False, "--trust-remote-code", help="Run code that comes with the model. Only for code you have read."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print as JSON."),
) -> None:
    """Show a model's pipeline, prompts, dimensions and attention, and warn where something is off."""
    from evalsuite.cli.console import print_json
    from evalsuite.models.inspection import inspect_checkpoint
    from evalsuite.models.opening import open_checkpoint

    checkpoint = open_checkpoint(
        model, revision=revision, dtype=dtype, device=device, trust_remote_code=trust_remote_code
    )
    found = inspect_checkpoint(checkpoint)
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)


def _print(found: Inspection) -> None:
    """Print an inspection for people."""
    from rich.table import Table

    from evalsuite.cli.console import say, stdout, warn

    table = Table("", "module", "in", "out", "parameters", "MiB", "detail", box=None, header_style="bold")
    for column in (4, 5):
        table.columns[column].justify = "right"
    for module in found.modules:
        size = f"{module.bytes / 2**20:,.1f}"
        row = (str(module.index), module.name, module.input, module.output, f"{module.parameters:,}", size)
        table.add_row(*row, module.detail)
    stdout().print(table)
    say("")
    for name, value in _facts(found):
        say(f"{name:<18} {value}")
    for name, prompt in found.prompts.items():
        say(f"{'prompt ' + name:<18} {prompt!r}")
    for message in found.warnings:
        warn(message)
    if not found.warnings:
        say("no warnings: the pipeline is what it claims to be")


def _facts(found: Inspection) -> list[tuple[str, str]]:
    """List what is true of the whole pipeline."""
    dims = ", ".join(map(str, found.matryoshka_dims)) or "none declared"
    attention = {True: "bidirectional", False: "causal", None: "not probed"}[found.bidirectional]
    facts = [
        ("model", found.label),
        ("fingerprint", found.fingerprint),
        ("total", f"{found.parameters:,} parameters, {found.bytes / 2**20:,.1f} MiB as {found.dtype}"),
        ("width", str(found.dim)),
        ("Matryoshka dims", dims),
        ("max length", f"{found.max_seq_length} tokens" if found.max_seq_length else "unlimited"),
        ("attention", f"{attention} (probed)" if found.bidirectional is not None else attention),
        ("attention window", "full in every layer" if found.window is None else str(found.window)),
        ("prompts from", found.prompts_origin),
    ]
    if found.revision:
        facts.insert(1, ("revision", found.revision))
    if found.head_rank is not None:
        facts.append(("rank of the head", f"{found.head_rank} of {found.dim}"))
    return facts
