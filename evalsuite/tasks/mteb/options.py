"""MtebOptions: how MTEB names are understood."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Road = Literal["native", "mteb"]

DATA_VARIABLE = "EVALSUITE_MTEB_DATA"
"""Environment variable with the folder of local task data."""


def _data_folder() -> Path | None:
    """Read the folder of local task data from the environment."""
    given = os.environ.get(DATA_VARIABLE, "")
    return Path(given).expanduser() if given else None


@dataclass(frozen=True)
class MtebOptions:
    """How MTEB names are understood.

    Attributes:
        types: Keep only tasks of these types (`Retrieval`, `STS`, ...) of a benchmark or of `mteb`.
        languages: Keep only the subsets that have one of these languages (ISO 639-3 such as `eng`, or with
            a script, `eng-Latn`); also of tasks given by name.
        domains: Keep only tasks of these domains (`Medical`, ...) of a benchmark or of `mteb`.
        data: Folder of local task data: `DATA/TASKNAME` is used in place of the hub. By default the
            environment variable `EVALSUITE_MTEB_DATA`.
        road: `native` scores retrieval and STS with evalsuite's own search and metrics where that is exact;
            `mteb` sends every task through mteb's evaluators.
    """

    types: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    data: Path | None = field(default_factory=_data_folder)
    road: Road = "native"

    @property
    def has_filters(self) -> bool:
        """Whether any filter is set."""
        return bool(self.types or self.languages or self.domains)
