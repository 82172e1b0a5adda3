"""HandOffsets: all hands of an image come back from their own maps, in one pass and without boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.codecs.hand_offsets import HandOffsets
from handkit.errors import ConfigError, DataError
from handkit.skeleton import HAND

SIZE = (321, 257)


def hand(x: float, y: float, length: float = 40.0, angle: float = 0.0) -> Any:
    """(21, 2) a hand whose wrist is at (x, y): five rays of four joints."""
    points = [(0.0, 0.0)]
    for finger in range(5):
        direction = angle + (finger - 2) * 0.35
        points += [
            (np.sin(direction) * r, -np.cos(direction) * r) for r in (length, 1.4 * length, 1.7 * length, 2 * length)
        ]
    return np.array(points) + np.array([x, y])


def maps(codec: HandOffsets, *hands: Any) -> dict[str, Any]:
    points = np.stack(hands)[None]
    return codec.encode(points, np.ones(points.shape[:3]))


def nearest(found: Any, label: Any) -> float:
    return float(np.linalg.norm(found - label, axis=-1).max(-1).min())


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.floats(0, 30), st.floats(20, 45), st.floats(-3, 3)), min_size=1, max_size=3
    ),
    st.sampled_from([8, 16]),
    st.booleans(),
)
def test_all_hands_come_back(places: list[tuple[float, ...]], stride: int, as_tensor: bool) -> None:
    codec = HandOffsets((641, 257), stride)
    hands = [hand(110 + 190 * i + dx, 115 + dy, length, angle) for i, (dx, dy, length, angle) in enumerate(places)]
    points = np.stack(hands)[None]
    given_points = torch.from_numpy(points) if as_tensor else points
    visible = torch.ones(points.shape[:3]) if as_tensor else np.ones(points.shape[:3])
    made = codec.encode(given_points, visible)
    assert set(made) == set(codec.targets)
    joints, scores, _ = codec.decode(made)
    assert isinstance(joints, torch.Tensor) == as_tensor
    assert joints.shape == (1, len(hands), 21, 2)
    assert (np.asarray(scores) == 1).all()
    for label in hands:
        assert nearest(np.asarray(joints[0]), label) < 0.01


def test_hands_that_cross_are_told_apart() -> None:
    codec = HandOffsets(SIZE, 8)
    hands = [hand(100, 200, 50, 0.9), hand(220, 200, 50, -0.3)]
    assert hands[0][:, 0].max() > hands[1][:, 0].min()
    joints, *_ = codec.decode(maps(codec, *hands))
    assert joints.shape[1] == 2
    assert max(nearest(joints[0], label) for label in hands) < 0.01


@pytest.mark.parametrize("as_tensor", [False, True])
def test_joints_on_an_earlier_hand_do_not_count(as_tensor: bool) -> None:
    """Two hands of which 8 joints lie 12 pixels apart, and a third one that shares none."""
    codec = HandOffsets((641, 257), 8, 8.0)
    first = hand(100, 200)
    second = first + np.array([60.0, -30.0])
    second[:8] = first[:8] + np.array([12.0, 0])
    made = maps(codec, first, second, hand(400, 200))
    made = {name: torch.from_numpy(value) if as_tensor else value for name, value in made.items()}
    _, scores, totals = codec.decode(made)
    assert isinstance(totals, torch.Tensor) == as_tensor
    assert (scores == 1).all()
    np.testing.assert_allclose(totals, [[1, 1, 13 / 21]], atol=1e-6)


def test_a_hand_that_leaves_the_image_is_found_by_what_is_left() -> None:
    codec = HandOffsets(SIZE, 16)
    label = hand(160, 90, 60)
    joints, scores, _ = codec.decode(maps(codec, label))
    assert joints.shape[1] == 1
    assert nearest(joints[0], label) < 0.01  # the tip outside is where the displacements say
    assert label[12, 1] < -20
    assert scores[0, 0, 12] == 0
    assert scores[0, 0, 0] == 1


def test_hidden_joints_are_where_the_bones_lead() -> None:
    codec = HandOffsets(SIZE, 16)
    label = hand(160, 200)
    made = maps(codec, label)
    made["heatmaps"][0, 8] = 0.1
    made["offsets"][0, 8] = 9.0
    joints, scores, _ = codec.decode(made)
    assert nearest(joints[0], label) < 0.01
    assert scores[0, 0, 8] == pytest.approx(0.1)


def test_nothing_seen_is_an_empty_answer() -> None:
    codec = HandOffsets(SIZE, 16)
    made = maps(codec, hand(160, 200))
    joints, scores, _ = codec.decode({name: value * 0 for name, value in made.items()})
    assert joints.shape == (1, 0, 21, 2)
    assert scores.shape == (1, 0, 21)
    nothing = codec.encode(np.zeros((2, 0, 21, 2)), np.zeros((2, 0, 21)))
    assert not nothing["heatmaps"].any()
    assert nothing["target_weight"].all()
    assert codec.decode(nothing)[0].shape == (2, 0, 21, 2)
    ignored = np.array([[[0.0, 0, 400, 400]], [[0.0, 0, 0, 0]]])
    unsure = codec.encode(np.zeros((2, 0, 21, 2)), np.zeros((2, 0, 21)), np.zeros((2, 0, 4)), ignored)
    assert unsure["heatmap_mask"].mean((1, 2, 3)).tolist() == [0, 1]
    joints, *_ = codec.decode({name: np.full_like(value, np.nan) for name, value in made.items()})
    assert joints.shape[1] == 0


def test_images_with_fewer_hands_are_filled_up_with_zeros() -> None:
    codec = HandOffsets(SIZE, 16)
    points = np.zeros((2, 2, 21, 2))
    points[0, 0], points[0, 1], points[1, 1] = hand(90, 200), hand(240, 200), hand(160, 200)
    visible = np.ones((2, 2, 21))
    visible[1, 0] = 0
    joints, scores, _ = codec.decode(codec.encode(points, visible))
    assert scores.any(-1).tolist() == [[True, True], [True, False]]
    assert nearest(joints[1, :1], points[1, 1]) < 0.01


def test_a_second_peak_of_the_same_hand_is_no_second_hand() -> None:
    codec = HandOffsets(SIZE, 8)
    made = maps(codec, hand(160, 200))
    made["heatmaps"] *= np.random.default_rng(0).uniform(0.6, 1, made["heatmaps"].shape).astype(np.float32)
    joints, *_ = codec.decode(made)
    assert joints.shape[1] == 1


def test_weak_hands_and_more_than_the_limit_are_left_out() -> None:
    made = maps(HandOffsets(SIZE), hand(90, 200), hand(240, 200))
    assert HandOffsets(SIZE, max_hands=1).decode(made)[0].shape[1] == 1
    made["heatmaps"][0, 5:] = 0
    assert HandOffsets(SIZE, score_threshold=0.2).decode(made)[0].shape[1] == 2  # 5 of 21 joints are seen
    assert HandOffsets(SIZE, score_threshold=0.3).decode(made)[0].shape[1] == 0


def test_displacements_are_taught_where_both_ends_are_known() -> None:
    codec = HandOffsets(SIZE)
    label, visible = hand(160, 200), np.ones((1, 1, 21))
    visible[..., 8] = 0
    weight = codec.encode(label[None, None], visible)["displacement_weight"][0].sum((1, 2))
    silent = [way for way, pair in enumerate(codec.ways) if 8 in pair]
    assert [way for way in range(40) if weight[way] == 0] == silent
    assert codec.ways[:20] == HAND.edges


def test_what_nobody_labelled_is_not_taught() -> None:
    """In reach of an ignored box no map counts, in reach of a hand without a joint not that joint's map; discs do."""
    codec = HandOffsets((321, 257), 16, 16.0)
    label, visible = hand(100, 200), np.ones((1, 1, 21))
    visible[..., 8] = 0
    box = np.array([[[40.0, 100.0, 160.0, 210.0]]])
    ignored = np.array([[[90.0, 150.0, 130.0, 190.0], [250.0, 90.0, 280.0, 120.0], [0.0, 0.0, 0.0, 0.0]]])
    made = codec.encode(label[None, None], visible, box, ignored)
    plain = codec.encode(label[None, None], visible)
    for name in ("heatmaps", "offsets", "displacements", "displacement_weight"):
        np.testing.assert_array_equal(made[name], plain[name])
    assert plain["heatmap_mask"].all()
    rows, columns = np.mgrid[:17, :21] * 16

    def reached(x1: float, y1: float, x2: float, y2: float) -> Any:
        return np.hypot(columns - columns.clip(x1, x2), rows - rows.clip(y1, y2)) <= 16

    anywhere = reached(*ignored[0, 0]) | reached(*ignored[0, 1])
    for joint in range(21):
        hidden = (anywhere | (reached(*box[0, 0]) if joint == 8 else False)) & (made["heatmaps"][0, joint] == 0)
        np.testing.assert_array_equal(made["heatmap_mask"][0, joint] == 0, hidden)
    assert made["heatmap_mask"][0, 0, 0, 0] == 1  # a box without area is none


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 300), st.floats(-50, 300), st.floats(1, 90), st.floats(1, 90)), max_size=3),
    st.booleans(),
)
def test_rows_that_fill_a_batch_up_change_nothing(boxes: list[tuple[float, ...]], as_tensor: bool) -> None:
    codec = HandOffsets(SIZE)
    ignored = np.array([[x, y, x + w, y + h] for x, y, w, h in boxes]).reshape(1, -1, 4)
    known = np.array([[[60.0, 80.0, 200.0, 220.0]]])
    label, visible = hand(150, 180)[None, None], np.ones((1, 1, 21))
    more = [
        np.concatenate([label, np.full_like(label, np.nan)], 1),
        np.concatenate([visible, np.zeros_like(visible)], 1),
        np.concatenate([known, np.zeros_like(known)], 1),
        np.concatenate([ignored, np.zeros((1, 2, 4))], 1),
    ]
    made, filled = (
        codec.encode(*(torch.from_numpy(value) for value in values) if as_tensor else values)
        for values in ((label, visible, known, ignored), more)
    )
    assert set(made) == set(codec.targets)
    for name, value in made.items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(filled[name]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(edges=[(0, 1), (2, 3)]), "must join the joints 0 to 2 to one tree"),
        (dict(edges=[(0, 1), (1, 0)]), "to one tree"),
        (dict(joint_threshold=1.5), r"joint_threshold must lie in \[0, 1\]"),
        (dict(max_hands=0), "must be positive"),
        (dict(input_size=(512, 384)), r"take \(513, 385\)"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        HandOffsets(**arguments)


def test_labels_without_sense_are_refused() -> None:
    with pytest.raises(DataError, match=r"encodes \(N, M, 21\) joints, got visible \(1, 5\)"):
        HandOffsets().encode(np.zeros((1, 5, 2)), np.ones((1, 5)))
    with pytest.raises(DataError, match=r"boxes \(1, 3, 4\) and ignored_boxes \(1, 0, 4\) must be \(N, M, 4\)"):
        HandOffsets().encode(np.zeros((1, 2, 21, 2)), np.ones((1, 2, 21)), np.zeros((1, 3, 4)))
