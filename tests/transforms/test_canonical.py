"""CanonicalPose: what the crop shows, the view it is seen by, and samples that have none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from handkit.canonical import from_canonical, to_canonical
from handkit.datasets.synthetic import HandSynth
from handkit.errors import ConfigError, DataError
from handkit.transforms import CanonicalPose, TopDownAffine

HAND = HandSynth("capsule", seed=3, count=1, image_size=(96, 96))[0]
CUT = TopDownAffine((64, 64))


def made(**changes: Any) -> dict[str, Any]:
    return CanonicalPose()(CUT({**HAND, "sample_id": "one", **changes}))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 0.7, -2.5])
def test_space_turns_and_mirrors_with_the_pixels(rotation: float, flip: bool) -> None:
    """A camera so far away that it sees parallel rays shows the crop's joints where the crop's xyz_root has them."""
    far = HAND["xyz_cam"].astype(np.float64) + np.array([0, 0, 1000.0])
    focal = 4e5
    points = focal * far[:, :2] / far[:, 2:]
    points += np.array([40.0, 50.0]) - points[0]
    box = np.concatenate([points.min(0), points.max(0)])
    done = made(xyz_cam=far, keypoints=points.astype(np.float32), box=box, rotation=rotation, flip=flip)
    crop = done["crop"]
    seen = done["xyz_root"][:, :2] * focal / 1000 * crop.output_size[0] / crop.size[0]
    np.testing.assert_allclose(done["keypoints"] - done["keypoints"][0], seen, atol=0.05)


@pytest.mark.parametrize("flip", [False, True])
def test_pose_view_and_side_make_the_crops_hand(flip: bool) -> None:
    done = made(rotation=0.4, flip=flip)
    assert done["right"] == (1 - HAND["right"] if flip else HAND["right"])
    hand = from_canonical(done["canonical"][None], done["viewpoint"][None], np.reshape(done["right"], 1))[0]
    bone = np.linalg.norm(HAND["xyz_cam"][6] - HAND["xyz_cam"][5])
    np.testing.assert_allclose(hand * bone, done["xyz_root"], atol=1e-6)
    upright = to_canonical(HAND["xyz_cam"][None], np.reshape(HAND["right"], 1))
    np.testing.assert_allclose(done["canonical"], upright.pose[0], atol=1e-4)
    assert done["canonical"].dtype == done["viewpoint"].dtype == np.float32


def test_samples_without_space_or_side_are_refused_by_name() -> None:
    flat = {key: value for key, value in HAND.items() if key != "xyz_cam"}
    with pytest.raises(DataError, match="one has no xyz_cam: take a data set in 3D"):
        CanonicalPose()(CUT({**flat, "sample_id": "one"}))
    with pytest.raises(DataError, match=r"one: .* side, 1 right or 0 left, and it is unknown"):
        made(right=np.float32(np.nan))
    partial = np.where(np.arange(21)[:, None] == 4, np.nan, HAND["xyz_cam"])
    with pytest.raises(DataError, match="some are not labelled"):
        made(xyz_cam=partial)
    with pytest.raises(ConfigError, match="behind TopDownAffine"):
        CanonicalPose()(HAND)
