"""The crop of a mask: its largest piece, joined by dilation, brought back to the image; empty masks are no hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.checkpoints import save_weights
from handkit.detectors import HandSegDetector
from handkit.detectors.handseg import mask_boxes
from handkit.errors import ConfigError, DataError
from handkit.pipelines import pipeline
from handkit.pipelines.build import build_detector
from handkit.registry import build
from handkit.registry.config import load_config


class Bright:
    """A net that takes bright pixels for hands, and the runtime that prepares it."""

    def prepare(self, model: Any, checkpoint: Any, transforms: Any, codec: Any) -> Any:
        return lambda batch: {"mask": batch["img"].mean(-1).astype(np.float32) / 255}


class Nothing(Bright):
    def prepare(self, model: Any, checkpoint: Any, transforms: Any, codec: Any) -> Any:
        return lambda batch: {"heatmaps": batch["img"]}


def detector(**options: Any) -> HandSegDetector:
    return HandSegDetector(None, None, Bright(), (), **{"input_size": (64, 64), **options})


def mask(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    made = np.zeros((40, 60), np.float32)
    for x1, y1, x2, y2 in boxes:
        made[y1 : y2 + 1, x1 : x2 + 1] = 0.9
    return made


def test_pieces_are_sorted_by_their_pixels() -> None:
    boxes, scores, areas, labels = mask_boxes(mask((2, 3, 6, 9), (20, 10, 39, 29), (50, 0, 50, 0)))
    assert boxes.tolist() == [[20, 10, 39, 29], [2, 3, 6, 9], [50, 0, 50, 0]]
    assert areas.tolist() == [400, 35, 1]
    np.testing.assert_allclose(scores, 0.9, rtol=1e-6)
    assert [(labels == row).sum() for row in (1, 2, 3)] == [400, 35, 1]
    assert labels[[15, 5, 0], [30, 4, 50]].tolist() == [1, 2, 3]


def test_dilation_joins_a_hand_that_is_parted_and_leaves_its_box() -> None:
    parted = mask((10, 10, 18, 20), (22, 10, 30, 20))
    assert len(mask_boxes(parted).boxes) == 2
    assert mask_boxes(parted, dilation=2).boxes.tolist() == [[10, 10, 30, 20]]
    assert mask_boxes(parted, dilation=2).areas.tolist() == [198]


def test_an_empty_mask_has_no_piece_and_an_image_without_hands_none() -> None:
    *columns, labels = mask_boxes(mask())
    assert ([len(column) for column in columns], labels.any()) == ([0, 0, 0], False)
    assert detector().detect([np.zeros((48, 64, 3), np.uint8)])[0].masks.shape == (0, 48, 64)
    assert len(detector().detect([np.zeros((48, 64, 3), np.uint8)])[0]) == 0
    assert detector().detect([]) == []


def test_what_is_no_mask_is_refused() -> None:
    for shape in ((3, 4, 5), (0, 4)):
        with pytest.raises(DataError, match=r"must be \(H, W\) probabilities, not of the shape"):
            mask_boxes(np.zeros(shape))
    with pytest.raises(DataError, match=r"probabilities in \[0, 1\], or 0 and 1, not 0 to 33"):
        mask_boxes(np.array([[0, 18], [33, 1]]))
    with pytest.raises(DataError, match="not nan to nan"):
        mask_boxes(np.full((4, 4), np.nan))


@pytest.mark.parametrize("size", [(128, 96), (96, 128), (320, 320), (31, 200)])
def test_boxes_are_those_of_the_image(size: tuple[int, int]) -> None:
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    x1, y1, x2, y2 = width // 4, height // 4, 3 * width // 4 - 1, height // 2 - 1
    image[y1 : y2 + 1, x1 : x2 + 1] = 255
    found = detector().detect([image, np.zeros_like(image)])
    step = max(size) / 64
    np.testing.assert_allclose(found[0].boxes[0], [x1, y1, x2, y2], atol=step + 1e-3)
    assert len(found[1]) == 0
    (told,) = found[0].masks
    true = image[..., 0] > 0
    assert (told & true).sum() > 0.75 * (told | true).sum()
    ys, xs = np.nonzero(told)
    np.testing.assert_allclose([xs.min(), ys.min(), xs.max(), ys.max()], found[0].boxes[0], atol=step + 1e-3)


def test_large_pictures_are_averaged_and_not_sampled() -> None:
    image = np.zeros((640, 640, 3), np.uint8)
    image[4::10, 4::10] = image[5::10, 4::10] = image[4::10, 5::10] = image[5::10, 5::10] = 255  # 4 pixels of 100
    assert len(detector().detect([image])[0]) == 0


def test_specks_are_no_hands_and_more_hands_may_be_asked_for() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[5:9, 5:9], image[20:50, 20:50], image[60, 58:60] = 255, 255, 255
    image[62, 62] = 255  # one pixel has no extent of which a crop could be cut
    assert len(detector().detect([image])[0]) == 1
    assert len(detector(max_hands=5).detect([image])[0]) == 2
    assert len(detector(max_hands=5, min_area=0.0).detect([image])[0]) == 3


def test_a_box_threshold_drops_weak_boxes_and_moves_none() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[4:28, 4:28], image[36:50, 36:50], image[40:44, 40:44] = 255 * 6 // 10, 255 * 8 // 10, 255
    every = detector(max_hands=5).detect([image])[0]
    strong = detector(max_hands=5, score_threshold=0.7).detect([image])[0]
    assert every.boxes.tolist() == [[4, 4, 27, 27], [36, 36, 49, 49]]
    np.testing.assert_array_equal(strong.boxes, every.boxes[1:])
    np.testing.assert_array_equal(detector(score_threshold=0.7).detect([image])[0].boxes, every.boxes[1:])
    assert detector(mask_threshold=0.9).detect([image])[0].boxes.tolist() == [[40, 40, 43, 43]]
    assert len(detector(max_hands=5, score_threshold=0.9).detect([image])[0]) == 0


def test_a_pipelines_options_are_the_detectors(tmp_path: Path) -> None:
    name, path = "pipelines/hand_3d_keypoints_poseprior", tmp_path / "random.safetensors"
    save_weights(build(load_config(name)["detector"]["net"]), path)
    found = pipeline("hand_detection", name, checkpoint=path, max_hands=3, box_threshold=0.7)
    made = found.detector
    assert (made.max_hands, made.score_threshold, made.mask_threshold) == (3, 0.7, 0.5)
    plain = build_detector({**found.config, "max_hands": None, "box_threshold": None})
    assert (plain.max_hands, plain.score_threshold) == (1, 0.0)


def test_the_mask_of_each_box_is_its_own_piece() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[5:9, 5:9], image[20:50, 20:50], image[60, 60:62] = 255, 255, 255
    found = detector(max_hands=2).detect([image])[0]
    assert [(mask.sum(), tuple(np.argwhere(mask)[0])) for mask in found.masks] == [(900, (20, 20)), (16, (5, 5))]


def test_a_recipe_that_marks_pixels_answers_boxes_and_masks(tmp_path: Path) -> None:
    name, path = "hand_segmentation/handsegnet_handsynth_256x256", tmp_path / "random.safetensors"
    save_weights(build(load_config(name)["model"]), path)
    pipe = pipeline("hand_detection", name, checkpoint=path, max_hands=3, cfg_options={"detector.dilation": 5})
    made = pipe.detector
    assert isinstance(made, HandSegDetector)
    assert (made.input_size, made.dilation, made.max_hands) == ((320, 320), 5, 3)
    assert pipe(np.zeros((60, 80, 3), np.uint8)).masks.shape[1:] == (60, 80)
    assert [step["type"] for step in pipe.config["test_transforms"]] == ["LoadImage"]


def test_hands_that_are_cut_out_by_a_mask_carry_it(tmp_path: Path) -> None:
    name = "pipelines/hand_3d_keypoints_poseprior"
    config, prior, seg = load_config(name), tmp_path / "prior.safetensors", tmp_path / "seg.safetensors"
    save_weights(build(config["model"]), prior)
    save_weights(build(config["detector"]["net"]), seg)
    pipe = pipeline("hand_3d_keypoints", name, checkpoint=prior, cfg_options={"detector.checkpoint": str(seg)})
    image = np.zeros((64, 96, 3), np.uint8)
    image[10:40, 10:60] = 255
    finder = replace(pipe.finder, detector=detector())
    for mirrored in (False, True):
        (hand,) = replace(pipe, finder=finder)([image], mirrored=mirrored)
        assert (hand.masks.shape, hand.masks[0, 20, 30], hand.masks[0, 20, 80]) == ((1, 64, 96), True, False)
    none = replace(pipe, finder=finder)(np.zeros_like(image))
    assert (len(none), none.masks.shape) == (0, (0, 64, 96))
    assert pipe(image, boxes=[[5, 5, 50, 50]]).masks is None


class Coarse(Nothing):
    def prepare(self, model: Any, checkpoint: Any, transforms: Any, codec: Any) -> Any:
        return lambda batch: {"mask": batch["img"][:, ::2, ::2].mean(-1).astype(np.float32) / 255}


def test_a_mask_of_another_size_than_the_input_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"masks of 32 x 32 pixels do not fit the input of 64 x 64; .* stride"):
        HandSegDetector(None, None, Coarse(), (), (64, 64)).detect([np.full((64, 64, 3), 255, np.uint8)])


def test_mistakes_are_refused() -> None:
    for options in ({"input_size": (60, 64)}, {"mask_threshold": 1.0}, {"score_threshold": 1.1}, {"max_hands": -1}):
        with pytest.raises(ConfigError, match="HandSegDetector"):
            detector(**options)
    with pytest.raises(ConfigError, match="no mask: give it a MaskHead"):
        HandSegDetector(None, None, Nothing(), (), (64, 64)).detect([np.zeros((64, 64, 3), np.uint8)])
