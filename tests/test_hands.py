from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.detections import Detections
from handkit.errors import DataError
from handkit.hands import Hands, other_side


def make(count: int = 3, **changes: Any) -> Hands:
    rng = np.random.default_rng(count)
    columns: dict[str, Any] = dict(
        keypoints=rng.uniform(0, 100, (count, 21, 2)),
        scores=rng.random((count, 21)),
        boxes=rng.uniform(0, 100, (count, 4)),
        box_scores=rng.random(count),
        handedness=tuple(rng.choice(["left", "right"], count)),
        handedness_scores=rng.random(count),
        image_size=(120, 90),
    )
    return Hands(**{**columns, **changes})


def test_arrays_are_read_only_copies() -> None:
    boxes = np.zeros((1, 4), np.float32)
    hands = make(1, boxes=boxes)
    boxes += 1
    assert hands.boxes.sum() == 0
    with pytest.raises(ValueError, match="read-only"):
        hands.keypoints[0] = 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(keypoints=np.zeros((2, 20, 2))), r"keypoints must have the shape \(2, 21, 2\), got \(2, 20, 2\)"),
        (dict(scores=np.full((2, 21), 1.5)), r"scores must lie in \[0, 1\]"),
        (dict(scores=np.full((2, 21), np.nan)), "scores holds values that are not finite"),
        (dict(handedness=("left", "Left")), "handedness needs 2 of"),
        (dict(handedness=("left",)), "handedness needs 2 of"),
        (dict(xyz_root=np.zeros((2, 21, 2))), "xyz_root must have the shape"),
        (dict(masks=np.zeros((2, 120, 90), bool)), r"masks must have the shape \(2, 90, 120\), got \(2, 120, 90\)"),
        (dict(extras={"rotation": np.zeros(3)}), r"extras\['rotation'\] needs 2 rows"),
    ],
)
def test_wrong_values_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make(2, **changes)


def test_indexing_keeps_rows_together() -> None:
    hands = make(4, xyz_root=np.arange(4 * 63).reshape(4, 21, 3), track_ids=[7, 8, 9, 10], extras={"a": np.arange(4)})
    picked = hands[[3, 1]]
    assert len(picked) == 2
    assert picked.handedness == (hands.handedness[3], hands.handedness[1])
    np.testing.assert_array_equal(picked.track_ids, [10, 8])
    np.testing.assert_array_equal(picked.extras["a"], [3, 1])
    np.testing.assert_array_equal(hands[-1].keypoints, hands.keypoints[3:])
    assert [len(one) for one in hands] == [1, 1, 1, 1]
    assert len(hands[hands.box_scores > 2]) == 0
    with pytest.raises(IndexError):
        hands[4]


def test_modelscope_keys() -> None:
    hands = make(2)
    assert hands["keypoints"].shape == (2, 21, 3)
    np.testing.assert_array_equal(hands["keypoints"][..., 2], hands.scores)
    np.testing.assert_array_equal(hands["boxes"], hands.boxes)
    with pytest.raises(KeyError, match="known: keypoints"):
        hands["joints"]


def test_empty() -> None:
    hands = Hands.empty((640, 480))
    assert (len(hands), list(hands), hands.to_dict()["keypoints"], hands.to_coco(1)) == (0, [], [], [])
    assert hands["keypoints"].shape == (0, 21, 3)


@given(st.integers(0, 4))
def test_json_round_trip(count: int) -> None:
    hands = make(count)
    back = json.loads(hands.to_json())
    np.testing.assert_allclose(np.reshape(back["keypoints"], (count, 21, 3)), hands["keypoints"], rtol=1e-6)
    assert back["image_size"] == [120, 90]
    assert back["handedness"] == list(hands.handedness)


def test_coco_results() -> None:
    (one,) = make(1, boxes=[[10, 20, 30, 60]]).to_coco(image_id=5)
    assert one["bbox"] == [10, 20, 20, 40]
    assert (one["image_id"], len(one["keypoints"])) == (5, 63)


@given(st.booleans())
def test_mirroring_is_its_own_inverse(swap: bool) -> None:
    hands = make(3, xyz_root=np.random.default_rng(1).random((3, 21, 3)))
    there = hands.mirrored(swap)
    assert there.handedness == (tuple(map(other_side, hands.handedness)) if swap else hands.handedness)
    back = there.mirrored(swap)
    np.testing.assert_allclose(back.keypoints, hands.keypoints, atol=1e-4)
    np.testing.assert_allclose(back.xyz_root, hands.xyz_root)
    assert back.handedness == hands.handedness


def test_the_crops_of_mirrored_hands_are_mirrored() -> None:
    xyz = np.random.default_rng(2).normal(size=(2, 21, 3))
    boxes = np.array([[1, 2, 11, 12.0], [0, 0, 5, 5]])
    hands = make(2, extras={"box": boxes, "rotation": [0.5, -1], "xyz_bone": xyz, "other": [3, 4]})
    width = hands.image_size[0]
    there = hands.mirrored()
    np.testing.assert_allclose(there.extras["box"][0], [width - 12, 2, width - 2, 12])
    np.testing.assert_allclose(there.extras["rotation"], [-0.5, 1])
    np.testing.assert_allclose(there.extras["xyz_bone"], xyz * [-1, 1, 1])
    np.testing.assert_array_equal(there.extras["other"], [3, 4])


def test_masks_go_with_their_hands() -> None:
    masks = np.zeros((2, 90, 120), bool)
    masks[0, 3, 5], masks[1, 10:20, 30:50] = True, True
    hands = make(2, masks=masks)
    np.testing.assert_array_equal(hands[1].masks, masks[1:])
    np.testing.assert_array_equal(hands.mirrored().masks, masks[:, :, ::-1])
    assert [row["size"] for row in hands.to_dict()["masks"]] == [[90, 120]] * 2
    json.loads(hands.to_json())
    found = Detections(hands.boxes, hands.box_scores, masks=masks)
    np.testing.assert_array_equal(found[[1, 0]].masks, masks[::-1])
    assert found.to_dict()["masks"] == hands.to_dict()["masks"]
    with pytest.raises(DataError, match=r"Detections.masks must have the shape \(2, 'H', 'W'\)|\(2, 90, 120\)"):
        Detections(hands.boxes, hands.box_scores, masks=masks[:1])


def test_detections_are_told_one_by_one() -> None:
    found = Detections([[0, 0, 4, 4], [1, 1, 5, 5]], [0.9, 0.8], [0.1, 0.2])
    assert [one.to_dict() for one in found] == [found[0].to_dict(), found[-1].to_dict()]
    np.testing.assert_array_equal(found[np.array([False, True])].boxes, [[1, 1, 5, 5]])
    with pytest.raises(IndexError):
        found[2]


def test_detections_check_and_select() -> None:
    found = Detections([[0, 0, 4, 4], [1, 1, 5, 5]], [0.9, 0.8], [0.1, 0.2])
    assert found[:1].to_dict() == {
        "boxes": [[0, 0, 4, 4]],
        "box_scores": pytest.approx([0.9]),
        "rotations": pytest.approx([0.1]),
    }
    assert len(Detections.empty()) == 0
    with pytest.raises(DataError, match=r"boxes needs \(2, 4\) finite numbers"):
        Detections([[0, 0, np.nan, 4], [1, 1, 5, 5]], [0.9, 0.8])
