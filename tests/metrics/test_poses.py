"""OKS-AP: pycocotools' values, and a few that are known by hand; with detected and with labelled boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets.labels import HandLabels
from handkit.errors import DataError
from handkit.geometry import hand_box
from handkit.hands import Hands
from handkit.metrics import OKSAP, HandSamples
from handkit.metrics.evaluate import match_images
from handkit.metrics.pose_samples import MAX_POSES, PoseSamples
from handkit.skeleton import HAND

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "poses.npz")
CASES = sorted(name.removesuffix("_values") for name in GOLDEN if name.endswith("_values"))
COLUMNS = (
    *("labels", "visible", "boxes", "ignored", "label_images"),
    *("predicted", "scores", "predicted_images"),
)
SIZE = (400, 300)
POINTS = np.random.default_rng(0).uniform(50, 150, (21, 2))


def golden(name: str) -> PoseSamples:
    return PoseSamples(**{key: GOLDEN[f"{name}_{key}"] for key in COLUMNS}, images=int(GOLDEN[f"{name}_images"]))


def measured(poses: PoseSamples) -> list[float]:
    """AP, AP50, AP75 and AR."""
    nothing = HandSamples.of_negatives([])
    samples = HandSamples(**{**vars(nothing), "unmatched": np.zeros(poses.images, int), "poses": poses})
    values = OKSAP().compute(samples)
    assert list(values) == ["OKS_AP", "OKS_AP50", "OKS_AP75", "OKS_AR"]
    return list(values.values())


def labels_of(*points: np.ndarray, ignored: tuple[int, ...] = ()) -> HandLabels:
    joints = np.array(points)
    boxes = hand_box(joints, SIZE)
    return HandLabels(
        path=Path("a.png"),
        image_size=SIZE,
        keypoints=joints,
        visible=np.full(joints.shape[:2], 2, np.uint8),
        joint_boxes=boxes,
        boxes=boxes,
        handedness=(None,) * len(joints),
        good=np.ones(len(joints), bool),
        ignored=np.isin(np.arange(len(joints)), ignored),
        human_boxes=np.zeros((0, 4)),
    )


def hands_of(*points: np.ndarray, box_scores: Any = None, scores: Any = None) -> Hands:
    joints = np.array(points).reshape(-1, 21, 2)
    count = len(joints)
    return Hands(
        keypoints=joints,
        scores=np.ones((count, 21)) if scores is None else np.repeat(np.array(scores)[:, None], 21, 1),
        boxes=hand_box(joints, SIZE) if count else np.zeros((0, 4)),
        box_scores=np.linspace(0.9, 0.5, count) if box_scores is None else box_scores,
        handedness=(None,) * count,
        handedness_scores=np.zeros(count),
        image_size=SIZE,
    )


def average_precision(labels: HandLabels, hands: Hands) -> float:
    return OKSAP().compute(match_images([labels], [hands]))["OKS_AP"]


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_pycocotools(name: str) -> None:
    expected = np.where(GOLDEN[f"{name}_values"] < 0, np.nan, GOLDEN[f"{name}_values"])
    np.testing.assert_allclose(measured(golden(name)), expected, atol=1e-9)


def test_the_golden_file_holds_the_edge_cases() -> None:
    assert {"no_predictions", "no_labels", "nothing_visible", "ignored", "hidden_joints", "crowded"} < set(CASES)
    assert 0.2 < GOLDEN["several_hands_values"][0] < 0.8
    assert (np.bincount(GOLDEN["crowded_predicted_images"]) > MAX_POSES).any()


def test_the_similarity_by_hand() -> None:
    labels = labels_of(POINTS)
    width, height = (labels.boxes[0, 2:] - labels.boxes[0, :2]).tolist()
    # At the distance where exp(-d^2 / (8 sigma^2 A)) = 0.72 of every joint: right at 0.5, 0.55 .. 0.7, five of ten.
    shift = np.sqrt(-8 * np.log(0.72) * width * height) * np.array(HAND.sigmas)
    moved = POINTS + np.stack([shift, np.zeros(21)], 1)
    assert average_precision(labels, hands_of(moved)) == pytest.approx(0.5)
    assert average_precision(labels, hands_of(POINTS)) == pytest.approx(1)
    assert average_precision(labels, hands_of()) == 0


def test_false_and_ignored_hands() -> None:
    far = POINTS + 140
    assert average_precision(labels_of(POINTS), hands_of(far, POINTS)) == pytest.approx(0.5)
    assert average_precision(labels_of(POINTS), hands_of(POINTS, far)) == pytest.approx(1)
    assert average_precision(labels_of(POINTS, far, ignored=(1,)), hands_of(far, POINTS)) == pytest.approx(1)


def test_hands_are_sorted_by_box_times_joints() -> None:
    far = POINTS + 140
    doubted = hands_of(far, POINTS, box_scores=np.array([0.9, 0.6]), scores=[0.2, 0.9])
    assert average_precision(labels_of(POINTS), doubted) == pytest.approx(1)


def test_joints_that_are_no_numbers_are_wrong() -> None:
    case = {key: GOLDEN[f"one_hand_{key}"] for key in COLUMNS}
    lost = PoseSamples(**{**case, "predicted": np.full_like(case["predicted"], np.nan)}, images=12)
    assert measured(lost)[0] == 0


def test_images_resample_and_group() -> None:
    poses = golden("several_hands")
    nothing = HandSamples.of_negatives([])
    samples = HandSamples(**{**vars(nothing), "unmatched": np.zeros(poses.images, int), "poses": poses})
    times = np.zeros((2, 30))
    times[0, :15], times[1] = 2, 1
    half, whole = OKSAP().resampled(samples, times)["OKS_AP"]
    assert whole == pytest.approx(GOLDEN["several_hands_values"][0])
    assert half != whole
    doubled = PoseSamples.concatenate([poses, poses])
    assert doubled.images == 60
    assert measured(doubled)[1] == pytest.approx(measured(poses)[1], abs=0.02)
    # One image of all hands: a prediction may answer any of them, and only MAX_POSES count.
    assert measured(poses.grouped(np.zeros(30, int)))[3] < measured(poses)[3]


def test_boxes_alone_have_no_joints_to_compare() -> None:
    assert np.isnan(list(OKSAP().compute(HandSamples.of_negatives([])).values())).all()


def test_columns_that_disagree_are_refused() -> None:
    with pytest.raises(DataError, match="as many rows"):
        PoseSamples(**{**vars(golden("one_hand")), "scores": np.zeros(1)})
