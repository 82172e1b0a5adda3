"""docs/datasets.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from handkit.datasets.checking import KINDS
from handkit.datasets.exchange import FORMATS
from handkit.registry import DATASETS, registered

TEXT = (Path(__file__).parents[2] / "docs/datasets.md").read_text("utf-8")


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table with this first line, by their first cell."""
    rows = TEXT.split(heading)[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0].strip("` "): row[1:] for row in cells}


def test_every_data_set_has_a_row_and_every_row_a_data_set() -> None:
    first = TEXT.split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", first, re.M)) == sorted(registered(DATASETS))


def test_every_finding_is_listed_with_how_it_is_mended() -> None:
    rows = table("| finding | what it is | mend |")
    assert {kind: row[-1] for kind, row in rows.items()} == KINDS


def test_every_format_is_listed() -> None:
    rows = table("| format | what is read and written |")
    assert sorted(rows) == sorted(FORMATS)
    assert set(re.findall(r"--to (\S+)", TEXT)) <= set(FORMATS)
