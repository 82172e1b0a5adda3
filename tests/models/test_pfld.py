"""PFLD: its size, its heads, and its loss by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from handkit.errors import ConfigError
from handkit.models.backbones import PFLDNet
from handkit.models.heads import PFLDHead, RotationHead
from handkit.models.losses import PFLDLoss, Targets
from handkit.registry import build
from handkit.registry.config import load_config
from handkit.registry.validate import validate

CONFIG = load_config("hand_2d_keypoints/pfld_handsynth_112x112")
NAN = math.nan


def hands(**changes: torch.Tensor) -> tuple[dict[str, torch.Tensor], Targets]:
    """Two hands of one joint, 0.1 and 0.2 away, and of two classes; the angles of the first are right."""
    outputs = {"coordinates": torch.tensor([[[0.5, 0.6]], [[0.3, 0.5]]]), "hand_angles": torch.zeros(2, 3)}
    targets: dict[str, Any] = {
        "coordinates": torch.full((2, 1, 2), 0.5),
        "target_weight": torch.ones(2, 1),
        "hand_angles": torch.tensor([[0.0, 0, 0], [math.pi / 2, 0, math.pi]]),
        "hand_classes": torch.tensor([[1.0, 0], [1.0, 1]]),
    }
    return outputs, Targets(**targets | changes)


def test_is_as_small_as_it_should_be() -> None:
    model = build(CONFIG["model"])
    sizes = {name: sum(w.numel() for w in part.parameters()) for name, part in model.named_children()}
    assert sizes["backbone"] + sizes["head"] <= 900_000
    assert sizes["aux_heads"] > 0


def test_the_rotation_is_answered_in_training_only() -> None:
    model = build(CONFIG["model"]).eval()
    images = torch.randn(2, 3, 112, 112)
    with torch.inference_mode():
        assert set(model(images)) == {"coordinates"}
        assert set(model(images, mode="tensor")) == {"coordinates", "hand_angles"}


@pytest.mark.parametrize("size", [(112, 112), (64, 96)])
def test_heads_take_the_size_they_were_made_for(size: tuple[int, int]) -> None:
    features = PFLDNet(0.5).eval()(torch.randn(2, 3, size[1], size[0]))
    first, *late = PFLDNet(0.5).out_channels
    with torch.inference_mode():
        joints = PFLDHead(late, 8, size)(features)["coordinates"]
        angles = RotationHead(first, 8, size)(features)["hand_angles"]
    assert joints.shape == (2, 21, 2)
    assert (joints - 0.5).abs().max() < 0.2
    assert angles.shape == (2, 3)
    assert angles.abs().max() <= math.pi


def test_crops_of_another_size_are_refused() -> None:
    features = PFLDNet(0.5).eval()(torch.randn(1, 3, 64, 64))
    with pytest.raises(ConfigError, match=r"not \(\(8, 8\), \(4, 4\)\): its input_size must be that of the crops"):
        PFLDHead(PFLDNet(0.5).out_channels[1:], 8)(features)
    with pytest.raises(ConfigError, match="multiples of 16"):
        PFLDHead(input_size=(100, 112))
    head = {"type": "PFLDHead", "input_size": (128, 128)}
    with pytest.raises(ConfigError, match="must agree"):
        validate({**CONFIG, "model": {**CONFIG["model"], "head": head}})


def test_values_are_the_papers_with_the_one() -> None:
    loss = PFLDLoss((0.5, 0.25))
    values, counts = loss.per_sample(*hands())
    # weights (1 / .5) / 2 = 1 and (1 / .5 + 1 / .25) / 2 = 3; 1 - cos sums to 1 + 2
    torch.testing.assert_close(values, torch.tensor([1 * 1 * 0.01, 3 * (1 + 3) * 0.04]))
    assert counts.tolist() == [1, 1]


def test_the_papers_own_form_vanishes_where_the_angles_are_right() -> None:
    loss = PFLDLoss((0.5, 0.25), plus_one=False)
    values, _ = loss.per_sample(*hands())
    torch.testing.assert_close(values, torch.tensor([0.0, 3 * 3 * 0.04]))


def test_distances_that_are_not_squared_pull_alike_from_near_and_far() -> None:
    loss = PFLDLoss((0.5, 0.25), squared=False)
    outputs, targets = hands()
    outputs["coordinates"].requires_grad_()
    values, _ = loss.per_sample(outputs, targets)
    torch.testing.assert_close(values.detach(), torch.tensor([1 * 1 * 0.1, 3 * (1 + 3) * 0.2]))
    values.sum().backward()
    torch.testing.assert_close(outputs["coordinates"].grad.norm(dim=2).ravel(), torch.tensor([1.0, 12.0]))  # type: ignore[union-attr]
    exact = {**outputs, "coordinates": targets.need("coordinates", loss).clone().requires_grad_()}
    loss(exact, targets).backward()
    assert not exact["coordinates"].grad.any()  # type: ignore[union-attr]


def test_angles_that_differ_by_a_whole_turn_are_equal() -> None:
    outputs, targets = hands()
    again = {**outputs, "hand_angles": outputs["hand_angles"] + 2 * math.pi}
    torch.testing.assert_close(PFLDLoss((1, 1))(again, targets), PFLDLoss((1, 1))(outputs, targets))


def test_unknown_rotations_and_joints_add_nothing() -> None:
    angles = torch.tensor([[NAN] * 3, [0.0, 0, 0]])
    outputs, targets = hands(hand_angles=angles, target_weight=torch.tensor([[1.0], [0.0]]))
    outputs["hand_angles"].requires_grad_()
    values, counts = PFLDLoss((1, 1)).per_sample(outputs, targets)
    torch.testing.assert_close(values.detach(), torch.tensor([0.5 * 0.01, 0.0]))
    values.sum().backward()
    assert outputs["hand_angles"].grad.isfinite().all()  # type: ignore[union-attr]
    assert PFLDLoss((1, 1), plus_one=False).per_sample(outputs, targets)[1].tolist() == [0, 1]
    assert counts.tolist() == [1, 1]


def test_weights_are_as_exact_under_autocast() -> None:
    classes = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    loss = PFLDLoss((0.43, 0.07, 0.19))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(loss.rarity(classes), (1 / 3) * torch.tensor([1 / 0.43 + 1 / 0.19, 1 / 0.07]))


def test_rare_classes_weigh_more_and_the_mean_is_one() -> None:
    classes = torch.tensor([[1.0, 0, 0]] * 3 + [[0, 1.0, 0]])
    weights = PFLDLoss((0.75, 0.25, 0.0)).rarity(classes)
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 2 / 3, 2 / 3, 2]))
    assert PFLDLoss((0.5, 0.5)).rarity(torch.zeros(1, 2)).tolist() == [1]


def test_a_wrong_rotation_teaches_the_joints_more_and_the_branch_at_all() -> None:
    outputs, targets = hands(hand_angles=torch.full((2, 3), 0.5))
    for value in outputs.values():
        value.requires_grad_()
    PFLDLoss((0.5, 0.5))(outputs, targets).backward()
    assert (outputs["hand_angles"].grad < 0).all()  # type: ignore[operator]
    near = PFLDLoss((0.5, 0.5))(*hands(hand_angles=torch.zeros(2, 3)))
    far = PFLDLoss((0.5, 0.5))(*hands(hand_angles=torch.full((2, 3), 3.0)))
    assert far > 5 * near


def test_other_numbers_of_classes_are_refused() -> None:
    with pytest.raises(ConfigError, match="'hand_classes' has the shape"):
        PFLDLoss()(*hands())
    with pytest.raises(ConfigError, match="in \\[0, 1\\]"):
        PFLDLoss((0.5, 2))
