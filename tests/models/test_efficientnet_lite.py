"""EfficientNet-Lite0 against the package whose weights it takes, and what begins with them."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from handkit.checkpoints import load_weights
from handkit.errors import CheckpointError, ConfigError
from handkit.models.backbones import EfficientNetLite0
from handkit.registry import MODELS, build
from handkit.registry.config import load_config

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmdet_rule.py")))
GOLDEN = np.load(FOLDER / "efficientnet_lite0.npz")
STRIDES = (2, 4, 8, 16, 16, 32, 32, 32)


def test_keys_and_features_are_the_packages() -> None:
    net = EfficientNetLite0(tuple(range(8)))
    shapes = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    assert {key: str(shape) for key, shape in shapes.items()} == dict(
        zip(GOLDEN["keys"], GOLDEN["shapes"], strict=True)
    )
    net.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in RULE.state(shapes).items()})
    image = torch.from_numpy(RULE.images(1)[0][:67, :90]).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        maps = net.eval()(image)
    assert [tuple(feature.shape[2:]) for feature in maps] == [(-(-67 // s), -(-90 // s)) for s in STRIDES]
    assert tuple(feature.shape[1] for feature in maps) == net.out_channels
    for feature, expected in zip(maps, GOLDEN["features"], strict=True):
        flat = feature.numpy().ravel()
        sampled = flat[np.linspace(0, len(flat) - 1, 50).astype(int)]
        np.testing.assert_allclose(sampled, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_what_lies_behind_the_last_output_is_not_run() -> None:
    short, long = EfficientNetLite0((4,)).eval(), EfficientNetLite0((4, 7)).eval()
    long.load_state_dict(short.state_dict())
    image = torch.rand(1, 3, 64, 64)
    short._blocks[-1].register_forward_hook(lambda *_: pytest.fail("the last stage was run"))
    with torch.inference_mode():
        assert torch.equal(short(image)[0], long(image)[0])
    with pytest.raises(ConfigError, match=r"must ascend within 0\.\.7, got \(7, 4\)"):
        EfficientNetLite0((7, 4))


def test_a_detector_runs_on_it() -> None:
    config = load_config("hand_detection/ssdlite_efficientnet_lite0_handphotos_320x320")
    net = build(config["model"], MODELS, "model")
    losses = net.eval()(torch.rand(1, 3, 320, 320), "loss", boxes=torch.tensor([[[20.0, 30, 90, 120]]]))
    assert losses["loss"].isfinite()
    assert net.state_dict().keys() == build(config["detector"]["net"], MODELS, "net").state_dict().keys()


def test_a_backbone_begins_without_the_files_classifier(tmp_path: Path) -> None:
    source, path = EfficientNetLite0(), tmp_path / "whole.pth"
    whole = {**source.state_dict(), "_fc.weight": torch.zeros(5, 1280), "_fc.bias": torch.zeros(5)}
    torch.save(whole, path)
    net = EfficientNetLite0()
    with pytest.raises(CheckpointError, match=r"extra.*_fc\.weight"):
        load_weights(net, path)
    load_weights(net, path, extra=net.classifier)
    assert torch.equal(net.state_dict()["_conv_head.weight"], source.state_dict()["_conv_head.weight"])


def test_the_weights_of_the_card_fit(efficientnet_lite0: Path) -> None:
    net = EfficientNetLite0()
    load_weights(net, efficientnet_lite0, extra=net.classifier)
    with torch.inference_mode():
        features = net.eval()(torch.zeros(1, 3, 224, 224))[0]
    assert features.isfinite().all()
