"""MPJPE, PA-MPJPE and 3D AUC: mmpose's values, Zimmermann and Brox's curve, and what no hand's pose may change."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.errors import ConfigError, DataError
from handkit.metrics import AUC3D, MPJPE, PAMPJPE, HandSamples
from handkit.metrics.spatial import aligned_distances, procrustes, spatial_distances
from handkit.registry import METRICS, build

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "poses.npz")
PREDICTED, LABELLED = GOLDEN["xyz_predicted"], GOLDEN["xyz_labelled"]


def samples(predicted: dict[str, np.ndarray], labelled: dict[str, np.ndarray], found: Any = None) -> HandSamples:
    count, joints = next(iter({**predicted, **labelled}.values())).shape[:2]
    return HandSamples(
        labels=np.zeros((count, joints, 2)),
        visible=np.ones((count, joints)),
        boxes=np.tile([0.0, 0.0, 100.0, 50.0], (count, 1)),
        sides=(None,) * count,
        predicted=np.zeros((count, joints, 2)),
        predicted_sides=(None,) * count,
        found=np.ones(count, bool) if found is None else np.array(found),
        images=np.arange(count),
        unmatched=np.zeros(count, int),
        labelled_3d=labelled,
        predicted_3d=predicted,
    )


def turns(rng: np.random.Generator, count: int) -> np.ndarray:
    """(N, 3, 3) rotations."""
    matrices = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
    return matrices * np.sign(np.linalg.det(matrices))[:, None, None]


def test_values_are_those_of_mmpose() -> None:
    both = samples({"xyz_cam": PREDICTED}, {"xyz_cam": LABELLED})
    assert MPJPE("xyz_cam").compute(both) == {"MPJPE_mm_cam": pytest.approx(float(GOLDEN["xyz_mpjpe"]))}
    assert PAMPJPE("xyz_cam").compute(both) == {"PA_MPJPE_mm_cam": pytest.approx(float(GOLDEN["xyz_pa_mpjpe"]))}


def test_a_mirrored_hand_is_not_turned_into_its_label() -> None:
    assert aligned_distances(PREDICTED[:1], LABELLED[:1]).mean() > 20
    assert aligned_distances(PREDICTED[1:], LABELLED[1:]).mean() < 20


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.05, 20))
def test_alignment_does_not_mind_scale_rotation_and_place(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    labelled = rng.normal(0, 0.05, (4, 21, 3))
    predicted = labelled + rng.normal(0, 0.01, labelled.shape)
    moved = scale * predicted @ turns(rng, 4) + rng.normal(0, 2, (4, 1, 3))
    straight = aligned_distances(predicted, labelled)
    np.testing.assert_allclose(aligned_distances(moved, labelled), straight, atol=1e-6)
    assert (straight**2).sum() <= (spatial_distances(predicted, labelled) ** 2).sum() + 1e-6
    exact = scale * labelled @ turns(rng, 4) + rng.normal(0, 2, (4, 1, 3))
    assert aligned_distances(exact, labelled).max() < 1e-6


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_near_transform_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labelled, predicted = rng.normal(0, 0.05, (2, 1, 21, 3))
    known = rng.uniform(size=(1, 21)) < 0.7
    known[0, :3] = True
    best = procrustes(predicted, labelled, known)

    def error(points: np.ndarray) -> float:
        return float(((points - labelled)[known] ** 2).sum())

    angle = rng.normal(0, 0.02, 3)
    cross = np.cross(np.eye(3), angle)
    near = np.linalg.qr(np.eye(3) + cross)[0]
    near = near * np.sign(np.diag(near))[None]
    middle = best[known].mean(0)
    other = (best - middle) @ near * rng.uniform(0.98, 1.02) + middle + rng.normal(0, 1e-3, 3)
    assert error(best) <= error(other) + 1e-12


def test_joints_without_labels_do_not_move_a_hand() -> None:
    labelled, predicted = LABELLED.copy(), PREDICTED.copy()
    labelled[:, 5:9] = np.nan
    wild = predicted.copy()
    wild[:, 5:9] += 3
    np.testing.assert_allclose(aligned_distances(wild, labelled), aligned_distances(predicted, labelled), atol=1e-9)
    wild[:, 5] = np.nan
    assert np.isfinite(aligned_distances(wild, labelled)[:, :5]).all()
    assert np.isnan(aligned_distances(wild, labelled)[:, 5:9]).all()


def test_missed_hands_and_missing_columns() -> None:
    lost = LABELLED.copy()
    lost[0] = np.nan
    one_missed = samples({"xyz_cam": lost}, {"xyz_cam": LABELLED}, [False, *[True] * 11])
    for metric in (MPJPE, PAMPJPE):
        (labelled,) = metric("xyz_cam").compute(one_missed).values()
        (matched,) = metric("xyz_cam", "matched").compute(one_missed).values()
        assert (labelled, matched) == (math.inf, pytest.approx(0, abs=1e-6))
    assert AUC3D(frame="xyz_cam").compute(one_missed)["AUC3D_20_50mm_cam"] == pytest.approx(11 / 12)
    for columns in (({}, {"xyz_cam": LABELLED}), ({"xyz_cam": LABELLED}, {})):
        values = [*AUC3D().compute(samples(*columns)).values(), *MPJPE().compute(samples(*columns)).values()]
        assert np.isnan(values).all()


def test_fewer_than_three_joints_are_not_aligned() -> None:
    few = LABELLED.copy()
    few[:, 2:] = np.nan
    assert np.isnan(PAMPJPE("xyz_cam").compute(samples({"xyz_cam": PREDICTED}, {"xyz_cam": few}))["PA_MPJPE_mm_cam"])
    point = np.zeros_like(LABELLED)  # all joints in one place: moved onto the label's middle
    middle = LABELLED.mean(1, keepdims=True)
    np.testing.assert_allclose(aligned_distances(point, LABELLED), spatial_distances(middle, LABELLED), atol=1e-9)


def test_root_relative_joints_come_from_the_camera_frame_too() -> None:
    root = PREDICTED - PREDICTED[:, :1]
    one = MPJPE().compute(samples({"xyz_root": root}, {"xyz_cam": LABELLED}))
    two = MPJPE().compute(samples({"xyz_cam": PREDICTED}, {"xyz_root": LABELLED - LABELLED[:, :1]}))
    assert one == pytest.approx(two)
    by_hand = np.linalg.norm(root - (LABELLED - LABELLED[:, :1]), axis=-1).mean() * 1000
    assert one == {"MPJPE_mm": pytest.approx(by_hand)}


def test_the_curve_is_that_of_zimmermann_and_brox() -> None:
    rng = np.random.default_rng(3)
    error = rng.uniform(0, 0.07, (50, 21))
    error[:, 0] = 0
    predicted = np.zeros((50, 21, 3))
    predicted[..., 2] = error
    thresholds = np.linspace(0, 0.05, 20)
    shares = np.array([np.mean([(column <= limit).mean() for column in error.T]) for limit in thresholds])
    part, limits = shares[8:], thresholds[8:]
    area = ((part[1:] + part[:-1]) / 2 * np.diff(limits)).sum() / (limits[-1] - limits[0])
    got = AUC3D().compute(samples({"xyz_root": predicted}, {"xyz_root": np.zeros_like(predicted)}))
    assert got == {"AUC3D_20_50mm": pytest.approx(area), "EPE3D_mm": pytest.approx(1000 * error.mean())}
    perfect = samples({"xyz_root": predicted}, {"xyz_root": predicted})
    assert AUC3D().compute(perfect) == {"AUC3D_20_50mm": pytest.approx(1), "EPE3D_mm": 0}


def test_names_say_what_was_done() -> None:
    both = samples({"xyz_cam": PREDICTED}, {"xyz_cam": LABELLED})
    names = list(AUC3D(low=0, alignment="procrustes", over="matched").compute(both))
    assert names == ["PA_AUC3D_0_50mm_matched", "PA_EPE3D_mm_matched"]
    assert list(build({"type": "PAMPJPE"}, METRICS).compute(both)) == ["PA_MPJPE_mm"]


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"type": "MPJPE", "frame": "xyz"}, "'xyz_cam' or 'xyz_bone', not 'xyz'"),
        ({"type": "PAMPJPE", "over": "found"}, "'labelled' or 'matched'"),
        ({"type": "AUC3D", "alignment": "scale"}, "'none' or 'procrustes', not 'scale'"),
        ({"type": "AUC3D", "low": 50.0}, "0 <= low < high"),
        ({"type": "AUC3D", "low": 49.0}, "two of steps thresholds"),
    ],
)
def test_mistakes(node: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(node, METRICS)


def test_columns_concatenate_and_are_checked() -> None:
    with_root = samples({"xyz_root": PREDICTED}, {"xyz_root": LABELLED})
    without = samples({}, {"xyz_root": LABELLED})
    both = HandSamples.concatenate([with_root, HandSamples.of_negatives([]), without])
    assert np.isnan(both.predicted_3d["xyz_root"][12:]).all()
    assert MPJPE().compute(both) == {"MPJPE_mm": math.inf}
    with pytest.raises(DataError, match=r"labelled_3d\['xyz_cam'\] has the shape"):
        samples({"xyz_root": PREDICTED}, {"xyz_cam": LABELLED[:, :5]})


def test_lengths_of_the_bone_become_metres_by_the_true_bone() -> None:
    rng = np.random.default_rng(3)
    labelled = rng.normal(0, 0.05, (3, 21, 3)) + 0.5
    root = labelled - labelled[:, :1]
    bone = np.linalg.norm(root[:, 6] - root[:, 5], axis=-1)[:, None, None]
    right = samples({"xyz_bone": root / bone, "xyz_root": root * 1.1}, {"xyz_cam": labelled})
    assert MPJPE("xyz_bone").compute(right)["MPJPE_mm_true_bone"] == pytest.approx(0, abs=1e-9)
    assert MPJPE().compute(right)["MPJPE_mm"] == pytest.approx(100 * np.linalg.norm(root, axis=-1).mean())
    curve = AUC3D(frame="xyz_bone").compute(right)
    assert curve == {"AUC3D_20_50mm_true_bone": pytest.approx(1), "EPE3D_mm_true_bone": pytest.approx(0, abs=1e-9)}
    assert math.isnan(
        MPJPE("xyz_bone").compute(samples({"xyz_root": root}, {"xyz_cam": labelled}))["MPJPE_mm_true_bone"]
    )
