"""Foreign configs are read as data, whatever their authors put there."""

from __future__ import annotations

from pathlib import Path

import pytest

from handkit.errors import ConfigError
from handkit.formats import parse_config


def test_what_configs_are_made_of() -> None:
    text = '''
"""Docstring."""
_base_ = ["../base.py"]
size = 320
root = "data/" + "hands/"
train = f"{root}train{size}"
norm = dict(mean=[1.5, -2], to_rgb=True)
codec = dict(input_size=(size, size), sigma=2)
load_from = "https://example.org/"
"a stray string"
steps = [dict(type="A", **norm), {"type": "B", **norm, "mean": norm["mean"]}, dict({"x": size})]
size = codec["input_size"][0]
'''
    config = parse_config(text)
    assert (config["root"], config["train"]) == ("data/hands/", "data/hands/train320")
    assert config["steps"] == [
        {"type": "A", "mean": [1.5, -2], "to_rgb": True},
        {"type": "B", "mean": [1.5, -2], "to_rgb": True},
        {"x": 320},
    ]
    assert config["codec"]["input_size"] == (320, 320)
    assert "_base_" not in config


def test_numbers_and_lists_are_worked_out() -> None:
    text = "epochs = 210\nhalf = epochs // 2\nrate = 4e-3 * 0.05 / 2\nleft = epochs - 30\nsides = (256, 192)\n"
    config = parse_config(text + "cells = tuple([side // 32 for side in sides])\nwide = list(sides)")
    assert (config["half"], config["left"], config["cells"], config["wide"]) == (105, 180, (8, 6), [256, 192])
    assert config["rate"] == pytest.approx(1e-4)
    assert "side" not in config


def test_bases_are_merged_below() -> None:
    base = parse_config("hooks = dict(a=dict(x=1, y=2), b=3)\nmodel = dict(type='A', depth=1)")
    top = parse_config("hooks = dict(a=dict(x=5))\nmodel = dict(_delete_=True, type='B')", "top", [base])
    assert top == {"hooks": {"a": {"x": 5, "y": 2}, "b": 3}, "model": {"type": "B"}}


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "x = __import__('os').system('true')",
        "x = open('f')",
        "x = [i for i in range(9)]",
        "x = (lambda: 1)()",
        "x = f'{1:>999999999}'",
        "x = f'{1!r}'",
        "x = f'{[1]}'",
        "x = f'{unknown}'",
        "x = unknown",
        "x = {{_base_.model}}",
        "x = dict.fromkeys('ab')",
        "dict = 1\nx = dict(a=1)",
        "x = 'a' * 10 ** 9",
        "x = 'a' * 1000",
        "x = 10 ** 9",
        "x = 1 // 0",
        "x = 1000000 * 1000000 * 1000000",
        "x = [i for i in 'text']",
        "x = [i for i in [1, 2] if i]",
        "x = [i + j for i in [1] for j in [2]]",
        "x = tuple(3)",
        "x = tuple([1], key=2)",
        "x, y = 1, 2",
        "x = [1][5]",
        "x = [] + 1",
        "x = [0] * 9999 + [0] * 9999",
        "x = " + " + ".join(["'" + "a" * 1000 + "'"] * 11),
        "x = " + "-" * 1500 + "1",
        "del x",
        "print(1)",
        "class A: pass",
    ],
)
def test_everything_else_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^here, line \d+: .* is not read; a config may hold literals"):
        parse_config("a = 1\n" + text, "here")


def test_nothing_is_executed(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with pytest.raises(ConfigError, match="is not read"):
        parse_config(f"x = open({str(target)!r}, 'w')")
    assert not target.exists()


@pytest.mark.parametrize("text", ["x = (", "x = 1\0", "(" * 5000])
def test_broken_text_is_one_error(text: str) -> None:
    with pytest.raises(ConfigError, match="here: is no Python text"):
        parse_config(text, "here")
