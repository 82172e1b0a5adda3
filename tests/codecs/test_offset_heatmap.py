"""OffsetHeatmap: discs and offsets decode to the joints they were made of, on any grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from handkit.codecs.offset_heatmap import OffsetHeatmap, pose_score
from handkit.errors import ConfigError, DataError

STRIDES = pytest.mark.parametrize("stride", [8, 16, 32])


@pytest.mark.parametrize(
    ("size", "stride", "cells"),
    [((257, 257), 8, (33, 33)), ((257, 257), 16, (17, 17)), ((257, 257), 32, (9, 9)), ((513, 385), 32, (17, 13))],
)
def test_the_grid_is_that_of_posenet(size: tuple[int, int], stride: int, cells: tuple[int, int]) -> None:
    codec = OffsetHeatmap(size, stride)
    assert codec.heatmap_size == cells
    assert codec.encode(np.zeros((3, 2)), np.ones(3))["heatmaps"].shape == (3, cells[1], cells[0])


@given(
    hnp.arrays(np.float64, (2, 4, 2), elements=st.floats(0, 96)),
    hnp.arrays(np.uint8, (2, 4), elements=st.integers(0, 2)),
    st.sampled_from([8, 16, 32]),
    st.booleans(),
)
def test_labelled_joints_come_back(joints: Any, visible: Any, stride: int, as_tensor: bool) -> None:
    codec = OffsetHeatmap((97, 129), stride)
    hidden = np.where(visible[..., None] > 0, joints, np.nan)
    pair = (torch.from_numpy(hidden), torch.from_numpy(visible)) if as_tensor else (hidden, visible)
    made = codec.encode(*pair)
    assert set(made) == set(codec.targets)
    assert all(isinstance(value, torch.Tensor) == as_tensor for value in made.values())
    assert np.asarray(made["target_weight"]).tolist() == (visible > 0).tolist()
    found, scores = codec.decode(made)
    assert isinstance(found, torch.Tensor) == as_tensor
    np.testing.assert_allclose(np.asarray(found)[visible > 0], joints[visible > 0], atol=1e-3)
    assert (np.asarray(scores) == (visible > 0)).all()
    assert (np.asarray(found)[visible == 0] == [48, 64]).all()  # the centre of the input


@STRIDES
def test_every_cell_of_a_disc_points_to_the_joint(stride: int) -> None:
    codec = OffsetHeatmap((257, 129), stride, radius=40.0)
    joint = np.array([100.3, 55.8])
    made = codec.encode(joint[None], np.ones(1))
    rows, columns = made["heatmaps"][0].nonzero()
    cells = np.stack([columns, rows], -1) * stride
    grid = np.stack(np.meshgrid(np.arange(0, 257, stride), np.arange(0, 129, stride)), -1)
    assert len(cells) == (np.hypot(*(grid - joint).transpose(2, 0, 1)) <= 40).sum() > 1
    np.testing.assert_allclose(cells + 40 * made["offsets"][0][:, rows, columns].T, joint[None].repeat(len(cells), 0))
    assert not made["offsets"][0][:, made["heatmaps"][0] == 0].any()


def test_joints_outside_count_as_far_as_their_discs_reach() -> None:
    made = OffsetHeatmap((65, 65), 16, radius=20.0).encode([[-19.0, 16.0], [-21.0, 16.0], [90.0, 90.0]], np.ones(3))
    assert made["target_weight"].tolist() == [1, 0, 0]
    assert made["heatmaps"].sum((1, 2)).tolist() == [1, 0, 0]


def test_scores_are_probabilities_and_nothing_is_nan() -> None:
    codec = OffsetHeatmap((65, 65), 16)
    maps, offsets = np.zeros((1, 4, 5, 5), np.float32), np.zeros((1, 4, 2, 5, 5), np.float32)
    maps[0, 0, 1, 2], offsets[0, 0, :, 1, 2] = 0.75, (0.5, -0.25)
    maps[0, 1, 0, 0], maps[0, 2, 3, 3], offsets[0, 2] = np.nan, 0.5, np.inf
    joints, scores = codec.decode({"heatmaps": maps, "offsets": offsets})
    assert joints.tolist() == [[[32 + 12, 16 - 6], [32, 32], [32, 32], [32, 32]]]
    assert scores.tolist() == [[0.75, 0, 0, 0]]
    assert pose_score(scores).tolist() == [0.1875]
    joints, scores = codec.decode({"heatmaps": maps[:0], "offsets": offsets[:0]})
    assert joints.shape == (0, 4, 2)
    assert scores.shape == (0, 4)


def test_a_mirrored_map_is_that_of_the_mirrored_joint() -> None:
    codec = OffsetHeatmap((129, 97), 16)
    joint = np.array([[[41.7, 30.2]]])
    plain = codec.encode(joint, np.ones((1, 1)))
    mirrored = codec.encode(joint * [-1, 1] + [128, 0], np.ones((1, 1)))
    np.testing.assert_array_equal(mirrored["heatmaps"], plain["heatmaps"][..., ::-1])
    expected = plain["offsets"][..., ::-1] * np.array([-1, 1])[:, None, None]
    np.testing.assert_allclose(mirrored["offsets"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(output_stride=12), "output_stride must be 8, 16 or 32, not 12"),
        (dict(input_size=(256, 256)), r"a multiple of output_stride=16 plus 1, .*: take \(257, 257\)"),
        (dict(input_size=(265, 257)), r"take \(273, 257\)|take \(257, 257\)"),
        (dict(input_size=(1, 1)), r"take \(17, 17\)"),
        (dict(output_stride=32, radius=22.0), "slip through cells of 32 pixels: take 23 or more"),
        (dict(radius=float("nan")), "slip through"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        OffsetHeatmap(**arguments)


def test_maps_of_another_stride_are_refused() -> None:
    maps = {"heatmaps": np.zeros((1, 3, 9, 9), np.float32), "offsets": np.zeros((1, 3, 2, 9, 9), np.float32)}
    with pytest.raises(
        ConfigError, match=r"decodes \(N, K, 17, 17\) maps, one cell per 16 pixels .* got \(1, 3, 9, 9\)"
    ):
        OffsetHeatmap().decode(maps)


def test_labels_without_sense_are_refused() -> None:
    with pytest.raises(DataError, match="must be"):
        OffsetHeatmap().encode(np.zeros((2, 3, 2)), np.ones((2, 4)))
    with pytest.raises(DataError, match="not finite"):
        OffsetHeatmap().encode(np.full((1, 2), np.inf), np.ones(1))
