"""Where a palm looks: angles of rotations that are known, mirrors, and sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from handkit.errors import DataError
from handkit.gestures import palm_angles, palm_axes, palm_facing

#: An upright right hand that shows its palm: wrist below, forefinger right of the pinky, no depth.
UPRIGHT = np.zeros((21, 3))
for _finger, _x in enumerate((0.04, 0.03, 0.01, -0.01, -0.03)):
    for _joint in range(4):
        UPRIGHT[1 + 4 * _finger + _joint] = (_x, -0.08 - 0.02 * _joint, 0)
MIRROR = np.array([-1.0, 1, 1])
RIGHT, LEFT = np.array([1.0]), np.array([0.0])
ANGLE = st.floats(-3.0, 3.0)


def angles(xyz: np.ndarray, right: np.ndarray = RIGHT) -> np.ndarray:
    return np.asarray(palm_angles(palm_axes(xyz[None], right))[0])


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    return np.asarray(UPRIGHT @ Rotation.from_euler("ZXY", [roll, pitch, yaw]).as_matrix().T)


def test_an_upright_palm_has_no_angles() -> None:
    np.testing.assert_allclose(angles(UPRIGHT), 0, atol=1e-12)
    np.testing.assert_allclose(palm_axes(UPRIGHT[None], RIGHT)[0], np.eye(3), atol=1e-12)


@given(ANGLE, st.floats(-1.5, 1.5), ANGLE)
def test_angles_are_those_of_the_rotation(yaw: float, pitch: float, roll: float) -> None:
    np.testing.assert_allclose(angles(turned(yaw, pitch, roll)), [yaw, pitch, roll], atol=1e-6)


@given(ANGLE, st.floats(-1.5, 1.5), ANGLE)
def test_a_mirrored_hand_is_the_other_one_turned_the_other_way(yaw: float, pitch: float, roll: float) -> None:
    mirrored = angles(turned(yaw, pitch, roll) * MIRROR, LEFT)
    np.testing.assert_allclose(mirrored, [-yaw, pitch, -roll], atol=1e-6)


def test_fingers_towards_the_camera_are_a_positive_pitch() -> None:
    leant = UPRIGHT.copy()
    leant[:, 2] = leant[:, 1]  # further up is nearer
    assert angles(leant)[1] == pytest.approx(np.pi / 4)
    assert angles(UPRIGHT[:, [1, 0, 2]] * MIRROR)[2] == pytest.approx(np.pi / 2)  # the fingers point right


def test_unknown_sides_have_no_angles() -> None:
    assert np.isnan(palm_axes(np.stack([UPRIGHT] * 2), np.array([np.nan, 1]))).any((1, 2)).tolist() == [True, False]


def test_facing_is_told_by_the_picture_and_the_side() -> None:
    pictures = np.stack([UPRIGHT, UPRIGHT * MIRROR, turned(np.pi, 0, 0.5), turned(np.pi / 2, 0, 0), UPRIGHT])[..., :2]
    facing = palm_facing(pictures, np.array([1, 0, 1, 1, np.nan]))
    np.testing.assert_allclose(facing[:4], [1, 1, -1, 0], atol=1e-9)
    assert np.isnan(facing[4])


def test_other_shapes_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(N, 21, 2\)"):
        palm_facing(UPRIGHT[None], RIGHT)
