"""The generator as a data set: what an item holds, that it repeats, and how it fails."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets import HandSynth
from handkit.datasets.synthetic.scene import MIRROR
from handkit.errors import DataError, MissingExtraError
from handkit.geometry import hand_box, mirror_points
from handkit.registry import DATASETS, build
from handkit.transforms.base import SAMPLE_KEYS


def digest(item: dict[str, Any]) -> str:
    total = hashlib.sha256()
    for name in sorted(item):
        total.update(item[name].tobytes() if hasattr(item[name], "tobytes") else repr(item[name]).encode())
    return total.hexdigest()


@pytest.fixture(scope="module")
def items(synth: HandSynth) -> list[dict[str, Any]]:
    return list(synth)


def test_items_have_the_documented_form(items: list[dict[str, Any]]) -> None:
    assert len(items) == 12
    for item in items:
        assert item["image_size"] == (160, 120)
        assert item.keys() <= SAMPLE_KEYS.keys()
        forms = {name: (v.shape, v.dtype.name) for name, v in item.items() if isinstance(v, (np.ndarray, np.generic))}
        assert forms == {
            "img": ((120, 160, 3), "uint8"),
            "keypoints": ((21, 2), "float32"),
            "visible": ((21,), "uint8"),
            "xyz_cam": ((21, 3), "float32"),
            "camera": ((3, 3), "float64"),
            "mask": ((120, 160), "uint8"),
            "box": ((4,), "float32"),
            "right": ((), "float32"),
            "hand": ((), "float32"),
        }
    assert {float(item["right"]) for item in items} == {0.0, 1.0}
    assert len({item["sample_id"] for item in items}) == 12


def test_a_new_generator_gives_the_same_bytes(synth: HandSynth, items: list[dict[str, Any]]) -> None:
    again = HandSynth(synth.source, seed=3, count=12, image_size=(160, 120), assets=synth._assets)
    for index in (7, 2):
        assert digest(again[index]) == digest(items[index])
    assert digest(again[-5]) == digest(items[7])
    again.seed = 4
    assert digest(again[7]) != digest(items[7])


def test_it_travels_to_a_worker_without_its_mesh(synth: HandSynth) -> None:
    assert synth._made is not None
    sent = pickle.dumps(synth)
    assert len(sent) < 2000
    assert len(pickle.loads(sent)) == len(synth)


def test_the_camera_projects_the_joints_onto_the_keypoints(items: list[dict[str, Any]]) -> None:
    for item in items:
        seen = item["xyz_cam"] @ item["camera"].T
        np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], item["keypoints"], atol=1e-3)
        np.testing.assert_allclose(hand_box(item["keypoints"], (160, 120)), item["box"], atol=1e-3)
        assert (item["xyz_cam"][:, 2] > 0.1).all()


def test_bones_have_the_lengths_of_a_hand(items: list[dict[str, Any]]) -> None:
    for item in items:
        palm = np.linalg.norm(item["xyz_cam"][9] - item["xyz_cam"][0])
        assert 0.05 < palm < 0.12


def test_visible_joints_lie_in_the_frame_and_on_the_mask(items: list[dict[str, Any]]) -> None:
    seen = covered = 0
    for item in items:
        inside = ((item["keypoints"] >= -0.5) & (item["keypoints"] < (159.5, 119.5))).all(1)
        np.testing.assert_array_equal(item["visible"] > 0, inside)
        x, y = np.round(item["keypoints"][item["visible"] == 2]).astype(int).T
        seen, covered = seen + len(x), covered + item["mask"][y, x].sum()
    assert seen > 120
    assert covered / seen > 0.93  # the tips lie less than a pixel within the outline


def test_the_hand_stands_out_from_its_background(items: list[dict[str, Any]]) -> None:
    for item in items:
        hand = item["img"][item["mask"] == 1].astype(float)
        assert hand.std() > 3
        assert 10 < hand.mean() < 245


def test_a_mirrored_scene_is_the_mirrored_picture(synth: HandSynth) -> None:
    scene = synth.scene(0)
    flip = np.diag(MIRROR)
    light = scene.light
    other = replace(
        scene,
        side="left" if scene.side == "right" else "right",
        rotation=flip @ scene.rotation @ flip,
        position=scene.position * MIRROR,
        light=replace(light, key=light.key * MIRROR, fill=light.fill * MIRROR, up=light.up * MIRROR),
    )
    a, b = synth.render(scene), synth.render(other)
    np.testing.assert_allclose(b["xyz_cam"], a["xyz_cam"] * MIRROR, atol=1e-6)
    np.testing.assert_allclose(b["keypoints"], mirror_points(a["keypoints"], 160), atol=1e-3)
    np.testing.assert_array_equal(b["visible"], a["visible"])
    assert (b["mask"] != a["mask"][:, ::-1]).mean() < 1e-3
    hand = b["mask"] == 1
    assert np.abs(b["img"].astype(float) - a["img"][:, ::-1])[hand].mean() < 12
    assert a["right"] + b["right"] == 1


def test_it_is_registered() -> None:
    made = build(dict(type="HandSynth", count=3), DATASETS)
    assert isinstance(made, HandSynth)
    assert len(made) == 3


def test_an_index_past_the_end_stops_iteration() -> None:
    with pytest.raises(IndexError):
        HandSynth(count=2)[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(source="makehumn"), "did you mean 'makehuman'"),
        (dict(source="capsule", assets="here"), "made without files"),
        (dict(views="top"), "'any' or 'front', not 'top'"),
        (dict(source="capsule", skins="here"), "made without files"),
        (dict(count=-1), "count >= 0"),
        (dict(seed=-1), "seed and count >= 0"),
        (dict(image_size=(8, 256)), "at least 16 px"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        HandSynth(**arguments)


def test_labels_need_no_picture(synth: HandSynth, items: list[dict[str, Any]]) -> None:
    for index, item in enumerate(items):
        labels = synth.hands(index)
        np.testing.assert_array_equal(labels.keypoints[0], item["keypoints"])
        np.testing.assert_array_equal(labels.visible[0], item["visible"])
        np.testing.assert_array_equal(labels.boxes[0], item["box"])
        assert labels.handedness == ("right" if item["right"] else "left",)
        assert labels.path.name == item["sample_id"]


def test_epochs_show_the_same_hands_or_new_ones() -> None:
    still, endless = (HandSynth("capsule", count=3, image_size=(32, 32), endless=e) for e in (False, True))
    first = [digest(item) for item in still]
    assert [digest(item) for item in endless] == first
    for dataset in (still, endless):
        dataset.set_epoch(1)
    assert [digest(item) for item in still] == first
    more = HandSynth("capsule", count=6, image_size=(32, 32))
    assert [digest(item) for item in endless] == [digest(more[index]) for index in (3, 4, 5)]
    assert endless.hands(0).path == more.hands(3).path
    with pytest.raises(IndexError):
        endless[3]


def test_front_views_show_the_palm_or_the_back_with_the_fingers_up() -> None:
    synth = HandSynth("capsule", count=60, views="front")
    rotations = np.stack([synth.scene(index).rotation for index in range(len(synth))])
    towards = rotations[:, 2, 2]
    assert np.abs(towards).min() >= np.cos(np.radians(20)) - 1e-9
    assert 0.25 < (towards > 0).mean() < 0.75
    fingers_up = -rotations[:, 1, 1]
    assert np.median(fingers_up) > 0.85
    anywhere = np.stack([HandSynth("capsule", count=60).scene(index).rotation for index in range(60)])
    assert np.abs(anywhere[:, 2, 2]).min() < 0.6


def test_capsule_hands_need_no_renderer_no_mesh_and_no_torch(in_subprocess: Callable[..., str]) -> None:
    code = """
import sys
for name in ("embreex", "trimesh"):
    sys.modules[name] = None
from handkit.datasets import HandSynth
print(HandSynth("capsule", image_size=(48, 32))[1]["img"].shape, "torch" in sys.modules)
"""
    assert in_subprocess(code).strip() == "(32, 48, 3) False"


def test_importing_needs_no_renderer_and_no_torch(in_subprocess: Callable[..., str]) -> None:
    code = """
import sys
for name in ("embreex", "torch"):
    sys.modules[name] = None
from handkit.datasets import HandSynth
print(len(HandSynth(count=5)))
"""
    assert in_subprocess(code).strip() == "5"


def test_without_a_renderer_the_first_item_names_the_extra(
    makehuman_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "embreex.mesh_construction", None)
    with pytest.raises(MissingExtraError, match=r"embreex is needed for rendering hands: pip install 'handkit\[synth"):
        HandSynth(assets=makehuman_assets)[0]


@pytest.fixture
def copied(makehuman_assets: Path, tmp_path: Path) -> Path:
    return shutil.copytree(makehuman_assets, tmp_path / "hand")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("base.obj", _cut),
        ("base.obj", lambda path: path.write_bytes(b"\xff\xfe no mesh")),
        ("base.obj", lambda path: path.write_text("")),
        ("rig.default.json", lambda path: path.write_text("{}")),
        ("rig.default.json", _cut),
        ("weights.default.json", lambda path: path.write_text('{"weights": {"wrist.R": [[1]]}}')),
        ("r-hand-fingers-length-incr.target.gz", _cut),
        ("r-hand-fingers-length-incr.target.gz", Path.unlink),
    ],
)
def test_damaged_files_are_named(copied: Path, name: str, damage: Callable[[Path], object]) -> None:
    damage(copied / name)
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        HandSynth(assets=copied)[0]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        HandSynth(assets=tmp_path / "nowhere")[0]
