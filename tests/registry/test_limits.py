"""Thresholds and limits of a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from handkit import pipeline
from handkit.errors import ConfigError
from handkit.registry.limits import check_limits


@pytest.mark.parametrize("key", ["box_threshold", "detection_threshold", "presence_threshold", "nms_iou"])
@pytest.mark.parametrize("value", ["abc", -0.1, 1.5, True, float("nan"), [0.5]])
def test_no_share(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{key}: .* is not a number in \[0, 1\]; it is (the |box_threshold where)"):
        check_limits({key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [("pose_nms", "abc"), ("pose_nms", -1), ("max_hands", -1), ("max_hands", 1.5), ("given_rotations", 0)],
)
def test_no_limit(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{key}: {value!r} is not a (whole )?number from [01] on; it is "):
        check_limits({key: value})


def test_what_is_allowed() -> None:
    check_limits({})
    check_limits(dict.fromkeys(("box_threshold", "nms_iou", "pose_nms", "max_hands"), None))
    check_limits({"box_threshold": 0, "nms_iou": np.float32(1), "pose_nms": 2.5, "max_hands": np.int64(3)})


def test_a_pipeline_says_so_before_it_is_built() -> None:
    with pytest.raises(ConfigError, match="presence_threshold: 'high' is not a number"):
        pipeline(cfg_options={"presence_threshold": "high"})
    with pytest.raises(ConfigError, match="presence_threshold: 2 is not a number"):
        pipeline(presence_threshold=2)
    with pytest.raises(ConfigError, match="detection_threshold: 'x' is not a number"):
        pipeline("hand_detection", cfg_options={"detection_threshold": "x"})
