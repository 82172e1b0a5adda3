"""The limits that keep rooms small: lines per file, per function, per config, per tool."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "handkit").rglob("*.py"))
EVERYTHING = sorted(
    path for folder in ("handkit", "tools", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(path: Path) -> None:
    assert lines(path) <= 500
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert length <= 60, f"{node.name} has {length} lines"


def test_the_median_file_is_below_200_lines() -> None:
    assert statistics.median(map(lines, SOURCES)) <= 200


def test_configs_and_tools_are_thin() -> None:
    for path in (ROOT / "configs").rglob("*.py"):
        assert lines(path) <= 60, path
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), f"{path} says nothing about itself"
    for path in (ROOT / "tools").glob("*.py"):
        assert lines(path) <= 80, path


def test_configs_inherit_at_most_two_deep() -> None:
    def depth(path: Path) -> int:
        tree = ast.parse(path.read_text("utf-8"))
        bases = [
            base
            for node in tree.body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_base_"
            for base in ast.literal_eval(node.value)
        ]
        return max((1 + depth((path.parent / base).resolve()) for base in bases), default=0)

    assert max(map(depth, (ROOT / "configs").rglob("*.py"))) <= 2


def test_no_star_imports_and_no_paths_of_a_machine() -> None:
    for path in EVERYTHING:
        text = path.read_text("utf-8")
        assert "import " + "*" not in text, path
        for folder in ("/work" + "/", "/root" + "/", "/home" + "/"):
            assert folder not in text, f"{path} names {folder}"
