"""OneHandDetector: mmdet's predict, batches, channels, and bad arguments."""

from __future__ import annotations

import copy
import json
import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from handkit.detectors.onehand import OneHandDetector
from handkit.errors import ConfigError
from handkit.registry import DETECTORS, build
from handkit.registry.config import load_config

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmdet_rule.py")))
GOLDEN = np.load(FOLDER / "mmdet_ssdlite.npz")
NODE = load_config("_base_/detectors/onehand_ssdlite_mobilenetv2")["detector"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden weights as mmdet saves them."""
    import torch

    keys = json.loads((FOLDER / "mmdet_ssdlite_keys.json").read_text())
    weights = RULE.state({key: tuple(shape) for key, shape in keys.items()})
    path: Path = tmp_path_factory.mktemp("weights") / "epoch_1.pth"
    torch.save({"state_dict": {k: torch.from_numpy(np.asarray(v)) for k, v in weights.items()}, "meta": {}}, path)
    return path


def detector(checkpoint: Path, **options: Any) -> OneHandDetector:
    node = {**copy.deepcopy(NODE), "runtime": dict(type="TorchRuntime", device="cpu"), **options}
    made: OneHandDetector = build(node, DETECTORS, checkpoint=checkpoint)
    return made


def test_predicts_what_mmdet_predicts(checkpoint: Path) -> None:
    """Boxes to 1e-3 px, scores, and their order, on 20 images at the threshold .02."""
    images = RULE.images()
    found = detector(checkpoint, score_threshold=0.02).detect(images)
    assert [len(item) for item in found] == GOLDEN["counts"].tolist()
    for item, boxes, scores in zip(found, GOLDEN["boxes"], GOLDEN["scores"], strict=True):
        np.testing.assert_allclose(item.boxes, boxes[: len(item)], rtol=0, atol=1e-3)
        np.testing.assert_allclose(item.scores, scores[: len(item)], rtol=0, atol=1e-5)


def test_a_batch_gives_what_its_images_give_alone(checkpoint: Path) -> None:
    images = RULE.images(6)
    made = detector(checkpoint, score_threshold=0.1)
    together = made.detect(images)
    assert min(map(len, together)) > 0
    for image, item in zip(images, together, strict=True):
        (alone,) = made.detect([image])
        np.testing.assert_allclose(alone.boxes, item.boxes, rtol=0, atol=1e-3)
        np.testing.assert_allclose(alone.scores, item.scores, rtol=0, atol=1e-5)


def test_nothing_above_the_threshold_is_empty(checkpoint: Path) -> None:
    made = detector(checkpoint, score_threshold=0.99)
    assert [len(item) for item in made.detect(RULE.images(2))] == [0, 0]
    assert made.detect([]) == []


def test_options_select(checkpoint: Path) -> None:
    image = RULE.images(1)
    (many,) = detector(checkpoint, score_threshold=0.02).detect(image)
    (few,) = detector(checkpoint, score_threshold=0.02, max_detections=7).detect(image)
    np.testing.assert_array_equal(few.boxes, many.boxes[:7])
    (strict,) = detector(checkpoint, score_threshold=0.02, nms_iou=0.2).detect(image)
    assert 0 < len(strict) < len(many)


class Recorder:
    """A net and a runtime that note what reaches them and answer one box in the input's upper left quarter."""

    def predicting(self, score_threshold: float, nms_iou: float, max_detections: int) -> Recorder:
        self.asked = (score_threshold, nms_iou, max_detections)
        return self

    def prepare(self, model: Any, checkpoint: Any, transforms: Sequence[Any], codec: Any) -> Recorder:
        assert model is self
        assert codec is None
        return self

    def __call__(self, batch: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        self.img = batch["img"]
        count, (height, width) = len(self.img), self.img.shape[1:3]
        boxes = np.zeros((count, 3, 4), np.float32)
        boxes[:, 0] = (0, 0, width / 2, height / 2)
        return {"boxes": boxes, "scores": np.full((count, 3), 0.5, np.float32), "counts": np.ones(count, np.int64)}


def test_images_stretch_to_the_input_and_boxes_back() -> None:
    net = Recorder()
    made = OneHandDetector(net, None, net, [], score_threshold=0.3, input_size=(64, 32))
    images = [np.zeros((90, 200, 3), np.uint8), np.zeros((41, 17, 3), np.uint8)]
    images[0][:] = (255, 128, 0)
    found = made.detect(images)
    assert net.asked == (0.3, 0.45, 200)
    assert net.img.shape == (2, 32, 64, 3)
    assert net.img.dtype == np.uint8
    assert net.img[0, 0, 0].tolist() == [255, 128, 0]
    assert [item.boxes.tolist() for item in found] == [[[0, 0, 100, 45]], [[0, 0, 8.5, 20.5]]]


def test_padding_keeps_the_ratio_of_the_sides() -> None:
    """An image that is too wide, one that is too high, one thinner than a pixel of the input, and one that fits."""
    net = Recorder()
    made = OneHandDetector(net, None, net, [], score_threshold=0.3, input_size=(64, 32), pad_value=7)
    shapes = ((50, 200), (64, 16), (2, 640), (32, 64))
    found = made.detect([np.full((*shape, 3), 200, np.uint8) for shape in shapes])
    contents = ((16, 64), (32, 8), (1, 64), (32, 64))
    for img, (height, width) in zip(net.img, contents, strict=True):
        assert (img[:height, :width] == 200).all()
        assert (img[height:] == 7).all()
        assert (img[:, width:] == 7).all()
    assert [item.boxes.tolist() for item in found] == [
        [[0, 0, 100, 50]],  # the answer's lower half lies on the padding
        [[0, 0, 64, 32]],
        [[0, 0, 320, 32]],
        [[0, 0, 32, 16]],
    ]


def test_views_of_an_image_are_taken() -> None:
    net = Recorder()
    image = np.arange(30 * 40 * 3, dtype=np.uint8).reshape(30, 40, 3)
    OneHandDetector(net, None, net, [], 0.3, input_size=(40, 30)).detect([image[:, ::-1]])
    np.testing.assert_array_equal(net.img[0], image[:, ::-1])


@pytest.mark.parametrize(
    "options",
    [{"score_threshold": 1.5}, {"nms_iou": -0.1}, {"input_size": (0, 320)}, {"max_detections": 0}, {"pad_value": 256}],
    ids=lambda options: next(iter(options)),
)
def test_impossible_arguments_are_refused(options: dict[str, Any]) -> None:
    net = Recorder()
    with pytest.raises(ConfigError, match=f"OneHandDetector.*{next(iter(options))}"):
        OneHandDetector(net, None, net, [], **{"score_threshold": 0.5, **options})


def test_the_module_does_not_import_torch(in_subprocess: Any) -> None:
    code = "import sys; sys.modules['torch'] = None; import handkit.detectors as d; print(d.OneHandDetector.__name__)"
    assert in_subprocess(code).strip() == "OneHandDetector"
