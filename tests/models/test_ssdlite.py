"""SSDLite's keys, anchors and boxes against mmdet's, and its arguments."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from handkit.errors import ConfigError
from handkit.models.detectors import BoxSelection, SSDAnchors, SSDHead, SSDLite, SSDNeck
from handkit.models.detectors.anchors import decode_deltas
from handkit.registry import MODELS, build
from handkit.registry.config import load_config

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmdet_rule.py")))
GOLDEN = np.load(FOLDER / "mmdet_ssdlite.npz")
KEYS = {key: tuple(shape) for key, shape in json.loads((FOLDER / "mmdet_ssdlite_keys.json").read_text()).items()}
NODE = load_config("_base_/detectors/onehand_ssdlite_mobilenetv2")["detector"]["net"]
MAPS = [(20, 20), (10, 10), (5, 5), (3, 3), (2, 2), (1, 1)]


@pytest.fixture(scope="module")
def net() -> SSDLite:
    made: SSDLite = build(NODE, MODELS)
    made.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in RULE.state(KEYS).items()})
    return made.eval()


def test_keys_shapes_and_their_order_are_those_of_mmdet(net: SSDLite) -> None:
    assert {key: tuple(value.shape) for key, value in net.state_dict().items()} == KEYS
    assert list(net.state_dict()) == list(KEYS)


def test_anchors_are_those_of_mmdet(net: SSDLite) -> None:
    anchors = net.bbox_head.anchors(MAPS).numpy()
    starts = np.cumsum([0] + [6 * height * width for height, width in MAPS])
    first = np.stack([anchors[start : start + 6].ravel() for start in starts[:-1]])
    np.testing.assert_array_equal(first, GOLDEN["anchors"])
    assert len(anchors) == starts[-1] == 3234
    np.testing.assert_allclose(anchors.sum(0, np.float64), GOLDEN["anchor_sum"], rtol=1e-9)


def test_anchors_run_along_rows_first() -> None:
    """A map of 2 x 3 cells at stride 10, one square and its larger twin in each."""
    anchors = SSDAnchors([10], [()], [4], [9])([(2, 3)])
    centers = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert centers[::2].tolist() == [[5, 5], [15, 5], [25, 5], [5, 15], [15, 15], [25, 15]]
    assert (anchors[:2, 2:] - anchors[:2, :2]).tolist() == [[4, 4], [6, 6]]


def test_deltas_move_and_stretch_their_anchor() -> None:
    anchor = torch.tensor([[10.0, 20.0, 30.0, 60.0]])
    stds = (0.1, 0.1, 0.2, 0.2)
    assert decode_deltas(anchor, torch.zeros(1, 4), stds).tolist() == anchor.tolist()
    double = torch.log(torch.tensor(2.0)).item() / 0.2
    moved = decode_deltas(anchor, torch.tensor([[5.0, -2.5, double, 0.0]]), stds)
    torch.testing.assert_close(moved, torch.tensor([[10.0, 10.0, 50.0, 50.0]]))
    assert torch.isfinite(decode_deltas(anchor, torch.full((1, 4), 1e6), stds)).all()


def resized(count: int) -> tuple[torch.Tensor, np.ndarray]:
    images = RULE.images(count)
    small = np.stack([cv2.resize(image, (320, 320)) for image in images])
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    img = ((torch.from_numpy(small).float() / 255 - mean) / std).permute(0, 3, 1, 2)
    return img, np.array([[image.shape[1] / 320, image.shape[0] / 320] * 2 for image in images])


def test_few_candidates_of_each_level_give_the_boxes_of_mmdet(net: SSDLite) -> None:
    """nms_pre 100; the full predict at 1000 is compared in tests/detectors/test_onehand.py."""
    img, scale = resized(5)
    selection = BoxSelection(0.02, 0.45, 200, level_candidates=100)
    with torch.inference_mode():
        out = SSDLite(net.backbone, net.neck, net.bbox_head, selection)(img)
    assert out["counts"].tolist() == GOLDEN["few_counts"].tolist()
    np.testing.assert_allclose(out["boxes"].numpy() * scale[:, None], GOLDEN["few_boxes"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(out["scores"].numpy(), GOLDEN["few_scores"], rtol=0, atol=1e-5)


def test_predicting_shares_the_weights_and_leaves_the_raw_net(net: SSDLite) -> None:
    predicting = net.predicting(0.5, 0.45, 10)
    assert predicting.backbone.conv1.conv.weight is net.backbone.conv1.conv.weight
    assert list(predicting.state_dict()) == list(net.state_dict())
    with torch.inference_mode():
        raw, found = net(torch.zeros(2, 3, 320, 320)), predicting(torch.zeros(2, 3, 320, 320))
    assert {name: tuple(value.shape) for name, value in raw.items()} == {"logits": (2, 3234, 2), "deltas": (2, 3234, 4)}
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "boxes": (2, 10, 4),
        "scores": (2, 10),
        "counts": (2,),
    }


def test_modes(net: SSDLite) -> None:
    images, boxes = torch.zeros(2, 3, 320, 320), torch.tensor([[[10.0, 20, 90, 120]], [[0, 0, 0, 0]]])
    predicting = net.predicting(0.5, 0.45, 10)
    with torch.inference_mode():
        assert set(predicting(images, mode="tensor")) == {"logits", "deltas"}
        assert set(predicting(images, "predict")) == {"boxes", "scores", "counts"}
        losses, counted = net(images, "loss", boxes), net(images, "loss", boxes, torch.tensor([1, 0]))
    assert set(losses) == {"loss_cls", "loss_bbox", "loss"}
    assert losses["loss"] == losses["loss_cls"] + losses["loss_bbox"] == counted["loss"]
    with pytest.raises(ConfigError, match="no mode 'losses'; did you mean 'loss'"):
        net(images, "losses", boxes)
    with pytest.raises(ConfigError, match="needs the target 'boxes'"):
        net(images, "loss")
    for wrong in (boxes[:1], boxes[0], boxes[..., :3]):
        with pytest.raises(ConfigError, match=r"must be \(N, M, 4\), N being the 2 images"):
            net(images, "loss", wrong)


def test_bfloat16_trains() -> None:
    torch.manual_seed(0)
    made: SSDLite = build(NODE, MODELS)
    with torch.autocast("cpu", torch.bfloat16):
        losses = made(torch.randn(2, 3, 320, 320), "loss", torch.tensor([[[10.0, 20, 90, 120]]] * 2))
    assert {value.dtype for value in losses.values()} == {torch.float32}
    losses["loss"].backward()
    gradients = [value.grad for value in made.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


def test_boxes_are_clipped_to_an_input_that_is_not_square(net: SSDLite) -> None:
    torch.manual_seed(0)
    with torch.inference_mode():
        boxes = net.predicting(0.02, 0.45, 200)(torch.randn(1, 3, 256, 320))["boxes"][0]
    assert boxes.min() == 0
    assert boxes.amax(0).tolist() == [
        pytest.approx(boxes[:, 0].max().item()),
        pytest.approx(boxes[:, 1].max().item()),
        320,
        256,
    ]


def test_raw_outputs_carry_gradients_to_every_parameter() -> None:
    torch.manual_seed(0)
    made: SSDLite = build(NODE, MODELS)
    out = made(torch.randn(2, 3, 320, 320))
    (out["logits"].square().sum() + out["deltas"].square().sum()).backward()
    assert [name for name, value in made.named_parameters() if value.grad is None] == []


def test_disagreeing_arguments_are_refused() -> None:
    with pytest.raises(ConfigError, match="must begin with"):
        SSDNeck((96, 1280), (96, 640, 512), (2,), (1,))
    with pytest.raises(ConfigError, match="1 extra out_channels"):
        SSDNeck((96, 1280), (96, 1280, 512), (2, 2), (1, 1))
    with pytest.raises(ConfigError, match="2 strides but 1 max_sizes"):
        SSDAnchors((16, 32), ((2,),), (48,), (100,))
    with pytest.raises(ConfigError, match="anchors of 1 levels"):
        SSDHead((96, 1280), SSDAnchors((16,), ((2,),), (48,), (100,)))
