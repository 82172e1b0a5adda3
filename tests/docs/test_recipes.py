"""docs/recipes.md lists every training config, with the scores that its docstring calls the paper's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handkit.registry.config import load_config

ROOT = Path(__file__).parents[2]
ROWS = {
    cells[0].strip("`"): cells[1:]
    for cells in (
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in (ROOT / "docs/recipes.md").read_text("utf-8").splitlines()
        if row.startswith("| `")
    )
}
CONFIGS = {path.stem: path for path in (ROOT / "configs").glob("[hf]a*_*/*.py")}


def test_every_recipe_has_a_row() -> None:
    assert set(ROWS) == {stem for stem, path in CONFIGS.items() if load_config(path).get("train_dataset")}


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_scores_are_those_of_the_docstring(name: str) -> None:
    doc = " ".join(CONFIGS[name].read_text("utf-8").split('"""')[1].split())
    found = re.search(r"Paper: PCK@0\.2 ([\d.]+), AUC ([\d.]+), EPE ([\d.]+)", doc)
    if len(ROWS[name]) == 3:
        assert ROWS[name] == (list(found.groups()) if found else ["-", "-", "-"])
    else:
        assert found is None
