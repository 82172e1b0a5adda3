"""Markdown tables of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table; a bar in a cell becomes a slash."""
    return [_line(titles), _line(["---"] * len(titles)), *map(_line, rows)]


def number(value: float, digits: int = 3) -> str:
    """With so many digits behind the point; a dash for what was not measured (NaN)."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
