"""Angles to joints: on a hand of bones, and on the MakeHuman arm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.datasets.synthetic.arm import BONES, Geometry, MeshArm
from handkit.datasets.synthetic.capsules import capsule_arm
from handkit.datasets.synthetic.flesh import mesh_flesh
from handkit.datasets.synthetic.gestures import (
    CUPPING_LIMITS,
    FINGER_LIMITS,
    GESTURES,
    THUMB_LIMITS,
    WRIST_LIMITS,
    blend,
    gesture,
    within_limits,
)
from handkit.datasets.synthetic.poses import PoseSampler
from handkit.datasets.synthetic.posing import Pose, bone_transforms, posed, posed_bones
from handkit.errors import DataError

angles = st.floats(-200, 200)


def poses() -> st.SearchStrategy[Pose]:
    def make(values: list[float]) -> Pose:
        fingers, thumb, wrist = np.array(values[:16]).reshape(4, 4), np.array(values[16:21]), np.array(values[21:23])
        return Pose(fingers, thumb, wrist, *values[23:])

    return st.lists(angles, min_size=26, max_size=26).map(make)


@settings(max_examples=30, deadline=None)
@given(pose=poses())
def test_bones_keep_their_lengths_and_the_wrist_its_place(bones: Geometry, pose: Pose) -> None:
    moves = bone_transforms(bones, pose)
    rotations = moves[..., :3]
    np.testing.assert_allclose(rotations @ rotations.swapaxes(1, 2), np.tile(np.eye(3), (len(BONES), 1, 1)), atol=1e-9)
    moved = posed_bones(bones, moves)
    np.testing.assert_allclose(
        np.linalg.norm(moved.tails - moved.heads, axis=1), np.linalg.norm(bones.tails - bones.heads, axis=1), atol=1e-12
    )
    np.testing.assert_allclose(moved.bone_ends()[0], bones.bone_ends()[0], atol=1e-12)


def _bend(joints: np.ndarray, finger: int, joint: int) -> float:
    """Degrees between the bones that meet at a joint (1 PIP, 2 DIP) of a finger."""
    chain = np.diff(joints[4 * finger - 3 : 4 * finger + 1], axis=0)
    a, b = chain[joint - 1], chain[joint]
    return float(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))


@settings(max_examples=25, deadline=None)
@given(pip=st.floats(1, 110), dip=st.floats(1, 75), knuckle=st.floats(-20, 90))
def test_flexion_angles_are_those_between_the_bones(bones: Geometry, pip: float, dip: float, knuckle: float) -> None:
    pose = Pose(np.tile([knuckle, pip, dip, 0.0], (4, 1)), np.zeros(5), np.zeros(2))
    joints = posed_bones(bones, bone_transforms(bones, pose)).bone_ends()
    for finger in range(2, 6):
        assert _bend(joints, finger, 1) == pytest.approx(pip, abs=0.1)
        assert _bend(joints, finger, 2) == pytest.approx(dip, abs=0.1)


def test_signs_of_the_angles(bones: Geometry) -> None:
    def joints(fingers: list[float], thumb: tuple[float, ...] = (0, 0, 0, 0, 0)) -> np.ndarray:
        pose = Pose(np.tile(fingers, (4, 1)).astype(float), np.array(thumb, float), np.zeros(2))
        return posed_bones(bones, bone_transforms(bones, pose)).bone_ends()

    straight = joints([0, 0, 0, 0])
    assert np.allclose(straight[8, :2], straight[5, :2] + (0, straight[8, 1] - straight[5, 1]), atol=1e-3)
    assert joints([80, 0, 0, 0])[8, 2] > straight[8, 2] + 0.05  # flexion leads out of the palm
    assert joints([0, 0, 0, 20])[8, 0] > straight[8, 0] + 0.02  # splay leads to the thumb's side
    assert joints([0, 0, 0, 0], (30, 0, 0, 0, 0))[4, 2] > straight[4, 2] + 0.02
    assert joints([0, 0, 0, 0], (0, 20, 0, 0, 0))[4, 0] > straight[4, 0] + 0.005


@settings(max_examples=50, deadline=None)
@given(pose=poses())
def test_limits_hold(pose: Pose) -> None:
    kept = within_limits(pose)
    for values, limits in ((kept.fingers, FINGER_LIMITS), (kept.thumb, THUMB_LIMITS), (kept.wrist, WRIST_LIMITS)):
        assert (values >= limits[..., 0] - 1e-9).all()
        assert (values <= limits[..., 1] + 1e-9).all()
    assert CUPPING_LIMITS[0] <= kept.cupping <= CUPPING_LIMITS[1]


@pytest.mark.parametrize("name", sorted(GESTURES))
def test_gestures_are_possible(name: str) -> None:
    kept = within_limits(gesture(name))
    np.testing.assert_allclose(kept.fingers[:, :3], gesture(name).fingers[:, :3])
    np.testing.assert_allclose(kept.thumb, gesture(name).thumb)


def test_unknown_gestures_are_named() -> None:
    with pytest.raises(DataError, match="did you mean 'fist'"):
        gesture("fisst")


def test_blending_ends_at_both_poses() -> None:
    a, b = gesture("open"), gesture("fist")
    np.testing.assert_array_equal(blend(a, b, 0).fingers, a.fingers)
    np.testing.assert_array_equal(blend(a, b, 1).thumb, b.thumb)


def test_the_rest_pose_of_the_mesh_moves_nothing_with_its_own_angles(arm: MeshArm) -> None:
    still = posed(arm.rest, arm.weights, gesture("open"))
    assert np.abs(still.vertices - arm.rest.vertices)[arm.rest.vertices[:, 1] > 0].max() < 0.03
    np.testing.assert_allclose(arm.weights.sum(1), 1)
    joints = arm.rest.joints()
    assert joints[9, 1] > 0.08
    assert np.argmax(joints[:, 1]) == 12  # the middle finger reaches farthest
    assert np.argmax(joints[:, 0]) == 4  # the thumb lies on +x


def test_shapes_move_vertices_and_joints_together(arm: MeshArm) -> None:
    longer = arm.shaped({"long_fingers": 1.0})
    assert np.linalg.norm(longer.joints()[12]) > 1.1 * np.linalg.norm(arm.rest.joints()[12])
    assert longer.vertices[:, 1].max() > 1.1 * arm.rest.vertices[:, 1].max()
    np.testing.assert_allclose(arm.shaped({}, 2.0).joints(), 2 * arm.rest.joints())


def test_drawn_poses_do_not_collide_more_than_their_gestures(arm: MeshArm) -> None:
    sampler = PoseSampler(arm.rest, mesh_flesh(arm))
    worst = max(sampler.penetration(within_limits(pose)) for pose in GESTURES.values())
    rng = np.random.default_rng(0)
    drawn = [sampler.sample(rng) for _ in range(30)]
    assert max(map(sampler.penetration, drawn)) <= worst + 1e-9
    assert worst < 0.008
    crossed = replace(gesture("open"), fingers=gesture("open").fingers * (1, 1, 1, 0) + np.array([[0, 0, 0, -14]] * 4))
    crossed.fingers[1, 3] = 10
    assert sampler.penetration(crossed) > 0.002
    spread = np.std([pose.fingers[:, 0] for pose in drawn], axis=0)
    assert (spread > 10).all()


def test_labelled_joints_lie_on_the_hand_side_of_the_rigs_points(arm: MeshArm) -> None:
    for rest in (arm.rest, capsule_arm().rest):
        ends, joints = rest.bone_ends(), rest.joints()
        palm = np.linalg.norm(ends[9] - ends[0])
        assert joints[0, 1] == pytest.approx(0.23 * palm, rel=0.02)  # the wrist, on the way to the middle knuckle
        lengths = np.linalg.norm(ends[4::4] - ends[3::4], axis=1)
        back = np.linalg.norm(ends[4::4] - joints[4::4], axis=1) / lengths
        assert ((back > 0.2) & (back < 0.45)).all()  # the tips, on the last phalanges
        moved = np.linalg.norm(ends - joints, axis=1) / palm
        assert moved[[6, 7, 10, 11, 14, 15, 18, 19]].max() == 0
        assert moved[[1, 2, 3, 5, 9, 13, 17]].max() < 0.09
