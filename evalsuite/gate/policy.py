"""Policy: what counts as worse, and what happens then.

A policy is a TOML file; without one, `Policy()` applies. Every key has a default::

    alpha = 0.05                          # level of every test
    power = 0.8                           # power that minimum detectable effects are given for
    resamples = 10000                     # of intervals and randomization
    seed = 0                              # of the resamples
    metrics = ["main"]                    # metrics judged: `main`, or globs such as "recall@100"
    macro_margin = 0.005                  # margin of means over tasks; absolute
    inconclusive = "warn"                 # neither a regression nor harmlessness is shown, drop within margin
    inconclusive_beyond_margin = "error"  # the same, but the measured drop exceeds the margin
    missing = "error"                     # a cell of the baseline that the candidate lacks
    failed = "error"                      # a cell that the candidate could not be scored in
    incomparable = "error"                # the two sides were not asked the same question
    no_values = "error"                   # no per-query values, so nothing can be tested; "points" trusts
                                          # the bare difference
    prompts = "same"                      # or "any": compare models that are prompted differently

    [[margin]]                            # the first rule that matches a cell decides
    task = "scifact*"                     # globs; one or a list of them
    type = "Retrieval"
    metric = "ndcg@10"
    dim = [128, 256]
    precision = "binary*"
    absolute = 0.02                       # or: relative = 0.03, a fraction of the baseline's value
    severity = "warn"                     # default "error"

    [[required]]                          # cells that are there and scored, for every combination
    task = "scifact"
    dim = 768
    precision = ["float32", "int8"]

    [[retention]]                         # the candidate's binary keeps 92 % of its own float32
    precision = "binary"
    dim = 768
    of = "float32"                        # a precision at the same dimension, or a variant: "768/float32"
    floor = 0.92

    [[spread]]                            # a statistic of the embedding space
    statistic = "M2*d"
    dim = 256
    side = "document"
    max_rise = 0.10                       # a fraction of the baseline's value; also max_fall, max, min

    [[bytes]]                             # bytes a vector, candidate over baseline
    max_ratio = 1.0

    [[speed]]                             # seconds a text of encoding, candidate over baseline
    max_ratio = 1.5

A cell that no `[[margin]]` rule matches has an absolute margin of 0.01 (one point).
"""

from __future__ import annotations

import fnmatch
import itertools
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from evalsuite.core.errors import UsageError
from evalsuite.core.spread import STATISTICS
from evalsuite.core.variant import Variant
from evalsuite.stats.resample import RESAMPLES
from evalsuite.sweep.plan import check_levels

Severity = Literal["error", "warn"]
Treatment = Literal["error", "warn", "ignore"]

DEFAULT_MARGIN = 0.01

ONE_MARGIN = "give either absolute or relative"
A_LIMIT = "give max_rise or max_fall (fractions of the baseline's value), max or min (values)"
LIMITS = ("max_rise", "max_fall", "max", "min")


def _as_globs(value: Any) -> Any:
    """Let one word, a number or a list of them be written."""
    several = value if isinstance(value, list | tuple) else [value]
    return tuple(
        str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in several
    )


Globs = Annotated[tuple[str, ...], BeforeValidator(_as_globs), Field(min_length=1)]
ANY: tuple[str, ...] = ("*",)


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Severity = "error"


class Selector(_Rule):
    """Cells by globs; what is left out matches everything."""

    task: Globs = ANY
    type: Globs = ANY
    metric: Globs = ANY
    dim: Globs = ANY
    precision: Globs = ANY

    def matches(self, task: str, task_type: str, variant: Variant, metric: str | None = None) -> bool:
        """Tell whether a cell is meant; without a metric, every metric of it."""
        return (
            matches(self.task, task)
            and matches(self.type, task_type)
            and matches(self.dim, variant.space)
            and matches(self.precision, variant.level)
            and (metric is None or matches(self.metric, metric))
        )


class MarginRule(Selector):
    """How much worse is acceptable: a difference, or a fraction of the baseline's value."""

    absolute: float | None = Field(default=None, ge=0, lt=1)
    relative: float | None = Field(default=None, ge=0, lt=1)

    @model_validator(mode="after")
    def _one_margin(self) -> Self:
        if (self.absolute is None) == (self.relative is None):
            raise ValueError(ONE_MARGIN)
        return self

    def keep(self, baseline: float) -> float:
        """Factor of the baseline's value that is compared with: above 1 where that is negative."""
        share = self.relative or 0.0
        return 1.0 + share if baseline < 0 else 1.0 - share

    def size(self, baseline: float) -> float:
        """The margin as a difference."""
        return self.absolute if self.absolute is not None else (self.relative or 0.0) * abs(baseline)


class RequiredRule(Selector):
    """Cells that the candidate must have scored: at least one for every combination of what is listed."""

    def combinations(self) -> list[dict[str, str]]:
        """Return one glob a field, for every combination; fields left out are left out."""
        given = self.model_dump(exclude={"severity"}, exclude_defaults=True)
        return [dict(zip(given, globs, strict=True)) for globs in itertools.product(*given.values())]


class RetentionRule(Selector):
    """How much of another variant's quality a variant must keep, within the candidate."""

    of: str = "float32"
    floor: float = Field(gt=0, le=2)

    @field_validator("of")
    @classmethod
    def _a_variant(cls, text: str) -> str:
        try:
            check_levels([Variant.parse(text).level if "/" in text else text])
        except UsageError as error:
            raise ValueError(str(error)) from error
        return text

    def reference(self, variant: Variant) -> str:
        """Name the variant that is compared with."""
        return self.of if "/" in self.of else f"{variant.space}/{self.of}"


class SpreadRule(_Rule):
    """How far a statistic of the embedding space may rise."""

    statistic: str
    dim: Globs = ANY
    task: Globs = ANY
    side: Globs = ("document",)
    max_rise: float | None = Field(default=None, ge=0)
    max_fall: float | None = Field(default=None, ge=0)
    max: float | None = None
    min: float | None = None

    @field_validator("statistic")
    @classmethod
    def _known(cls, text: str) -> str:
        return statistic_name(text)

    @model_validator(mode="after")
    def _a_limit(self) -> Self:
        if all(getattr(self, name) is None for name in LIMITS):
            raise ValueError(A_LIMIT)
        if self.min is not None and self.max is not None and self.min > self.max:
            message = f"min {self.min:g} is above max {self.max:g}: no value can keep both"
            raise ValueError(message)
        return self


def statistic_name(text: str) -> str:
    """Return the name of a statistic that is given by name or by symbol, such as `M2*d`.

    Raises:
        ValueError: If there is no such statistic; names all.
    """
    plain = text.replace(" ", "").replace("*", "·").casefold()
    for name, statistic in STATISTICS.items():
        if plain in (name.casefold(), statistic.symbol.replace(" ", "").casefold()):
            return name
    message = f"unknown statistic {text!r}; known: {', '.join(STATISTICS)}"
    raise ValueError(message)


class BytesRule(Selector):
    """How much larger a stored vector may become."""

    max_ratio: float = Field(gt=0)


class SpeedRule(_Rule):
    """How much slower encoding may become."""

    max_ratio: float = Field(gt=0)


class Policy(BaseModel):
    """Everything the gate goes by; the module's docstring explains each key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    power: float = Field(default=0.8, gt=0.5, lt=1)
    resamples: int = Field(default=RESAMPLES, ge=1000, le=1_000_000)
    seed: int = Field(default=0, ge=0)
    metrics: Globs = ("main",)
    macro_margin: float = Field(default=0.005, ge=0, lt=1)
    inconclusive: Treatment = "warn"
    inconclusive_beyond_margin: Treatment = "error"
    missing: Severity = "error"
    failed: Severity = "error"
    incomparable: Severity = "error"
    no_values: Literal["error", "warn", "points"] = "error"
    prompts: Literal["same", "any"] = "same"
    margin: tuple[MarginRule, ...] = ()
    required: tuple[RequiredRule, ...] = ()
    retention: tuple[RetentionRule, ...] = ()
    spread: tuple[SpreadRule, ...] = ()
    bytes: tuple[BytesRule, ...] = ()
    speed: tuple[SpeedRule, ...] = ()

    def margin_for(self, task: str, task_type: str, variant: Variant, metric: str) -> MarginRule:
        """Return the first rule that matches a cell, or the default of one point."""
        matching = (rule for rule in self.margin if rule.matches(task, task_type, variant, metric))
        return next(matching, MarginRule(absolute=DEFAULT_MARGIN))

    def judges(self, metric: str, main: str) -> bool:
        """Tell whether a metric is judged."""
        return (metric == main and "main" in self.metrics) or matches(self.metrics, metric)


def matches(globs: tuple[str, ...], name: str) -> bool:
    """Tell whether a name matches one of the globs; case counts."""
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)
