"""PoseNet's head, losses and flip test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.testing import assert_close

from handkit.codecs.hand_offsets import HandOffsets
from handkit.codecs.offset_heatmap import OffsetHeatmap
from handkit.errors import ConfigError
from handkit.models.backbones import MobileNetV2
from handkit.models.estimators import BottomUpEstimator, FlipTest, TopDownEstimator
from handkit.models.heads import HandOffsetHead, OffsetHead
from handkit.models.losses import (
    DisplacementLoss,
    HeatmapBCELoss,
    KeypointMSELoss,
    OffsetLoss,
    SpatialCrossEntropyLoss,
    Targets,
)


def targets(codec: OffsetHeatmap, joints: Any, visible: Any) -> Targets:
    return Targets(**codec.encode(torch.as_tensor(joints), torch.as_tensor(visible)))


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("size", [(257, 257), (129, 193)])
def test_the_net_answers_the_codecs_grid(stride: Any, size: tuple[int, int]) -> None:
    backbone = MobileNetV2(widen_factor=0.25, out_indices=(6,), output_stride=stride)
    model = TopDownEstimator(backbone, OffsetHead(backbone.out_channels[-1], 5)).eval()
    with torch.inference_mode():
        outputs = model(torch.randn(2, 3, size[1], size[0]))
    codec = OffsetHeatmap(size, stride)
    joints, scores = codec.decode(outputs)
    assert outputs["heatmaps"].shape == (2, 5, *codec.heatmap_size[::-1])
    assert outputs["offsets"].shape == (2, 5, 2, *codec.heatmap_size[::-1])
    assert joints.shape == (2, 5, 2)
    assert ((scores > 0) & (scores < 0.1)).all()  # an untrained net sees no joint anywhere


def test_heat_maps_are_probabilities_and_offsets_are_as_they_are() -> None:
    head = OffsetHead(4, 3)
    raw = head([torch.randn(2, 4, 5, 5)])
    shown = head.activate(raw)
    assert_close(shown["heatmaps"], raw["heatmaps"].sigmoid())
    assert shown["offsets"] is raw["offsets"]


def test_losses_are_those_of_the_paper() -> None:
    codec = OffsetHeatmap((65, 65), 16, radius=20.0)
    labels = targets(codec, [[[20.0, 30.0], [50.0, 8.0], [0.0, 0.0]]], [[2, 1, 0]])
    made = torch.Generator().manual_seed(0)
    outputs = {
        "heatmaps": torch.randn(1, 3, 5, 5, generator=made),
        "offsets": torch.randn(1, 3, 2, 5, 5, generator=made),
    }
    assert labels.heatmaps is not None
    assert labels.offsets is not None
    judged = [F.binary_cross_entropy_with_logits(outputs["heatmaps"][0, k], labels.heatmaps[0, k]) for k in range(2)]
    assert_close(HeatmapBCELoss()(outputs, labels), torch.stack(judged).sum() / 3)
    apart = (outputs["offsets"] - labels.offsets).abs().sum(2)[0]
    judged = [apart[k][labels.heatmaps[0, k] > 0].mean() for k in range(2)]
    assert_close(OffsetLoss()(outputs, labels), torch.stack(judged).sum() / 3)
    assert OffsetLoss()({"offsets": labels.offsets}, labels) == 0


def test_cells_outside_the_mask_teach_nothing() -> None:
    labels = targets(OffsetHeatmap((65, 65), 16, radius=20.0), [[[20.0, 30.0], [50.0, 8.0]]], [[2, 1]])
    mask = (torch.rand(1, 2, 5, 5, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    maps = torch.randn(1, 2, 5, 5, generator=torch.Generator().manual_seed(1), requires_grad=True)
    masked = replace(labels, heatmap_mask=mask)
    loss = HeatmapBCELoss()({"heatmaps": maps}, masked)
    loss.backward()
    assert maps.grad is not None
    assert torch.equal(maps.grad != 0, mask > 0)
    cells = F.binary_cross_entropy_with_logits(maps, labels.heatmaps, reduction="none")  # type: ignore[arg-type]
    assert_close(loss, (cells * mask).sum() / 50)
    assert_close(KeypointMSELoss()({"heatmaps": maps}, masked), ((maps - labels.heatmaps).square() * mask).sum() / 50)
    with pytest.raises(ConfigError, match="the target 'heatmap_mask' has the shape"):
        HeatmapBCELoss()({"heatmaps": maps}, replace(labels, heatmap_mask=mask[..., :1]))
    with pytest.raises(ConfigError, match="takes whole maps, and no heatmap_mask"):
        SpatialCrossEntropyLoss()({"heatmaps": maps}, masked)


def test_offsets_learn_inside_the_discs_only() -> None:
    labels = targets(OffsetHeatmap((65, 65), 16, radius=20.0), [[[20.0, 30.0], [9.0, 9.0]]], [[2, 0]])
    offsets = torch.zeros(1, 2, 2, 5, 5, requires_grad=True)
    OffsetLoss()({"offsets": offsets}, labels).backward()
    assert offsets.grad is not None
    assert labels.heatmaps is not None
    assert torch.equal(offsets.grad.abs().sum(2) > 0, labels.heatmaps > 0)


def test_a_few_steps_find_the_joints() -> None:
    torch.manual_seed(0)
    codec = OffsetHeatmap((65, 65), 16, radius=20.0)
    joints = torch.tensor([[[20.0, 30.0], [50.0, 8.0]]])
    labels = codec.encode(joints, torch.ones(1, 2))
    model = TopDownEstimator(
        nn.Sequential(nn.Conv2d(3, 32, 7, 16, 3), nn.ReLU(), _Listed()),  # type: ignore[arg-type]
        OffsetHead(32, 2),
        losses=[HeatmapBCELoss(4.0), OffsetLoss()],
    )
    img = torch.randn(1, 3, 65, 65)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        model(img, mode="loss", **labels)["loss"].backward()
        optimizer.step()
    found, scores = codec.decode(model.eval()(img))
    assert (found - joints).norm(dim=-1).max() < 4  # a quarter of a cell
    assert scores.min() > 0.9


class _Listed(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x,)


class _Ideal(nn.Module):
    """Answers an image whose brightest pixel is the joint with perfect maps of it."""

    def __init__(self, codec: OffsetHeatmap, of: Any = None) -> None:
        super().__init__()
        self.codec = codec
        self.of = of or (lambda place: (place[:, None], torch.ones(len(place), 1)))

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        place = img[:, 0].flatten(1).argmax(1)
        joints = torch.stack([place % img.shape[-1], place // img.shape[-1]], -1).float()
        made = self.codec.encode(*self.of(joints))
        return {name: made[name] for name in self.codec.reads}


def test_the_flip_test_has_no_bias() -> None:
    codec = OffsetHeatmap((129, 97), 32)
    net = FlipTest(_Ideal(codec), "none")
    for x, y in np.random.default_rng(0).integers(0, (129, 97), (20, 2)).tolist():
        img = torch.zeros(1, 3, 97, 129)
        img[..., y, x] = 1
        found, scores = codec.decode(net(img))
        assert_close(found, torch.tensor([[[float(x), float(y)]]]), atol=1e-4, rtol=0)
        assert scores.item() == 1


def test_the_flip_test_of_two_hands_has_no_bias() -> None:
    """The second joint lies 30 pixels above the first, the second hand 70 to its right; in the mirror to its left."""
    codec = HandOffsets((193, 97), 16, 16.0, edges=[(0, 1)])
    up = torch.tensor([0.0, -30.0])

    def hands(place: Tensor) -> tuple[Tensor, Tensor]:
        side = torch.where(place[:, :1] < 96, 70.0, -70.0) * torch.tensor([[1.0, 0.0]])
        return torch.stack([torch.stack([p, p + up], 1) for p in (place, place + side)], 1), torch.ones(
            len(place), 2, 2
        )

    img = torch.zeros(1, 3, 97, 193)
    img[..., 71, 53] = 1
    found, scores, _ = codec.decode(FlipTest(_Ideal(codec, hands), "none")(img))
    assert found.shape == (1, 2, 2, 2)
    assert_close(found[0][found[0, :, 0, 0].argsort()], hands(torch.tensor([[53.0, 71.0]]))[0][0], atol=1e-3, rtol=0)
    assert (scores == 1).all()


def test_parts_that_do_not_fit_are_refused() -> None:
    backbone = MobileNetV2(widen_factor=0.25)
    with pytest.raises(ConfigError, match="needs positive numbers, got 0 and 21"):
        OffsetHead(0)
    with pytest.raises(ConfigError, match="activation 'none'; OffsetHead has 'sigmoid'"):
        TopDownEstimator(backbone, OffsetHead(), losses=[KeypointMSELoss()])
    labels = targets(OffsetHeatmap((65, 65), 16), [[[20.0, 30.0]]], [[2]])
    with pytest.raises(ConfigError, match="the target 'offsets' has the shape"):
        OffsetLoss()({"offsets": torch.zeros(1, 1, 2, 3, 3)}, labels)


def test_displacements_learn_where_both_joints_are_known() -> None:
    codec = HandOffsets((65, 65), 16, 20.0, edges=[(0, 1), (1, 2)])
    joints = torch.tensor([[[[20.0, 30.0], [50.0, 8.0], [9.0, 50.0]]]])
    visible = torch.tensor([[[2, 1, 0]]])
    labels = Targets(**codec.encode(joints, visible))
    head = HandOffsetHead(4, 3)
    outputs = head([torch.randn(1, 4, 5, 5)])
    assert outputs["displacements"].shape == (1, 4, 2, 5, 5)
    assert head.activate(outputs)["displacements"] is outputs["displacements"]
    displacements = torch.zeros(1, 4, 2, 5, 5, requires_grad=True)
    loss = DisplacementLoss()({"displacements": displacements}, labels)
    loss.backward()
    assert displacements.grad is not None
    assert labels.displacement_weight is not None
    assert labels.displacements is not None
    assert labels.displacement_weight.sum((2, 3)).bool().tolist() == [[True, False, True, False]]
    assert torch.equal(displacements.grad.abs().sum(2) > 0, labels.displacement_weight > 0)
    apart = labels.displacements.abs().sum(2)[0]
    judged = [apart[way][labels.displacement_weight[0, way] > 0].mean() for way in (0, 2)]
    assert_close(loss, torch.stack(judged).sum() / 4)


def test_a_few_steps_find_two_hands_in_one_pass() -> None:
    torch.manual_seed(0)
    codec = HandOffsets((129, 65), 16, 16.0, edges=[(0, 1)], score_threshold=0.6)
    joints = torch.tensor([[[[20.0, 30.0], [45.0, 12.0]], [[90.0, 40.0], [110.0, 20.0]]]])
    labels = codec.encode(joints, torch.ones(1, 2, 2))
    model = BottomUpEstimator(
        nn.Sequential(nn.Conv2d(3, 64, 7, 16, 3), nn.ReLU(), _Listed()),  # type: ignore[arg-type]
        HandOffsetHead(64, 2),
        losses=[HeatmapBCELoss(4.0), OffsetLoss(), DisplacementLoss(0.25)],
    )
    img = torch.randn(1, 3, 65, 129)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        model(img, mode="loss", **labels)["loss"].backward()
        optimizer.step()
    found, scores, _ = codec.decode(model.eval()(img))
    assert found.shape == (1, 2, 2, 2)
    apart = (found[0, :, None] - joints).norm(dim=-1).max(-1).values
    assert apart.min(1).values.max() < 6
    assert sorted(apart.argmin(1).tolist()) == [0, 1]
    assert scores.min() > 0.8
