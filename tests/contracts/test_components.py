"""What every registered component must keep, whoever wrote it."""

from __future__ import annotations

import inspect
import pickle
import typing
from typing import Any

import pytest

from handkit.registry import ALL, build, registered

COMPONENTS = [(kind, name) for kind, registry in ALL.items() for name in registered(registry)]
BACKBONE = dict(type="HRNet")
SSD = dict(
    type="SSDLite",
    backbone=dict(type="MobileNetV2"),
    neck=dict(type="SSDNeck"),
    bbox_head=dict(type="SSDHead"),
)
#: The smallest arguments of each component; {} where its defaults do.
ARGUMENTS: dict[str, dict[str, Any]] = {}


def component(kind: str, name: str) -> type:
    return ALL[kind].module_dict[name]


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_constructors_are_explicit_and_typed(kind: str, name: str) -> None:
    cls = component(kind, name)
    for parameter in inspect.signature(cls).parameters.values():
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL), f"{name} takes {parameter}"
    hints = typing.get_type_hints(cls.__init__)
    assert set(inspect.signature(cls).parameters) <= set(hints), f"{name} has untyped arguments"


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_every_argument_is_documented(kind: str, name: str) -> None:
    cls = component(kind, name)
    doc = inspect.getdoc(cls) or ""
    assert cls.__doc__ is not None
    assert len(doc.split("\n")[0]) > 10
    for argument in inspect.signature(cls).parameters:
        assert f"{argument}:" in doc or f"{argument}," in doc, f"{name}'s docstring does not explain {argument}"


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_builds_from_its_smallest_config_and_pickles(kind: str, name: str) -> None:
    made = build(dict(type=name, **ARGUMENTS[name]), ALL[kind])
    assert type(made) is component(kind, name)
    assert type(pickle.loads(pickle.dumps(made))) is type(made)


def test_the_table_names_components_only() -> None:
    assert set(ARGUMENTS) == {name for _, name in COMPONENTS}
