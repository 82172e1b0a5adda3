"""The raw tensors of MediaPipe's nets: anchors, names, units, and the pixel convention."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from handkit.codecs.regression import Regression
from handkit.geometry import Crop
from handkit.models.mediapipe import MediaPipeHandLandmarks, MediaPipePalm, anchor_centers
from handkit.runtime.litert import LiteRTRuntime
from handkit.transforms import MMToTensor

ROOT = Path(__file__).resolve().parents[2]


def test_anchors_are_cell_centres_map_by_map_row_by_row() -> None:
    anchors = MediaPipePalm().anchors
    assert anchors.shape == (24 * 24 * 2 + 12 * 12 * 6, 2)
    assert anchors[:4].tolist() == [[4, 4], [4, 4], [12, 4], [12, 4]]
    assert anchors[48].tolist() == [4, 12]
    assert anchors[1152:1159].tolist() == [[8, 8]] * 6 + [[24, 8]]
    assert anchors[-1].tolist() == [184, 184]


def test_anchors_of_an_oblong_input_cover_broken_cells() -> None:
    assert anchor_centers((20, 8), [(8, 1)]).tolist() == [[4, 4], [12, 4], [20, 4]]


def raw_palms(value: float = 0.0) -> list[np.ndarray]:
    return [np.full((1, 2016, 18), value, np.float32), np.zeros((1, 2016, 1), np.float32)]


def test_a_palm_is_offset_from_its_anchor_and_moved_to_pixel_centres() -> None:
    raw = raw_palms()
    raw[0][0, 2, :4] = [1, 2, 20, 40]  # centre and size; the anchor is (12, 4)
    raw[0][0, 2, 4:8] = [5, -3, 0, 10]  # the first two keypoints
    out = MediaPipePalm().unpack(raw)
    assert {name: value.shape for name, value in out.items()} == {
        "boxes": (1, 2016, 4),
        "palm_keypoints": (1, 2016, 7, 2),
        "scores": (1, 2016),
    }
    np.testing.assert_allclose(out["boxes"][0, 2], [2.5, -14.5, 22.5, 25.5])
    np.testing.assert_allclose(out["palm_keypoints"][0, 2, :3], [[16.5, 0.5], [11.5, 13.5], [11.5, 3.5]])


def test_scores_are_probabilities_without_overflow() -> None:
    raw = raw_palms()
    raw[1][0, :3, 0] = [-1e6, 2, 1e6]
    with np.errstate(all="raise"):
        scores = MediaPipePalm().unpack(raw)["scores"][0]
    np.testing.assert_allclose(scores[:4], [0, 0.880797, 1, 0.5], atol=1e-6)
    assert scores[0] > 0


def test_landmarks_are_named_and_relative_to_the_wrist() -> None:
    joints, world = np.arange(126, dtype=np.float32).reshape(2, 63), np.arange(126, dtype=np.float32).reshape(2, 63)
    out = MediaPipeHandLandmarks().unpack([joints, np.array([[0.9], [0.1]]), np.array([[0.2], [0.7]]), world])
    np.testing.assert_allclose(out["coordinates"][1, 2] * 224, [69, 70], rtol=1e-6)
    assert out["coordinates"].shape == (2, 21, 2)
    assert out["presence"].tolist() == [0.9, 0.1]
    assert out["handedness"].tolist() == [0.2, 0.7]
    np.testing.assert_array_equal(out["xyz_root"][:, :2], [[[0, 0, 0], [3, 3, 3]]] * 2)


@pytest.mark.parametrize("name", ["full", "lite"])
def test_an_upright_hand_is_seen_and_its_mirror_image_is_the_other_hand(
    mediapipe_files: dict[str, Path], name: str
) -> None:
    image = cv2.cvtColor(cv2.imread(str(ROOT / "demo" / "hand.png")), cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    crop = Crop(((width - 1) / 2, (height - 1) / 2), (height, height), (224, 224), udp=True).apply_image(image)
    path = mediapipe_files[f"hand_landmark_{name}.tflite"]
    net = LiteRTRuntime().prepare(MediaPipeHandLandmarks(), path, [MMToTensor()], Regression((224, 224)))
    out = net({"img": np.stack([crop, crop[:, ::-1]])})
    assert (out["presence"] > 0.9).all()
    assert sorted(out["handedness"].round()) == [0, 1]
    x, mirrored = out["keypoints"][..., 0]
    assert abs(np.mean(x + mirrored) - 223) < 1.5
    assert np.ptp(x) > 40
