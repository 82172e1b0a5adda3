"""HandAttributes: angles follow the crop, classes are what they say, and unknown stays unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from handkit.datasets.synthetic import HandSynth
from handkit.errors import ConfigError
from handkit.gestures import palm_angles, palm_axes
from handkit.transforms import HAND_CLASSES, HandAttributes, RandomBlur, TopDownAffine

HAND = HandSynth("capsule", seed=3, count=1, image_size=(96, 96))[0]
CUT = TopDownAffine((64, 64))


def attributes(**changes: Any) -> dict[str, Any]:
    return HandAttributes()(CUT({**HAND, **changes}))


def classes(sample: dict[str, Any]) -> set[str]:
    return {name for name, value in zip(HAND_CLASSES, sample["hand_classes"], strict=True) if value}


def test_angles_are_the_palms_as_the_crop_shows_it() -> None:
    yaw, pitch, roll = attributes()["hand_angles"]
    expected = palm_angles(palm_axes(HAND["xyz_cam"][None], np.reshape(HAND["right"], 1)))[0]
    np.testing.assert_allclose([yaw, pitch, roll], expected, atol=1e-5)
    mirrored = attributes(flip=True)
    np.testing.assert_allclose(mirrored["hand_angles"], [-yaw, pitch, -roll], atol=1e-5)
    assert mirrored["right"] == 1 - HAND["right"]


@pytest.mark.parametrize("flip", [False, True])
def test_a_turned_crop_turns_the_roll_as_it_turns_the_joints(flip: bool) -> None:
    plain, turned = attributes(flip=flip), attributes(flip=flip, rotation=0.5)
    np.testing.assert_allclose(plain["hand_angles"][:2], turned["hand_angles"][:2], atol=1e-5)
    directions = [np.arctan2(*(one["keypoints"][9] - one["keypoints"][0])[::-1]) for one in (plain, turned)]
    change = np.angle(np.exp(1j * (directions[1] - directions[0])))
    rolled = np.angle(np.exp(1j * float(turned["hand_angles"][2] - plain["hand_angles"][2])))
    assert rolled == pytest.approx(change, abs=1e-4)
    assert abs(rolled) == pytest.approx(0.5, abs=1e-4)


def test_every_hand_shows_palm_back_or_side() -> None:
    hands = HandSynth("capsule", seed=5, count=12, image_size=(48, 48))
    seen = [classes(HandAttributes()(CUT(hand))) & {"palm", "back", "side"} for hand in hands]  # type: ignore[attr-defined]
    assert all(len(one) == 1 for one in seen)
    assert len({next(iter(one)) for one in seen}) > 1


def test_hidden_joints_and_blur_are_classes() -> None:
    half = np.where(np.arange(21) < 11, 1, 2).astype(np.uint8)
    crop = CUT({**HAND, "visible": half})
    assert "occluded" in classes(HandAttributes()({**crop, "visible": half}))
    assert "occluded" not in classes(HandAttributes(hidden=0.6)({**crop, "visible": half}))
    blurred = RandomBlur(prob=1.0)({**crop, "rng": np.random.default_rng(0)})
    assert "blurred" in classes(HandAttributes()(blurred))
    assert "blurred" not in classes(HandAttributes()(crop))


def test_without_3d_or_side_nothing_is_claimed() -> None:
    flat = CUT({key: value for key, value in HAND.items() if key != "xyz_cam"})
    partial = {**HAND, "xyz_cam": np.where(np.arange(21)[:, None] == 4, np.nan, HAND["xyz_cam"])}
    for sample in (flat, CUT({**HAND, "right": np.float32(np.nan)}), CUT(partial)):
        made = HandAttributes()(sample)
        assert np.isnan(made["hand_angles"]).all()
        assert not classes(made) & {"palm", "back", "side", "fist"}


def test_mistakes_are_refused() -> None:
    with pytest.raises(ConfigError, match="behind TopDownAffine"):
        HandAttributes()(HAND)
    with pytest.raises(ConfigError, match="0 < facing < 90"):
        HandAttributes(facing=90)
