"""Weight files: every format in, ours out, and what is refused."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from handkit.checkpoints import load_weights, read_state_dict, save_weights
from handkit.errors import CheckpointError
from handkit.models.backbones import HRNet
from handkit.models.estimators import FlipTest, TopDownEstimator
from handkit.models.heads import HandednessHead, HRNetV2Head, PresenceHead


def model(seed: int = 0, joints: int = 21) -> nn.Module:
    torch.manual_seed(seed)
    parts = {"conv1": nn.Conv2d(3, 64, 3), "bn1": nn.BatchNorm2d(64), "conv2": nn.Conv2d(64, 30, 1)}
    made = TopDownEstimator(nn.Sequential(OrderedDict(parts)), HRNetV2Head((30,), joints))
    for value in made.state_dict().values():
        value.copy_(torch.rand(value.shape) * 9)
    return made


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def old_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """mmpose 1.x names -> those of mmpose 0.x and EasyCV."""
    starts = {"head.conv_layers.": "keypoint_head.final_layer.", "head.final_layer.": "keypoint_head.final_layer.3."}
    return {
        next((old + key.removeprefix(new) for new, old in starts.items() if key.startswith(new)), key): value
        for key, value in state.items()
    }


Layout = Callable[[dict[str, Tensor]], Any]
LAYOUTS: dict[str, Layout] = {
    "mmpose 1.x": lambda state: {
        "meta": {"epoch": 3},
        "state_dict": {"data_preprocessor.mean": torch.ones(3), **state},
    },
    "mmpose 0.x": lambda state: {"state_dict": old_names(state), "meta": {"CLASSES": None}},
    "EasyCV, data parallel": lambda state: {f"module.{key}": value for key, value in old_names(state).items()},
    "bare": lambda state: state,
    "half precision": lambda state: {key: v.half() if v.is_floating_point() else v for key, v in state.items()},
    "without counters": lambda state: {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy pickle"])
def test_every_layout_loads(layout: Layout, legacy: bool, tmp_path: Path) -> None:
    source, target = model(1), model(2)
    torch.save(layout(source.state_dict()), tmp_path / "weights.pth", _use_new_zipfile_serialization=not legacy)
    load_weights(target, tmp_path / "weights.pth")
    tolerance = 0.01 if layout is LAYOUTS["half precision"] else 0.0
    for key, value in target.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            torch.testing.assert_close(value, source.state_dict()[key], rtol=0, atol=tolerance)


def test_the_reference_loads_under_its_own_and_under_old_names(peer_data: Path, tmp_path: Path) -> None:
    reference = peer_data / "peers" / "mmpose_reference_state.pth"
    new, old = (TopDownEstimator(HRNet(), HRNetV2Head()) for _ in range(2))
    load_weights(new, reference)
    torch.save({"state_dict": old_names(torch.load(reference, weights_only=True))}, tmp_path / "old.pth")
    assert "keypoint_head.final_layer.3.bias" in torch.load(tmp_path / "old.pth", weights_only=True)["state_dict"]
    load_weights(old, tmp_path / "old.pth")
    assert same(new, old)


AUX = ["aux_heads.presence", "aux_heads.handedness"]


def with_heads(seed: int) -> TopDownEstimator:
    body = model(seed)
    torch.manual_seed(seed)
    return TopDownEstimator(body.backbone, body.head, [PresenceHead(30, 4), HandednessHead(30, 4)])  # type: ignore[arg-type]


def test_parts_that_a_file_knows_nothing_of_may_be_new(tmp_path: Path) -> None:
    source, target = model(1), with_heads(2)
    before = {key: value.clone() for key, value in target.aux_heads.state_dict().items()}
    torch.save({"meta": {}, "state_dict": source.state_dict()}, tmp_path / "a.pth")
    assert "missing: aux_heads.presence.conv.weight" in refusal(target, tmp_path / "a.pth")
    assert load_weights(target, tmp_path / "a.pth", AUX) == AUX
    assert all(torch.equal(target.state_dict()[key], value) for key, value in source.state_dict().items())
    assert all(torch.equal(target.aux_heads.state_dict()[key], value) for key, value in before.items())
    own = with_heads(3)
    save_weights(own, tmp_path / "own")
    assert load_weights(target, tmp_path / "own", AUX) == []
    assert same(target, own)


@pytest.mark.parametrize("left_out", ["backbone.", "head.", "aux_heads.presence.fc."])
def test_a_part_that_is_there_in_part_is_refused(left_out: str, tmp_path: Path) -> None:
    state = {key: value for key, value in with_heads(1).state_dict().items() if not key.startswith(left_out)}
    torch.save(state, tmp_path / "a.pth")
    message = refusal(with_heads(2), tmp_path / "a.pth", AUX)
    assert f"missing: {left_out}" in message
    torch.save({**with_heads(1).state_dict(), "aux_heads.depth.fc.bias": torch.ones(1)}, tmp_path / "b.pth")
    assert "1 extra: aux_heads.depth.fc.bias" in refusal(with_heads(2), tmp_path / "b.pth", AUX)


def test_our_own_files_come_back_whole(tmp_path: Path) -> None:
    source, target = model(1), FlipTest(model(2))
    save_weights(FlipTest(source), tmp_path / "new" / "weights.safetensors", {"config": "hand.py"})
    load_weights(target, tmp_path / "new" / "weights.safetensors")
    assert same(source, target.module)
    with safetensors.safe_open(tmp_path / "new" / "weights.safetensors", "pt") as file:
        assert file.metadata() == {"format": "handkit", "version": "1", "config": "hand.py"}
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "weights.safetensors"]


def test_the_same_weights_are_the_same_bytes(tmp_path: Path) -> None:
    texts = {"config": 'a "quoted" \\ name', "author": "\u624b", "third": "\n\x01", "empty": ""}
    for index in range(8):
        save_weights(model(1), tmp_path / str(index), dict(sorted(texts.items(), reverse=index % 2 > 0)))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    with safetensors.safe_open(tmp_path / "0", "pt") as file:
        assert file.metadata() == {**texts, "format": "handkit", "version": "1"}
    assert same(model(1), model_from(tmp_path / "0"))


def test_weights_laid_out_channels_last_are_stored_as_usual(tmp_path: Path) -> None:
    source = model(1)
    save_weights(source.to(memory_format=torch.channels_last), tmp_path / "a")  # type: ignore[call-overload]
    assert all(value.is_contiguous() for value in read_state_dict(tmp_path / "a").values())
    assert same(source, model_from(tmp_path / "a"))


def model_from(path: Path) -> nn.Module:
    made = model(3)
    load_weights(made, path)
    return made


def test_the_format_is_told_by_content_not_by_suffix(tmp_path: Path) -> None:
    save_weights(model(1), tmp_path / "weights.pth")
    torch.save(model(1).state_dict(), tmp_path / "weights.safetensors")
    assert same(model_from(tmp_path / "weights.pth"), model_from(tmp_path / "weights.safetensors"))


def refusal(target: nn.Module, path: Path, optional: Sequence[str] = ()) -> str:
    """The message; checks that the model was left alone."""
    before = {key: value.clone() for key, value in target.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_weights(target, path, optional)
    assert all(torch.equal(before[key], value) for key, value in target.state_dict().items())
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_missing_extra_and_misshaped_keys_are_named_together(tmp_path: Path) -> None:
    state = model(1, joints=17).state_dict()
    del state["backbone.conv2.weight"]
    torch.save({**state, "backbone.fc.weight": torch.ones(3)}, tmp_path / "a.pth")
    message = refusal(model(), tmp_path / "a.pth")
    assert "1 missing: backbone.conv2.weight" in message
    assert "1 extra: backbone.fc.weight" in message
    assert "2 misshaped: head.final_layer.weight float32 (17, 30, 1, 1) instead of float32 (21, 30, 1, 1)" in message
    assert "TopDownEstimator" in message


def test_a_message_stays_short(tmp_path: Path) -> None:
    torch.save({f"fc.{index}": torch.ones(1) for index in range(500)}, tmp_path / "a.pth")
    message = refusal(model(), tmp_path / "a.pth")
    assert "500 extra: fc.0, fc.1" in message
    assert "and 492 more" in message
    assert len(message) < 1500


def test_integers_in_the_place_of_weights_are_misshaped(tmp_path: Path) -> None:
    state = model(1).state_dict()
    torch.save({**state, "backbone.bn1.bias": torch.ones(64, dtype=torch.int64)}, tmp_path / "a.pth")
    assert "backbone.bn1.bias int64 (64,) instead of float32 (64,)" in refusal(model(), tmp_path / "a.pth")


@pytest.mark.parametrize("strange", [torch.ones(64, device="meta"), torch.ones(64).to_sparse()], ids=["meta", "sparse"])
def test_tensors_without_values_do_not_reach_the_model(strange: Tensor, tmp_path: Path) -> None:
    torch.save({**model(1).state_dict(), "backbone.bn1.bias": strange}, tmp_path / "a.pth")
    try:
        loaded = model_from(tmp_path / "a.pth")
    except CheckpointError:
        refusal(model(), tmp_path / "a.pth")
    else:
        assert torch.equal(loaded.state_dict()["backbone.bn1.bias"], torch.ones(64))


class Payload:
    """Runs a command when it is unpickled without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_would_run_code_is_refused(legacy: bool, tmp_path: Path) -> None:
    content = {"state_dict": model(1).state_dict(), "meta": Payload(tmp_path / "harm")}
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    message = refusal(model(), tmp_path / "a.pth")
    assert "is refused" in message
    assert "mkdir" in message
    assert "state_dict(), PATH" in message
    assert not (tmp_path / "harm").exists()


@pytest.mark.filterwarnings("error")
def test_a_refusal_does_not_advise_to_read_without_care(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(pickle.dumps({"a": Payload(tmp_path / "harm")}, protocol=4))  # as joblib's
    message = refusal(model(), tmp_path / "a.pth")
    assert "is refused" in message
    assert "weights_only" not in message
    assert not (tmp_path / "harm").exists()


def weight_bytes(folder: Path, kind: str) -> bytes:
    path = folder / "whole"
    if kind == "safetensors":
        save_weights(model(1), path)
    else:
        torch.save(model(1).state_dict(), path, _use_new_zipfile_serialization=kind == "zip")
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.99])
def test_a_truncated_file_is_refused(kind: str, part: float, tmp_path: Path) -> None:
    content = weight_bytes(tmp_path, kind)
    (tmp_path / "cut.pth").write_bytes(content[: int(len(content) * part)])
    refusal(model(), tmp_path / "cut.pth")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", b"\x08\0\0\0\0\0\0\0{"]), rest=st.binary(max_size=80))
def test_bytes_that_are_no_weights_are_refused(start: bytes, rest: bytes, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(start + rest)
    with pytest.raises(CheckpointError):
        read_state_dict(tmp_path / "noise")


@pytest.mark.parametrize(
    "content", [[1, 2], {}, {"state_dict": {}}, {"a": 1}, {"epoch": 3, "model": {}}, torch.ones(2)]
)
def test_files_without_named_tensors_are_refused(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.pth")
    refusal(model(), tmp_path / "a.pth")


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    assert "is not a weight file" in refusal(model(), tmp_path / "photo.jpg")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "no tensors")
    assert "not a weight file" in refusal(model(), tmp_path / "a.zip")
    assert "cannot read" in refusal(model(), tmp_path)
    assert "No such file" in refusal(model(), tmp_path / "absent.pth")


def test_a_file_of_a_newer_handkit_is_refused(tmp_path: Path) -> None:
    safetensors.torch.save_file(model(1).state_dict(), tmp_path / "a", {"format": "handkit", "version": "2"})
    assert "weight format '2'" in refusal(model(), tmp_path / "a")


def test_plain_safetensors_load(tmp_path: Path) -> None:
    safetensors.torch.save_file(model(1).state_dict(), tmp_path / "a", {"format": "pt"})
    assert same(model_from(tmp_path / "a"), model(1))
