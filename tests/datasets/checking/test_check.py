"""Every fault, planted alone, is the one finding; data without a fault have none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.datasets import HandSynth
from handkit.datasets.checking import KINDS, Finding, check_data
from handkit.datasets.checking.orders import _yardstick, measure_yardstick
from handkit.datasets.checking.targets import check_targets
from handkit.datasets.synthetic.shards import write_shards
from handkit.errors import ConfigError
from handkit.skeleton import to_order

Faults = dict[str, tuple[str, Callable[[Any], None], str]]


def test_data_without_a_fault_have_no_finding(planted: Any) -> None:
    report = check_data(planted.save())
    assert report.findings == []
    assert [line.rsplit(": ", 1)[1] for line in report.looked] == ["14 of 14 samples", "6 of 6 samples"]
    assert "--model" in report.notes[0]


def _swap(a: int, b: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(joints: np.ndarray) -> np.ndarray:
        order = np.arange(21)
        order[[a, b]] = b, a
        return joints[order]

    return change


def _mirrored(joints: np.ndarray) -> np.ndarray:
    joints[:, 0] = 95 - joints[:, 0]
    return joints


def _mirror_all(data: Any) -> None:
    data.joints(_mirrored)
    for hand in data.hands:
        x, y, width, height = hand["bbox"]
        hand["bbox"] = [95 - x - width, y, width, height]


def _outside(data: Any) -> None:
    data.hands[3]["bbox"] = [0, 0, 20, 20]


def _repeat(data: Any) -> None:
    data.hands.append({**data.hands[2], "id": 999})


def _unlabelled(data: Any) -> None:
    data.joints(lambda joints: joints * [1, 1, 0], 5)


def _broken(data: Any) -> None:
    path = data.folder / "images/train4.png"
    path.write_bytes(path.read_bytes()[:600])


def _missing(data: Any) -> None:
    (data.folder / "images/train4.png").unlink()


def _resized(data: Any) -> None:
    path = data.folder / "images/train4.png"
    Image.open(path).resize((48, 48)).save(path)


def _copied(data: Any) -> None:
    shutil.copy(data.folder / "images/train1.png", data.folder / "images/again.png")
    data.parts["train"]["images"].append(
        {**data.parts["train"]["images"][1], "id": 500, "file_name": "images/again.png"}
    )
    data.hands.append({**data.hands[1], "id": 998, "image_id": 500})


def _shared(data: Any) -> None:
    shutil.copy(data.folder / "images/train1.png", data.folder / "images/val3.png")
    data.parts["val"]["annotations"][3] = {**data.hands[1], "image_id": 3}


def _thrown_away(data: Any) -> None:
    data.config["train_transforms"].insert(1, {"type": "TopDownRandomShift", "shift_factor": 40.0, "shift_prob": 1.0})


def _weightless(data: Any) -> None:
    codec = data.config["train_transforms"][-2]["codec"]
    data.config["train_transforms"][-2]["codec"] = {**codec, "input_size": (4, 4)}


def _sideless(data: Any) -> None:
    for part in data.parts.values():
        for hand in part["annotations"]:
            del hand["hand_side"]


def _filtered(data: Any) -> None:
    data.config["train_dataset"] |= {"type": "HandPhotos", "image_root": str(data.folder), "sources": ["kitchen"]}


def _small(data: Any) -> None:
    data.config["batch_size"] = 15


def _negatives_alone(data: Any) -> None:
    folder = data.folder / "rooms"
    folder.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(folder / "room.png")
    data.config["train_dataset"] = {"type": "NegativePhotos", "folder": str(folder)}


def _unloaded(data: Any) -> None:
    data.config["train_transforms"][3] = {"type": "BackgroundPaste", "folder": str(data.folder / "nowhere")}


FAULTS: Faults = {
    "tips first, as RHD": ("scrambled_joints", lambda d: d.joints(lambda j: to_order(j, "rhd")), "the order of rhd"),
    "tips first, wrist last": ("scrambled_joints", lambda d: d.joints(lambda j: to_order(j, "interhand")), "interhand"),
    "two joints": ("scrambled_joints", lambda d: d.joints(_swap(8, 12)), "forefinger4 at place 12"),
    "one hand's order": (
        "scrambled_joints",
        lambda d: d.joints(lambda j: to_order(j, "interhand"), 6),
        "annotation 106",
    ),
    "joints mirrored": ("mirrored_joints", _mirror_all, "about the middle of the picture"),
    "a box elsewhere": ("joints_outside_box", _outside, "annotation 103"),
    "no joint": ("no_visible_joints", _unlabelled, "annotation 105"),
    "a hand twice": ("duplicate_annotations", _repeat, "annotation 999"),
    "a picture twice": ("duplicate_pictures", _copied, "again.png"),
    "a picture trained on and measured": ("shared_pictures", _shared, "train1.png"),
    "a broken picture": ("unreadable_pictures", _broken, "train4.png"),
    "a missing picture": ("unreadable_pictures", _missing, "no such file"),
    "a picture of another size": ("wrong_picture_sizes", _resized, "48 x 48 pixels, labelled as 96 x 96"),
    "hands moved out of the crop": ("crops_without_hand", _thrown_away, "42 of 42"),
    "targets that weigh nothing": ("zero_target_weights", _weightless, "42 of 42"),
    "no sides": ("no_sides", _sideless, "handedness"),
    "a filter that leaves nothing": ("unusable_dataset", _filtered, "no image is of the source 'kitchen'"),
    "a batch too large": ("too_few_samples", _small, "14 samples are fewer than a batch of 15"),
    "negatives alone": ("no_hands", _negatives_alone, "no sample has a labelled joint"),
    "a step that fails": ("failing_transforms", _unloaded, "nowhere"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_the_only_finding(planted: Any, name: str) -> None:
    kind, plant, words = FAULTS[name]
    plant(planted)
    findings = check_data(planted.save()).findings
    assert [finding.kind for finding in findings] == [kind], "\n".join(line for one in findings for line in one.lines())
    assert words in " ".join([findings[0].message, *findings[0].examples])
    assert findings[0].mend == KINDS[kind]


def test_every_kind_is_planted() -> None:
    assert {kind for kind, _, _ in FAULTS.values()} | {"mirrored_sides"} == set(KINDS)


def test_swapped_sides_show_in_3d_joints(tmp_path: Path) -> None:
    write_shards(HandSynth("capsule", 5, 12, (64, 64)), tmp_path / "shards", shard_size=12)
    config = {"train_dataset": {"type": "HandShards", "folder": str(tmp_path / "shards")}}
    assert check_data(config).findings == []
    labels = tmp_path / "shards/hands.json"
    text = labels.read_text().replace('"left"', '"none"').replace('"right"', '"left"').replace('"none"', '"right"')
    labels.write_text(text)
    assert [finding.kind for finding in check_data(config).findings] == ["mirrored_sides"]


@pytest.mark.parametrize("truth", [True, False])
def test_a_judge_compares_sides_without_3d(planted: Any, truth: bool) -> None:
    rights = iter([hand["hand_side"] == "right" for hand in planted.hands])
    config = planted.save()
    del config["val_dataset"]
    kinds = [f.kind for f in check_data(config, judge=lambda *_: float(next(rights) == truth)).findings]
    assert kinds == ([] if truth else ["mirrored_sides"])


def test_the_same_rendered_hands_in_both_parts_and_a_detector(rendered: Path) -> None:
    reader = {"type": "CocoHands", "ann_file": str(rendered / "train.json")}
    boxes = {"type": "ImageBoxes", "dataset": reader}
    config = {"task": "hand_detection", "train_dataset": boxes, "val_dataset": boxes}
    (finding,) = check_data(config).findings
    assert (finding.kind, finding.count) == ("shared_pictures", 14)


def test_two_copies_that_label_different_hands_are_a_fault_for_detectors_alone(planted: Any) -> None:
    _copied(planted)
    second = planted.hands[-1]
    second["bbox"] = [0, 0, 14, 14]
    second["keypoints"] = (np.array(second["keypoints"]).reshape(21, 3) * [0.1, 0.1, 1]).ravel().tolist()
    config = planted.save()
    assert [f.kind for f in check_data(config).findings] == []
    config |= {"task": "hand_detection", "train_transforms": [], "test_transforms": []}
    assert [f.kind for f in check_data(config).findings] == ["duplicate_pictures"]


def test_a_config_without_data_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither train_dataset nor val_dataset"):
        check_data({"task": "hand_2d_keypoints"})


def test_a_finding_says_what_where_and_how_to_mend() -> None:
    lines = Finding("no_visible_joints", "train_dataset, a.json", "4 of 9 hands: x", 4, ("a", "b", "c", "d")).lines()
    assert lines[0] == "no_visible_joints: train_dataset, a.json: 4 of 9 hands: x"
    assert lines[-2:] == ["    and 1 more", f"    mend: {KINDS['no_visible_joints']}"]


@pytest.mark.parametrize(("seed", "kinds"), [(7, ["shared_pictures"]), (8, [])])
def test_rendered_hands_are_known_by_their_seed(seed: int, kinds: list[str]) -> None:
    node = {"type": "HandSynth", "source": "capsule", "count": 5, "image_size": (48, 48)}
    config = {"train_dataset": {**node, "seed": 7}, "val_dataset": {**node, "seed": seed}}
    assert [finding.kind for finding in check_data(config).findings] == kinds


@pytest.mark.slow
def test_the_yardstick_is_what_its_rule_makes() -> None:
    np.testing.assert_allclose(np.stack(_yardstick()), measure_yardstick(), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("name", ["onehand10k", "freihand", "panoptic"])
def test_public_samples_have_no_fault(peer_data: Path, name: str) -> None:
    """Four to eight real samples each, in the format of mmpose."""
    folder = peer_data / "data/fixtures" / name
    config = {"train_dataset": {"type": "CocoHands", "ann_file": str(folder / f"test_{name}.json")}}
    assert check_data(config).findings == []


def test_public_samples_of_rhd_stand_in_their_own_order(peer_data: Path) -> None:
    config = {"train_dataset": {"type": "CocoHands", "ann_file": str(peer_data / "data/fixtures/rhd/test_rhd.json")}}
    (finding,) = check_data(config).findings
    assert (finding.kind, "the order of rhd" in finding.message) == ("scrambled_joints", True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch_size": "a"}, "batch_size: expected a whole number, got 'a'"),
        ({"seed": True}, "seed: expected a whole number, got True"),
        ({"train_transforms": 3}, "train_transforms: expected a list"),
        ({"test_transforms": ["x"]}, r"test_transforms\.0: expected dict\(type=..., ...\), got 'x'"),
        ({"train_transforms": [{"type": "PoseCollect", "keys": 3}]}, r"train_transforms\.0\.keys: expected a list"),
    ],
)
def test_what_is_no_config_is_told_by_its_place(planted: Any, change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_data({**planted.save(), **change})


def test_steps_of_a_detector_are_tried(planted: Any) -> None:
    config = planted.save()
    config |= {"task": "hand_detection", "train_dataset": {"type": "ImageBoxes", "dataset": planted.reader("train")}}
    config["train_transforms"] = [{"type": "LoadImage"}, {"type": "Resize", "input_size": (64, 64)}]
    config["test_transforms"] = config["train_transforms"]
    config["val_dataset"] = {"type": "ImageBoxes", "dataset": planted.reader("val")}
    assert check_data(config).findings == []
    config["train_transforms"] = [
        {"type": "LoadImage"},
        {"type": "BackgroundPaste", "folder": str(planted.folder / "none")},
    ]
    assert [finding.kind for finding in check_data(config).findings] == ["failing_transforms"]


def test_views_that_lose_their_hands_are_found() -> None:
    class Boxes:
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> dict[str, Any]:
            return {"sample_id": f"image {index}", "boxes": np.array([[0, 0, 9, 9]])}

    def lose(sample: dict[str, Any]) -> dict[str, Any]:
        return {**sample, "boxes": sample["boxes"][: int(sample["sample_id"] == "image 0")]}

    (finding,) = check_targets("train_dataset", Boxes(), [lose], 0, 10, set(), set())
    assert (finding.kind, finding.examples) == ("crops_without_hand", ("image 1", "image 2"))
    assert finding.message.startswith("6 of 9 ")
