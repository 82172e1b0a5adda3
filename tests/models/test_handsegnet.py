"""HandSegNet: its size at the paper's width, what it learns, and what its loss says."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from handkit.errors import ConfigError
from handkit.models.backbones import CPMTrunk
from handkit.models.heads import MaskHead
from handkit.models.losses import MaskBCELoss, Targets
from handkit.registry import build
from handkit.registry.config import load_config

CONFIG = load_config("hand_segmentation/handsegnet_rhd_256x256")


def test_is_the_papers_net_at_width_1_and_takes_a_step() -> None:
    torch.manual_seed(0)
    trunk, head = CPMTrunk((2, 2, 4, 4), (512, 128), norm=False), MaskHead(norm=False)
    # the layers of the supplementary: 14 3x3 convolutions, a 1x1 one, and one logit in place of two
    sizes = [3, 64, 64, 128, 128, *[256] * 4, *[512] * 4, 512, 128]
    expected = sum(9 * a * b + b for a, b in itertools.pairwise(sizes)) + 128 * 512 + 512 + 512 + 1
    assert sum(w.numel() for part in (trunk, head) for w in part.parameters()) == expected
    model = build(
        dict(
            type="TopDownEstimator",
            backbone=dict(type="CPMTrunk", num_blocks=(2, 2, 4, 4), tail=(512, 128), width=1.0),
            head=dict(type="MaskHead"),
            losses=[dict(type="MaskBCELoss")],
        )
    )
    images, mask = torch.randn(2, 3, 16, 16), torch.randint(0, 3, (2, 16, 16), dtype=torch.uint8)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    before = model(images, mode="loss", mask=mask)["loss"]
    before.backward()
    optimizer.step()
    assert model(images, mode="loss", mask=mask)["loss"] < before


def test_answers_a_probability_for_every_pixel() -> None:
    model = build(CONFIG["model"]).eval()
    with torch.inference_mode():
        answer = model(torch.randn(2, 3, 64, 96))["mask"]
    assert answer.shape == (2, 64, 96)
    assert ((answer > 0) & (answer < 1)).all()
    assert answer.std() > 0


def test_only_ones_are_hands() -> None:
    logits = torch.tensor([[[5.0, -5.0], [-5.0, -5.0]]])
    right = MaskBCELoss()({"mask": logits}, Targets(mask=torch.tensor([[[1, 2], [0, 2]]], dtype=torch.uint8)))
    assert right.item() == pytest.approx(math.log1p(math.exp(-5)), rel=1e-5)
    wrong = MaskBCELoss()({"mask": logits}, Targets(mask=torch.tensor([[[2, 2], [0, 2]]], dtype=torch.uint8)))
    assert wrong.item() == pytest.approx((3 * math.log1p(math.exp(-5)) + math.log1p(math.exp(5))) / 4, rel=1e-5)


def test_mistakes_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'mask' has the shape \(1, 2, 3\)"):
        MaskBCELoss()({"mask": torch.zeros(1, 2, 2)}, Targets(mask=torch.zeros(1, 2, 3)))
    with pytest.raises(ConfigError, match="needs the target 'mask'"):
        MaskBCELoss()({"mask": torch.zeros(1, 2, 2)}, Targets())
    with pytest.raises(ConfigError, match="four positive num_blocks"):
        CPMTrunk((1, 2, 3))
    with pytest.raises(ConfigError, match="positive numbers"):
        MaskHead(0)
