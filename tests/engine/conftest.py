"""The tiny components of `stand_ins`, registered while these tests run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

STAND_INS = Path(__file__).with_name("stand_ins.py")


@pytest.fixture(scope="module")
def tiny(program_module: Callable[[str], ModuleType]) -> Iterator[ModuleType]:
    """The module `stand_ins`."""
    module = program_module("tests/engine/stand_ins.py")
    module.register()
    yield module
    module.forget()


@pytest.fixture(scope="session")
def program() -> Path:
    """`stand_ins` as a program."""
    return STAND_INS
