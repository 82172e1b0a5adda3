"""ScoreMapPoseNet and PosePrior: sizes, stages, sides, rotations, and what joins them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from handkit.canonical import from_canonical
from handkit.errors import ConfigError
from handkit.models.backbones import CPMTrunk
from handkit.models.estimators import FlipTest, TopDownEstimator
from handkit.models.heads import HandednessHead, PosePriorHead, ScoreMapHead
from handkit.models.heads.pose_prior import axis_angle_matrix
from handkit.models.losses import (
    CanonicalMSELoss,
    HandednessLoss,
    KeypointMSELoss,
    ScoreMapMSELoss,
    Targets,
    ViewpointMSELoss,
)

TARGETS: dict[str, Any] = dict(
    heatmaps=torch.rand(2, 21, 8, 8, generator=torch.Generator().manual_seed(0)),
    target_weight=torch.ones(2, 21),
    right=torch.tensor([1.0, 0.0]),
    canonical=torch.randn(2, 21, 3, generator=torch.Generator().manual_seed(1)),
    viewpoint=torch.eye(3).repeat(2, 1, 1),
)


def estimator(width: float = 0.125, **losses: float) -> TopDownEstimator:
    torch.manual_seed(0)
    trunk = CPMTrunk(width=width)
    encoding = trunk.out_channels[-1]
    sizes = {name: max(8, int(full * width)) for name, full in (("channels", 128), ("hidden_channels", 512))}
    return TopDownEstimator(
        trunk,
        ScoreMapHead(encoding, **sizes),
        [HandednessHead(encoding), PosePriorHead(heatmap_size=(8, 8), width=width)],
        [ScoreMapMSELoss(), HandednessLoss(), CanonicalMSELoss(), ViewpointMSELoss()],
    )


def test_is_the_papers_net_at_width_1_and_takes_a_step() -> None:
    trunk, head, prior = CPMTrunk(norm=False), ScoreMapHead(norm=False), PosePriorHead(norm=False)
    sizes = [3, 64, 64, 128, 128, *[256] * 4, 512, 512, *[256] * 4, 128]
    layers = sum(9 * a * b + b for a, b in itertools.pairwise(sizes))
    stage = 49 * 149 * 128 + 128 + 4 * (49 * 128 * 128 + 128) + 128 * 128 + 128 + 128 * 21 + 21
    maps = 128 * 512 + 512 + 512 * 21 + 21 + 2 * stage
    assert sum(w.numel() for part in (trunk, head) for w in part.parameters()) == layers + maps
    counts = {name: sum(w.numel() for w in part.parameters()) for name, part in prior.named_children()}
    assert counts["pose_hidden"] == (4 * 4 * 128 + 2) * 512 + 512 + 512 * 512 + 512
    assert counts["view_hidden"] == (4 * 4 * 256 + 2) * 256 + 256 + 256 * 128 + 128
    assert (counts["pose_fc"], counts["view_fc"]) == (512 * 63 + 63, 128 * 3 + 3)
    model = estimator(1.0)
    images = torch.randn(2, 3, 64, 64)
    model(images, mode="loss", **TARGETS)["loss"].backward()
    assert all(w.grad is not None and w.grad.isfinite().all() for w in model.parameters())
    with torch.no_grad():
        for weight in model.parameters():
            weight -= 1e-4 * weight.grad


def test_stages_are_judged_alike_and_the_last_is_decoded() -> None:
    head = ScoreMapHead(16, 8, 8).eval()
    outputs = head([torch.randn(2, 16, 8, 8)])
    assert outputs["score_maps"].shape == (2, 3, 21, 8, 8)
    assert torch.equal(outputs["heatmaps"], outputs["score_maps"][:, -1])
    assert not torch.equal(outputs["score_maps"][:, 0], outputs["score_maps"][:, 1])
    single = [KeypointMSELoss()({"heatmaps": outputs["score_maps"][:, i]}, Targets(**TARGETS)) for i in range(3)]
    torch.testing.assert_close(ScoreMapMSELoss()(outputs, Targets(**TARGETS)), sum(single))


def test_rotations_are_scipys() -> None:
    vectors = torch.randn(40, 3, dtype=torch.float64) * 2
    vectors[0], vectors[1] = 0, torch.tensor([1e-9, 0, 0])
    vectors.requires_grad_()
    matrices = axis_angle_matrix(vectors)
    np.testing.assert_allclose(
        matrices.detach().numpy(), Rotation.from_rotvec(vectors.detach().numpy()).as_matrix(), atol=1e-8
    )
    matrices[:, 0, 1].sum().backward()
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()
    assert vectors.grad[0, 2] == pytest.approx(-1)


def test_outputs_are_the_canonical_hand_turned_back() -> None:
    torch.manual_seed(0)
    prior = PosePriorHead(heatmap_size=(8, 8), width=0.25, bone=0.03).eval()
    right = torch.tensor([0.9, 0.2])
    with torch.inference_mode():
        out = {name: value.numpy() for name, value in prior([], torch.rand(2, 3, 21, 8, 8), right).items()}
    expected = from_canonical(out["canonical"], out["viewpoint"], np.array([1.0, 0.0]))
    np.testing.assert_allclose(out["xyz_bone"], expected - expected[:, :1], atol=1e-5)
    np.testing.assert_allclose(out["xyz_root"], 0.03 * out["xyz_bone"], atol=1e-6)
    np.testing.assert_allclose(out["viewpoint"] @ out["viewpoint"].swapaxes(1, 2), np.stack([np.eye(3)] * 2), atol=1e-5)


def test_reads_the_mean_of_the_stages_and_the_side_as_a_word() -> None:
    prior = PosePriorHead(heatmap_size=(8, 8), width=0.25).eval()
    maps = torch.rand(1, 3, 21, 8, 8)
    with torch.inference_mode():
        first = prior([], maps, torch.tensor([0.6]))["canonical"]
        assert torch.allclose(first, prior([], maps[:, [2, 0, 1]], torch.tensor([0.99]))["canonical"], atol=1e-6)
        assert not torch.allclose(first, prior([], maps, torch.tensor([0.4]))["canonical"], atol=1e-4)


def test_predictions_show_what_can_be_used_and_training_tells_the_side() -> None:
    model = estimator().eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert set(model(images)) == {"heatmaps", "handedness", "xyz_bone", "xyz_root"}
        assert {"score_maps", "canonical", "viewpoint"} <= set(model(images, mode="tensor"))
        told = [
            model(images, mode="loss", **{**TARGETS, "right": torch.full((2,), side)})["loss_canonical"].item()
            for side in (0.0, 1.0, math.nan)
        ]
    assert told[0] != told[1]
    assert told[2] in (pytest.approx(told[0]), pytest.approx(told[1])) or math.isfinite(told[2])
    flipped = FlipTest(model)(images)
    assert set(flipped) == {"heatmaps", "handedness", "xyz_bone", "xyz_root"}


def test_gradients_of_space_reach_the_trunk() -> None:
    model = estimator()
    model(torch.randn(2, 3, 64, 64), mode="loss", **TARGETS)["loss_viewpoint"].backward()
    assert model.backbone.blocks[0][0].conv.weight.grad.abs().sum() > 0  # type: ignore[union-attr, index, operator]


def test_losses_by_hand() -> None:
    canonical = torch.zeros(2, 21, 3)
    canonical[0, :, 1] = 2
    turned = torch.from_numpy(Rotation.from_rotvec([[0, 0, 0], [0, 0.5, 0]]).as_matrix()).float()
    targets = Targets(canonical=torch.zeros(2, 21, 3), viewpoint=torch.eye(3).repeat(2, 1, 1))
    assert CanonicalMSELoss()({"canonical": canonical}, targets).item() == pytest.approx(2)
    assert ViewpointMSELoss()({"viewpoint": turned}, targets).item() == pytest.approx((4 - 4 * math.cos(0.5)) / 2)


def test_mistakes_are_refused() -> None:
    with pytest.raises(ConfigError, match="reads 'handedness', but ScoreMapHead gives"):
        TopDownEstimator(CPMTrunk(width=0.125), ScoreMapHead(16), [PosePriorHead()])
    with pytest.raises(ConfigError, match="multiples of 8"):
        PosePriorHead(heatmap_size=(30, 32))
    with pytest.raises(ConfigError, match="positive num_joints"):
        PosePriorHead(bone=0)
    with pytest.raises(ConfigError, match=r"for maps of \(21, 32, 32\)"):
        PosePriorHead()([], torch.zeros(1, 3, 21, 8, 8), torch.ones(1))
    with pytest.raises(ConfigError, match="'canonical' has the shape"):
        CanonicalMSELoss()({"canonical": torch.zeros(1, 21, 3)}, Targets(canonical=torch.zeros(1, 20, 3)))
