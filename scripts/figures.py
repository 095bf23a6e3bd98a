"""The figures that hand-written pages quote from the benchmarks' results."""

import re
from pathlib import Path

RESULTS = Path(__file__).parent.parent / "benchmarks" / "RESULTS.md"

_QUOTED = (
    r"### GetInstance, JSON, 64 connections\n[^#]*?\| foas-emulator \| ([\d,.]+) ",
    r"### GetInstance, JSON, 64 connections, signed\n[^#]*?\| foas-emulator \| ([\d,.]+) ",
    r"### tour of six writes, 8 connections\n[^#]*?\| foas-emulator \| ([\d,.]+) ",
    r"\| idle memory \| ([\d.]+) MiB",
    r"\| memory per extra world \| ([\d.]+) KiB",
    r"\| rate with 1,000 worlds, against one world \| ([\d.]+) ",
)
"""Where the results have the figures of the table, in the order of its rows."""


def with_figures(page: str) -> str:
    """The text of docs/shared-instance.md, or of its translation, with the figures of the results, rounded."""
    start = page.index("\n| GetInstance")
    end = page.index("\n\n", start)
    results = RESULTS.read_text("utf-8")
    rows = page[start:end].strip().split("\n")
    told = [_row(row, _figure(pattern, results)) for row, pattern in zip(rows, _QUOTED, strict=True)]
    return page[:start] + "\n" + "\n".join(told) + page[end:]


def _figure(pattern: str, results: str) -> float:
    found = re.search(pattern, results)
    if found is None:
        raise ValueError(f"{RESULTS} has nothing like {pattern}")
    return float(found[1].replace(",", ""))


def _row(row: str, figure: float) -> str:
    """The row with the figure, of two significant digits, in place of the one in its last cell."""
    rounded = float(f"{figure:.2g}")
    head, _, cell = row.removesuffix("|").rpartition("|")
    return f"{head}|{re.sub(r'[0-9,.]+', f'{rounded:,.10g}', cell, count=1)}|"
