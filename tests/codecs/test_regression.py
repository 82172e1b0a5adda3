"""Regression: fractions of the input to pixels, scores by presence, numpy and torch alike."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from handkit.codecs.regression import Regression
from handkit.errors import ConfigError, DataError

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmpose_heads_rule.py")))

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


def test_targets_are_mmposes() -> None:
    joints, visible = RULE.joints()
    made = Regression(RULE.INPUT_SIZE).encode(joints, visible)
    golden = np.load(FOLDER / "mmpose_heads.npz")
    weight = golden["regression_weights"]
    np.testing.assert_array_equal(made["target_weight"], weight)
    np.testing.assert_allclose(made["coordinates"][weight > 0], golden["regression_labels"][weight > 0], rtol=1e-6)
    assert not made["coordinates"][weight == 0].any()
    assert {value.dtype for value in made.values()} == {np.dtype(np.float32)}


@given(
    hnp.arrays(np.float64, (2, 3, 2), elements=st.floats(0, 47)),
    hnp.arrays(np.uint8, (2, 3), elements=st.integers(0, 2)),
    st.booleans(),
)
def test_labelled_joints_come_back(joints: Any, visible: Any, as_tensor: bool) -> None:
    torch = pytest.importorskip("torch")
    codec = Regression((48, 64))
    given_joints = np.where(visible[..., None] > 0, joints, np.nan)
    pair = (torch.from_numpy(given_joints), torch.from_numpy(visible)) if as_tensor else (given_joints, visible)
    made = codec.encode(*pair)
    assert all(isinstance(value, torch.Tensor) == as_tensor for value in made.values())
    assert np.asarray(made["target_weight"]).tolist() == (visible > 0).tolist()
    decoded, _ = codec.decode(made)
    expected = np.where(visible[..., None] > 0, joints, 0)
    np.testing.assert_allclose(np.asarray(decoded), expected, atol=1e-5)


def test_half_precision_is_left_before_pixels_are_computed() -> None:
    torch = pytest.importorskip("torch")
    joints, scores = Regression((256, 256)).decode({"coordinates": torch.full((1, 1, 2), 0.5).bfloat16()})
    assert joints.dtype == scores.dtype == torch.float32


def test_labels_without_sense_are_refused() -> None:
    with pytest.raises(DataError, match=r"must be \(\.\.\., K, 2\) and"):
        Regression((8, 8)).encode(np.zeros((2, 3, 2)), np.ones((2, 4)))
    with pytest.raises(DataError, match="not finite"):
        Regression((8, 8)).encode(np.full((1, 1, 2), np.inf), np.ones((1, 1)))
