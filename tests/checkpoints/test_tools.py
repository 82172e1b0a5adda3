"""Converting, inspecting and stripping weight files."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from handkit.checkpoints import conversion as conversion_module
from handkit.checkpoints import convert_weights, inspect_weights, read_state_dict, save_weights, strip_weights
from handkit.checkpoints.conversion import compare_keys
from handkit.engine.average import WeightAverage
from handkit.engine.state import TrainingState
from handkit.errors import CheckpointError
from handkit.files import sha256_of
from handkit.models.estimators import TopDownEstimator
from handkit.models.heads import HRNetV2Head

SIZE = (32, 24)


class Backbone(nn.Sequential):
    classifier = ("fc",)

    def forward(self, img: Any) -> Any:
        return (super().forward(img),)


def model(joints: int = 21) -> TopDownEstimator:
    parts = {"conv1": nn.Conv2d(3, 8, 3, 2), "bn1": nn.BatchNorm2d(8), "conv2": nn.Conv2d(8, 6, 1)}
    return TopDownEstimator(Backbone(OrderedDict(parts)), HRNetV2Head((6,), joints))


def easycv(state: dict[str, Any]) -> dict[str, Any]:
    starts = {"head.conv_layers.": "keypoint_head.final_layer.", "head.final_layer.": "keypoint_head.final_layer.3."}
    return {
        "module." + next((old + k.removeprefix(new) for new, old in starts.items() if k.startswith(new)), k): value
        for k, value in state.items()
    }


class Payload:
    """Makes a folder when it is unpickled without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_an_easycv_file_is_converted_with_every_key_accounted_for(tmp_path: Path) -> None:
    source = model()
    state = {k: v for k, v in source.state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save({"state_dict": easycv(state), "meta": {"epoch": 1}}, tmp_path / "a.pth")
    done = convert_weights(model, tmp_path / "a.pth", tmp_path / "new" / "b.safetensors", SIZE)
    assert done.report.fits
    assert set(done.report.renamed) == set(easycv(state))
    assert done.report.renamed["module.keypoint_head.final_layer.3.bias"] == "head.final_layer.bias"
    assert done.report.counters == ["backbone.bn1.num_batches_tracked", "head.conv_layers.1.num_batches_tracked"]
    assert "mmpose 0.x or EasyCV head" in "\n".join(done.report.lines())
    assert (done.check.difference, done.check.shape) == (0.0, (2, 3, 24, 32))
    assert done.check.values > 0
    written = read_state_dict(tmp_path / "new" / "b.safetensors")
    assert written.keys() == source.state_dict().keys()
    assert all(torch.equal(written[key], value) for key, value in state.items())
    assert os.listdir(tmp_path / "new") == ["b.safetensors"]


def test_mmpose_1_files_lose_the_preprocessor_and_keep_their_names(tmp_path: Path) -> None:
    torch.save({"state_dict": {"data_preprocessor.mean": torch.ones(3), **model().state_dict()}}, tmp_path / "a.pth")
    report = convert_weights(model, tmp_path / "a.pth", tmp_path / "b", SIZE).report
    assert (report.dropped, report.renamed) == (["data_preprocessor.mean"], {})
    assert len(report.same) == len(model().state_dict())


@pytest.mark.parametrize("whole", [False, True], ids=["torchvision", "whole network"])
def test_a_backbone_is_converted_without_classifier_and_head(whole: bool, tmp_path: Path) -> None:
    source = model().backbone
    state = {f"backbone.{k}" if whole else k: v for k, v in source.state_dict().items()}
    beyond = "head.final_layer.weight" if whole else "fc.weight"
    torch.save({**state, beyond: torch.ones(9, 9)}, tmp_path / "a.pth")
    done = convert_weights(lambda: model().backbone, tmp_path / "a.pth", tmp_path / "b", SIZE, part="backbone")
    assert done.report.dropped == [beyond]
    assert done.check.values > 0
    written = read_state_dict(tmp_path / "b")
    assert all(torch.equal(written[key], value) for key, value in source.state_dict().items())


def test_what_does_not_fit_is_reported_and_nothing_is_written(tmp_path: Path) -> None:
    state = model(17).state_dict()
    del state["backbone.conv2.bias"]
    torch.save({**state, "neck.weight": torch.ones(1)}, tmp_path / "a.pth")
    report = compare_keys(model(), tmp_path / "a.pth")
    assert not report.fits
    assert (report.missing, report.unexpected) == (["backbone.conv2.bias"], ["neck.weight"])
    assert report.misshaped["head.final_layer.bias"] == "(17,), the model's (21,)"
    with pytest.raises(CheckpointError, match="1 missing"):
        convert_weights(model, tmp_path / "a.pth", tmp_path / "b", SIZE)
    assert os.listdir(tmp_path) == ["a.pth"]


def test_the_self_check_sees_a_wrong_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(model().state_dict(), tmp_path / "a.pth")

    def wrong(network: nn.Module, path: Path) -> None:
        state = network.state_dict()
        safetensors.torch.save_file({**state, "head.final_layer.bias": state["head.final_layer.bias"] + 1}, path)

    monkeypatch.setattr(conversion_module, "save_weights", wrong)
    with pytest.raises(CheckpointError, match="self-check failed, outputs differ by up to 1"):
        convert_weights(model, tmp_path / "a.pth", tmp_path / "b", SIZE)
    assert os.listdir(tmp_path) == ["a.pth"]


@pytest.mark.parametrize("legacy", [False, True])
def test_a_hostile_pickle_is_told_and_nothing_of_it_runs(legacy: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    content = {"state_dict": model().state_dict(), "meta": Payload(tmp_path / "harm")}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    found = inspect_weights(path)
    assert not found.safe
    assert "mkdir" in found.reason
    assert "NOT SAFE" in "\n".join(found.lines())
    assert found.sha256 == sha256_of(path)
    with pytest.raises(CheckpointError, match="is refused"):
        strip_weights(path, tmp_path / "b")
    with pytest.raises(CheckpointError, match="is refused"):
        convert_weights(model, path, tmp_path / "b", SIZE)
    assert os.listdir(tmp_path) == ["a.pth"]


def test_inspection_counts_what_is_there(tmp_path: Path) -> None:
    state = easycv(model().state_dict())
    state["module.backbone.conv1.weight"][0] = torch.nan
    torch.save({"state_dict": state, "optimizer": {"lr": 1}, "epoch": 7}, tmp_path / "a.pth")
    found = inspect_weights(tmp_path / "a.pth")
    assert found.safe
    assert found.format == "torch.save, zip"
    assert set(found.parts) == {"backbone", "keypoint_head"}
    backbone = found.parts["backbone"]
    assert backbone.keys == 9
    assert backbone.values == 3 * 9 * 8 + 8 + 4 * 8 + 1 + 8 * 6 + 6
    assert backbone.bytes == (backbone.values - 1) * 4 + 8
    assert backbone.dtypes == {"float32": 8, "int64": 1}
    assert found.not_finite == ["module.backbone.conv1.weight"]
    assert found.others == {"optimizer": "dict of 1", "epoch": "7"}
    assert len(found.key_maps) == 2
    save_weights(model(), tmp_path / "b", {"config": "x.py"})
    ours = inspect_weights(tmp_path / "b")
    assert (ours.format, ours.key_maps, ours.metadata["config"]) == ("safetensors", [], "x.py")


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut", b'\x08\0\0\0\0\0\0\0{"a":1}'])
def test_files_that_are_no_weights_are_one_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    for tool in (inspect_weights, lambda path: strip_weights(path, tmp_path / "b")):
        with pytest.raises(CheckpointError, match=r"a\.pth"):
            tool(tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="No such file"):
        inspect_weights(tmp_path / "absent")
    assert os.listdir(tmp_path) == ["a.pth"]


def test_a_training_state_is_stripped_to_its_averaged_weights(tmp_path: Path) -> None:
    network = model()
    average = WeightAverage(network, 0.9)
    with torch.no_grad():
        network.head.final_layer.bias.add_(1)
    TrainingState(network, torch.optim.AdamW(network.parameters()), average, None).save(tmp_path / "last.pth")
    done = strip_weights(tmp_path / "last.pth", tmp_path / "b")
    written = read_state_dict(tmp_path / "b")
    assert all(torch.equal(written[key], value) for key, value in average.state_dict().items())
    assert not torch.equal(written["head.final_layer.bias"], network.head.final_layer.bias)
    assert done.difference == 0
    assert {"optimizer", "model", "random"} <= set(done.left_out)
    assert done.after < done.before


def test_half_halves_matrices_and_says_what_it_costs(tmp_path: Path) -> None:
    state = model().state_dict()
    torch.save(state, tmp_path / "a.pth")
    done = strip_weights(tmp_path / "a.pth", tmp_path / "b", half=True)
    written = read_state_dict(tmp_path / "b")
    assert {value.dtype for value in written.values() if value.ndim >= 2} == {torch.float16}
    assert written["backbone.bn1.running_var"].dtype == torch.float32
    assert done.difference == max(float((written[k].float() - v.float()).abs().max()) for k, v in state.items())
    assert 0 < done.difference < 1e-3
    torch.save({**state, "backbone.conv2.weight": torch.full((6, 8, 1, 1), 1e6)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"as float16 holds NaN or infinity in backbone\.conv2\.weight"):
        strip_weights(tmp_path / "a.pth", tmp_path / "c", half=True)
    assert not (tmp_path / "c").exists()


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    torch.save(model().state_dict(), tmp_path / "a.pth")
    (tmp_path / "b").write_text("mine")
    for tool in (strip_weights, lambda *paths, **more: convert_weights(model, *paths, SIZE, **more)):
        for target, what in ((tmp_path / "b", "overwrite"), (tmp_path, "name a file")):
            with pytest.raises(CheckpointError, match=what):
                tool(tmp_path / "a.pth", target)
        assert (tmp_path / "b").read_text() == "mine"
        tool(tmp_path / "a.pth", tmp_path / "b", overwrite=True)
        assert inspect_weights(tmp_path / "b").safe
        (tmp_path / "b").write_text("mine")


@pytest.mark.parametrize("strange", [torch.ones(8).to_sparse(), torch.ones(8, device="meta")], ids=["sparse", "meta"])
def test_tensors_without_plain_values_are_refused(strange: Any, tmp_path: Path) -> None:
    torch.save({**model().state_dict(), "backbone.bn1.bias": strange}, tmp_path / "a.pth")
    if inspect_weights(tmp_path / "a.pth").shapes["backbone.bn1.bias"] == "float32 (8,)":
        with pytest.raises(CheckpointError, match="no tensor of plain values"):
            strip_weights(tmp_path / "a.pth", tmp_path / "b")
    assert os.listdir(tmp_path) == ["a.pth"]
