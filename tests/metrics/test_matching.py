"""Predicted hands to labelled ones: the rule, its limits, and what must not matter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.datasets.labels import HandLabels
from handkit.detections import Detections
from handkit.geometry import hand_box, mirror_boxes, mirror_points, points_box
from handkit.hands import Hands, other_side
from handkit.metrics import EPE, MPJPE, PCK, DetectionRecall, FalseHandsPerImage, HandednessAccuracy, HandSamples
from handkit.metrics.evaluate import match_images
from handkit.metrics.matching import match_hands, mean_distances

SIZE = (640, 480)


def labelled(keypoints: np.ndarray, visible: np.ndarray | None = None) -> HandLabels:
    count = len(keypoints)
    return HandLabels(
        path=Path("photo.jpg"),
        image_size=SIZE,
        keypoints=keypoints,
        visible=np.full((count, 21), 2) if visible is None else visible,
        joint_boxes=points_box(keypoints),
        boxes=hand_box(keypoints, SIZE),
        handedness=tuple(("left", "right")[row % 2] for row in range(count)),
        good=np.ones(count, bool),
        ignored=np.zeros(count, bool),
        human_boxes=np.zeros((0, 4)),
    )


def predicted(keypoints: np.ndarray, boxes: np.ndarray | None = None) -> Hands:
    count = len(keypoints)
    return Hands(
        keypoints=keypoints,
        scores=np.ones((count, 21)),
        boxes=hand_box(keypoints, SIZE) if boxes is None else boxes,
        box_scores=np.ones(count),
        handedness=tuple(("left", "right")[row % 2] for row in range(count)),
        handedness_scores=np.ones(count),
        image_size=SIZE,
    )


def hand(x: float, y: float, size: float = 100.0) -> np.ndarray:
    """(1, 21, 2) joints whose tight box is the square of that size at (x, y)."""
    points = np.random.default_rng(0).uniform(0, 1, (21, 2))
    points[0], points[1] = 0, 1
    return (points * size + [x, y])[None]


NO_BOX = np.array([[0.0, 0.0, 1.0, 1.0]])


@pytest.mark.parametrize(("shift", "found"), [(49.9, True), (50.1, False)])
def test_half_the_tight_box_is_near_enough(shift: float, found: bool) -> None:
    match = match_hands(labelled(hand(200, 200)), predicted(hand(200 + shift, 200), NO_BOX))
    assert len(match.labels) == found
    assert len(match.missed) == len(match.unmatched) == (not found)


@pytest.mark.parametrize(("width", "found"), [(0.301, True), (0.299, False)])
def test_an_overlap_of_0_3_is_enough(width: float, found: bool) -> None:
    label = labelled(hand(200, 200))
    box = label.boxes.copy()
    box[:, 2] = box[:, 0] + (box[:, 2] - box[:, 0]) * width
    match = match_hands(label, predicted(hand(20, 20), box))
    assert len(match.labels) == found


def test_joints_that_are_not_labelled_do_not_count() -> None:
    visible = np.full((1, 21), 2)
    visible[0, 5:] = 0
    points = hand(200, 200)
    far = points.copy()
    far[0, 5:] += 400
    assert mean_distances(points, visible, far)[0, 0] == 0
    assert np.isnan(mean_distances(points, np.zeros((1, 21)), far)).all()


def test_each_hand_is_matched_once_and_to_the_nearest() -> None:
    both = np.concatenate([hand(100, 100), hand(150, 100)])
    match = match_hands(labelled(both), predicted(both[[1, 0, 0]] + [[[2.0, 0]], [[1.0, 0]], [[0.0, 0]]]))
    assert dict(zip(match.labels, match.predictions, strict=True)) == {0: 2, 1: 0}
    assert match.unmatched.tolist() == [1]
    assert match.missed.tolist() == []


def test_a_far_pair_never_costs_a_near_one_its_match() -> None:
    # By distances alone the second prediction for the first label and the first for the second are cheapest together
    # (40 + 170 < 30 + 204), but the latter pair is too far apart to be allowed.
    labels = labelled(np.concatenate([hand(100, 100), hand(300, 100)]))
    hands = predicted(np.concatenate([hand(130, 100), hand(100, 140)]))
    match = match_hands(labels, hands)
    assert match.labels.tolist() == [0]
    assert match.predictions.tolist() == [0]


def test_as_many_hands_as_possible_are_matched() -> None:
    labels = labelled(np.concatenate([hand(100, 100), hand(140, 100)]))
    hands = predicted(np.concatenate([hand(135, 100), hand(180, 100)]))
    assert match_hands(labels, hands).labels.tolist() == [0, 1]


@pytest.mark.parametrize(("labels", "predictions"), [(0, 0), (2, 0), (0, 2)])
def test_nobody_to_match(labels: int, predictions: int) -> None:
    points = hand(100, 100)
    match = match_hands(labelled(np.repeat(points, labels, 0)), predicted(np.repeat(points, predictions, 0)))
    assert len(match.labels) == len(match.predictions) == 0
    assert len(match.missed) == labels
    assert len(match.unmatched) == predictions


def test_the_answer_to_an_ignored_label_is_neither_right_nor_false() -> None:
    points = np.concatenate([hand(100, 100), hand(300, 100), hand(300, 300)])
    labels = replace(labelled(points[:2]), ignored=np.array([False, True]))
    hands = predicted(points)
    rows = HandSamples.of_image(labels, hands, match_hands(labels, hands))
    assert len(rows) == 1
    assert rows.found.tolist() == [True]
    assert rows.unmatched.tolist() == [1]


def test_detections_are_matched_by_their_boxes() -> None:
    labels = labelled(np.concatenate([hand(100, 100), hand(300, 100), hand(300, 300)]))
    boxes = np.concatenate([labels.boxes[[1, 0]] + 5, NO_BOX])
    found = Detections(boxes, np.array([0.9, 0.8, 0.7]))
    match = match_hands(labels, found)
    assert dict(zip(match.labels, match.predictions, strict=True)) == {0: 1, 1: 0}
    rows = HandSamples.of_image(labels, found, match)
    assert rows.found.tolist() == [True, True, False]
    assert rows.unmatched.tolist() == [1]
    assert np.isnan(rows.predicted).all()
    assert rows.predicted_sides == (None,) * 3


def values(labels: HandLabels, hands: Hands) -> list[float]:
    rows = HandSamples.of_image(labels, hands, match_hands(labels, hands))
    metrics = (PCK(0.1), PCK(0.1, "matched"), EPE("matched"), DetectionRecall(), HandednessAccuracy())
    return [v for metric in (*metrics, FalseHandsPerImage()) for v in metric.compute(rows).values()]


def scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labelled joints, their visibility, and predictions: some near, some nowhere, in any number."""
    count = int(rng.integers(1, 5))
    labels = rng.uniform(30, 200, (count, 1, 2)) + rng.uniform(0, 120, (count, 21, 2))
    near = labels[rng.uniform(size=count) < 0.7]
    near = near + rng.normal(0, 12, near.shape)
    stray = rng.uniform(0, 400, (int(rng.integers(0, 3)), 21, 2))
    return labels, rng.integers(0, 3, (count, 21)), np.concatenate([near, stray])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_hands_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, visible, guesses = scene(rng)
    labels, hands = labelled(points, visible), predicted(guesses)
    order = rng.permutation(len(labels))
    names = ("keypoints", "visible", "joint_boxes", "boxes", "good", "ignored")
    shuffled = replace(
        labels,
        handedness=tuple(labels.handedness[row] for row in order),
        **{name: getattr(labels, name)[order] for name in names},
    )
    assert values(shuffled, hands[rng.permutation(len(hands))]) == pytest.approx(values(labels, hands), nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_mirroring_picture_and_predictions_does_not_matter(seed: int) -> None:
    points, visible, guesses = scene(np.random.default_rng(seed))
    labels, hands = labelled(points, visible), predicted(guesses)
    mirrored = replace(
        labels,
        keypoints=mirror_points(labels.keypoints, SIZE[0]),
        joint_boxes=mirror_boxes(labels.joint_boxes, SIZE[0]),
        boxes=mirror_boxes(labels.boxes, SIZE[0]),
        handedness=tuple(other_side(side) for side in labels.handedness),
    )
    assert values(mirrored, hands.mirrored()) == pytest.approx(values(labels, hands), rel=1e-4, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_perfect_predictions_in_any_order_find_every_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = scene(rng)[0]
    order = rng.permutation(len(points))
    match = match_hands(labelled(points), predicted(points[order]))
    assert order[match.predictions].tolist() == match.labels.tolist() == list(range(len(points)))


def test_boxes_alone_are_matched_by_their_overlap() -> None:
    """A detection has no joints: the nearest centre among the overlapping ones answers, and the crowd is ignored."""
    boxes = np.array([[0.0, 0, 10, 10], [20, 0, 30, 10], [50, 50, 90, 90]])
    hands = HandLabels(
        path=Path("a.png"),
        image_size=(100, 100),
        keypoints=np.zeros((3, 21, 2)),
        visible=np.zeros((3, 21), np.uint8),
        joint_boxes=boxes,
        boxes=boxes,
        handedness=(None,) * 3,
        good=np.ones(3, bool),
        ignored=np.array([False, False, True]),
        human_boxes=np.zeros((0, 4)),
    )
    found = Detections(np.array([[1.0, 0, 11, 10], [0, 0, 10, 10], [26, 0, 36, 10], [50, 50, 90, 90]]), np.ones(4))
    match = match_hands(hands, found)
    assert dict(zip(match.labels.tolist(), match.predictions.tolist(), strict=True)) == {0: 1, 2: 3}
    assert match.unmatched.tolist() == [0, 2]
    samples = HandSamples.of_image(hands, found, match)
    assert samples.found.tolist() == [True, False]
    assert samples.unmatched.tolist() == [2]
    assert np.isnan(samples.predicted).all()


def test_matched_hands_are_measured_in_space() -> None:
    points = np.concatenate([hand(50, 50), hand(350, 250), hand(480, 30)])
    xyz = np.random.default_rng(1).normal(0, 0.05, (3, 21, 3)) + np.array([0, 0, 0.6])
    labels = replace(labelled(points), xyz_cam=xyz)
    root = (xyz - xyz[:, :1])[[1, 0]]
    perfect = replace(predicted(points[[1, 0]]), xyz_root=root)
    samples = match_images([labels, labelled(points)], [perfect, perfect])
    for frame in ("xyz_root", "xyz_bone"):
        for metric in (MPJPE(frame, "matched"), MPJPE(frame)):  # type: ignore[arg-type]
            (error,) = metric.compute(samples).values()
            assert error == (pytest.approx(0, abs=1e-4) if metric.over == "matched" else np.inf)
    assert np.isnan(samples.spatial("xyz_root")[0][2]).all()  # missed
    assert np.isnan(samples.spatial("xyz_root")[1][3:]).all()  # no labels in space
    shifted = root.copy()
    shifted[1, 7, 2] += 0.042
    (error,) = MPJPE(over="matched").compute(match_images([labels], [replace(perfect, xyz_root=shifted)])).values()
    assert error == pytest.approx(42 / 21 / 2, abs=1e-4)
    doubled = match_images([labels], [replace(perfect, xyz_root=root * 2)])
    assert MPJPE("xyz_bone", "matched").compute(doubled) == pytest.approx({"MPJPE_mm_true_bone_matched": 0}, abs=1e-4)
    turned = labels.rotated(1)
    np.testing.assert_allclose(turned.xyz_cam, np.stack([-xyz[..., 1], xyz[..., 0], xyz[..., 2]], -1), atol=1e-12)
    plain = HandSamples.of_image(labels, perfect, match_hands(labels, perfect))
    assert set(plain.predicted_3d) == {"xyz_root", "xyz_bone"}
