"""What a page can show that is not in the records of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalsuite.core.ablation import AblationReport
    from evalsuite.core.verdict import Verdict
    from evalsuite.reporting.page.explorer import ExplorerPanel


@dataclass(frozen=True)
class PageParts:
    """Optional sections of a page; each is left out where there is nothing to show.

    Attributes:
        verdict: A comparison of two runs.
        ablation: What an ablation found.
        explorer: The queries that break.
        problems: What could not be read, one sentence each.
    """

    verdict: Verdict | None = None
    ablation: AblationReport | None = None
    explorer: Sequence[ExplorerPanel] = ()
    problems: Sequence[str] = field(default=())
