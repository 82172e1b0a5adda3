"""One look judged by many thresholds: the numbers are those of a pipeline built with each."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.demo_image import demo_image
from handkit.detectors import FullImage
from handkit.errors import ConfigError, DataError
from handkit.pipelines import pipeline, sweeping
from handkit.pipelines.build import resolve_config
from handkit.pipelines.keypoints import HandKeypoints
from handkit.pipelines.measuring import measure_pipeline
from handkit.pipelines.sweeping import markdown, sweep_thresholds
from handkit.pipelines.top_down import TopDown
from handkit.transforms import LoadImage

MODEL = "hand_2d_keypoints"
NAMES = ("recall", "PCK@0.2", "PCK@0.1", "handedness_accuracy", "false_hands_per_image")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo hand, alone and beside its mirror image, large and small; and pictures that show no labelled hand."""
    folder = tmp_path_factory.mktemp("photographs")
    hand = np.asarray(Image.open(demo_image()).convert("RGB"))
    pictures = [hand, np.concatenate([hand, hand[:, ::-1]], axis=1), hand[::6, ::6], np.rot90(hand)]
    pipe, images, annotations = pipeline(MODEL, box_threshold=0.05, presence_threshold=0.0), [], []
    for index, picture in enumerate(pictures):
        name = f"{index}.png"
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / name)
        images.append({"id": index, "file_name": name, "width": picture.shape[1], "height": picture.shape[0]})
        found = pipe(folder / name)
        for points, side in zip(found.keypoints, found.handedness, strict=True):
            row = np.column_stack([points + 3.0, np.full(21, 2)]).ravel().tolist()
            annotations.append({"id": len(annotations), "image_id": index, "keypoints": row, "hand_side": side})
    (folder / "labels.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    (folder / "rooms").mkdir()
    Image.fromarray(hand).save(folder / "rooms" / "0.png")
    Image.new("RGB", (64, 64)).save(folder / "rooms" / "1.png")
    return folder


def test_options_change_the_pipeline(folder: Path) -> None:
    data = folder / "labels.json"
    plain, alone = (
        sweep_thresholds(MODEL, data, box=(0.2,), cfg_options=options)[0].scores["recall"]
        for options in (None, {"max_hands": 1})
    )
    assert 0 < alone < plain


@pytest.mark.parametrize("rotate", [0, 90])
def test_each_choice_measures_as_a_pipeline_of_those_thresholds(folder: Path, rotate: int) -> None:
    data, rooms = folder / "labels.json", folder / "rooms"
    choices = sweep_thresholds(MODEL, data, rooms, box=(0.05, 0.999), presence=(0.0, 0.999), rotate=rotate)
    assert [(one.box, one.presence) for one in choices] == [(0.05, 0), (0.05, 0.999), (0.999, 0), (0.999, 0.999)]
    recalls = set()
    for one in choices:
        options = {"box_threshold": one.box, "presence_threshold": one.presence}
        alone = measure_pipeline(MODEL, cfg_options=options, data=data, negatives=rooms, rotate=rotate)
        for name in NAMES:
            np.testing.assert_allclose(one.scores[name], alone[name], err_msg=name, atol=1e-6)
        assert one.false_hands == round(2 * alone["false_hands_per_negative_image"])
        recalls.add(one.scores["recall"])
    assert len(recalls) > 1


def test_the_table(folder: Path) -> None:
    (only,) = sweep_thresholds(MODEL, folder / "labels.json", box=(0.25,), limit=1)
    own = resolve_config(MODEL)["presence_threshold"]
    assert (only.presence, only.false_hands) == (own, None)
    head, _, row = markdown([only]).splitlines()
    assert head.startswith("| box | presence | recall | PCK@0.2")
    assert row == f"| 0.25 | {own} | 1.000 | 1.000 | 1.000 | 1.000 | 0.000 | - |"
    record = json.loads(json.dumps(only.to_dict()), parse_constant=pytest.fail)
    assert record["box_threshold"] == 0.25
    assert (record["images"], record["hands"]) == (1, 1)


def test_what_cannot_be_swept(folder: Path, tmp_path: Path) -> None:
    data = folder / "labels.json"
    wrong: Sequence[tuple[Mapping[str, Any], str]] = [
        ({"box": ()}, "one for boxes is needed"),
        ({"box": (0.2, 1.5)}, "thresholds lie in"),
        ({"box": (0.2,), "presence": (math.nan,)}, "thresholds lie in"),
        ({"box": (0.2,), "rotate": 45}, "rotate must be"),
    ]
    for options, message in wrong:
        with pytest.raises(ConfigError, match=message):
            sweep_thresholds(MODEL, data, **options)
    with pytest.raises(ConfigError, match="retry_detector"):
        sweep_thresholds("pipelines/hand_2d_keypoints_mediapipe", data, box=(0.2,))
    whole = HandKeypoints(LoadImage(), TopDown(FullImage(), [], lambda batch: batch), {})
    with pytest.raises(ConfigError, match="the boxes of a FullImage depend on its threshold"):
        sweeping._finder(whole, "a model of ours")
    nobody = tmp_path / "none.json"
    nobody.write_text('{"images": [], "annotations": []}')
    with pytest.raises(DataError, match="nothing to measure"):
        sweep_thresholds(MODEL, nobody, box=(0.2,))
