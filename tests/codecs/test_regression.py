"""Regression: fractions of the input to pixels, scores by presence, numpy and torch alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from handkit.codecs.regression import Regression
from handkit.errors import ConfigError

COORDINATES = np.array([[[0, 0], [0.5, 0.25], [1, 1]], [[-0.5, 2], [0.25, 0.5], [0.125, 0.125]]], np.float32)
PRESENCE = np.array([0.75, 0.25], np.float32)
PIXELS = [[[0, 0], [8, 2], [16, 8]], [[-8, 16], [4, 4], [2, 1]]]


def test_numpy_stays_numpy() -> None:
    joints, scores = Regression((16, 8)).decode({"coordinates": COORDINATES, "presence": PRESENCE})
    assert joints.tolist() == PIXELS
    assert scores.tolist() == [[0.75] * 3, [0.25] * 3]
    assert joints.dtype == scores.dtype == np.float32


def test_torch_stays_torch() -> None:
    torch = pytest.importorskip("torch")
    outputs = {"coordinates": torch.from_numpy(COORDINATES), "presence": torch.from_numpy(PRESENCE)}
    joints, scores = Regression((16, 8)).decode(outputs)
    assert joints.tolist() == PIXELS
    assert scores.tolist() == [[0.75] * 3, [0.25] * 3]
    assert joints.dtype == scores.dtype == torch.float32


def test_without_presence_nothing_is_doubted() -> None:
    _, scores = Regression((16, 8)).decode({"coordinates": COORDINATES})
    assert scores.tolist() == [[1.0] * 3] * 2


def test_presence_is_left_to_whoever_gates_by_it() -> None:
    assert Regression((16, 8)).reads == ("coordinates",)


@pytest.mark.parametrize("size", [(0, 8), (8,), (8, -1)])
def test_sizes_are_checked(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="input_size"):
        Regression(size)


def test_it_needs_no_torch(in_subprocess: Callable[..., str]) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from handkit.registry import build\n"
        "codec = build(dict(type='Regression', input_size=(16, 8)))\n"
        "print(codec.decode({'coordinates': np.ones((1, 2, 2))})[0].tolist())"
    )
    assert in_subprocess(code).strip() == "[[[16.0, 8.0], [16.0, 8.0]]]"
