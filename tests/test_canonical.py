"""The canonical frame: its definition, whatever the view, back again, and mirrored hands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from handkit.canonical import bone_length, from_canonical, to_canonical
from handkit.datasets.synthetic import HandSynth
from handkit.errors import DataError

SYNTH = HandSynth("capsule", seed=3, count=4, image_size=(32, 32))
MIRROR = np.array([-1.0, 1, 1])
#: Two hands as they are, and two in a mirror.
HANDS = np.stack([SYNTH[index]["xyz_cam"] * (MIRROR if index < 2 else 1) for index in range(4)]).astype(np.float64)
SIDES = np.array([abs(float(SYNTH[index]["right"]) - (index < 2)) for index in range(4)])
ANGLES = st.tuples(*[st.floats(-3.1, 3.1)] * 3)


def test_is_the_papers_frame() -> None:
    pose, viewpoint, bone = to_canonical(HANDS, np.ones(4))
    np.testing.assert_allclose(pose[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(pose[:, 9, [0, 2]], 0, atol=1e-9)
    assert (pose[:, 9, 1] > 0).all()
    np.testing.assert_allclose(pose[:, 17, 2], 0, atol=1e-9)
    assert (pose[:, 17, 0] >= 0).all()
    np.testing.assert_allclose(bone_length(pose), 1)
    np.testing.assert_allclose(bone, np.linalg.norm(HANDS[:, 6] - HANDS[:, 5], axis=-1))
    np.testing.assert_allclose(viewpoint @ viewpoint.swapaxes(1, 2), np.tile(np.eye(3), (4, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(viewpoint), 1)


@settings(max_examples=40)
@given(ANGLES, st.floats(0.1, 10), st.tuples(*[st.floats(-5, 5)] * 3))
def test_turns_sizes_and_places_change_the_view_only(
    angles: tuple[float, float, float], size: float, place: tuple[float, float, float]
) -> None:
    turn = Rotation.from_euler("xyz", angles).as_matrix()
    seen = to_canonical(size * HANDS @ turn.T + np.array(place), SIDES)
    own = to_canonical(HANDS, SIDES)
    np.testing.assert_allclose(seen.pose, own.pose, atol=1e-6)
    np.testing.assert_allclose(seen.viewpoint, own.viewpoint @ turn.T, atol=1e-6)
    np.testing.assert_allclose(seen.bone, size * own.bone, rtol=1e-6)


def test_the_way_back() -> None:
    assert set(SIDES.tolist()) == {0, 1}
    pose, viewpoint, bone = to_canonical(HANDS, SIDES)
    back = from_canonical(pose, viewpoint, SIDES) * bone[:, None, None]
    np.testing.assert_allclose(back, HANDS - HANDS[:, :1], atol=1e-9)


@settings(max_examples=20)
@given(ANGLES)
def test_a_hand_and_its_mirror_image_are_one_pose(angles: tuple[float, float, float]) -> None:
    hands = HANDS @ Rotation.from_euler("xyz", angles).as_matrix().T
    own, mirrored = to_canonical(hands, SIDES), to_canonical(hands * MIRROR, 1 - SIDES)
    np.testing.assert_allclose(mirrored.pose, own.pose, atol=1e-6)
    with_z = np.array([1.0, 1, -1])
    np.testing.assert_allclose(mirrored.viewpoint, with_z[:, None] * own.viewpoint * MIRROR, atol=1e-6)
    wrong = to_canonical(hands * MIRROR, SIDES).pose
    np.testing.assert_allclose(wrong, own.pose * with_z, atol=1e-6)


def test_hands_without_a_frame_are_refused() -> None:
    with pytest.raises(DataError, match="some are not labelled"):
        to_canonical(np.where(np.arange(21)[:, None] == 3, np.nan, HANDS), SIDES)
    with pytest.raises(DataError, match="it is unknown"):
        to_canonical(HANDS, np.array([np.nan, 1, 1, 1]))
    with pytest.raises(DataError, match="1 right or 0 left, not"):
        to_canonical(HANDS, ["right", "left", "left", "right"])
    with pytest.raises(DataError, match="has no length"):
        to_canonical(np.zeros((1, 21, 3)), np.ones(1))
    line = np.linspace(0, 1, 21)[:, None] * np.ones(3)
    with pytest.raises(DataError, match="in one line"):
        to_canonical(line[None], np.ones(1))
    with pytest.raises(DataError, match=r"\(N, 21, 3\)"):
        to_canonical(HANDS[0], SIDES)
