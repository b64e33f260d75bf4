"""Print the table of all levels of a run with one task: quality by dimension, and what the codes are like."""

from __future__ import annotations

import sys

import pandas as pd

import evalsuite


def main() -> None:
    """Read the run named on the command line and print Markdown."""
    run = evalsuite.load_run(sys.argv[1])
    frame = run.to_frame()
    main_rows = frame[frame["main"] & (frame["projection"] == "prefix")]
    dims = sorted(main_rows["dim"].unique(), reverse=True)
    print("| level | " + " | ".join(map(str, dims)) + f" | bytes at {dims[0]} | SQNR dB | overlap@10 |")
    print("|---|" + "---|" * (len(dims) + 3))
    for level, rows in main_rows.groupby("precision", sort=False):
        print(f"| `{level}` | " + " | ".join(cells(rows.set_index("dim"), dims)) + " |")


def cells(rows: pd.DataFrame, dims: list[int]) -> list[str]:
    """Format one level: points with half the interval, then the codes at full width."""
    quality = [
        f"{100 * rows.at[dim, 'value']:.1f} ±{50 * (rows.at[dim, 'upper'] - rows.at[dim, 'lower']):.1f}"
        if rows.at[dim, "status"] == "scored"
        else "failed"
        for dim in dims
    ]
    full = rows.loc[dims[0]]
    codes = number(full["sqnr_db"], 1), number(full["overlap_10"], 3)
    return [*quality, f"{full['bytes_per_vector']:,.0f}", *codes]


def number(value: float, digits: int) -> str:
    """Format a number that may be missing."""
    return "" if pd.isna(value) else f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
