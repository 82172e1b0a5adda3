"""One training step of HRNetV2-W18 and of SSDLite against mmpose's and mmdet's: losses and gradients.

In float64, where the order of sums does not matter: the random weights make rounding errors of float32 grow a
thousandfold on the way back through 300 layers.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.models.backbones import HRNet
from handkit.models.detectors import SSDLite
from handkit.models.estimators import TopDownEstimator
from handkit.models.heads import HRNetV2Head
from handkit.models.losses import KeypointMSELoss
from handkit.registry import MODELS, build
from handkit.registry.config import load_config

FOLDER = Path(__file__).parents[1] / "golden"
GRADIENTS, MMPOSE, MMDET = (
    SimpleNamespace(**runpy.run_path(str(FOLDER / f"{name}_rule.py"))) for name in ("gradient", "mmpose", "mmdet")
)
STEP, SSD_STEP = (np.load(FOLDER / f"{name}_step.npz") for name in ("mmpose", "mmdet"))
DETECTOR = load_config("_base_/detectors/onehand_ssdlite_mobilenetv2")["detector"]["net"]


def filled(model: nn.Module, rule: Any, dtype: torch.dtype) -> Any:
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    model.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in rule.state(shapes).items()})
    return model.to(dtype).train()


def estimator_step(dtype: torch.dtype) -> tuple[Any, dict[str, torch.Tensor]]:
    model = filled(TopDownEstimator(HRNet(), HRNetV2Head(), losses=[KeypointMSELoss()]), MMPOSE, dtype)
    targets = GaussianHeatmap((128, 128), (32, 32)).encode(*MMPOSE.step_joints())
    tensors = {name: torch.from_numpy(target).to(dtype) for name, target in targets.items()}
    losses = model(torch.from_numpy(MMPOSE.step_images()).to(dtype), mode="loss", **tensors)
    losses["loss"].backward()
    return model, losses


def assert_same_gradients(model: nn.Module, golden: Mapping[str, Any], tolerance: float) -> None:
    """The tolerance is a share of the whole gradient's length."""
    ours, whole = GRADIENTS.summary(model), np.linalg.norm(golden["norms"])
    assert ours["parameters"].tolist() == golden["parameters"].tolist()
    np.testing.assert_allclose(ours["norms"], golden["norms"], rtol=1e-4, atol=tolerance * whole)
    np.testing.assert_allclose(ours["projections"], golden["projections"], rtol=0, atol=tolerance * whole)


def test_a_step_of_hrnet_has_mmposes_loss_and_gradients() -> None:
    model, losses = estimator_step(torch.float64)
    assert list(losses) == ["loss_heatmaps", "loss"]
    assert losses["loss"].item() == pytest.approx(STEP["loss"].item(), rel=1e-7)
    assert_same_gradients(model, STEP, 1e-7)
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    statistics = [[part.running_mean.sum().item(), part.running_var.sum().item()] for part in norms]
    np.testing.assert_allclose(statistics, STEP["statistics"], rtol=1e-9, atol=1e-9)


def test_a_step_of_hrnet_in_float32_has_mmposes_loss() -> None:
    _, losses = estimator_step(torch.float32)
    assert losses["loss"].dtype == torch.float32
    assert losses["loss"].item() == pytest.approx(STEP["loss"].item(), rel=1e-4)


def boxes() -> tuple[torch.Tensor, torch.Tensor]:
    """The boxes of `mmdet_rule`, filled up with junk, and how many of them are real."""
    padded = torch.full((len(MMDET.STEP_BOXES), 5, 4), -7.0)
    for row, found in zip(padded, MMDET.STEP_BOXES, strict=True):
        row[: len(found)] = torch.tensor(found).reshape(-1, 4)
    return padded, torch.tensor([len(found) for found in MMDET.STEP_BOXES])


@pytest.fixture(scope="module")
def ssdlite() -> SSDLite:
    keys = json.loads((FOLDER / "mmdet_ssdlite_keys.json").read_text())
    net: SSDLite = filled(build(DETECTOR, MODELS), MMDET, torch.float64)
    assert list(net.state_dict()) == list(keys)
    return net


def test_anchors_answer_for_the_same_hands_as_in_mmdet(ssdlite: SSDLite) -> None:
    anchors = ssdlite.bbox_head.anchors([(20, 20), (10, 10), (5, 5), (3, 3), (2, 2), (1, 1)]).float()
    np.testing.assert_array_equal(ssdlite.assigner(anchors, *boxes()).numpy(), SSD_STEP["assigned"])


def test_a_step_of_ssdlite_has_mmdets_losses_and_gradients(ssdlite: SSDLite) -> None:
    ssdlite.zero_grad()
    padded, counts = boxes()
    images = torch.from_numpy(MMDET.step_images()).double()
    losses = ssdlite(images, mode="loss", boxes=padded, counts=counts)
    losses["loss"].backward()
    cls, bbox = SSD_STEP["loss_cls"].sum(), SSD_STEP["loss_bbox"].sum()
    assert losses["loss_cls"].item() == pytest.approx(cls, rel=1e-6)
    assert losses["loss_bbox"].item() == pytest.approx(bbox, rel=1e-6)
    assert losses["loss"].item() == pytest.approx(cls + bbox, rel=1e-6)
    assert_same_gradients(ssdlite, SSD_STEP, 1e-6)


def test_every_image_contributes_to_ssdlites_losses_what_it_does_in_mmdet(ssdlite: SSDLite) -> None:
    padded, counts = boxes()
    with torch.no_grad():
        raw = ssdlite(torch.from_numpy(MMDET.step_images()).double(), mode="tensor")
        anchors = ssdlite.bbox_head.anchors([(20, 20), (10, 10), (5, 5), (3, 3), (2, 2), (1, 1)])
        assigned = ssdlite.assigner(anchors, padded, counts)
        targets = ssdlite.bbox_head.encode(anchors, padded, assigned)
        cls, bbox, hands = ssdlite.loss.per_sample(raw["logits"], raw["deltas"], assigned, targets)
    total = hands.clamp(min=1).sum()
    np.testing.assert_allclose(cls / total, SSD_STEP["loss_cls"], rtol=1e-6)
    np.testing.assert_allclose(bbox / total, SSD_STEP["loss_bbox"], rtol=1e-6)
    assert hands.tolist() == [10, 0, 10, 2, 6, 37]
