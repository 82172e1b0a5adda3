"""The flow from boxes to hands, with a detector and a net whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.detections import Detections
from handkit.errors import ConfigError, DataError, ImageError
from handkit.geometry import apply_affine, hand_box, turn_xyz
from handkit.hands import Hands
from handkit.pipelines.inputs import BadInput
from handkit.pipelines.keypoints import HandKeypoints
from handkit.pipelines.top_down import TopDown
from handkit.transforms import LoadImage, TopDownAffine

SIZE = (64, 64)
#: Where the net sees the joints, in crop pixels.
SEEN = np.stack([np.linspace(10, 50, 21), np.linspace(40, 20, 21)], -1)


class Detector:
    """Two boxes in every image: one good, one weak."""

    def __init__(self, rotations: Sequence[float] | None = None) -> None:
        self.rotations = rotations
        self.calls = 0

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        self.calls += 1
        return [Detections([[10, 10, 50, 50], [60, 20, 90, 60]], [0.6, 0.9], self.rotations) for _ in images]


class Net:
    """Joints at fixed places; presence by the box's score, or by how upright a crop is."""

    def __init__(self, **outputs: Any) -> None:
        self.outputs = outputs
        self.batches: list[int] = []

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        count = len(batch["img"])
        self.batches.append(count)
        extra = {name: make(batch) for name, make in self.outputs.items()}
        return {"keypoints": np.repeat(SEEN[None], count, 0), "scores": np.full((count, 21), 0.8), **extra}


def pipe(net: Net, detector: Detector | None = None, **options: Any) -> HandKeypoints:
    top_down = TopDown(detector or Detector(), [TopDownAffine(SIZE, padding=1.0)], net, **options)
    return HandKeypoints(LoadImage(), top_down, {})


def picture(seed: int = 0, size: tuple[int, int] = (100, 80)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)


def test_points_return_to_the_image() -> None:
    hands = pipe(Net())(picture())
    assert len(hands) == 2
    np.testing.assert_allclose(hands.box_scores, [0.9, 0.6])
    np.testing.assert_allclose(hands.boxes[1], [10, 10, 50, 50])
    np.testing.assert_allclose(hands.keypoints[1], SEEN * 40 / 64 + 10, rtol=1e-5)
    assert hands.handedness == (None, None)
    assert hands.image_size == (100, 80)


def test_no_hand_is_the_same_whatever_the_reason() -> None:
    space = Net(presence=lambda batch: np.zeros(len(batch["img"])), xyz_root=lambda batch: np.zeros((2, 21, 3)))
    finder = pipe(space, presence_threshold=0.5, spatial=True)
    rejected, asked = finder(picture()), finder(picture(), boxes=np.zeros((0, 4)))
    for hands in (rejected, asked):
        assert (len(hands), hands.xyz_root.shape, dict(hands.extras)) == (0, (0, 21, 3), {})
    assert rejected.to_json() == asked.to_json()
    assert pipe(Net())(picture(), boxes=np.zeros((0, 4))).xyz_root is None


def test_rotated_regions_report_the_joints_box() -> None:
    hands = pipe(Net(), Detector([0.0, 1.0]))(picture())
    np.testing.assert_allclose(hands.boxes, hand_box(hands.keypoints.astype(float), (100, 80)), atol=1e-3)


def test_presence_gates_sorts_and_lowers() -> None:
    net = Net(presence=lambda batch: np.where(batch["box_score"] > 0.8, 0.3, 0.7))
    assert len(pipe(net, presence_threshold=0.5)(picture())) == 1
    everything = pipe(net)(picture())
    np.testing.assert_allclose(everything.box_scores, [0.7, 0.3])
    np.testing.assert_allclose(everything.scores[:, 0], [0.7, 0.3])
    assert len(pipe(net, presence_threshold=0.9)(picture())) == 0
    assert len(pipe(net, max_hands=1)(picture())) == 1


def test_two_boxes_of_one_hand_are_one_hand() -> None:
    """Boxes of 0.43 intersection over union, in which the net sees joints a seventh of the hand apart."""

    class Twice(Detector):
        def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
            return [Detections([[10, 10, 50, 50], [20, 14, 60, 54], [55, 40, 95, 80]], [0.6, 0.9, 0.3])]

    everything, one_each = (pipe(Net(), Twice(), pose_nms=least)(picture()) for least in (None, 0.5))
    np.testing.assert_allclose(everything.box_scores, [0.9, 0.6, 0.3])
    np.testing.assert_allclose(one_each.box_scores, [0.9, 0.3])
    boxes = np.array([[10, 10, 50, 50.0], [20, 14, 60, 54]])
    assert len(pipe(Net(), pose_nms=0.5)(picture(), boxes=boxes)) == 2  # boxes that are given are answered


def test_presence_threshold_without_presence_is_refused() -> None:
    with pytest.raises(ConfigError, match="gives no presence"):
        pipe(Net(), presence_threshold=0.5)(picture())


def test_sides_and_their_scores() -> None:
    hands = pipe(Net(handedness=lambda batch: np.where(batch["box_score"] > 0.8, 0.9, 0.2)))(picture())
    assert hands.handedness == ("right", "left")
    np.testing.assert_allclose(hands.handedness_scores, [0.9, 0.8])


def test_given_boxes_answer_row_by_row() -> None:
    detector, net = Detector(), Net(presence=lambda batch: np.full(len(batch["img"]), 0.1))
    boxes = np.array([[5, 5, 25, 25], [5, 5, 25, 25], [70, 10, 130, 60.0]])
    hands = pipe(net, detector, presence_threshold=0.5, max_hands=1)(picture(), boxes=boxes)
    assert detector.calls == 0
    np.testing.assert_array_equal(hands.boxes, boxes)
    np.testing.assert_allclose(hands.scores, 0.1, rtol=1e-6)
    assert len(pipe(net)(picture(), boxes=np.zeros((0, 4)))) == 0


def test_given_boxes_of_a_list_follow_their_images() -> None:
    images = [picture(0), picture(1)]
    boxes = [np.array([[5, 5, 25, 25.0]]), np.array([[1, 1, 9, 9.0], [2, 2, 8, 8]])]
    results = pipe(Net())(images, boxes=boxes)
    assert [len(hands) for hands in results] == [1, 2]
    streamed = list(pipe(Net())((image for image in images), boxes=iter(boxes)))
    np.testing.assert_array_equal(streamed[1].boxes, results[1].boxes)
    with pytest.raises(DataError, match="a list of as many"):
        pipe(Net())(images, boxes=boxes[:1])


def test_a_bad_image_takes_its_boxes_with_it() -> None:
    images = ["missing.png", picture(), picture(1)]
    boxes = [np.array([[left, 1, left + 8, 9.0]]) for left in (1, 20, 40)]
    for kind in (list, iter):
        bad, *rest = pipe(Net())(kind(images), boxes=kind(boxes), on_error="skip")
        assert isinstance(bad, BadInput)
        np.testing.assert_array_equal([hands.boxes for hands in rest], boxes[1:])


def test_boxes_that_end_before_their_images_are_no_call_for_the_detector() -> None:
    detector = Detector()
    answers = pipe(Net(), detector)(iter([picture(), picture(1)]), boxes=iter([np.array([[5, 5, 25, 25.0]])]))
    with pytest.raises(DataError, match="fewer boxes than images"):
        list(answers)
    assert detector.calls == 0
    asked = pipe(Net(), detector)([picture(), picture(1)], boxes=[None, np.array([[5, 5, 25, 25.0]])])
    assert (len(asked[1]), detector.calls) == (1, 1)


def test_a_calls_batch_size_is_that_of_the_crops_too() -> None:
    net = Net()
    pipe(net)(picture(), boxes=np.tile([[5, 5, 25, 25.0]], (5, 1)), batch_size=2)
    assert net.batches == [2, 2, 1]
    for wrong in ({"batch_size": 0}, {"on_error": ""}):
        with pytest.raises(ConfigError, match="batch_size must be 1 or more"):
            pipe(net)(picture(), **wrong)


def test_the_whole_image_only_when_asked_for() -> None:
    hands = pipe(Net())(picture(), boxes="full")
    np.testing.assert_allclose(hands.boxes, [[-0.5, -0.5, 99.5, 79.5]])
    with pytest.raises(DataError, match="or 'full', not 'whole'"):
        pipe(Net())(picture(), boxes="whole")


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([[50, 10, 20, 40]], "box 0"),
        ([[5, 5, 25, 25], [500, 500, 600, 600]], "box 1"),
        ([[5, 5, np.nan, 25]], "box 0"),
        ([5, 5, 25, 25], r"\(N, 4\)"),
    ],
)
def test_impossible_boxes_are_named(boxes: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pipe(Net())(picture(), boxes=np.array(boxes, float))
    (bad,) = pipe(Net())([picture()], boxes=[np.array(boxes, float)], on_error="skip")
    assert isinstance(bad, BadInput)


def test_a_given_box_is_turned_to_where_its_best_crop_points() -> None:
    """Presence is best in the third of eight turns; there the joints point up, so that the last crop has that turn."""
    net = Net(presence=lambda batch: np.cos(batch["rotation"] - np.pi / 2) / 2 + 0.5, rotation=lambda b: b["rotation"])
    hands = pipe(net, given_rotations=8)(picture(), boxes=np.array([[20, 20, 60, 60.0], [30, 30, 60, 60]]))
    assert net.batches == [8, 8, 2]
    np.testing.assert_array_equal(hands.boxes, [[20, 20, 60, 60], [30, 30, 60, 60]])
    x, y = SEEN[9] - SEEN[0]
    turned = np.pi / 2 + np.arctan2(x, -y)
    np.testing.assert_allclose(hands.extras["rotation"], [turned] * 2, rtol=1e-5)
    crop = TopDownAffine(SIZE, 1.0)({"img": picture(), "box": [20, 20, 60, 60], "rotation": turned})["crop"]
    np.testing.assert_allclose(hands.keypoints[0], crop.inverse_points(SEEN), rtol=1e-4)
    assert len(pipe(net, given_rotations=8)(picture(), boxes=np.zeros((0, 4)))) == 0
    with pytest.raises(ConfigError, match="gives a presence"):
        pipe(Net(), given_rotations=8)(picture(), boxes="full")


@given(st.integers(1, 7), st.integers(1, 5))
def test_batches_cross_images(batch_size: int, count: int) -> None:
    images = [picture(i) for i in range(count)]
    net = Net()
    results = HandKeypoints(
        LoadImage(), TopDown(Detector(), [TopDownAffine(SIZE, 1.0)], net, batch_size=batch_size), {}, batch_size=count
    )(images)
    assert len(results) == count
    assert sum(net.batches) == 2 * count
    assert max(net.batches) == min(batch_size, 2 * count)
    assert len(net.batches) == -(-2 * count // batch_size)


def test_one_by_one_equals_batched() -> None:
    images = [picture(i) for i in range(5)]
    batched = pipe(Net())(images, batch_size=4)
    for image, hands in zip(images, batched, strict=True):
        np.testing.assert_array_equal(pipe(Net())(image).keypoints, hands.keypoints)


def test_a_mirrored_image_gives_the_mirrored_hands_with_the_persons_sides() -> None:
    net = Net(
        handedness=lambda batch: np.where(batch["box_score"] > 0.8, 0.9, 0.2), xyz_root=lambda b: XYZ[: len(b["img"])]
    )
    plain: Hands = pipe(net)(picture())
    mirrored: Hands = pipe(net)(picture()[:, ::-1], mirrored=True)
    assert mirrored.handedness == plain.handedness
    np.testing.assert_allclose(mirrored.keypoints, plain.mirrored().keypoints, atol=1e-4)
    np.testing.assert_allclose(mirrored.boxes, plain.mirrored().boxes, atol=1e-4)
    np.testing.assert_allclose(mirrored.xyz_root, plain.mirrored().xyz_root)
    boxes = np.array([[5, 5, 25, 25.0]])
    np.testing.assert_allclose(pipe(net)(picture()[:, ::-1], boxes, mirrored=True).boxes, boxes)


XYZ = np.random.default_rng(0).normal(size=(2, 21, 3))


@given(st.floats(-7, 7))
def test_xyz_turns_with_its_crop(angle: float) -> None:
    turned = turn_xyz(XYZ, np.array([0.0, angle]))
    np.testing.assert_allclose(turned[0], XYZ[0])
    matrix = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    np.testing.assert_allclose(turned[1, :, :2], apply_affine(matrix, XYZ[1, :, :2]), atol=1e-9)
    np.testing.assert_array_equal(turned[1, :, 2], XYZ[1, :, 2])


def test_collected_columns_come_back_with_their_hands() -> None:
    hands = pipe(Net(rotation=lambda batch: batch["rotation"]), Detector([0.1, 0.2]))(picture())
    np.testing.assert_allclose(hands.extras["rotation"], [0.2, 0.1])


def test_lengths_of_bones_turn_as_metres_do() -> None:
    net = Net(xyz_bone=lambda batch: XYZ, xyz_root=lambda batch: XYZ * 0.032)
    hands = pipe(net, Detector([0.5, 1.0]))(picture())
    np.testing.assert_allclose(hands.xyz_root, hands.extras["xyz_bone"] * 0.032, rtol=1e-5)
    np.testing.assert_allclose(hands.extras["xyz_bone"], turn_xyz(XYZ, np.array([0.5, 1.0]))[::-1], atol=1e-6)


def test_only_pictures_without_a_hand_are_looked_at_again() -> None:
    """The net sees hands in bright pictures only; the retry's box is told apart by its score."""

    class Retry(Detector):
        def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
            self.calls += len(images)
            return [Detections([[0, 0, 40, 40]], [0.7]) for _ in images]

    retry = Retry()
    net = Net(
        presence=lambda b: np.where((b["img"].mean((1, 2, 3)) > 99) | (b["box_score"] == np.float32(0.7)), 0.9, 0.1)
    )
    bright, dark = np.full((80, 100, 3), 200, np.uint8), np.full((80, 100, 3), 9, np.uint8)
    counts = [len(hands) for hands in pipe(net, retry_detector=retry, presence_threshold=0.5)([bright, dark, bright])]
    assert (counts, retry.calls) == ([2, 1, 2], 1)
    given = pipe(net, retry_detector=retry, presence_threshold=0.5)(dark, boxes=np.zeros((0, 4)))
    assert (len(given), retry.calls) == (0, 1)


def test_bad_images_are_skipped_in_place() -> None:
    results = pipe(Net())([picture(), "missing.png", b"", picture()], on_error="skip")
    assert [type(result) for result in results] == [Hands, BadInput, BadInput, Hands]
    assert results[1] == BadInput("missing.png", "no such file")
    assert results[2] == BadInput("bytes #2", "zero bytes")
    with pytest.raises(ImageError, match=r"missing\.png: no such file"):
        pipe(Net())([picture(), "missing.png"])


def test_a_fault_in_the_net_is_not_taken_for_a_bad_input() -> None:
    def broken(batch: Any) -> Any:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        pipe(Net(presence=broken))([picture()], on_error="skip")
