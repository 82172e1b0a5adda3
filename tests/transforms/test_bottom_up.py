"""Whole images for networks that find the joints of all hands: their crop, and their targets."""

from __future__ import annotations

import pickle
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.codecs.hand_offsets import HandOffsets
from handkit.codecs.offset_heatmap import OffsetHeatmap
from handkit.errors import ConfigError, DataError
from handkit.transforms import BottomUpGenerateTarget, BottomUpResize

SIZE = (129, 97)


@settings(max_examples=30, deadline=None)
@given(st.integers(40, 250), st.integers(40, 250))
def test_the_image_fits_in_the_input_and_comes_back(width: int, height: int) -> None:
    """Red is x, green y; what the input shows at a joint is the colour that the image has at it."""
    img = np.zeros((height, width, 3), np.uint8)
    img[..., 0], img[..., 1] = np.arange(width), np.arange(height)[:, None]
    points = np.random.default_rng(width).uniform(8, 31, (2, 21, 2)).astype(np.float32)
    points[1, 3] = np.nan
    boxes = np.array([[4, 5, 36, 30], [0, 0, width - 1, height - 1]], np.float32)
    sample = {"img": img, "boxes": boxes, "box_points": points, "ignored_boxes": boxes[:1], "mask": img[..., 0]}
    done = BottomUpResize(SIZE)(sample)
    assert done["img"].shape == (97, 129, 3)
    assert done["img"].dtype == np.uint8
    assert "mask" not in done
    np.testing.assert_allclose(done["crop"].inverse_points(done["box_points"]), points, atol=1e-3)
    known = done["box_points"][0]
    colours = cv2.remap(done["img"], known[:, None, 0], known[:, None, 1], cv2.INTER_LINEAR)[:, 0, :2]
    assert np.abs(colours - points[0]).max() < 2
    whole = done["boxes"][1]
    sides = whole[2:] - whole[:2]
    assert sides[0] / sides[1] == pytest.approx((width - 1) / (height - 1), rel=1e-4)
    assert (np.abs(sides - [128, 96]) < 1e-3).any()
    np.testing.assert_allclose(whole[:2] + whole[2:], [128, 96], atol=1e-3)  # in the middle
    np.testing.assert_array_equal(done["ignored_boxes"], done["boxes"][:1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (4000, 3)])
def test_any_image_fits(shape: tuple[int, int]) -> None:
    done = BottomUpResize(SIZE, border="replicate")({"img": np.full((*shape, 3), 9, np.uint8)})
    assert (done["img"] == 9).all()


def labels(count: int = 3) -> dict[str, Any]:
    """A batch of images with 2, 1 and 0 hands, as the loader fills it up."""
    draw = np.random.default_rng(5)
    batch = {
        "box_points": draw.uniform(-10, 120, (count, 2, 21, 2)).astype(np.float32),
        "boxes": np.tile(np.array([10, 10, 90, 80], np.float32), (count, 2, 1)),
        "ignored_boxes": np.tile(np.array([60, 60, 90, 90], np.float32), (count, 1, 1)),
    }
    for row in range(count):
        batch["box_points"][row, max(2 - row, 0) :] = np.nan
        batch["boxes"][row, max(2 - row, 0) :] = 0
    batch["box_points"][0, 0, 4] = np.nan
    return batch


def test_one_image_a_batch_and_torch_give_the_same_targets() -> None:
    codec = HandOffsets(SIZE, 16)
    step = pickle.loads(pickle.dumps(BottomUpGenerateTarget(codec)))
    together = step(labels())
    assert set(together) == {*labels(), *codec.targets}
    assert together["displacements"].shape == (3, 40, 2, 7, 9)
    on_torch = step({key: torch.from_numpy(value) for key, value in labels().items()})
    for row, hands in enumerate((2, 1, 0)):
        own = {key: value[row] if key == "ignored_boxes" else value[row][:hands] for key, value in labels().items()}
        single = step(own)
        for key in codec.targets:
            np.testing.assert_array_equal(single[key], together[key][row])
            np.testing.assert_allclose(on_torch[key][row].numpy(), together[key][row], atol=1e-6)
    assert together["heatmaps"][0].any()
    assert not together["heatmaps"][2].any()
    assert 0 < together["heatmap_mask"][2].mean() < 1
    assert together["heatmap_mask"][0, 4].mean() < together["heatmap_mask"][0, 5].mean()  # of joint 4 nothing is known


def test_without_ignored_boxes_all_hands_are_known() -> None:
    batch = labels()
    del batch["ignored_boxes"]
    assert BottomUpGenerateTarget(HandOffsets(SIZE))(batch)["heatmap_mask"][2].all()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="OffsetHeatmap makes targets of one hand per crop"):
        BottomUpGenerateTarget(OffsetHeatmap())  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"got boxes, img: .* MinIoURandomCrop loses"):
        BottomUpGenerateTarget(HandOffsets(SIZE))({"img": 1, "boxes": np.zeros((0, 4))})
    with pytest.raises(ConfigError, match=r"\(width, height\) of 2 or more"):
        BottomUpResize((0, 9))
    with pytest.raises(ConfigError, match="border must be"):
        BottomUpResize((9, 9), border="black")  # type: ignore[arg-type]
