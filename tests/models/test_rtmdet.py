"""RTMDet's keys and outputs against mmdet's, its points and boxes, and its arguments."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from handkit.checkpoints import load_weights, save_weights
from handkit.errors import ConfigError
from handkit.models.detectors import BoxSelection, CSPNeXtPAFPN, RTMDet, RTMDetSepBNHead
from handkit.registry import MODELS, build
from handkit.registry.config import load_config

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "rtmdet_rule.py")))
IMAGES = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmdet_rule.py")))
GOLDEN = np.load(FOLDER / "mmdet_rtmdet.npz")
KEYS = {key: tuple(shape) for key, shape in json.loads((FOLDER / "mmdet_rtmdet_keys.json").read_text()).items()}
NODE = load_config("_base_/detectors/rtmdet_nano_hand")["detector"]["net"]


def filled(net: nn.Module) -> nn.Module:
    shapes = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    net.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in RULE.state(shapes).items()})
    return net.eval()


@pytest.fixture(scope="module")
def net() -> RTMDet:
    made: RTMDet = build(NODE, MODELS)
    filled(made)
    return made


def test_keys_shapes_and_their_order_are_those_of_mmdet(net: RTMDet) -> None:
    assert {key: tuple(value.shape) for key, value in net.state_dict().items()} == KEYS
    assert list(net.state_dict()) == list(KEYS)


def test_raw_outputs_are_those_of_mmdet(net: RTMDet) -> None:
    """On one image, which is brought to the input by hand: B, G, R, and 114 below or on the right."""
    image = IMAGES.images(1)[0]
    height, width = (int(side * 320 / max(image.shape) + 0.5) for side in image.shape[:2])
    padded = np.full((320, 320, 3), 114, np.uint8)
    padded[:height, :width] = cv2.resize(image, (width, height))[..., ::-1]
    mean, std = torch.tensor([103.53, 116.28, 123.675]), torch.tensor([57.375, 57.12, 58.395])
    with torch.inference_mode():
        out = net(((torch.from_numpy(padded).float() - mean) / std).permute(2, 0, 1)[None])
    assert {name: tuple(value.shape) for name, value in out.items()} == {"logits": (1, 2100), "distances": (1, 2100, 4)}
    for name, values in out.items():
        flat = values.numpy().ravel()
        sampled = flat[np.linspace(0, flat.size - 1, 50).astype(int)]
        np.testing.assert_allclose(sampled, GOLDEN[name], rtol=1e-4, atol=1e-3 if name == "distances" else 1e-4)


def test_shared_convolutions_and_exponentials_give_the_outputs_of_mmdet(tmp_path: Path) -> None:
    net = nn.Sequential(CSPNeXtPAFPN(**RULE.SHARED_NECK), RTMDetSepBNHead(**RULE.SHARED_HEAD))
    assert list(net.state_dict()) == GOLDEN["shared_keys"].tolist()
    filled(net)
    with torch.inference_mode():
        logits, distances = net([torch.from_numpy(level) for level in RULE.maps()])
    np.testing.assert_allclose(logits.numpy(), GOLDEN["shared_logits"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(distances.numpy(), GOLDEN["shared_distances"], rtol=1e-4)
    save_weights(net, tmp_path / "weights.safetensors")
    again = nn.Sequential(CSPNeXtPAFPN(**RULE.SHARED_NECK), RTMDetSepBNHead(**RULE.SHARED_HEAD)).eval()
    load_weights(again, tmp_path / "weights.safetensors")
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in net.state_dict().items())


def test_boxes_lie_about_their_points_and_inside_the_input() -> None:
    head = RTMDetSepBNHead(4, strides=(10, 20))
    features = [torch.zeros(1, 4, 2, 3), torch.zeros(1, 4, 1, 2)]
    assert head.level_sizes(features) == [6, 2]
    points = [[0, 0], [10, 0], [20, 0], [0, 10], [10, 10], [20, 10], [0, 0], [20, 0]]
    assert head.points(features).tolist() == points
    distances = torch.zeros(1, 8, 4)
    distances[0, 4] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    distances[0, 5] = torch.tensor([50.0, 50.0, 50.0, 50.0])
    scores, boxes = head.decode(torch.zeros(1, 8), distances, features, (30, 20))
    assert scores.tolist() == [[0.5] * 8]
    assert boxes[0, 4:6].tolist() == [[9, 8, 13, 14], [0, 0, 30, 20]]


def test_predicting_shares_the_weights_and_selects(net: RTMDet) -> None:
    predicting = net.predicting(0.05, 0.6, 10)
    assert predicting.selection == BoxSelection(0.05, 0.6, 10)
    assert predicting.bbox_head is net.bbox_head
    torch.manual_seed(0)
    img = torch.randn(2, 3, 96, 64)
    with torch.inference_mode():
        raw, found = predicting(img, "tensor"), predicting(img)
        assert all(torch.equal(value, raw[name]) for name, value in net(img, "predict").items())
    assert raw["logits"].shape == (2, 96 + 24 + 6)
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "boxes": (2, 10, 4),
        "scores": (2, 10),
        "counts": (2,),
    }


def test_a_fresh_net_scores_low_and_carries_gradients_everywhere() -> None:
    torch.manual_seed(0)
    made: RTMDet = build(NODE, MODELS)
    out = made(torch.randn(2, 3, 64, 64))
    assert out["logits"].sigmoid().mean() < 0.05
    (out["logits"].square().sum() + out["distances"].square().sum()).backward()
    assert [name for name, value in made.named_parameters() if value.grad is None] == []


def test_what_it_cannot_do_is_refused(net: RTMDet) -> None:
    images = torch.zeros(1, 3, 64, 64)
    with pytest.raises(ConfigError, match="RTMDet cannot be trained in handkit"):
        net(images, "loss", boxes=torch.zeros(1, 1, 4), counts=torch.ones(1))
    with pytest.raises(ConfigError, match="no mode 'losses'; did you mean 'loss'"):
        net(images, "losses")
    with pytest.raises(ConfigError, match="40 x 64 pixels; both sides must be multiples of 32"):
        net(images[..., :40])
    with pytest.raises(ConfigError, match="two maps or more"):
        CSPNeXtPAFPN((64,), 64)
    with pytest.raises(ConfigError, match="share_conv=False"):
        RTMDetSepBNHead(64, use_depthwise=True)
    with pytest.raises(ConfigError, match="a stride for each level"):
        RTMDetSepBNHead(64, strides=())
