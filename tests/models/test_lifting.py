"""LiftingHead: what it reads, how it turns and mirrors, and that it learns depth from what is seen."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from handkit.datasets.synthetic import HandSynth
from handkit.errors import ConfigError
from handkit.models.backbones import HRNet
from handkit.models.estimators import FlipTest, TopDownEstimator
from handkit.models.heads import HRNetV2Head, LiftingHead, PoseHandednessHead
from handkit.models.heads.lifting import _turned_back, _upright
from handkit.models.losses import MPJPELoss, Targets

SIZE = 24


def hands(count: int) -> tuple[Tensor, Tensor]:
    """(N, 21, 3) joints relative to the wrist in lengths of the bone, and (N,) sides."""
    dataset = HandSynth("capsule", seed=5, count=count, image_size=(64, 64))
    made = [dataset[index] for index in range(count)]
    xyz = torch.stack([torch.from_numpy(one["xyz_cam"] - one["xyz_cam"][:1]) for one in made]).float()
    bone = (xyz[:, 6] - xyz[:, 5]).norm(dim=1)
    return xyz / bone[:, None, None], torch.tensor([float(one["right"]) for one in made])


def seen(xyz: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Maps of hands seen by parallel rays, and features that tell each joint's depth where it is."""
    points = xyz[..., :2] - xyz[..., :2].mean(dim=1, keepdim=True)
    points = points / points.abs().amax(dim=(1, 2), keepdim=True) * (SIZE / 2 - 3) + SIZE / 2
    cells = torch.arange(SIZE, dtype=torch.float32)
    across, down = (torch.exp(-((cells - points[..., axis, None]) ** 2)) for axis in (0, 1))
    maps = down[..., :, None] * across[..., None, :]
    depth = (maps * xyz[..., 2, None, None]).sum(dim=1, keepdim=True) / maps.sum(dim=1, keepdim=True).clamp(min=1e-3)
    return maps, [torch.cat([depth, torch.ones_like(depth)], dim=1)]


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("angle", [0.0, 0.8, 2.5, -1.7])
def test_any_turn_and_side_is_one_upright_right_hand_and_back(angle: float, side: float) -> None:
    xyz, _ = hands(6)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    mirror = torch.full((6,), side)
    joints, up = _upright((xyz * torch.tensor([side, 1.0, 1.0]) @ turn)[..., :2], mirror)
    plain, _ = _upright(xyz[..., :2], torch.ones(6))
    torch.testing.assert_close(joints, plain, atol=1e-5, rtol=0)
    axis = plain[:, (5, 9, 13, 17)].mean(dim=1) - plain[:, 0]
    torch.testing.assert_close(axis[:, 0], torch.zeros(6), atol=1e-5, rtol=0)
    assert (axis[:, 1] < 0).all()
    spread = (xyz[..., :2] - xyz[..., :2].mean(dim=1, keepdim=True)).square().sum(dim=2).mean(dim=1).sqrt()
    back = _turned_back(torch.cat([joints, xyz[..., 2:]], dim=2), up, mirror)
    expected = (xyz * torch.tensor([side, 1.0, 1.0]) @ turn) / torch.stack([spread, spread, torch.ones(6)], 1)[:, None]
    torch.testing.assert_close(back, expected, atol=1e-4, rtol=0)


def test_it_learns_depth_from_what_is_seen_at_the_joints() -> None:
    torch.manual_seed(0)
    head = LiftingHead((2,), joint_channels=4, hidden_channels=64, blocks=1, dropout=0.0)
    xyz, right = hands(160)
    maps, features = seen(xyz)
    optimizer = torch.optim.AdamW(head.parameters(), 5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        out = head([features[0][:128]], maps[:128], right[:128])
        MPJPELoss()(out, Targets(xyz_bone=xyz[:128])).backward()
        optimizer.step()
    head.eval()
    with torch.inference_mode():
        error = MPJPELoss()(head([features[0][128:]], maps[128:], right[128:]), Targets(xyz_bone=xyz[128:]))
        blind = MPJPELoss()(head([features[0][128:] * 0], maps[128:], right[128:]), Targets(xyz_bone=xyz[128:]))
    mean = MPJPELoss()({"xyz_bone": xyz[:128].mean(dim=0).expand(32, -1, -1)}, Targets(xyz_bone=xyz[128:]))
    assert error < 0.6 * mean
    assert error < 0.8 * blind


def test_what_it_gives() -> None:
    head = LiftingHead((2,), bone=0.03).eval()
    xyz, right = hands(2)
    maps, features = seen(xyz)
    maps.requires_grad_()
    out = head(features, maps, right)
    assert set(out) == {"xyz_bone", "xyz_root"}
    assert (out["xyz_bone"][:, 0] == 0).all()
    torch.testing.assert_close(out["xyz_root"], 0.03 * out["xyz_bone"])
    assert not torch.allclose(out["xyz_bone"], head(features, maps, 1 - right)["xyz_bone"])
    out["xyz_bone"].sum().backward()
    assert maps.grad is None
    assert head(features, torch.zeros_like(maps), right)["xyz_bone"].isfinite().all()


def test_a_batch_of_one_hand_trains_too() -> None:
    head = LiftingHead((2,), hidden_channels=8)
    xyz, right = hands(2)
    maps, features = seen(xyz)
    before = head.state_dict()["entry.1.running_mean"].clone()
    head([features[0][:1]], maps[:1], right[:1])["xyz_bone"].sum().backward()
    assert all(weight.grad is not None for weight in head.parameters())
    assert torch.equal(head.state_dict()["entry.1.running_mean"], before)
    head(features, maps, right)
    assert not torch.equal(head.state_dict()["entry.1.running_mean"], before)


def test_in_an_estimator() -> None:
    widths = (18, 36, 72, 144)
    model = TopDownEstimator(
        HRNet(width=18), HRNetV2Head(widths, softmax=True), [PoseHandednessHead(), LiftingHead()], [MPJPELoss()]
    ).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert model(images)["xyz_root"].shape == (2, 21, 3)
        assert FlipTest(model)(images)["xyz_root"].shape == (2, 21, 3)
        told = [
            model(images, mode="loss", right=torch.full((2,), side), xyz_bone=torch.ones(2, 21, 3))["loss"].item()
            for side in (0.0, 1.0)
        ]
    assert told[0] != told[1]


def test_mistakes_are_refused() -> None:
    with pytest.raises(ConfigError, match="positive numbers, got in_channels"):
        LiftingHead(())
    with pytest.raises(ConfigError, match=r"dropout in \[0, 1\)"):
        LiftingHead(dropout=1.0)
    with pytest.raises(ConfigError, match="heat maps of 21 joints"):
        LiftingHead((2,))([torch.zeros(1, 2, 8, 8)], torch.zeros(1, 20, 8, 8), torch.ones(1))
    with pytest.raises(ConfigError, match="reads 'handedness', but HRNetV2Head gives"):
        TopDownEstimator(HRNet(width=18), HRNetV2Head(), [LiftingHead()])
