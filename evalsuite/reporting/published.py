"""Published scores: small data files with their sources, to draw beside what was measured.

A file `reports/published/NAME.toml` (in a wheel beside the package) holds a head that says where the numbers
come from, and one table `[[series]]` for each row of a published table. Fields left out take those of
`[defaults]`. See `PublishedSeries`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from evalsuite.core.errors import UsageError, known_names

MEAN_TASK, MEAN_TYPE = "mean over tasks", "mean over task types"
FULL = 0
"""Stands for the full width where the source does not say how wide that is; `full` in the file."""

_PLAIN = "float32"
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class PublishedSeries(BaseModel):
    """One published row: the same thing measured at one or several dimensions."""

    model_config = _STRICT

    model: str = Field(min_length=1)
    """The model, as its publisher calls it."""
    benchmark: str = Field(min_length=1)
    """The benchmark, as mteb calls it if it is one of mteb's."""
    filter: str = Field(min_length=1)
    """Which languages and subsets count: two filters give two scores for the same predictions."""
    task_type: str = ""
    """MTEB's kind of task that the value is a mean over; empty if over several kinds."""
    task: str = ""
    """The single task, as mteb calls it; empty for means."""
    subset: str = ""
    """The single subset of a task that has several."""
    measure: str = MEAN_TASK
    """What kind of mean the value is."""
    setting: str = ""
    """What else tells this row from others: a version, a way of training."""
    weights: str = ""
    """Quantization of the model's weights; empty if there is none."""
    precision: str = _PLAIN
    """Precision of the embeddings, by evalsuite's name of the level."""
    scoring: str = ""
    """How codes were scored, in words."""
    at: dict[str, float]
    """Dimension, or `full`, to the score in points."""

    @field_validator("at")
    @classmethod
    def _dimensions(cls, at: dict[str, float]) -> dict[str, float]:
        wrong = [dim for dim in at if dim != "full" and not (dim.isdecimal() and int(dim) > 0)]
        if wrong or not at:
            message = f"give dimensions or `full`, not {', '.join(wrong) or 'nothing'}"
            raise ValueError(message)
        return at

    @property
    def points(self) -> dict[int, float]:
        """Dimension to the score in points, by falling dimension; `FULL` for an unnamed full width."""
        known = {FULL if dim == "full" else int(dim): value for dim, value in self.at.items()}
        return dict(sorted(known.items(), reverse=True))

    @property
    def level(self) -> str:
        """Precision of the embeddings, and how they were scored if the source says so."""
        return f"{self.precision} ({self.scoring})" if self.scoring else self.precision

    @property
    def what(self) -> str:
        """What was evaluated: the task, or the benchmark with the kind of task and of mean."""
        if self.task:
            return f"{self.task} ({self.subset})" if self.subset else self.task
        parts = [self.benchmark, self.task_type, self.measure if self.measure != MEAN_TASK else ""]
        return " · ".join(part for part in parts if part)


class PublishedSet(BaseModel):
    """A published table, or several of one source."""

    model_config = _STRICT

    name: str
    """Name of the file: what `--published` takes."""
    title: str = Field(min_length=1)
    """Heading."""
    source: str = Field(min_length=1)
    """Where the numbers stand."""
    link: str = Field(pattern=r"^https?://\S+$")
    """Address of the source."""
    published: str = Field(min_length=1)
    """When the source appeared."""
    read: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    """When it was read."""
    conditions: str = Field(min_length=1)
    """How the numbers were made."""
    series: tuple[PublishedSeries, ...] = Field(min_length=1)
    """The rows."""

    def reference(self, series: PublishedSeries) -> float | None:
        """Find the score, in points, that a row's retention is measured against.

        That of the same thing with plain weights and float embeddings at the largest dimension; None if the
        source does not give it.
        """
        plain = {"weights": "", "precision": _PLAIN, "scoring": "", "at": {}}
        wanted = series.model_copy(update=plain)
        found = [other.points for other in self.series if other.model_copy(update={"at": {}}) == wanted]
        whole = [points for points in found if max(points) >= max(series.points)]
        return whole[0][max(whole[0])] if whole else None

    def retention(self, series: PublishedSeries) -> dict[int, float]:
        """Divide a row's scores by their reference: dimension to fraction; empty without a reference."""
        whole = self.reference(series)
        return {dim: value / whole for dim, value in series.points.items()} if whole else {}


def published_names() -> tuple[str, ...]:
    """List the names of the published tables that come with evalsuite.

    Raises:
        UsageError: If the package was copied without its data.
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def read_published(wanted: Sequence[str]) -> tuple[PublishedSet, ...]:
    """Read published tables.

    Args:
        wanted: Names of tables that come with evalsuite, or paths of files of the same form.

    Raises:
        UsageError: If names are unknown, or a file is malformed; names everything that is wrong.
    """
    known = {name: _folder() / f"{name}.toml" for name in published_names()}
    paths = {name: known.get(name, Path(name)) for name in dict.fromkeys(wanted)}
    unknown = [name for name, path in paths.items() if name not in known and not path.is_file()]
    if unknown:
        message = (
            f"no published table {known_names(unknown)}; known: {known_names(list(known))}, "
            "or give the path of a .toml file of the same form"
        )
        raise UsageError(message)
    return tuple(_read(path) for path in paths.values())


def _folder() -> Path:
    """Find the tables: beside the package in a wheel, under `reports` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "published_tables", package.parent / "reports" / "published"):
        if folder.is_dir():
            return folder
    message = f"the published tables are missing beside {package}; install evalsuite again"
    raise UsageError(message)


def _read(path: Path) -> PublishedSet:
    """Read one file.

    Raises:
        UsageError: If it cannot be read or is malformed, with every mistake.
    """
    try:
        with path.open("rb") as file:
            head: dict[str, Any] = tomllib.load(file)
    except (OSError, ValueError) as error:
        message = f"{path}: cannot be read as a published table ({error})"
        raise UsageError(message) from error
    defaults, rows = head.pop("defaults", {}), head.pop("series", [])
    try:
        return PublishedSet(
            name=path.stem, series=tuple(PublishedSeries(**{**defaults, **row}) for row in rows), **head
        )
    except (ValidationError, TypeError) as error:
        message = f"{path}: not a published table: {_mistakes(error)}"
        raise UsageError(message) from error


def _mistakes(error: ValidationError | TypeError) -> str:
    """Put the mistakes of a file on one line."""
    if isinstance(error, TypeError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}"
        for mistake in error.errors(include_url=False)
    )
