"""TorchRuntime: from crops to joints, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from handkit.checkpoints import save_weights
from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.codecs.regression import Regression
from handkit.errors import CheckpointError, ConfigError, HubError
from handkit.models.backbones import HRNet
from handkit.models.estimators import FlipTest, TopDownEstimator
from handkit.models.heads import HRNetV2Head
from handkit.registry import RUNTIMES, build
from handkit.runtime.base import apply_transforms, decode_outputs
from handkit.runtime.torch import TorchRuntime
from handkit.transforms import MMToTensor, NormalizeTensor, PoseCollect

TRANSFORMS = [MMToTensor(), NormalizeTensor(), PoseCollect(("img", "rotation"))]
CODEC = GaussianHeatmap((64, 64), (16, 16))


def batch(count: int = 2) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    return {"img": images, "rotation": np.arange(count, dtype=np.float32), "box": np.zeros((count, 4))}


def network(seed: int = 0) -> TopDownEstimator:
    torch.manual_seed(seed)
    backbone = HRNet(width=4, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1), stage1_channels=4)
    head = HRNetV2Head((4, 8, 16, 32))
    nn.init.normal_(head.final_layer.weight)
    return TopDownEstimator(backbone, head)


class WithPresence(nn.Module):
    """A network without weights that also says something the codec does not read."""

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        return {"heatmaps": img[:, :1, ::4, ::4], "presence": img.flatten(1).mean(1)}


def test_a_net_does_what_its_parts_do_one_after_the_other(tmp_path: Path) -> None:
    save_weights(network(1), tmp_path / "weights")
    net = TorchRuntime("cpu").prepare(network(2), tmp_path / "weights", TRANSFORMS, CODEC)
    out = net(batch())
    expected = network(1).eval()
    img = NormalizeTensor()(MMToTensor()({"img": batch()["img"]}))["img"]
    with torch.inference_mode():
        joints, scores = CODEC.decode(expected(torch.from_numpy(img)))
    assert set(out) == {"keypoints", "scores", "rotation"}
    assert all(isinstance(value, np.ndarray) for value in out.values())
    np.testing.assert_allclose(out["keypoints"], joints.numpy(), atol=0.01)
    np.testing.assert_allclose(out["scores"], scores.numpy(), atol=1e-4)
    np.testing.assert_array_equal(out["rotation"], [0, 1])


def test_the_reference_crops_give_the_reference_joints(peer_data: Path) -> None:
    """mmpose's joints with its flip test, where its decoding is not thrown off the crop by rounding."""
    with np.load(peer_data / "peers" / "mmpose_reference.npz") as reference:
        inputs, boxes, theirs, peaks = (reference[key] for key in ("inputs", "boxes", "keypoints", "scores"))
    model = FlipTest(TopDownEstimator(HRNet(), HRNetV2Head()), "mmpose")
    weights = peer_data / "peers" / "mmpose_reference_state.pth"
    net = TorchRuntime("cpu").prepare(model, weights, [_Inputs(inputs)], GaussianHeatmap(max_offset=None))
    out = net({"img": np.zeros((3, 256, 256, 3), np.uint8)})
    side = (boxes[:, 2:] - boxes[:, :2]).max(1)[:, None, None] * 1.25
    corner = (boxes[:, :2] + boxes[:, 2:])[:, None] / 2 - side / 2
    crops = (theirs - corner) / side * 256
    usable = (peaks > 0) & ((crops > -4) & (crops < 260)).all(-1)
    assert usable.sum() > 50
    assert np.abs(out["keypoints"] * side / 256 + corner - theirs)[usable].max() < 0.05
    assert np.abs(out["scores"] - peaks.clip(0, 1)).max() < 1e-3


class _Inputs:
    """Puts the given network inputs in the place of the images."""

    stage = "tensor"

    def __init__(self, inputs: Any) -> None:
        self.inputs = inputs

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {**batch, "img": torch.from_numpy(self.inputs)}


def test_weights_go_to_the_network_inside_the_flip_test(tmp_path: Path) -> None:
    save_weights(network(1), tmp_path / "weights")
    wrapped = FlipTest(network(2))
    TorchRuntime("cpu").prepare(wrapped, tmp_path / "weights", TRANSFORMS, CODEC)
    for ours, given in zip(wrapped.module.parameters(), network(1).parameters(), strict=True):
        assert torch.equal(ours, given)


def test_without_a_codec_the_outputs_come_as_they_are() -> None:
    out = TorchRuntime("cpu").prepare(WithPresence(), None, TRANSFORMS, None)(batch())
    assert {name: value.shape for name, value in out.items()} == {
        "heatmaps": (2, 1, 16, 16),
        "presence": (2,),
        "rotation": (2,),
    }


def test_what_the_codec_does_not_read_passes_through() -> None:
    out = TorchRuntime("cpu").prepare(WithPresence(), None, [MMToTensor()], CODEC)(batch())
    assert set(out) == {"keypoints", "scores", "presence", "rotation", "box"}
    np.testing.assert_allclose(out["presence"], batch()["img"].mean((1, 2, 3)) / 255, atol=1e-5)


def test_read_only_strided_and_no_images_are_taken(tmp_path: Path) -> None:
    save_weights(network(1), tmp_path / "weights")
    net = TorchRuntime("cpu").prepare(network(), tmp_path / "weights", TRANSFORMS, CODEC)
    given = batch()
    usual = net(given)
    mirrored = np.ascontiguousarray(given["img"][:, :, ::-1])[:, :, ::-1]
    mirrored.setflags(write=False)
    np.testing.assert_array_equal(net({**given, "img": mirrored})["keypoints"], usual["keypoints"])
    assert net(batch(0))["keypoints"].shape == (0, 21, 2)


def test_batch_norms_do_not_learn_and_nothing_asks_for_gradients(tmp_path: Path) -> None:
    save_weights(network(1), tmp_path / "weights")
    model = network().train()
    net = TorchRuntime("cpu").prepare(model, tmp_path / "weights", TRANSFORMS, None)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    net(batch())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_random_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match="checkpoint="):
        TorchRuntime("cpu").prepare(network(), None, TRANSFORMS, CODEC)


def test_checkpoints_that_are_not_there_or_do_not_fit_are_refused(tmp_path: Path) -> None:
    runtime = TorchRuntime("cpu")
    with pytest.raises(HubError, match=r"absent\.pth"):
        runtime.prepare(network(), str(tmp_path / "absent.pth"), TRANSFORMS, CODEC)
    save_weights(HRNetV2Head(), tmp_path / "head")
    with pytest.raises(CheckpointError, match="missing"):
        runtime.prepare(network(), tmp_path / "head", TRANSFORMS, CODEC)


def test_a_model_of_another_runtime_is_refused() -> None:
    with pytest.raises(ConfigError, match="torch modules"):
        TorchRuntime("cpu").prepare(object(), None, TRANSFORMS, CODEC)


@pytest.mark.parametrize("device", ["toaster", "cuda:99", "meta", "cpu:x"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(ConfigError, match=device):
        TorchRuntime(device)


def test_a_config_builds_it_and_the_default_device_is_usable() -> None:
    runtime = build(dict(type="TorchRuntime"), RUNTIMES)
    assert runtime.device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_transforms_that_leave_no_tensor_image_are_refused() -> None:
    with pytest.raises(ConfigError, match="MMToTensor"):
        TorchRuntime("cpu").prepare(WithPresence(), None, [PoseCollect(("img",))], None)(batch())
    with pytest.raises(ConfigError, match="must name 'img'"):
        apply_transforms([PoseCollect(("rotation",))], batch())


def test_a_codec_that_reads_what_the_model_does_not_give_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Regression decodes \['coordinates'\], but the model gives \['heatmaps'\]"):
        decode_outputs({"heatmaps": np.zeros((1, 21, 64, 64))}, Regression((256, 256)))
