"""The hand of round cones: rays in closed form against steps along the ray, and a hand that is put together well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handkit.datasets import HandSynth
from handkit.datasets.synthetic.arm import BONES, FINGERS_AT
from handkit.datasets.synthetic.capsules import CapsuleArm, capsule_arm
from handkit.datasets.synthetic.cones import Cones
from handkit.datasets.synthetic.gestures import GESTURES, gesture, within_limits
from handkit.datasets.synthetic.poses import PoseSampler
from handkit.datasets.synthetic.posing import Pose


@pytest.fixture(scope="module")
def arm() -> CapsuleArm:
    return capsule_arm()


def outside(cones: Cones, points: np.ndarray) -> np.ndarray:
    """(C, N) how far points lie outside each cone: the least over its spheres, many of which are tried."""
    s = np.linspace(0, 1, 400)[:, None]
    found = []
    for a, b in cones.ends:
        centres = cones.centres[a] + s * (cones.centres[b] - cones.centres[a])
        radii = cones.radii[a] + s[:, 0] * (cones.radii[b] - cones.radii[a])
        found.append((np.linalg.norm(points[:, None] - centres, axis=-1) - radii).min(1))
    return np.array(found)


places = st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(0.3, 0.6))


@settings(max_examples=60, deadline=None)
@given(
    a=places,
    b=places,
    c=places,
    radii=st.tuples(*[st.floats(0.01, 0.04)] * 3),
    x=st.floats(-0.2, 0.2),
    y=st.floats(-0.2, 0.2),
)
@example(
    a=(0.0, 0.0, 0.5), b=(0.0625, 0.0, 0.5), c=(0.03125, 0.0, 0.5377208381876298), radii=(0.03125,) * 3, x=0.0, y=0.0
)
@example(
    a=(0.1, 0.1, 0.5), b=(0.0625, 0.0, 0.5), c=(0.03125, 0.0, 0.5377208381876298), radii=(0.03125,) * 3, x=0.0, y=0.0
)
def test_rays_meet_cones_where_they_are(a: tuple, b: tuple, c: tuple, radii: tuple, x: float, y: float) -> None:
    centres, radii = np.array([a, b, c]), np.array(radii)
    for first, second in ((0, 1), (1, 2)):
        if np.linalg.norm(centres[first] - centres[second]) < abs(radii[first] - radii[second]) + 0.005:
            return  # one sphere within the other
    cones = Cones(centres, radii, np.array([[0, 1], [1, 2]]))
    depth, nearest = cones.depths(np.array([[x]], np.float32), np.array([[y]], np.float32))
    depth, nearest = float(depth[0, 0]), int(nearest[0, 0])
    ray = np.array([np.float32(x), np.float32(y), 1.0], float)
    before = np.linspace(0.2, min(depth, 0.7) - 1e-3, 500)
    assert outside(cones, before[:, None] * ray).min() > -1e-4  # nothing lies before the hit
    hit = cones.first_hits(np.zeros((1, 3)), ray[None])
    if (nearest < 0) != (hit.part[0] == -1):  # of a ray that only grazes either may be said
        assert outside(cones, np.linspace(0.2, 0.7, 2000)[:, None] * ray).min() > -1e-4
        return
    if nearest < 0:
        return
    assert abs(outside(cones, (depth * ray)[None])[nearest, 0]) < 1e-4
    assert hit.distance[0] == pytest.approx(depth, abs=1e-4)  # a grazing ray magnifies float32
    place, normal = cones.places(np.array([nearest]), (depth * ray)[None].astype(np.float32))
    ends = cones.ends[nearest]
    middle = centres[ends[0]] + place * (centres[ends[1]] - centres[ends[0]])
    radius = radii[ends[0]] + place * (radii[ends[1]] - radii[ends[0]])
    np.testing.assert_allclose(middle + radius * normal[0], depth * ray, atol=1e-4)
    assert normal[0] @ ray < 0.02


def test_a_cone_seen_along_its_axis() -> None:
    """The side around a narrow tip that points at the camera is met by rays steeper than it."""
    cones = Cones(np.array([[0, 0, 0.4], [0, 0, 0.5]]), np.array([0.01, 0.04]), np.array([[0, 1]]))
    x = np.array([[0.0, 0.015 / 0.42, 0.2]], np.float32)
    depth, nearest = cones.depths(x, np.zeros((1, 1), np.float32))
    assert nearest.tolist() == [[0, 0, -1]]
    assert depth[0, 0] == pytest.approx(0.39, abs=1e-6)
    ball = 0.5 - np.sqrt(0.04**2 - 0.02**2)  # where the wide end alone would be met, at most
    assert 0.39 < depth[0, 1] < ball - 0.01


def test_windows_hold_all_that_is_met(arm: CapsuleArm) -> None:
    cones = Cones(arm.rest.vertices * (1, -1, -1) + (0, 0, 0.6), arm.radii, arm.cones)
    x, y = np.linspace(-0.3, 0.3, 61, dtype=np.float32)[None], np.linspace(-0.4, 0.4, 81, dtype=np.float32)[:, None]
    depth, nearest = cones.depths(x, y)
    rays = np.stack([*np.broadcast_arrays(x, y), np.ones(depth.shape)], -1).reshape(-1, 3)
    hits = cones.first_hits(np.zeros_like(rays), rays)
    both = np.isfinite(depth.ravel()) & np.isfinite(hits.distance)
    assert (both != (np.isfinite(depth.ravel()) | np.isfinite(hits.distance))).sum() <= 3  # rays that graze it
    np.testing.assert_allclose(depth.ravel()[both], hits.distance[both], atol=5e-4)
    assert (nearest.ravel() == hits.part).mean() > 0.98  # where two are equally near either may be named
    assert 0.05 < (nearest >= 0).mean() < 0.5


def test_the_hand_is_put_together_well(arm: CapsuleArm) -> None:
    assert set(np.unique(arm.cones)) == set(range(len(arm.radii)))
    a, b = arm.rest.vertices[arm.cones.T]
    ra, rb = arm.radii[arm.cones.T]
    assert (np.linalg.norm(a - b, axis=1) > np.abs(ra - rb) + 1e-4).all()
    joints = arm.rest.joints()
    deep = -outside(Cones(arm.rest.vertices, arm.radii, arm.cones), joints).min(0)
    assert (deep > 1e-3).all()  # every joint lies in the flesh
    assert np.argmax(joints[:, 1]) == 12
    assert np.argmax(joints[:, 0]) == 4
    np.testing.assert_allclose(np.linalg.norm(arm.palmar, axis=1), 1)
    assert (arm.palmar[:, 2] > 0.1).all()
    assert arm.nails.sum() == 5
    assert set(range(FINGERS_AT, len(BONES))) <= set(arm.owner)


def test_shapes_change_fingers_palm_and_thickness(arm: CapsuleArm) -> None:
    def lengths(name: str) -> np.ndarray:
        return np.linalg.norm(np.diff(arm.shaped({name: 1.0}).bone_ends()[5:].reshape(4, 4, 3), axis=1), axis=-1)

    plain = lengths("thick_fingers")
    np.testing.assert_allclose(lengths("long_fingers"), 1.3 * plain)
    np.testing.assert_allclose(lengths("short_fingers"), 0.84 * plain)
    np.testing.assert_allclose(lengths("wide_palm"), plain)
    assert arm.shaped({"wide_palm": 1.0}).joints()[5, 0] > arm.rest.joints()[5, 0] + 3e-3
    assert arm.shaped({"narrow_palm": 1.0}).joints()[17, 0] > arm.rest.joints()[17, 0] + 3e-3
    np.testing.assert_allclose(arm.radii_of({"thick_fingers": 0.5}, 2.0), 2.2 * arm.radii)
    assert (arm.radii_of({"thin_fingers": 1.0}) < arm.radii).all()


def test_drawn_poses_do_not_collide_more_than_their_gestures(arm: CapsuleArm) -> None:
    sampler = PoseSampler(arm.rest, arm.flesh())
    worst = max(sampler.penetration(within_limits(pose)) for pose in GESTURES.values())
    rng = np.random.default_rng(0)
    assert max(sampler.penetration(sampler.sample(rng)) for _ in range(30)) <= worst + 1e-9
    assert sampler.penetration(gesture("open")) < 2e-3
    through = Pose(np.tile([90.0, 100, 75, 0], (4, 1)), gesture("open").thumb, np.zeros(2))
    assert sampler.penetration(replace(through, thumb=gesture("fist").thumb * 1.5)) > 2e-3


def test_what_is_hidden_is_told_by_depth() -> None:
    """A fist seen from its back hides its tips, an open palm nothing."""
    synth = HandSynth("capsule", image_size=(96, 96))
    scene = replace(
        synth.scene(0),
        side="right",
        position=np.array([0, 0, 0.6]),
        rotation=np.diag([1.0, -1, -1]),
        scale=1.0,
        shape={},
    )
    camera = replace(scene.camera, focal=150.0)
    still = dict(wrist=np.zeros(2), elbow=0.0, forearm=0.0)
    palm = synth.render(replace(scene, camera=camera, pose=replace(gesture("spread"), **still)))
    assert (palm["visible"] == 2).all()
    back = replace(scene, camera=camera, rotation=np.diag([-1.0, -1, 1]), pose=replace(gesture("fist"), **still))
    assert (synth.render(back)["visible"][[8, 12, 16, 20]] == 1).all()
    aside = synth.render(replace(back, position=np.array([0.3, 0, 0.6])))
    assert (aside["visible"] == 0).any()


def test_hands_are_varied() -> None:
    """Sides, turns and sizes are drawn from all there are."""
    synth = HandSynth("capsule", count=120, image_size=(96, 96))
    labels = [synth.hands(index) for index in range(len(synth))]
    joints = np.concatenate([label.keypoints for label in labels])
    up = joints[:, 9] - joints[:, 0]
    turns = np.arctan2(up[:, 1], up[:, 0])
    assert all(((turns > low) & (turns <= low + np.pi / 2)).sum() >= 8 for low in np.arange(-2, 2) * np.pi / 2)
    assert 40 < sum(label.handedness == ("right",) for label in labels) < 80
    sides = np.ptp(joints, axis=1).max(1)
    assert sides.min() < 35
    assert sides.max() > 65
    hidden = (np.concatenate([label.visible for label in labels]) == 1).mean()
    assert 0.1 < hidden < 0.5
