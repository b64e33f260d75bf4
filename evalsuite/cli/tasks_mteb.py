"""`evalsuite tasks list --mteb`: plan an MTEB run before it starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.tasks.mteb import MtebRef
    from evalsuite.tasks.mteb.listing import Listing, Plan

_TABLE_WIDTH = 120
_TINY_HOURS = 0.01


@dataclass(frozen=True)
class ListOptions:
    """What `tasks list --mteb` was asked.

    Attributes:
        names: Tasks and benchmarks; none means every current text task that matches.
        types: Filter by type.
        languages: Filter by language.
        domains: Filter by domain.
        data: Folder of local task data; None leaves it to the environment.
        limit_hours: Keep only what fits into this time.
        texts_per_second: Encoding rate.
    """

    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    data: Path | None = None
    limit_hours: float | None = None
    texts_per_second: float | None = None


def list_mteb(options: ListOptions, *, as_json: bool) -> None:
    """Print the plan as a table or as JSON.

    Raises:
        UsageError: If a name, a filter or a number cannot be used.
    """
    from evalsuite.cli.console import print_json
    from evalsuite.core.errors import UsageError
    from evalsuite.tasks.mteb.listing import DEFAULT_RATE, Plan, fit, list_task

    rate = DEFAULT_RATE if options.texts_per_second is None else options.texts_per_second
    for name, value in (("--texts-per-second", rate), ("--limit-hours", options.limit_hours)):
        if value is not None and not 0 < value < float("inf"):
            message = f"{name} {value:g}: must be above 0"
            raise UsageError(message)
    listings = [list_task(ref, rate) for ref in _asked(options)]
    plan = Plan(tuple(listings)) if options.limit_hours is None else fit(listings, options.limit_hours)
    if as_json:
        print_json(_as_json(plan, rate))
    else:
        _print_plan(plan, rate, options.limit_hours)


def _asked(options: ListOptions) -> Sequence[MtebRef]:
    """Find the tasks asked for; evalsuite's own are found too, and refused by name."""
    from evalsuite.core.errors import UsageError
    from evalsuite.tasks.catalogue import resolve
    from evalsuite.tasks.mteb import MtebOptions, MtebRef
    from evalsuite.tasks.mteb.names import MtebNames

    mteb = MtebOptions(types=options.types, languages=options.languages, domains=options.domains)
    if options.data is not None:
        mteb = dataclasses.replace(mteb, data=options.data.expanduser())
    if not options.names:
        return MtebNames(mteb).matching()
    found = resolve(options.names, mteb)
    own = [ref.name for ref in found if not isinstance(ref, MtebRef)]
    if own:
        message = f"{', '.join(own)}: not of MTEB; `evalsuite tasks show NAME` shows evalsuite's own"
        raise UsageError(message)
    return [ref for ref in found if isinstance(ref, MtebRef)]


def _print_plan(plan: Plan, rate: float, limit_hours: float | None) -> None:
    """Print the table, the total, what was left out, and how the time was estimated."""
    from rich.console import Console
    from rich.table import Table

    from evalsuite.cli.console import say, stdout
    from evalsuite.tasks.mteb.listing import READ_CHARACTERS, REFERENCE_CHARACTERS

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("task", "type", "languages", "split"):
        table.add_column(column, no_wrap=True)
    for column in ("texts", "characters", "encoding"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("data", no_wrap=True)
    for listing in plan.kept:
        table.add_row(*_row(listing))
    # Names are never cut, whatever the terminal: they are what a person copies into the next command.
    Console(highlight=False, width=max(stdout().width, _TABLE_WIDTH)).print(table)
    say("")
    say(_total(plan))
    if plan.left_out:
        known = [listing.name for listing in plan.left_out if listing.hours is not None]
        unknown = [listing.name for listing in plan.left_out if listing.hours is None]
        if known:
            say(f"left out, over {limit_hours:g} hours: {', '.join(known)}")
        if unknown:
            say(f"left out, size unknown: {', '.join(unknown)}")
    say(
        f"encoding: an estimate from characters, at {rate:g} texts of {REFERENCE_CHARACTERS} characters a "
        f"second (--texts-per-second), texts cut at {READ_CHARACTERS:,}; every variant of a run shares it"
    )


def _row(listing: Listing) -> list[str]:
    """Write one line of the table."""
    size = listing.size
    return [
        listing.name,
        listing.type,
        _languages(listing),
        listing.split,
        "?" if size is None else _short(size.texts),
        "?" if size is None else _short(size.characters),
        "?" if listing.hours is None else _duration(listing.hours),
        listing.data,
    ]


def _languages(listing: Listing) -> str:
    """Write the first language and how many more there are."""
    first, *more = listing.languages or ("?",)
    return f"{first} +{len(more)}" if more else first


def _short(number: int) -> str:
    """Write a large number in three digits."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def _duration(hours: float) -> str:
    """Write a time in the unit that fits."""
    if hours < _TINY_HOURS:
        return f"{max(1, round(hours * 3600))} s"
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.1f} h"


def _total(plan: Plan) -> str:
    """Write the line below the table."""
    sizes = [listing.size for listing in plan.kept if listing.size is not None]
    missing = sum(listing.data == "missing" for listing in plan.kept)
    parts = [
        f"{len(plan.kept)} tasks, {sum(size.texts for size in sizes):,} texts, "
        f"{sum(size.characters for size in sizes):,} characters, {_duration(plan.hours)} to encode",
        f"{plan.unknown} of unknown size" if plan.unknown else "",
        f"data missing for {missing}" if missing else "",
    ]
    return "total: " + "; ".join(part for part in parts if part)


def _as_json(plan: Plan, rate: float) -> dict[str, Any]:
    """Write the plan for machines; unknown numbers are null."""

    def listed(listing: Listing) -> dict[str, Any]:
        return {
            "name": listing.name,
            "type": listing.type,
            "languages": list(listing.languages),
            "subsets": listing.subsets,
            "split": listing.split,
            "texts": listing.size and listing.size.texts,
            "characters": listing.size and listing.size.characters,
            "hours": listing.hours,
            "data": listing.data,
        }

    return {
        "tasks": [listed(listing) for listing in plan.kept],
        "left_out": [listed(listing) for listing in plan.left_out],
        "texts_per_second": rate,
        "total_hours": plan.hours,
        "of_unknown_size": plan.unknown,
    }
