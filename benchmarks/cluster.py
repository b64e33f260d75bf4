"""How much two workers of a local Ray gain over one, and whether they find the same.

The documents are dealt into parts; every part is encoded by one actor and by two, in turns, so that a busy
machine slows both alike. Every actor has one thread and its model loaded; starting Ray and loading are
printed apart. Where other programs hold the cores, two workers cannot be faster than one: the output says how
much of its cores each side had, and what the workers' own processor time comes to.
Then the corpus is searched for its queries by this process, by one actor and by two: rankings, ties and
the scores of judged documents must be equal, or the script fails.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from cutting import judged_first
from measuring import conditions

if TYPE_CHECKING:
    from evalsuite.cluster.engine import RayEngine
    from evalsuite.embeddings.encode import Prompted
    from evalsuite.embeddings.vectors import StoredVectors
    from evalsuite.models.checkpoint import Checkpoint
    from evalsuite.sweep.search import Found
    from evalsuite.tasks.task import RetrievalTask

TARGET = 1.7
WORKERS = (1, 2)
VARIANTS = ("384/float32", "128/float32", "384/int8", "128/binary")


def main() -> None:
    """Encode on both sides, search on all three, print."""
    options = parse()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    from evalsuite.api import load_tasks
    from evalsuite.tasks.task import RetrievalTask

    (task,) = load_tasks([options.task])
    if not isinstance(task, RetrievalTask):
        sys.exit(f"{options.task} has no documents")
    task = judged_first(task, options.documents) if options.documents else task
    began = time.perf_counter()
    # A core for each actor of both sides; only one side works at a time.
    ray.init(
        address="local",
        num_cpus=sum(WORKERS),
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
    )
    print(f"Ray started in {time.perf_counter() - began:.1f} s", flush=True)
    try:
        with tempfile.TemporaryDirectory() as name:
            compare(options, task, Path(name), ray)
    finally:
        ray.shutdown()


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="folder or hub id (default: %(default)s)")
    parser.add_argument("--task", required=True, help="a retrieval task, such as path/to/scifact")
    parser.add_argument("--documents", type=int, help="keep only so many documents, for a quick look")
    parser.add_argument("--parts", type=int, default=4, help="turns of the sides (default: %(default)s)")
    parser.add_argument(
        "--corpus",
        type=int,
        default=20_000,
        help="rows that are searched, documents repeated (default: %(default)s)",
    )
    return parser.parse_args()


def compare(options: argparse.Namespace, task: RetrievalTask, folder: Path, ray: Any) -> None:
    """Time both sides, then search."""
    from evalsuite.cluster.engine import RayEngine
    from evalsuite.cluster.pool import Pool
    from evalsuite.cluster.session import Shares
    from evalsuite.models.opening import open_checkpoint
    from evalsuite.sweep.sample import sample_inputs

    checkpoint = open_checkpoint(options.model, device="cpu")
    inputs = sample_inputs(checkpoint, [task], len(task.documents) + len(task.queries), seed=0)
    engines = {count: RayEngine(Pool(ray, Shares(count, 1, 0))) for count in WORKERS}
    crews = {count: on_cluster(checkpoint, engine) for count, engine in engines.items()}
    before = {count: processor(engine) for count, engine in engines.items()}
    seconds, stores = time_parts(crews, inputs, options.parts, folder)
    spent = {count: processor(engine) - before[count] for count, engine in engines.items()}
    ratios = [one / two for one, two in zip(*seconds.values(), strict=True)]
    total = sum(seconds[1]) / sum(seconds[2])
    free = 2 * spent[1] / spent[2]
    print(conditions(1, "ray"))
    for count, times in seconds.items():
        print(
            f"{count} worker(s): {sum(times):7.1f} s, {len(inputs) / sum(times):6.1f} texts/s; processor "
            f"{spent[count]:.1f} s, {100 * spent[count] / (count * sum(times)):.0f} % of {count} core(s)"
        )
    print(
        f"two over one: {total:.2f} x (median part {statistics.median(ratios):.2f}), target {TARGET}; "
        f"{len(inputs)} texts; {free:.2f} x by processor time, if both cores were always free"
    )
    count, vectors = len(task.documents), stored_vectors(checkpoint, task, stores[2])
    corpus = repeated(vectors.slice(0, count), options.corpus)
    queries = vectors.slice(count, len(vectors))
    same_rankings(corpus, queries, engines)
    print(f"{len(queries)} queries over {len(corpus)} rows: rankings, ties and scores equal on all sides")


def processor(engine: RayEngine) -> float:
    """Return the processor seconds of all workers of an engine so far."""
    import psutil

    times = [psutil.Process(pid).cpu_times() for pid in engine.pool.pids]
    return float(sum(each.user + each.system for each in times))


def on_cluster(checkpoint: Checkpoint, engine: RayEngine) -> Checkpoint:
    """Put a checkpoint on a road of many workers: the same blueprint, batches by tokens."""
    import dataclasses

    from evalsuite.embeddings.site import HOST_TOKENS

    blueprint = checkpoint.blueprint
    if blueprint is None:
        sys.exit(f"{checkpoint.label} is not a model folder")
    own = dataclasses.replace(blueprint, tokens=HOST_TOKENS)
    count = engine.pool.shares.workers
    began = time.perf_counter()
    crew = engine.site.gather([own] * count, threads=1, dim=checkpoint.dim, label=checkpoint.label).start()
    print(f"{count} worker(s) ready in {time.perf_counter() - began:.1f} s", flush=True)
    return dataclasses.replace(checkpoint, load=lambda: crew)


def time_parts(
    crews: dict[int, Checkpoint], inputs: Sequence[Prompted], parts: int, folder: Path
) -> tuple[dict[int, list[float]], dict[int, Path]]:
    """Let both sides encode every part into a store of their own, in an order that turns round."""
    from evalsuite.core.progress import Silent
    from evalsuite.embeddings.encode import encode_once
    from evalsuite.embeddings.store import EmbeddingStore

    seconds: dict[int, list[float]] = {count: [] for count in crews}
    stores = {count: folder / f"store-{count}" for count in crews}
    for turn in range(parts):
        for count in list(crews) if turn % 2 == 0 else list(crews)[::-1]:
            began = time.perf_counter()
            encode_once(crews[count], inputs[turn::parts], EmbeddingStore(stores[count]), Silent())
            seconds[count].append(time.perf_counter() - began)
            print(f"part {turn + 1} of {parts}, {count} worker(s): {seconds[count][-1]:.1f} s", flush=True)
    return seconds, stores


def stored_vectors(checkpoint: Checkpoint, task: RetrievalTask, store: Path) -> StoredVectors:
    """Return the vectors of all documents, then all queries; nothing is encoded."""
    from evalsuite.embeddings.space import text_key
    from evalsuite.embeddings.store import EmbeddingStore
    from evalsuite.sweep.run import sides

    space = EmbeddingStore(store).space(checkpoint.fingerprint, checkpoint.label)
    space.refresh()
    rendered = [
        checkpoint.prompts.render(role, task.task_type, task.name, text.text, text.title)
        for role, texts in sides(task)
        for text in texts
    ]
    return space.vectors([text_key(prompt, text) for prompt, text in rendered])


def repeated(corpus: StoredVectors, rows: int) -> StoredVectors:
    """Repeat the documents until there are enough to share out; copies tie everywhere."""
    return corpus.select(np.arange(max(rows, len(corpus)), dtype=np.int64) % len(corpus))


def same_rankings(corpus: StoredVectors, queries: StoredVectors, engines: dict[int, RayEngine]) -> None:
    """Search on this process and on both sides; exits with an error at the first difference."""
    from evalsuite.core.variant import Variant
    from evalsuite.sweep.calibration import Calibration
    from evalsuite.sweep.engine import LOCAL
    from evalsuite.sweep.search import CorpusSearch
    from evalsuite.sweep.spaces import Fitted
    from evalsuite.vectors.search import Pairs

    variants = [Variant.parse(text) for text in VARIANTS]
    rng = np.random.default_rng(0)
    watch, _ = Pairs.ordered(rng.integers(len(queries), size=500), rng.integers(len(corpus), size=500))
    fitted = Fitted(Calibration.draw(corpus, 0))
    found: dict[str, dict[Variant, Found]] = {}
    sides = {"here": LOCAL, **{f"{count} worker(s)": each for count, each in engines.items()}}
    for name, engine in sides.items():
        search = CorpusSearch(
            corpus, queries.all(), fitted, min(1000, len(corpus)), watch, lambda _: None, 0, engine
        )
        found[name], _ = search.run(variants)
    for name, each in found.items():
        for variant in variants:
            for part in ("rows", "scores", "boundary", "watched"):
                one, other = (getattr(side[variant].ranking, part) for side in (found["here"], each))
                if not np.array_equal(one, other):
                    sys.exit(f"{variant}: {part} differ between here and {name}")


if __name__ == "__main__":
    main()
