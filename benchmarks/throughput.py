"""How fast the roads encode, over `SentenceTransformer.encode` by default, and what they cost in score.

The documents are dealt into parts; every part is encoded by each side in turn, so that a busy machine slows
all sides alike:

- bare: `SentenceTransformer.encode` with its defaults;
- float32: `--workers auto --dtype float32`, into a store;
- auto: `--workers auto --dtype auto`, into a store.

Loading, starting workers and choosing a road are not timed. The main score of each side comes from the
vectors that were timed, the queries' included. Last comes what no road can beat: the time of the model's
matrix products alone, at the speed at which this machine multiplies matrices of their shape.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutting import judged_first, write_lines
from measuring import WARM_UP, conditions

if TYPE_CHECKING:
    import torch

    from evalsuite.embeddings.encode import Prompted
    from evalsuite.models.checkpoint import Checkpoint
    from evalsuite.tasks.task import RetrievalTask

Side = Callable[[Sequence["Prompted"]], None]

TARGETS = {"float32": 1.3, "auto": 3.0}
"""Least speed over the bare one, on two cores with all-MiniLM-L6-v2 and SciFact."""


def main() -> None:
    """Encode part after part on every side, then print speeds and scores."""
    options = parse()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    from evalsuite.api import load_tasks
    from evalsuite.tasks.task import RetrievalTask

    (task,) = load_tasks([options.task])
    if not isinstance(task, RetrievalTask):
        sys.exit(f"{options.task} has no documents")
    task = judged_first(task, options.documents) if options.documents else task
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds, scores, notes = compare(options, task, folder)
    print(conditions(torch.get_num_threads()))
    print(*notes, sep="\n")
    for side, times in seconds.items():
        ratios = [bare / own for bare, own in zip(seconds["bare"], times, strict=True)]
        target = f", target {TARGETS[side]}" if side in TARGETS else ""
        print(
            f"{side:8s} {sum(times):8.1f} s   {sum(seconds['bare']) / sum(times):5.2f} x bare "
            f"(median part {statistics.median(ratios):.2f}{target})   "
            f"main score {100 * scores[side]:.2f}, {100 * (scores[side] - scores['bare']):+.3f} points"
        )


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="folder or hub id (default: %(default)s)")
    parser.add_argument("--task", required=True, help="a retrieval task, such as path/to/scifact")
    parser.add_argument("--documents", type=int, help="keep only so many documents, for a quick look")
    parser.add_argument("--parts", type=int, default=4, help="turns of the sides (default: %(default)s)")
    return parser.parse_args()


def compare(
    options: argparse.Namespace, task: RetrievalTask, folder: Path
) -> tuple[dict[str, list[float]], dict[str, float], list[str]]:
    """Time every side on every part, and score each side's vectors."""
    from evalsuite.core.progress import Silent
    from evalsuite.embeddings.encode import encode_once
    from evalsuite.embeddings.roads import RoadAsk, choose_road, describe
    from evalsuite.embeddings.space import text_key
    from evalsuite.embeddings.store import EmbeddingStore
    from evalsuite.models.opening import open_checkpoint
    from evalsuite.sweep.sample import sample_inputs

    checkpoint = open_checkpoint(options.model)
    inputs = sample_inputs(checkpoint, [task], len(task.documents) + len(task.queries), seed=0)
    stores = {side: EmbeddingStore(folder / side) for side in ("bare", *TARGETS)}
    notes: list[str] = []
    sides: dict[str, Side] = {}
    roads: dict[str, Checkpoint] = {"bare": checkpoint}
    for side, auto_dtype in (("float32", False), ("auto", True)):
        chosen, entry = choose_road(
            checkpoint, RoadAsk("auto", auto_dtype), lambda count: inputs[:count], stores[side], Silent()
        )
        notes.append(describe(side, entry) if entry else f"{side}: default road")
        roads[side] = chosen
        chosen.encoder().encode(WARM_UP, "")

        def on_road(part: Sequence[Prompted], side: str = side) -> None:
            encode_once(roads[side], part, stores[side], Silent())

        sides[side] = on_road
    model = checkpoint.encoder().model  # type: ignore[attr-defined]
    model.encode(WARM_UP)
    space = stores["bare"].space(checkpoint.fingerprint, checkpoint.label)

    def bare(part: Sequence[Prompted]) -> None:
        vectors = model.encode([each.prompt + each.text for each in part], show_progress_bar=False)
        space.add([text_key(each.prompt, each.text) for each in part], vectors)

    seconds = time_parts({"bare": bare, **sides}, inputs, options.parts)
    notes += limits(model, [each.prompt + each.text for each in inputs], sum(seconds["bare"]))
    for chosen in roads.values():
        chosen.release()
    reference = write(task, folder / "task")
    scores = {side: score(roads[side], options.model, reference, folder, side) for side in ("bare", *TARGETS)}
    return seconds, scores, notes


def time_parts(sides: dict[str, Side], inputs: Sequence[Prompted], parts: int) -> dict[str, list[float]]:
    """Let every side encode every part, in an order that turns round; returns seconds."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(parts):
        names = list(sides) if turn % 2 == 0 else list(sides)[::-1]
        for side in names:
            began = time.perf_counter()
            sides[side](inputs[turn::parts])
            seconds[side].append(time.perf_counter() - began)
            print(f"part {turn + 1} of {parts}, {side}: {seconds[side][-1]:.1f} s", flush=True)
    return seconds


def limits(model: Any, texts: Sequence[str], bare_seconds: float) -> list[str]:
    """Say how long the products with the model's weights alone take at full speed."""
    import torch

    tokenized = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)
    tokens = sum(map(len, tokenized["input_ids"]))
    layers = [each.weight for each in model.modules() if isinstance(each, torch.nn.Linear)]
    operations = 2 * tokens * sum(weight.numel() for weight in layers)
    shape = max((tuple(weight.shape) for weight in layers), key=lambda each: each[0] * each[1])
    notes = []
    for dtype in (torch.float32, torch.bfloat16):
        peak = matmul_peak(shape, dtype)
        seconds = operations / peak
        notes.append(
            f"{dtype}: products at {peak / 1e9:.0f} G operations/s, {seconds:.1f} s for {tokens:,} tokens: "
            f"no road can be above {bare_seconds / seconds:.2f} x bare"
        )
    return notes


def matmul_peak(shape: tuple[int, int], dtype: torch.dtype) -> float:
    """Multiply 4,096 rows with a weight matrix, (out, in), 30 times; return the best operations a second."""
    import torch

    rows, weight = torch.randn(4096, shape[1], dtype=dtype), torch.randn(*shape, dtype=dtype)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(30):
            began = time.perf_counter()
            torch.nn.functional.linear(rows, weight)
            best = min(best, time.perf_counter() - began)
    return 2 * rows.numel() * shape[0] / best


def score(checkpoint: Checkpoint, model: str, reference: str, folder: Path, side: str) -> float:
    """Return the main score of the vectors in a side's store; nothing is encoded."""
    import evalsuite

    run = evalsuite.evaluate(
        model,
        reference,
        checkpoint.dim,
        "float32",
        folder / f"run-{side}",
        dtype=checkpoint.dtype,
        cache_dir=folder / side,
        spread=False,
    )
    (encoding,) = run.record.provenance.encodings
    if encoding.encoded:
        sys.exit(f"{side}: {encoding.encoded} texts were not in the store")
    frame = run.to_frame()
    return float(frame[frame["main"]]["value"].iloc[0])


def write(task: RetrievalTask, folder: Path) -> str:
    """Write a task to a BEIR folder, and return where."""
    documents = zip(task.document_ids, task.documents, strict=True)
    queries = zip(task.query_ids, task.queries, strict=True)
    write_lines(folder / "corpus.jsonl", [{"_id": i, "title": t.title, "text": t.text} for i, t in documents])
    write_lines(folder / "queries.jsonl", [{"_id": i, "text": t.text} for i, t in queries])
    rows = [f"{q}\t{d}\t{grade}" for q, grades in task.qrels.items() for d, grade in grades.items()]
    (folder / "qrels").mkdir()
    text = "query-id\tcorpus-id\tscore\n" + "\n".join(rows) + "\n"
    (folder / "qrels" / "test.tsv").write_text(text, encoding="utf-8")
    return str(folder)


if __name__ == "__main__":
    main()
