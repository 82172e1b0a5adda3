"""SimCC: targets and decoding as mmpose's, joints back from their targets, scores, and what cannot be decoded."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from handkit.codecs.simcc import SimCC
from handkit.errors import ConfigError, DataError

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmpose_heads_rule.py")))
GOLDEN = np.load(FOLDER / "mmpose_heads.npz")
INSIDE = hnp.arrays(np.float64, (2, 3, 2), elements=st.floats(24, 40))


def ideal(codec: SimCC, targets: dict[str, Any]) -> dict[str, Any]:
    """What a network answers that has learnt the targets."""
    made = {}
    for name in codec.reads:
        label = np.asarray(targets[name], np.float64)
        shares = label if codec.label_beta is None else np.exp(codec.label_beta * label)
        made[name] = (shares / shares.sum(-1, keepdims=True)).astype(np.float32)
    return made


@pytest.mark.parametrize("name", RULE.CODECS)
def test_biased_targets_are_mmposes(name: str) -> None:
    joints, visible = RULE.joints()
    made = SimCC(RULE.INPUT_SIZE, **RULE.CODECS[name], unbiased=False).encode(joints, visible)
    np.testing.assert_array_equal(made["target_weight"], GOLDEN[f"{name}_weights"])
    for axis in ("x", "y"):
        np.testing.assert_allclose(made[f"simcc_{axis}"], GOLDEN[f"{name}_labels_{axis}"], rtol=0, atol=1e-6)
    assert {value.dtype for value in made.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", RULE.CODECS)
def test_joints_are_mmposes(name: str) -> None:
    """Compared where mmpose's step is at most sigma long and goes to a top: it takes any step, also at the border."""
    arguments = RULE.CODECS[name]
    plain, dark = (SimCC(RULE.INPUT_SIZE, **arguments, use_dark=use) for use in (False, True))
    x, y = RULE.distributions(plain.bins, plain.sigma)
    joints, _ = plain.decode({"simcc_x": x, "simcc_y": y})
    np.testing.assert_array_equal(joints, GOLDEN[f"{name}_plain"])
    refined, _ = dark.decode({"simcc_x": x, "simcc_y": y})
    expected = GOLDEN[f"{name}_dark"]
    ratio = plain.simcc_split_ratio
    short = (
        (np.abs(expected - joints) * ratio < plain.sigma) & (joints > 0) & (joints * ratio < np.array(plain.bins) - 1)
    )
    assert short.mean() > 0.8
    np.testing.assert_allclose(refined[short], expected[short], atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "mean"),
    [
        (dict(unbiased=False), 0.193),
        (dict(), 0.193),
        (dict(sigma=5.66, normalize=False, label_beta=10.0, unbiased=False), 0.193),
        (dict(use_dark=True), 1e-5),
        (dict(sigma=5.66, normalize=False, label_beta=10.0, use_dark=True), 2e-5),
        (dict(sigma=1.5, use_dark=True), 1e-3),
    ],
)
def test_mean_errors(arguments: dict[str, Any], mean: float) -> None:
    codec = SimCC(**arguments)
    joints = np.random.default_rng(5).uniform(30, 220, (50, 21, 2))
    decoded, _ = codec.decode(ideal(codec, codec.encode(joints, np.ones((50, 21)))))
    error = np.linalg.norm(decoded - joints, axis=-1).mean()
    assert error < mean
    assert error > 0.98 * mean or codec.use_dark


@settings(deadline=None, max_examples=30)
@given(INSIDE, st.floats(1.5, 4), st.sampled_from([1.0, 1.5, 2.0, 3.0]), st.sampled_from([None, 10.0]))
def test_joints_come_back_with_full_scores(joints: Any, sigma: float, ratio: float, label_beta: float | None) -> None:
    """The softmax narrows the labels by sqrt(label_beta), so that they must be wider before it."""
    width = sigma if label_beta is None else sigma * 3
    for use_dark, most in ((True, 0.02 / ratio), (False, 0.501 / ratio)):
        codec = SimCC((64, 64), ratio, width, label_beta is None, use_dark, True, label_beta)
        decoded, scores = codec.decode(ideal(codec, codec.encode(joints, np.ones((2, 3)))))
        assert np.abs(decoded - joints).max() < most
        assert (scores > 0.9).all()


def test_torch_gives_what_numpy_does() -> None:
    codec = SimCC(RULE.INPUT_SIZE, use_dark=True)
    joints, visible = RULE.joints()
    ours, theirs = codec.encode(joints, visible), codec.encode(torch.from_numpy(joints), torch.from_numpy(visible))
    assert all(isinstance(value, torch.Tensor) and value.dtype == torch.float32 for value in theirs.values())
    assert all(np.array_equal(ours[name], theirs[name].numpy()) for name in codec.targets)
    x, y = RULE.distributions(codec.bins, codec.sigma)
    found = codec.decode({"simcc_x": x, "simcc_y": y})
    tensors = codec.decode({"simcc_x": torch.from_numpy(x), "simcc_y": torch.from_numpy(y)})
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(found, tensors, strict=True))
    learning = codec.decode({"simcc_x": torch.from_numpy(x).requires_grad_(), "simcc_y": torch.from_numpy(y)})
    assert not any(tensor.requires_grad for tensor in learning)


def test_one_hand_encodes_as_in_a_batch() -> None:
    joints, visible = RULE.joints()
    batch, one = SimCC(RULE.INPUT_SIZE).encode(joints, visible), SimCC(RULE.INPUT_SIZE).encode(joints[1], visible[1])
    assert all(np.array_equal(one[name], batch[name][1]) for name in batch)


def test_scores_are_shares_of_an_ideal_answer_the_lower_of_both_axes() -> None:
    codec = SimCC((64, 32), 1.0, 2.0)
    targets = codec.encode(np.array([[[30, 15], [30, 15], [30, 15]]]), np.ones((1, 3)))
    outputs = ideal(codec, targets)
    outputs["simcc_x"][0, 1] = 1 / 64
    outputs["simcc_y"][0, 2] = 0
    outputs["simcc_y"][0, 2, 9] = 1
    _, scores = codec.decode(outputs)
    np.testing.assert_allclose(scores[0], [1, np.sqrt(2 * np.pi) * 2 / 64, 1], rtol=1e-3)


values = st.one_of(st.sampled_from([0.0, -1.0, 1.0, 1e-45, 3e38, np.inf, -np.inf, np.nan]), st.floats(width=32))


@settings(deadline=None, max_examples=100)
@given(
    hnp.arrays(np.float32, (2, 2, 16), elements=values, fill=st.just(0.0)),
    hnp.arrays(np.float32, (2, 2, 12), elements=values, fill=st.just(0.5)),
    st.booleans(),
)
def test_any_outputs_give_finite_joints_and_scores_within_0_and_1(x: Any, y: Any, use_dark: bool) -> None:
    joints, scores = SimCC((8, 6), use_dark=use_dark).decode({"simcc_x": x, "simcc_y": y})
    assert np.isfinite(joints).all()
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("value", [0.0, -0.5, np.nan])
def test_nothing_found_scores_0_at_the_crops_centre(value: float) -> None:
    x, y = np.full((1, 2, 16), value, np.float32), np.full((1, 2, 12), 0.5, np.float32)
    joints, scores = SimCC((8, 6), use_dark=True).decode({"simcc_x": x, "simcc_y": y})
    assert joints.tolist() == [[[4, 3]] * 2]
    assert scores.tolist() == [[0, 0]]


def test_mistakes_are_named() -> None:
    for arguments in (dict(sigma=0), dict(input_size=(0, 8)), dict(simcc_split_ratio=-1), dict(label_beta=0.0)):
        with pytest.raises(ConfigError, match="SimCC needs positive numbers"):
            SimCC(**arguments)
    with pytest.raises(ConfigError, match=r"simcc_split_ratio 1\.3 parts \(256, 256\) into"):
        SimCC(simcc_split_ratio=1.3)
    with pytest.raises(ConfigError, match=r"do not have \(512, 512\) bins"):
        SimCC().decode({"simcc_x": np.zeros((1, 2, 256), np.float32), "simcc_y": np.zeros((1, 2, 512), np.float32)})
    with pytest.raises(DataError, match="not finite"):
        SimCC().encode(np.full((1, 1, 2), np.nan), np.ones((1, 1)))
