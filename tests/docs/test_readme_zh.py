"""README.zh-CN.md is in step with README.md: the same code, headings, links, names and numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def blocks(text: str) -> list[tuple[str, str]]:
    return FENCE.findall(text)


def rows(text: str) -> list[list[str]]:
    """The numbers of each table row, cell by cell, without the first, which describes."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[" ".join(sorted(re.findall(r"[\d.]+", cell))) for cell in line.split("|")[2:-1]] for line in lines]


def headings(text: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)]


def prose(text: str) -> str:
    return FENCE.sub("", text)


def links(text: str) -> list[str]:
    targets = re.findall(r"\]\(([^)]+)\)", prose(text))
    return [target for target in targets if not target.startswith("README")]


def code(text: str) -> Counter[str]:
    return Counter(re.findall(r"`([^`\n]+)`", prose(text)))


def numbers(text: str) -> set[str]:
    """Decimal fractions in the text, names in backticks left out."""
    return set(re.findall(r"\d+\.\d+", re.sub(r"`[^`\n]+`", "", prose(text))))


@pytest.mark.parametrize("kind", [blocks, rows, headings, links, code, numbers])
def test_both_say_the_same(kind: Callable[[str], object]) -> None:
    assert kind(ENGLISH)
    assert kind(CHINESE) == kind(ENGLISH)


def test_each_leads_to_the_other() -> None:
    assert "(README.zh-CN.md)" in ENGLISH.split("\n## ")[0]
    assert "(README.md)" in CHINESE.split("\n## ")[0]
