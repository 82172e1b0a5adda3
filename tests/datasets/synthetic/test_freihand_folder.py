"""Rendered hands in FreiHAND's folder format, read by the reader of the real one."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from handkit.datasets import FreiHAND
from handkit.datasets.synthetic import freihand_folder
from handkit.datasets.synthetic.freihand_folder import write_freihand
from handkit.errors import DataError, OfflineError
from handkit.images import read_image


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "freihand"
    write_freihand(out, training=3, evaluation=2, source="capsule", seed=5)
    return out


def test_the_reader_takes_it(folder: Path) -> None:
    training, evaluation = (FreiHAND(folder / f"{split}_xyz.json") for split in ("training", "evaluation"))
    assert (len(training), len(evaluation)) == (12, 2)
    versions = ("gs", "hom", "sample", "auto")
    assert [len(FreiHAND(folder / "training_xyz.json", sources=(name,))) for name in versions] == [3] * 4
    assert {path.name for path in folder.iterdir()} == {
        "training", "evaluation", *(f"{s}_{k}.json" for s in ("training", "evaluation") for k in ("xyz", "K", "scale")),
    }  # fmt: skip


def test_joints_lie_on_the_hand_in_every_version(folder: Path) -> None:
    training = FreiHAND(folder / "training_xyz.json")
    for number in range(3):
        mask = cv2.imread(str(folder / f"training/mask/{number:08d}.jpg"), cv2.IMREAD_GRAYSCALE)
        joints = training[number]["keypoints"].round().astype(int)
        assert (mask[joints[:, 1], joints[:, 0]] > 127).mean() > 0.8
        pictures = [read_image(folder / f"training/rgb/{version * 3 + number:08d}.jpg") for version in range(4)]
        inside = cv2.erode(mask, np.ones((7, 7), np.uint8)) > 200
        for other in pictures[1:]:
            apart = np.abs(pictures[0].astype(int) - other).mean(-1)
            assert apart[inside].mean() < 6 < apart[mask < 20].mean()
    scale = json.loads((folder / "training_scale.json").read_text())
    assert all(0.02 < length < 0.06 for length in scale)


def test_a_mask_is_scaled_with_its_picture() -> None:
    """Where a picture and its mask have their column as value, neither is left of the other."""
    columns = np.tile(np.arange(320, dtype=np.float32)[None, :, None], (320, 1, 3))
    labels = {"box": np.array([40, 40, 254, 254]), "camera": np.eye(3), "xyz_cam": np.zeros((21, 3))}
    framed = freihand_folder._framed({"img": columns, "mask": columns[..., 0], **labels})
    assert abs((framed["mask"] - framed["img"][..., 0]).mean()) < 0.05


def test_bad_input_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is there already"):
        write_freihand(folder, 1, 1, "capsule")
    with pytest.raises(DataError, match="at least 1 hand"):
        write_freihand(tmp_path / "none", 0, 1, "capsule")
    with pytest.raises(DataError, match="did you mean"):
        write_freihand(tmp_path / "none", 1, 1, "capsul")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_freihand(tmp_path / "file" / "freihand", 1, 1, "capsule")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_mesh_that_cannot_be_had_is_no_fault_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HANDKIT_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"^makehuman_hand/\S+ could not be had"):
        write_freihand(tmp_path / "out", 1, 1)
    assert not list(tmp_path.glob("*out*"))
