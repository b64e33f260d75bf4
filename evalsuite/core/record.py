"""RunRecord: what was asked, what came back, and everything needed to repeat it.

`record.json` is this model written out; the docstring under each field is the file format's documentation.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evalsuite.core.ann import AnnEntry, AnnMissing
from evalsuite.core.errors import RunFileError
from evalsuite.core.road import RoadEntry
from evalsuite.core.spec import SweepSpec
from evalsuite.core.spread import SpreadEntry
from evalsuite.core.weights import WeightReport

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SCHEMA_VERSION: Literal[1] = 1
_SHOWN = 5
"""How many mistakes of a damaged record are named."""


class _Entry(BaseModel):
    """Base of every part of a record: immutable, strict about unknown fields, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricValue(_Entry):
    """One metric of one cell: a mean over queries, or a correlation over pairs, as a fraction."""

    value: float
    """The headline: ties broken as trec_eval breaks them (score descending, then document id descending)."""
    lower: float | None = None
    """Lower end of the 95 % interval; None where the metric is neither a mean nor a correlation of kept
    values, such as an average precision over all pairs."""
    upper: float | None = None
    """Upper end of the 95 % interval; None as above."""
    expected: float | None = None
    """Mean over every order of tied documents; None where ties cannot change the metric."""
    ties_won: float | None = None
    """Value if every tie were broken in favour of the relevant documents."""
    ties_lost: float | None = None
    """Value if every tie were broken against the relevant documents."""


class Fidelity(_Entry):
    """How true the stored vectors are to the float32 vectors of the same dimensions; needs no judgements.

    A value is None where the level has no such quantity, or the kind of task has no rankings.
    """

    sqnr_db: float | None = None
    """Signal to quantization noise of the document vectors in decibel, at the best single scale."""
    mean_cosine: float | None = None
    """Mean cosine of each decoded document vector with the float32 vector."""
    overlap_10: float | None = None
    """Mean share of the 10 nearest documents by float32 that are among the 10 nearest by codes."""
    overlap_100: float | None = None
    """The same for 100 documents."""
    rank_correlation: float | None = None
    """Spearman's correlation of float32 scores and code scores over sampled documents, mean over queries."""
    noise_ratio: float | None = None
    """Spread of the scores' error over the spread of the float32 scores, after the best linear fit."""
    saturation: float | None = None
    """Share of codes at the ends of their range."""
    clip_share: float | None = None
    """Share of values outside the calibrated range."""


class Scored(_Entry):
    """A cell that was evaluated."""

    status: Literal["scored"] = "scored"
    n: int | None
    """Number of kept values behind the metrics: queries, pairs, sentences, texts, or repetitions of an
    experiment; None if unknown, as in results that another tool wrote."""
    metrics: dict[str, MetricValue]
    """Canonical metric text (`ndcg@10`) to value."""
    tie_share: float | None = None
    """Share of queries with documents of equal score on both sides of the main metric's cut-off."""
    bytes_per_vector: float
    """Stored bytes a document vector, its side values and a copy for rescoring included."""
    index_bytes: float = 0.0
    """Bytes stored once for the whole index: ranges, codebooks, rotations."""
    seconds: float
    """Wall time of quantizing, searching and scoring this cell; shared work is split evenly."""
    fidelity: Fidelity = Fidelity()
    """How true the stored vectors are to the float32 vectors."""


class Failed(_Entry):
    """A cell that could not be evaluated, and why."""

    status: Literal["failed"] = "failed"
    reason: str
    """One message that names the thing, the value and the next step."""


Outcome = Annotated[Scored | Failed, Field(discriminator="status")]


class CellRecord(_Entry):
    """One result: (checkpoint, task, variant) and its outcome."""

    checkpoint: str
    """Label of the checkpoint, unique in the record."""
    task: str
    """Name of the task, unique in the record."""
    variant: str
    """Canonical variant text, such as `256/int8`."""
    outcome: Outcome
    """What came back."""


class CheckpointEntry(_Entry):
    """A checkpoint of the run, identified by content."""

    label: str
    """Short name used in tables."""
    source: str
    """Hub id or folder as the user gave it."""
    revision: str | None
    """Commit hash on the hub; None for folders and loaded models."""
    fingerprint: str
    """sha256 over weights, tokenizer, module configs, prompts, maximum length and dtype."""
    dtype: str
    """Data type the model ran in."""
    dim: int
    """Full output width."""
    matryoshka_dims: tuple[int, ...]
    """Dimensions the checkpoint declares; empty if it declares none."""
    max_seq_length: int | None
    """Longest input in tokens; longer texts are cut."""
    prompts: dict[str, str]
    """Prompt name to prompt text."""
    prompts_origin: str
    """Where the prompts came from."""
    warnings: tuple[str, ...] = ()
    """What was odd about the checkpoint."""
    weights: str = "native"
    """Precision of the weights as variants write it, such as `q4_0` or `q4_0+keep`."""
    weights_label: str = "native"
    """The same in words that tell rounding after training (PTQ) from training for it (QAT)."""
    weight_report: WeightReport | None = None
    """What became of every tensor; None for native weights, and if the weights could not be rounded."""


class PartEntry(_Entry):
    """A part of an MTEB task that is scored by itself; the task's score is the mean over its parts."""

    split: str
    """Part of the data, such as `test`."""
    subset: str
    """Name of the configuration of the data set, often a language; `default` if there is only one."""
    languages: tuple[str, ...] = ()
    """Languages and scripts of the texts, such as `eng-Latn`."""
    n: int | None = None
    """Number of kept values, as in a cell; None if unknown."""


class TaskEntry(_Entry):
    """A task of the run, identified by content."""

    name: str
    """Name used in tables."""
    kind: Literal["retrieval", "sts", "mteb"]
    """Retrieval, semantic textual similarity, or any task that MTEB defines."""
    task_type: str
    """MTEB's name of the kind of task; chooses prompts."""
    split: str
    """Part of the data used."""
    source: str
    """Where the data came from."""
    main_metric: str
    """Canonical text of the metric shown first."""
    fingerprint: str
    """sha256 over all texts, ids and judgements; empty if the task could not be loaded."""
    counts: dict[str, int]
    """Documents, queries and judgements, or pairs."""
    warnings: tuple[str, ...] = ()
    """What was odd about the data."""
    road: Literal["", "native", "mteb"] = ""
    """How an MTEB task was scored: by evalsuite's own search (`native`) or by mteb's evaluator on stored
    vectors (`mteb`); empty for other tasks, and for one that could not be loaded."""
    languages: tuple[str, ...] = ()
    """The language filter in force; empty if none was: then every subset counts."""
    parts: tuple[PartEntry, ...] = ()
    """Parts of an MTEB task, each a split and a subset; empty for other tasks."""


class TableFile(_Entry):
    """Where a table of one checkpoint on one task lies."""

    checkpoint: str
    """Label of the checkpoint."""
    task: str
    """Name of the task."""
    path: str
    """Path of the Parquet file, relative to the record."""


class Encoding(_Entry):
    """How the texts of one checkpoint were turned into vectors."""

    checkpoint: str
    """Label of the checkpoint."""
    texts: int
    """Unique texts the run needed."""
    encoded: int
    """Texts encoded by this run; the others were already in the store."""
    seconds: float
    """Wall time of encoding, model loading included."""
    road: RoadEntry | None = None
    """The faster road that was taken; None for the default: one process, batches of a fixed size."""


class Provenance(_Entry):
    """What is needed to repeat the run and to trust it."""

    created: str
    """UTC time at which the run ended, ISO 8601."""
    command: str
    """The command line or call that made the run."""
    versions: dict[str, str]
    """Versions of evalsuite, Python and the libraries that decide the numbers."""
    platform: str
    """Operating system and processor architecture."""
    device: str
    """Device the model ran on; `none` when every vector came from the store."""
    threads: int
    """Processor threads torch used."""
    engine: str = "local"
    """What encoded, searched and measured the spread: this machine, or a cluster, with its workers."""
    git: dict[str, str]
    """Commit of the working folder and whether it was dirty; empty outside a repository."""
    tie_rule: str
    """How equal scores are ordered."""
    calibration: str
    """What the quantizers were fitted on."""
    interval: str
    """How the 95 % intervals were made."""
    seconds: dict[str, float]
    """Wall time by stage: load, encode, score, spread, ann, total."""
    encodings: tuple[Encoding, ...] = ()
    """One entry a checkpoint."""


class RunRecord(_Entry):
    """A whole run: the question, the answers, the circumstances."""

    schema_version: Literal[1] = SCHEMA_VERSION
    """Version of this file format."""
    asked: SweepSpec
    """The question."""
    checkpoints: tuple[CheckpointEntry, ...]
    """The models judged."""
    tasks: tuple[TaskEntry, ...]
    """The tasks used."""
    cells: tuple[CellRecord, ...]
    """Every expected cell, scored or failed."""
    per_query: tuple[TableFile, ...] = ()
    """The per-query tables."""
    official: tuple[TableFile, ...] = ()
    """For MTEB tasks, tables of every metric that mteb reports, under its names."""
    spread: tuple[SpreadEntry, ...] = ()
    """How evenly the float32 vectors fill the sphere: one entry a checkpoint, task, side and dimension."""
    ann: tuple[AnnEntry, ...] = ()
    """Approximate search: one entry a checkpoint, retrieval task, dimension and precision."""
    ann_missing: tuple[AnnMissing, ...] = ()
    """Probes of approximate search that could not be made, and why."""
    provenance: Provenance
    """The circumstances."""

    def to_json(self) -> str:
        """Write the record as indented JSON."""
        return self.model_dump_json(indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str) -> RunRecord:
        """Read a record.

        Args:
            text: Content of a `record.json`.
            where: Name of the file, for error messages.

        Raises:
            RunFileError: If the text is not JSON, of another schema version, damaged, or contradicts itself.
        """
        try:
            version = json.loads(text).get("schema_version")
        except (json.JSONDecodeError, AttributeError) as error:
            message = f"{where}: not a run record ({error}); give the folder a run was written to"
            raise RunFileError(message) from error
        if version != SCHEMA_VERSION:
            message = (
                f"{where}: schema version {version!r}, this evalsuite reads {SCHEMA_VERSION}; "
                "read it with the evalsuite version named in its provenance"
            )
            raise RunFileError(message)
        try:
            record = cls.model_validate_json(text)
        except ValidationError as error:
            raise _damaged(where, [_place(each) for each in error.errors()]) from error
        problems = list(_contradictions(record))
        if problems:
            raise _damaged(where, problems)
        return record


def _place(error: ErrorDetails) -> str:
    """Say where a field is not what it should be, and why."""
    return f"{'.'.join(map(str, error['loc'])) or 'record'}: {error['msg']}"


def _contradictions(record: RunRecord) -> Iterator[str]:
    """Find what a record says twice, and cells of nothing: a reader could only guess which is meant."""
    labels, tasks = [each.label for each in record.checkpoints], [each.name for each in record.tasks]
    cells = [(cell.checkpoint, cell.task, cell.variant) for cell in record.cells]
    for what, names in (
        ("checkpoint", labels),
        ("task", tasks),
        ("cell", [" · ".join(key) for key in cells]),
    ):
        yield from (f"{what} {name!r} is there {n} times" for name, n in Counter(names).items() if n > 1)
    for what, names, known in (
        ("checkpoint", [cell[0] for cell in cells], labels),
        ("task", [cell[1] for cell in cells], tasks),
    ):
        yield from (
            f"cells of a {what} {name!r}, which is not listed"
            for name in dict.fromkeys(names)
            if name not in known
        )


def _damaged(where: str, problems: Sequence[str]) -> RunFileError:
    """Say what is wrong with a record: the first mistakes, and how many more."""
    shown = "\n".join(f"  - {problem}" for problem in problems[:_SHOWN])
    more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return RunFileError(f"{where}: damaged run record; evaluate again:\n{shown}{more}")
