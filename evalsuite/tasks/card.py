"""TaskCard: a task described in a TOML file, every field with the sentence that explains it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict

from evalsuite.core.errors import TaskDataError, UsageError
from evalsuite.core.measure import CORRELATIONS, Measure

Kind = Literal["retrieval", "sts"]
SourceKind = Literal["bundled", "folder", "file", "python-stdlib"]

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""Names of tasks and suites: a letter or digit, then letters, digits, dots, dashes and underscores."""

_DEFAULT_METRIC = {"retrieval": "ndcg@10", "sts": "cosine_spearman"}
_DEFAULT_TYPE = {"retrieval": "Retrieval", "sts": "STS"}
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class Source(BaseModel):
    """Where a task's data is: the card's table `[source]`."""

    model_config = _STRICT

    kind: SourceKind
    """`bundled` (travels with the card), `folder`, `file` or `python-stdlib` (derived when it is used)."""

    path: str = ""
    """Folder or file, relative to the card's folder; `~` and `$VARIABLES` are filled in."""

    revision: str = ""
    """Which version of the data this is, in the words of whoever publishes it."""

    checksum: str = pydantic.Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """The data's fingerprint (64 hexadecimal digits); when given, other data is refused."""

    split: str = pydantic.Field(default="", pattern=r"^[\w.-]*$")
    """Which part of the data is used; empty means `test`, else the only one there is."""


class Prompts(BaseModel):
    """Which of a model's prompts fit: the card's table `[prompts]`."""

    model_config = _STRICT

    task_type: str = pydantic.Field(min_length=1)
    """MTEB's name of the kind of task, such as `Retrieval`, `STS` or `InstructionRetrieval`."""


class TaskCard(BaseModel):
    """A task: what it asks, how it was made, where its data is and who may use it."""

    model_config = _STRICT

    name: str = pydantic.Field(pattern=rf"^{NAME}$")
    """What the task is called in commands, tables and files."""

    kind: Kind
    """`retrieval` (rank a corpus for queries) or `sts` (agree with people about similarity)."""

    description: str = pydantic.Field(min_length=1)
    """What the task asks of a model, in a sentence or two."""

    how_made: str = pydantic.Field(min_length=1)
    """How texts and judgements came to be, in plain words."""

    source: Source
    """Where the data is."""

    prompts: Prompts | None = None
    """Which prompts fit; left out, those for retrieval or STS are used."""

    main_metric: str = ""
    """The metric a table shows first, such as `ndcg@10`; left out, the usual one of the kind."""

    licence: str = pydantic.Field(min_length=1)
    """Licence of the texts, an SPDX identifier where there is one."""

    citation: str = ""
    """Whom to cite when publishing numbers on this task."""

    language: str = pydantic.Field(default="en", min_length=2)
    """Language of the texts, a BCP 47 tag such as `en`."""

    @pydantic.model_validator(mode="after")
    def _fields_fit_together(self) -> TaskCard:
        clashes = _clashes(self.model_dump())
        if clashes:
            raise ValueError("; ".join(clashes))
        return self

    @property
    def metric(self) -> str:
        """Canonical text of the metric a table shows first."""
        return self.main_metric or _DEFAULT_METRIC[self.kind]

    @property
    def task_type(self) -> str:
        """MTEB's name of the kind of task; chooses the prompts."""
        return self.prompts.task_type if self.prompts else _DEFAULT_TYPE[self.kind]


def load_card(path: str | os.PathLike[str]) -> TaskCard:
    """Read and check a card.

    Raises:
        TaskDataError: Lists every mistake of the card: the field, and what is allowed there.
    """
    path = Path(path).expanduser()
    raw = read_toml(path)
    try:
        return TaskCard.model_validate(raw)
    except pydantic.ValidationError as error:
        # The check across fields (no location) runs only once all fields are right, so it is repeated here.
        faults = [_fault(dict(detail)) for detail in error.errors() if detail["loc"]]
        raise TaskDataError(str(path), [*faults, *_clashes(raw)]) from None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        TaskDataError: If it cannot be read or is not TOML; says on which line.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise TaskDataError(str(path), [f"cannot be read ({error.strerror})"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaskDataError(str(path), [f"not TOML: {error}"]) from None


def _fault(detail: Mapping[str, Any]) -> str:
    """Say one of pydantic's findings with the field's name first and what is allowed."""
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{field}: missing"
    if detail["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"source": Source, "prompts": Prompts}
        table = models[str(detail["loc"][0])] if len(detail["loc"]) > 1 else TaskCard
        return f"{field}: no such field; fields: {', '.join(table.model_fields)}"
    return f"{field}: {detail['msg'][0].lower()}{detail['msg'][1:]}, not {detail['input']!r}"


def _clashes(raw: Mapping[str, Any]) -> list[str]:
    """List the fields that do not fit each other; fields of a wrong type are left to pydantic."""
    found = []
    kind, metric = raw.get("kind"), raw.get("main_metric")
    if isinstance(metric, str) and metric:
        found += _metric_faults(kind, metric)
    source = raw.get("source")
    if not isinstance(source, Mapping):
        return found
    where, path = source.get("kind"), source.get("path")
    if where == "python-stdlib":
        found += [
            f"source.{f}: python-stdlib has none" for f in ("path", "split", "checksum") if source.get(f)
        ]
        if kind == "sts":
            found.append("source.kind: python-stdlib makes a retrieval task, not sts")
    elif where in ("bundled", "folder", "file") and not path:
        found.append(f"source.path: missing; a {where} source needs one")
    if where == "file" and kind == "retrieval":
        found.append("source.kind: a retrieval task is a folder, not a file")
    if where == "bundled" and isinstance(path, str) and re.search(r"^[/~$\\]|(^|/)\.\.(/|$)", path):
        found.append(f"source.path: {path!r} leaves the card's folder; bundled data lies beside its card")
    return found


def _metric_faults(kind: object, text: str) -> list[str]:
    """Say what is wrong with a main metric: unknown, or of the other kind of task."""
    try:
        measure = Measure.parse(text)
    except UsageError as error:
        return [f"main_metric: {error}"]
    if kind in _DEFAULT_METRIC and (measure.name in CORRELATIONS) != (kind == "sts"):
        return [f"main_metric: {text} does not score a task of kind {kind}"]
    return []
