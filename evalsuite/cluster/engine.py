"""RayEngine: a sweep's work on a cluster. Workers take parts of a corpus; a tree merges what they find."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from evalsuite.cluster import wire
from evalsuite.cluster.crew import RaySite
from evalsuite.cluster.pool import Call, Hooks, Pool
from evalsuite.cluster.session import Shares, connected, nodes_of
from evalsuite.core.progress import Progress
from evalsuite.embeddings.vectors import StoredVectors
from evalsuite.stats.spread.sides import DocumentPass, PassPlan
from evalsuite.sweep.scan import Scan, Scanned
from evalsuite.sweep.sides import BLOCK, TaskSides
from evalsuite.sweep.spaces import Fitted


@dataclass(frozen=True)
class _Work:
    """Something to be done over a whole corpus.

    Attributes:
        method: Name of the worker's method that does a part.
        asked: What every part is told.
        corpus: The vectors.
        block: Rows of a block; parts begin at whole blocks.
        join: Merges the results of two neighbouring parts.
        size: What `join` keeps: documents a query, or rows of a sample.
    """

    method: str
    asked: wire.Plain
    corpus: StoredVectors
    block: int
    join: Callable[[wire.Plain, wire.Plain, int], wire.Plain]
    size: int


class RayEngine:
    """Encodes, scans and passes over documents with a pool of actors.

    Args:
        pool: The actors.
    """

    def __init__(self, pool: Pool) -> None:
        self._ray = pool.ray
        self.pool = pool
        self._site = RaySite(self.pool)
        self._fitted: Fitted | None = None
        self._fit_name = ""

    @property
    def site(self) -> RaySite:
        """The cluster."""
        return self._site

    def describe(self) -> str:
        """Say what did the work."""
        shares, nodes = self.pool.shares, len(nodes_of(self._ray))
        gpus = f" and {shares.gpus} accelerator" if shares.gpus else ""
        return (
            f"ray {self._ray.__version__}: {shares.workers} worker(s) of {shares.threads} thread(s){gpus}, "
            f"{nodes} node(s)"
        )

    def scan(self, scan: Scan, advance: Callable[[int], None]) -> Scanned:
        """Search the parts of a corpus side by side, and merge what was found.

        Raises:
            EvalsuiteError: What a worker says.
        """
        if scan.fitted is not self._fitted:
            self._fitted, self._fit_name = scan.fitted, uuid.uuid4().hex
        asked = wire.scan_plain(scan, self._fit_name)
        work = _Work("scan", asked, scan.corpus, scan.block, wire.merge_scanned, scan.depth)
        return wire.to_scanned(self._done(work, advance))

    def pass_over(self, plan: PassPlan, sides: TaskSides, progress: Progress) -> DocumentPass:
        """Pass over runs of a task's documents side by side, and add up what was gathered.

        Raises:
            EvalsuiteError: What a worker says.
        """
        work = _Work(
            "pass_over", wire.plan_plain(plan), sides.documents, BLOCK, wire.merge_passes, plan.sizes.rows
        )
        return wire.to_pass(self._done(work, lambda documents: progress.advance(documents, documents)), plan)

    def _done(self, work: _Work, advance: Callable[[int], None]) -> wire.Plain:
        """Have the parts of a work done and merged; once more if results were lost with a node."""
        try:
            return self._merged(work, self._parts(work, advance))
        except self._ray.exceptions.ObjectLostError:
            advance(-len(work.corpus))
            return self._merged(work, self._parts(work, advance))

    def _parts(self, work: _Work, advance: Callable[[int], None]) -> list[Any]:
        """Have every worker do its part of a corpus; returns references in the order of the parts."""
        asked = self._ray.put(work.asked)
        calls = [
            Call(
                work.method, (asked, self._ray.put(wire.corpus_plain(work.corpus.slice(start, stop), start)))
            )
            for start, stop in runs(len(work.corpus), work.block, self.pool.shares.workers)
        ]
        found = dict(self.pool.stream(calls, Hooks(told=lambda _, items: advance(items))))
        return [found[call] for call in calls]

    def _merged(self, work: _Work, parts: Sequence[Any]) -> wire.Plain:
        """Merge neighbours until one is left, where they lie; only the last result comes here."""
        # No core is reserved: the workers hold all of them, and wait meanwhile.
        join = self._ray.remote(num_cpus=0)(work.join)
        while len(parts) > 1:
            pairs = range(0, len(parts) - 1, 2)
            merged = [join.remote(*parts[place : place + 2], work.size) for place in pairs]
            parts = [*merged, *parts[2 * len(merged) :]]
        plain: wire.Plain = self._ray.get(parts[0])
        return plain


@contextlib.contextmanager
def ray_engine(workers: int | Literal["auto"], device: str | None) -> Iterator[RayEngine]:
    """Open the engine on the cluster that `RAY_ADDRESS` names, or on one started here for the while.

    Args:
        workers: Actors; `auto` is one an accelerator, else one a core.
        device: Device asked for; None takes accelerators where there are any.

    Raises:
        UsageError: If Ray is not installed, the cluster cannot be reached, or the workers do not fit it.
    """
    with connected() as ray:
        engine = RayEngine(Pool(ray, Shares.of(nodes_of(ray), workers, device)))
        try:
            yield engine
        finally:
            engine.pool.close()


def runs(count: int, block: int, parts: int) -> list[tuple[int, int]]:
    """Cut `count` rows into at most so many runs of whole blocks, about equally long, none empty."""
    blocks = -(-count // block)
    edges = [number * blocks // parts for number in range(parts + 1)]
    cuts = sorted({min(edge * block, count) for edge in edges})
    return list(pairwise(cuts))
