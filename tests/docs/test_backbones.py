"""docs/backbones.md holds what benchmarks/backbones.py prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from handkit.models import backbones

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "backbones.md").read_text("utf-8")


@pytest.fixture(scope="module")
def program(program_module: Callable[[str], ModuleType]) -> ModuleType:
    return program_module("benchmarks/backbones.py")


def test_every_backbone_is_in_the_table(program: ModuleType) -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(program.BACKBONES)
    assert {node["type"] for node in program.BACKBONES.values()} == set(backbones.__all__)


@pytest.mark.parametrize("name", ["ResNet-18", "MobileNetV2, stride 8", "CSPNeXt-s"])
def test_the_numbers_are_the_programs(program: ModuleType, name: str) -> None:
    assert program.row(name, program.BACKBONES[name], 256) in TEXT.splitlines()
