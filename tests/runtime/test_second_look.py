"""SecondLook: the crop turned upright, and everything it answers turned back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.errors import ConfigError
from handkit.registry.config import load_config
from handkit.registry.validate import validate
from handkit.runtime.second_look import SecondLook
from handkit.skeleton import HAND

SIZE = 96


class Dots:
    """A net that reads its joints off a picture: the wrist is the red dot, the middle finger's base the green one."""

    input_name = "img"

    def __init__(self, **more: Any) -> None:
        self.seen: list[Any] = []
        self.more = more

    def __call__(self, batch: Any) -> dict[str, Any]:
        self.seen.append(batch)
        y, x = np.mgrid[:SIZE, :SIZE]
        weight = batch["img"].astype(float)
        total = weight.sum((1, 2))
        points = np.stack([np.einsum("nhwc,hw->nc", weight, grid) / total for grid in (x, y)], -1)
        joints = np.repeat(points[:, 2:], 21, 1)
        joints[:, [0, 9]] = points[:, :2]
        return {"keypoints": joints, "scores": np.ones((len(total), 21)), **self.more}


def picture(points: Any) -> Any:
    """(1, H, W, 3): a soft dot of one colour at each of three points."""
    y, x = np.mgrid[:SIZE, :SIZE]
    dots = [255 * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 18) for a, b in points]
    return np.rint(np.stack(dots, -1)).astype(np.uint8)[None]


@given(turn=st.floats(-3.1, 3.1))
def test_the_second_look_is_upright_and_its_joints_come_back(turn: float) -> None:
    middle = np.full(2, (SIZE - 1) / 2)
    up = np.array([np.sin(turn), -np.cos(turn)])
    points = np.stack([middle - 12 * up, middle + 14 * up, middle + np.array([9.0, 5.0])])
    dots = Dots(xyz_root=np.tile([0.0, -1.0, 0.5], (1, 21, 1)))
    answer = SecondLook(dots, HAND)({"img": picture(points), "box": np.zeros((1, 4))})
    first, second = dots.seen
    np.testing.assert_array_equal(first["img"], picture(points))
    shown = Dots()(second)["keypoints"][0]
    np.testing.assert_allclose(shown[9] - shown[0], [0, -26], atol=0.2)
    np.testing.assert_allclose(answer["keypoints"][0, [0, 9, 1]], points, atol=0.2)
    np.testing.assert_allclose(answer["xyz_root"][0, 0], [*up, 0.5], atol=0.05)
    np.testing.assert_array_equal(second["box"], first["box"])


def test_a_mask_is_refused() -> None:
    net = SecondLook(Dots(mask=np.zeros((1, 1, SIZE, SIZE))), HAND)
    with pytest.raises(ConfigError, match="second_look: the mask of a turned crop"):
        net({"img": picture([(20, 40), (50, 30), (60, 60)])})


@pytest.mark.parametrize(
    ("recipe", "value", "message"),
    [
        ("hand_2d_keypoints/pfld_handsynth_112x112", 2, "second_look: 2 is not True or False"),
        ("hand_segmentation/handsegnet_handsynth_256x256", True, "sees no crops of hands"),
        ("hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321", True, "sees no crops of hands"),
    ],
)
def test_what_it_cannot_be_asked_of(recipe: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validate({**load_config(recipe), "second_look": value})
