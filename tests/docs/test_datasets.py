"""docs/datasets.md has a row for every registered data set."""

from __future__ import annotations

import re
from pathlib import Path

from handkit.registry import DATASETS, registered

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def test_every_data_set_has_a_row_and_every_row_a_data_set() -> None:
    table = PAGE.read_text().split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.M)) == sorted(registered(DATASETS))
