"""PalmDetector: merging palms, the region they point at, and the way back into the image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.detections import Detections
from handkit.detectors.palm import PalmDetector, best_of_overlapping, letterbox, palm_regions, weighted_nms
from handkit.errors import ConfigError
from handkit.models.mediapipe import MediaPipePalm
from handkit.runtime.litert import LiteRTRuntime
from handkit.transforms import MMToTensor, TopDownAffine

ROOT = Path(__file__).resolve().parents[2]


def palms(*boxes: Sequence[float], keypoints: Any = None) -> np.ndarray:
    """(N, 2 + 7, 2): corners, then keypoints of a hand that points up unless told otherwise."""
    upright = np.zeros((7, 2))
    upright[0, 1] = 1  # the wrist lies below the middle finger's base
    corners = np.array(boxes, float).reshape(-1, 2, 2)
    points = np.repeat((upright if keypoints is None else keypoints)[None], len(corners), 0)
    return np.concatenate([corners, corners.mean(1)[:, None] + points], 1)


class FakeRuntime:
    """Makes a net that answers the same palms for every image, in pixels of an input of 64 x 64."""

    input_size = (64, 64)

    def __init__(self, rows: np.ndarray, scores: Sequence[float]) -> None:
        self.rows, self.scores = rows, np.array(scores)
        self.batches: list[np.ndarray] = []

    def prepare(self, *arguments: Any) -> FakeRuntime:
        return self

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.batches.append(batch["img"])
        boxes = self.rows[:, :2].reshape(-1, 4)
        one = {"boxes": boxes, "palm_keypoints": self.rows[:, 2:], "scores": self.scores}
        return {name: np.repeat(value[None], len(batch["img"]), 0) for name, value in one.items()}


def detector(runtime: FakeRuntime, **options: Any) -> PalmDetector:
    arguments = {"score_threshold": 0.5, "nms_iou": 0.3, **options}
    return PalmDetector(runtime, None, runtime, [], **arguments)


def test_overlapping_palms_become_their_mean_by_score() -> None:
    rows = palms([100, 0, 110, 10], [0, 0, 10, 10], [2, 0, 12, 10])
    merged, scores = weighted_nms(rows, np.array([0.5, 0.9, 0.3]), 0.3)
    assert scores.tolist() == [0.9, 0.5]
    np.testing.assert_allclose(merged[0], (0.9 * rows[1] + 0.3 * rows[2]) / 1.2)
    np.testing.assert_allclose(merged[1], rows[0])


def test_palms_chained_by_overlap_go_to_the_best_one_only() -> None:
    rows = palms([0, 0, 10, 10], [6, 0, 16, 10], [3, 0, 13, 10])
    merged, scores = weighted_nms(rows, np.array([0.6, 0.5, 0.9]), 0.3)
    assert scores.tolist() == [0.9]
    merged, scores = weighted_nms(rows, np.array([0.9, 0.6, 0.5]), 0.3)
    assert scores.tolist() == [0.9, 0.6]
    np.testing.assert_allclose(merged[0, 0, 0], 3 * 0.5 / 1.4)


def test_no_palm_stays_no_palm() -> None:
    merged, scores = weighted_nms(np.zeros((0, 9, 2)), np.zeros(0), 0.3)
    assert merged.shape == (0, 9, 2)
    assert scores.shape == (0,)


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(0.01, 1)), min_size=1, max_size=12))
def test_merging_keeps_within_its_members_and_orders_by_score(parts: list[tuple[float, float, float]]) -> None:
    rows = palms(*[[x, y, x + 20, y + 20] for x, y, _ in parts])
    merged, scores = weighted_nms(rows, np.array([score for *_, score in parts]), 0.3)
    assert scores[0] == max(score for *_, score in parts)
    assert (np.diff(scores) <= 0).all()
    assert (merged >= rows.min(0) - 1e-9).all()
    assert (merged <= rows.max(0) + 1e-9).all()


def test_an_upright_palm_points_at_the_square_above_it() -> None:
    centers, sides, rotations = palm_regions(np.array([[10.0, 20, 30, 50]]), palms([10, 20, 30, 50])[:, 2:])
    np.testing.assert_allclose(centers, [[20, 35 - 15]], atol=1e-9)
    assert sides.tolist() == [78]
    assert rotations.tolist() == [0]


@given(st.floats(-3.1, 3.1), st.floats(-3.1, 3.1), st.floats(5, 50), st.floats(5, 50))
def test_turning_the_hand_turns_its_region(first: float, angle: float, x: float, y: float) -> None:
    def turned(points: np.ndarray, by: float) -> np.ndarray:
        return points @ np.array([[np.cos(by), np.sin(by)], [-np.sin(by), np.cos(by)]])

    box, half = np.array([x, y]), np.array([7, 7])
    up = np.zeros((7, 2))
    up[0, 1] = 5.0
    answers = []
    for by in (first, first + angle):
        middle = turned(box, by - first)
        corners = np.concatenate([middle - half, middle + half])[None]
        answers.append(palm_regions(corners, (middle + turned(up, by))[None]))
    (center, side, rotation), (center2, side2, rotation2) = answers
    np.testing.assert_allclose(center2, turned(center, angle), atol=1e-6)
    np.testing.assert_allclose(side2, side)
    np.testing.assert_allclose(np.exp(1j * (rotation2 - rotation)), np.exp(1j * angle), atol=1e-9)


def test_of_overlapping_regions_the_best_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [8, 0, 18, 10], [2, 0, 12, 10]], float)
    assert best_of_overlapping(boxes, 0.5) == [0, 2]
    assert best_of_overlapping(boxes[:0], 0.5) == []


@pytest.mark.parametrize(("size", "left", "top"), [((100, 50), -0.5, 47.5), ((30, 60), 47.5, -0.5)])
def test_outer_edges_meet_outer_edges(size: tuple[int, int], left: float, top: float) -> None:
    crop = letterbox(size, (192, 192))
    corners = crop.apply_points(np.array([[-0.5, -0.5], [size[0] - 0.5, size[1] - 0.5]]))
    np.testing.assert_allclose(corners, [[left, top], [191 - left, 191 - top]])


def test_an_image_is_fitted_in_with_black_beside_it() -> None:
    runtime = FakeRuntime(palms([0, 0, 9, 9]), [0.1])
    detector(runtime).detect([np.full((50, 100, 3), 200, np.uint8), np.full((20, 20, 3), 7, np.uint8)])
    (batch,) = runtime.batches
    assert batch.shape == (2, 64, 64, 3)
    assert (batch[0, :15] == 0).all()
    assert (batch[0, 18:46, 1:-1] == 200).all()
    assert (batch[1, 1:-1, 1:-1] == 7).all()


@pytest.mark.parametrize("padding", [1.0, 1.25, 2.0])
def test_the_crop_of_a_box_is_its_region(padding: float) -> None:
    points = np.zeros((7, 2))
    points[0, 0] = -3.0  # the wrist to the left: the hand points right
    runtime = FakeRuntime(palms([20, 30, 30, 38], keypoints=points), [0.8])
    (found,) = detector(runtime, region_to_box=padding).detect([np.zeros((128, 128, 3), np.uint8)])
    sample = {"img": np.zeros((128, 128, 3), np.uint8), "box": found.boxes[0], "rotation": found.rotations[0]}
    crop = TopDownAffine((224, 224), padding)(sample)["crop"]
    assert crop.size == pytest.approx((2 * 10 * 2.6, 2 * 10 * 2.6), rel=1e-5)
    assert crop.center == pytest.approx((2 * 25.5 - 0.5 + 2 * 8 * 0.5, 2 * 34.5 - 0.5), rel=1e-5)
    assert crop.rotation == pytest.approx(np.pi / 2)


def test_hands_come_best_first_without_weak_double_or_broken_ones() -> None:
    rows = palms([0, 0, 8, 8], [50, 0, 58, 8], [0, 50, 8, 58], [1, 51, 9, 59], [2, 0, 11, 9], [30, 40, 20, 30])
    runtime = FakeRuntime(rows, [0.6, 0.9, 0.4, 0.3, 0.55, 0.95])
    (found,) = detector(runtime, nms_iou=0.9).detect([np.zeros((64, 64, 3), np.uint8)])
    np.testing.assert_allclose(found.scores, [0.9, 0.6])
    (found,) = detector(runtime, nms_iou=0.9, region_iou=1.0).detect([np.zeros((64, 64, 3), np.uint8)])
    np.testing.assert_allclose(found.scores, [0.9, 0.6, 0.55])
    (found,) = detector(runtime, score_threshold=0.25).detect([np.zeros((64, 64, 3), np.uint8)])
    np.testing.assert_allclose(found.scores, [0.9, 0.6, 0.4])


def test_nothing_found_is_nothing() -> None:
    runtime = FakeRuntime(palms([0, 0, 8, 8]), [0.4])
    found = detector(runtime).detect([np.zeros((64, 64, 3), np.uint8)] * 2)
    assert [len(item) for item in found] == [0, 0]
    assert found[0].rotations is not None
    assert detector(runtime).detect([]) == []


@pytest.mark.parametrize(
    "options", [{"score_threshold": 1.5}, {"nms_iou": -0.1}, {"region_iou": 2}, {"region_to_box": 0}]
)
def test_arguments_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        detector(FakeRuntime(palms([0, 0, 8, 8]), [0.4]), **options)


@pytest.fixture(scope="module", params=["full", "lite"])
def real(request: pytest.FixtureRequest, mediapipe_files: dict[str, Path]) -> PalmDetector:
    path = mediapipe_files[f"palm_detection_{request.param}.tflite"]
    return PalmDetector(MediaPipePalm(), path, LiteRTRuntime(), [MMToTensor()], 0.25, 0.3)


def test_a_hand_is_found_however_the_photograph_is_held(real: PalmDetector) -> None:
    image = cv2.cvtColor(cv2.imread(str(ROOT / "demo" / "hand.png")), cv2.COLOR_BGR2RGB)
    turned = [np.ascontiguousarray(np.rot90(image, -quarters)) for quarters in range(4)]  # clockwise
    found: list[Detections] = real.detect(turned)
    assert all(len(item) >= 1 for item in found)
    height, width = image.shape[:2]
    (x, y) = (found[0].boxes[0, :2] + found[0].boxes[0, 2:]) / 2
    expected = [(x, y), (height - 1 - y, x), (width - 1 - x, height - 1 - y), (y, width - 1 - x)]
    for quarters, (item, center) in enumerate(zip(found, expected, strict=True)):
        side = item.boxes[0, 2] - item.boxes[0, 0]
        np.testing.assert_allclose((item.boxes[0, :2] + item.boxes[0, 2:]) / 2, center, atol=0.15 * side)
        rotation = item.rotations[0] - found[0].rotations[0] - quarters * np.pi / 2
        assert abs(np.angle(np.exp(1j * rotation))) < 0.3


def test_a_picture_without_hands_has_none(real: PalmDetector) -> None:
    grey = np.full((120, 160, 3), 128, np.uint8)
    assert [len(item) for item in real.detect([grey, grey[:1, :1]])] == [0, 0]


def test_it_needs_no_torch(in_subprocess: Callable[..., str], mediapipe_files: dict[str, Path]) -> None:
    path = mediapipe_files["palm_detection_lite.tflite"]
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from handkit.registry import build\n"
        "palm = build(dict(type='PalmDetector', net=dict(type='MediaPipePalm'), runtime=dict(type='LiteRTRuntime'),\n"
        f"    checkpoint={str(path)!r}, transforms=[dict(type='MMToTensor')], score_threshold=0.25, nms_iou=0.3))\n"
        "print(len(palm.detect([np.zeros((9, 9, 3), np.uint8)])[0]))"
    )
    assert in_subprocess(code).strip() == "0"
