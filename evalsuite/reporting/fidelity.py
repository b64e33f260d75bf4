"""How true the stored vectors are: the table that needs no judgements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evalsuite.reporting.panel import Panel, ScoredCell
from evalsuite.reporting.text import MISSING, byte_count, fine_percent

HOW_TO_READ = (
    "How true the stored vectors are to the float32 vectors of the same dimensions, without any judgement. "
    "SQNR is signal over quantization noise (higher is better, 6 dB are about one bit). Overlap is the share "
    "of the 10 or 100 nearest documents by float32 that the codes find too. Rank correlation is Spearman's, "
    "of float32 scores and code scores. Noise is the spread of the scores' error over the spread of the "
    "scores (lower is better). Saturated codes lie at the ends of their range, clipped values outside the "
    "calibrated range. Index bytes are stored once for all vectors."
)


@dataclass(frozen=True)
class FidelityTable:
    """Fidelity of the scored cells of one panel.

    Attributes:
        heads: Titles of the columns; a quantity that no cell has is left out.
        rows: Cell to the written values.
    """

    heads: tuple[str, ...]
    rows: dict[ScoredCell, tuple[str, ...]]


def fidelity_table(panel: Panel) -> FidelityTable | None:
    """Tabulate the fidelity of a panel's cells; None if the run measured none."""
    columns = [
        (head, read, write)
        for head, read, write in _COLUMNS
        if any(read(cell) is not None for cell in panel.scored)
    ]
    if not columns:
        return None
    heads = (*(head for head, _, _ in columns), "Index bytes")
    rows = {
        cell: (*(_written(read(cell), write) for _, read, write in columns), byte_count(cell.index_bytes))
        for cell in panel.scored
    }
    return FidelityTable(heads, rows)


def _written(value: float | None, write: Callable[[float], str]) -> str:
    """Write a value, or a dash."""
    return MISSING if value is None else write(value)


def _decibel(value: float) -> str:
    """Write decibels with one decimal."""
    return f"{value:.1f}"


def _fraction(value: float) -> str:
    """Write a correlation or a ratio with four decimals."""
    return f"{value:.4f}"


_COLUMNS: tuple[tuple[str, Callable[[ScoredCell], float | None], Callable[[float], str]], ...] = (
    ("SQNR, dB", lambda cell: cell.fidelity.sqnr_db, _decibel),
    ("Mean cosine", lambda cell: cell.fidelity.mean_cosine, _fraction),
    ("Overlap@10", lambda cell: cell.fidelity.overlap_10, fine_percent),
    ("Overlap@100", lambda cell: cell.fidelity.overlap_100, fine_percent),
    ("Rank correlation", lambda cell: cell.fidelity.rank_correlation, _fraction),
    ("Noise", lambda cell: cell.fidelity.noise_ratio, _fraction),
    ("Saturated", lambda cell: cell.fidelity.saturation, fine_percent),
    ("Clipped", lambda cell: cell.fidelity.clip_share, fine_percent),
)
