"""The tiny components of `stand_ins`, registered while these tests run."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

STAND_INS = Path(__file__).with_name("stand_ins.py")


@pytest.fixture(scope="session")
def tiny() -> Iterator[ModuleType]:
    """The module `stand_ins`."""
    spec = importlib.util.spec_from_file_location("engine_stand_ins", STAND_INS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.register()
    yield module
    module.forget()


@pytest.fixture(scope="session")
def program() -> Path:
    """`stand_ins` as a program."""
    return STAND_INS
