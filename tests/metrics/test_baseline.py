"""The guess that never looks: right by hand on a few boxes, and poor on varied hands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets import HandSynth, WeightedConcat
from handkit.datasets.labels import HandLabels
from handkit.errors import DataError
from handkit.metrics import MPJPE, PCK
from handkit.metrics.baseline import mean_pose, mean_pose_samples


def labels(keypoints: np.ndarray, visible: np.ndarray, box: tuple[float, float, float, float]) -> HandLabels:
    return HandLabels(
        path=Path("a.png"),
        image_size=(100, 100),
        keypoints=keypoints[None],
        visible=visible[None],
        joint_boxes=np.array([box]),
        boxes=np.array([box]),
        handedness=(None,),
        good=np.ones(1, bool),
        ignored=np.zeros(1, bool),
        human_boxes=np.zeros((0, 4)),
    )


class Few:
    """As many one-hand labels as it is given."""

    def __init__(self, *rows: HandLabels) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def hands(self, index: int) -> HandLabels:
        return self.rows[index]


def test_the_mean_is_over_boxes_and_labelled_joints() -> None:
    keypoints = np.array([[[10.0, 20], [0, 0]], [[30, 0], [20, 40]], [[5, 5], [9, 9]]])
    visible = np.array([[2, 0], [1, 2], [2, 2]])
    boxes = np.array([[0.0, 0, 20, 40], [20, 0, 40, 80], [5, 5, 5, 9]])
    np.testing.assert_allclose(mean_pose(keypoints, visible, boxes), [[0.5, 0.25], [0, 0.5]])  # the last box is flat
    np.testing.assert_allclose(mean_pose(keypoints, visible * 0, boxes), 0.5)


def test_hands_of_one_pose_are_predicted_exactly() -> None:
    pose = np.random.default_rng(0).random((21, 2))
    boxes = [(0.0, 0.0, 50.0, 20.0), (10.0, 5.0, 30.0, 45.0), (3.0, 3.0, 90.0, 90.0)]
    rows = [labels(np.array(box[:2]) + pose * np.subtract(box[2:], box[:2]), np.ones(21), box) for box in boxes]
    samples = mean_pose_samples(Few(*rows[:2]), Few(rows[2]))
    np.testing.assert_allclose(samples.predicted, samples.labels)
    assert PCK().compute(samples) == {"PCK@0.2": 1.0}
    assert len(mean_pose_samples(Few(*rows), Few(*rows), limit=2)) == 2


def test_varied_hands_are_predicted_poorly() -> None:
    train, held_out = (HandSynth("capsule", seed=seed, count=150, image_size=(96, 96)) for seed in (0, 1))
    found = PCK().compute(mean_pose_samples(train, held_out))["PCK@0.2"]
    assert 0.2 < found < 0.45


def test_a_mixture_is_known_by_its_samples() -> None:
    hands = HandSynth("capsule", count=4, image_size=(48, 48))
    picture_free = {"keypoints": np.zeros((21, 2)), "visible": np.zeros(21), "box": np.array([3.0, 3, 9, 9])}
    nothing: Any = [{**picture_free, "hand": 0.0}] * 2
    mixed = WeightedConcat([hands, nothing], weights=(4, 2), length=6)
    alone, among = (mean_pose_samples(train, hands, spatial=True) for train in (hands, mixed))
    np.testing.assert_allclose(among.predicted, alone.predicted)
    np.testing.assert_allclose(among.predicted_3d["xyz_root"], alone.predicted_3d["xyz_root"])
    measured = mean_pose_samples(hands, mixed, spatial=True)
    assert (measured.visible.sum(1) > 0).sum() == 4
    assert not measured.predicted_3d


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(DataError, match="HandSynth is empty"):
        mean_pose_samples(HandSynth("capsule", count=0), HandSynth("capsule", count=1))


def test_in_space_the_guess_is_the_mean_hand() -> None:
    hands = HandSynth("capsule", seed=4, count=6, image_size=(32, 32))
    samples = mean_pose_samples(hands, hands, spatial=True)
    xyz = np.stack([hands[index]["xyz_cam"] for index in range(6)]).astype(float)
    root = xyz - xyz[:, :1]
    np.testing.assert_allclose(samples.predicted_3d["xyz_root"], np.tile(root.mean(0), (6, 1, 1)), atol=1e-9)
    expected = 1000 * np.linalg.norm(root - root.mean(0), axis=-1).mean()
    assert MPJPE().compute(samples)["MPJPE_mm"] == pytest.approx(expected)
    bone = np.linalg.norm(root[:, 6] - root[:, 5], axis=-1)[:, None, None]
    scaled = np.linalg.norm(bone * (root / bone).mean(0) - root, axis=-1).mean()
    assert MPJPE("xyz_bone").compute(samples)["MPJPE_mm_true_bone"] == pytest.approx(1000 * scaled)
    assert not mean_pose_samples(hands, hands).predicted_3d
