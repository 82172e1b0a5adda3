"""Fine-tuning: what `load_from` takes over, what may be new, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from rich.console import Console

from handkit.engine import build_runner
from handkit.errors import CheckpointError, HubError
from handkit.registry import build

BACKBONE = dict(type="HRNet", width=4, num_modules=(1, 1, 1), num_blocks=(1, 1, 1, 1), stage1_channels=4)
PUBLISHED = dict(
    type="TopDownEstimator",
    backbone=BACKBONE,
    head=dict(type="HRNetV2Head", in_channels=(4, 8, 16, 32), out_channels=21),
    losses=[dict(type="KeypointMSELoss")],
)
NEW_HEADS = [dict(type=name, in_channels=32, hidden_channels=4) for name in ("PresenceHead", "HandednessHead")]
LARGER = {
    **PUBLISHED,
    "aux_heads": NEW_HEADS,
    "losses": [dict(type=name) for name in ("KeypointMSELoss", "PresenceLoss", "HandednessLoss")],
}
LINE = "not in it, and beginning with random weights: aux_heads.presence, aux_heads.handedness"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Weights as mmpose stores them, of the model without auxiliary heads."""
    torch.manual_seed(7)
    state = build(PUBLISHED).state_dict()
    path = tmp_path / "published.pth"
    torch.save({"meta": {"epoch": 210}, "state_dict": {**state, "data_preprocessor.mean": torch.ones(3)}}, path)
    return path


def finetuning(tiny: ModuleType, load_from: Path, **changes: Any) -> dict[str, Any]:
    config: dict[str, Any] = tiny.config(model=LARGER, load_from=str(load_from), max_epochs=1, val_dataset=None)
    keys = ("img", "heatmaps", "target_weight", "right", "hand")
    config["train_transforms"] = [*config["train_transforms"][:-1], dict(type="PoseCollect", keys=keys)]
    return {**config, **changes}


def test_published_weights_with_new_heads(tiny: ModuleType, published: Path, tmp_path: Path) -> None:
    out = io.StringIO()
    config = finetuning(tiny, published)
    runner = build_runner(config, tmp_path / "work", console=Console(file=out, width=80), max_minutes=0)
    state = torch.load(published, weights_only=True)["state_dict"]
    own = runner.model.module.state_dict()
    assert all(torch.equal(own[key], value) for key, value in state.items() if key != "data_preprocessor.mean")
    assert own.keys() - state.keys() == {key for key in own if key.startswith("aux_heads.")} != set()
    assert f"weights of {published}; {LINE}\n" in out.getvalue()
    runner.train()
    assert {"loss_presence", "loss_handedness"} <= set((tmp_path / "work/metrics.jsonl").read_text().split('"'))
    (log,) = (tmp_path / "work").glob("*/*.log")
    assert LINE in log.read_text()


def test_going_on_needs_the_published_weights_no_more(tiny: ModuleType, published: Path, tmp_path: Path) -> None:
    config, whole, pieces = finetuning(tiny, published), tmp_path / "whole", tmp_path / "pieces"
    build_runner(config, whole).train()
    build_runner(config, pieces, max_minutes=0).train()
    published.unlink()
    out = io.StringIO()
    build_runner(config, pieces, resume=True, console=Console(file=out)).train()
    assert tiny.losses_of(whole) == tiny.losses_of(pieces)
    assert "random" not in out.getvalue()
    with pytest.raises(HubError, match=r"there is no file .*published\.pth"):
        build_runner(config, tmp_path / "anew")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({**LARGER, "backbone": {**BACKBONE, "num_modules": (1, 1, 2)}}, r"missing: backbone\.stage4\.1"),
        ({**LARGER, "head": {**PUBLISHED["head"], "out_channels": 17}}, r"misshaped: head\.final_layer"),  # type: ignore[dict-item]
        (dict(type="PlainNet"), r"missing: body\.0\.weight.*extra: backbone"),
    ],
)
def test_the_weights_of_another_model_are_refused(
    tiny: ModuleType, published: Path, tmp_path: Path, model: dict[str, Any], message: str
) -> None:
    with pytest.raises(CheckpointError, match=rf"published\.pth does not fit the .*{message}"):
        build_runner(finetuning(tiny, published, model=model), tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_file_with_heads_that_the_model_lacks_is_refused(tiny: ModuleType, published: Path, tmp_path: Path) -> None:
    build_runner(finetuning(tiny, published), tmp_path / "work", max_minutes=0).train()
    small = finetuning(tiny, tmp_path / "work/last.pth", model=PUBLISHED)
    with pytest.raises(CheckpointError, match=r"extra: aux_heads\.presence"):
        build_runner(small, tmp_path / "small")


def test_a_part_begins_with_a_classifiers_weights(tiny: ModuleType, tmp_path: Path) -> None:
    """torchvision's file of a ResNet is the backbone's and `fc`, which is left out."""
    backbone = build(dict(type="ResNet", depth=18))
    path = tmp_path / "resnet18.pth"
    torch.save({**backbone.state_dict(), "fc.weight": torch.ones(1000, 512), "fc.bias": torch.ones(1000)}, path)
    head = dict(type="HRNetV2Head", in_channels=(512,), out_channels=21)
    model = {**PUBLISHED, "backbone": dict(type="ResNet", depth=18), "head": head}
    config = tiny.config(model=model, init_cfg={"backbone": str(path)}, val_dataset=None)
    own = build_runner(config, tmp_path / "work").model.module.backbone.state_dict()
    assert all(torch.equal(own[key], value) for key, value in backbone.state_dict().items())
    torch.save({**backbone.state_dict(), "top.bias": torch.ones(1000)}, path)
    with pytest.raises(CheckpointError, match=r"extra: top\.bias"):
        build_runner(config, tmp_path / "other")
