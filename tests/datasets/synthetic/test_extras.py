"""What is with a hand: things in its grip, bands, a second hand, photographed skins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from handkit.datasets import HandSynth
from handkit.datasets.synthetic.adornment import Band, wear
from handkit.datasets.synthetic.arm import BONES, ELBOW, MeshArm
from handkit.datasets.synthetic.extras import Extras, held_thing
from handkit.datasets.synthetic.gestures import gesture
from handkit.datasets.synthetic.pairs import clasping, facing, gap, limbs, meeting, palm
from handkit.datasets.synthetic.picture import FOREGROUND
from handkit.datasets.synthetic.posing import bone_transforms, posed_bones
from handkit.datasets.synthetic.scene import Camera, Scene
from handkit.datasets.synthetic.shading import unit
from handkit.datasets.synthetic.skin import Material, Skin
from handkit.datasets.synthetic.skin_charts import SkinCharts
from handkit.datasets.synthetic.things import Thing, placed_thing
from handkit.errors import DataError


@pytest.fixture(scope="module")
def generator(makehuman_assets: Path) -> HandSynth:
    return HandSynth(seed=1, count=400, image_size=(64, 64), assets=makehuman_assets)


@pytest.fixture(scope="module")
def scenes(generator: HandSynth) -> list[Scene]:
    return [generator.scene(index) for index in range(150)]


@pytest.mark.parametrize("kind", ["box", "cylinder", "ball"])
def test_things_are_closed_and_face_outwards(kind: str) -> None:
    size = np.array([0.01, 0.05, 0.02])
    thing = Thing(kind, np.eye(3), np.array([0.1, 0, 0.5]), size, held=False)  # type: ignore[arg-type]
    placed = placed_thing(thing, np.eye(3), np.zeros(3))
    np.testing.assert_allclose(placed.vertices.min(0), thing.centre - size, atol=2e-4)
    np.testing.assert_allclose(placed.vertices.max(0), thing.centre + size, atol=2e-4)
    np.testing.assert_allclose(np.linalg.norm(placed.normals, axis=1), 1)
    assert (((placed.vertices - thing.centre) * placed.normals).sum(1) > 0).all()


@pytest.mark.parametrize("name", ["grip", "fist", "pinch", "curved", "flat", "open", "letter_c"])
def test_what_is_held_lies_at_the_palm_and_fits(arm: MeshArm, name: str) -> None:
    joints = posed_bones(arm.rest, bone_transforms(arm.rest, gesture(name))).joints()
    for seed in range(6):
        thing = held_thing(np.random.default_rng(seed), joints)
        np.testing.assert_allclose(thing.rotation.T @ thing.rotation, np.eye(3), atol=1e-6)
        inside = (np.abs((joints - thing.centre) @ thing.rotation) < thing.size).all(1)
        assert inside.sum() <= 3
        assert np.linalg.norm(thing.centre - joints[9]) < 0.12
        assert (thing.size > 2e-3).all()


def test_bands_go_around_their_limb_alone(arm: MeshArm) -> None:
    rest, strongest = arm.rest.vertices, arm.weights.argmax(1)
    bare = Material(*(np.zeros(shape) for shape in ((len(rest), 3), len(rest), len(rest), len(rest))))
    ring = wear(Band(BONES.index("finger4-1"), 0.5, 6e-3), arm.rest, bare, rest, strongest)
    bones = {BONES[bone] for bone in strongest[ring.mirror > 0]}
    assert bones
    assert bones <= {"finger4-1", "finger4-2"}
    watch = wear(Band(ELBOW, 0.02, 8e-3, dial=0.018), arm.rest, bare, rest, strongest)
    worn = watch.mirror > 0
    assert worn.any()
    assert {BONES[bone] for bone in strongest[worn]} <= {"wrist", "lowerarm1", "lowerarm2", "metacarpal2"}
    assert watch.height.max() > 2e-3


def test_scenes_have_everything_sometimes(scenes: list[Scene]) -> None:
    assert 8 < sum(scene.other is not None for scene in scenes) < 40
    assert 8 < sum(any(thing.held for thing in scene.things) for scene in scenes) < 45
    assert 3 < sum(any(not thing.held for thing in scene.things) for scene in scenes) < 30
    assert 12 < sum(bool(scene.bands) for scene in scenes) < 90
    assert 8 < sum(scene.skin.polish is not None for scene in scenes) < 45
    assert sum(scene.unoccluded for scene in scenes) > 75


def test_two_hands_meet_without_running_through_each_other() -> None:
    rng = np.random.default_rng(0)
    joints = np.cumsum(rng.normal(0, 0.02, (21, 3)), 0)
    first = limbs(joints, joints[0], joints[0] + (0, 0.25, 0))
    gaps = []
    for _ in range(20):
        move = meeting(rng, first, first)
        if move is not None:
            gaps.append(np.linalg.norm(first[:, None] - (first + move), axis=-1).min())
    assert len(gaps) > 5
    assert 0.0189 < min(gaps) < 0.03


def test_a_clasping_hand_lies_on_the_first_with_its_palm_towards_it(arm: MeshArm) -> None:
    rng = np.random.default_rng(0)
    right = posed_bones(arm.rest, bone_transforms(arm.rest, gesture("curved"))).joints()
    left = right * (-1, 1, 1)
    np.testing.assert_allclose(palm(left, "left"), palm(right, "right") * (-1, 1, 1), atol=1e-9)
    # Fingers bend to the palm's side.
    assert (right[8] - right[5]) @ palm(right, "right") > 0.01
    first = limbs(right, right[0], right[0] + 0.25 * unit(right[0] - right[9]))
    placed = 0
    for _ in range(20):
        turn, away = facing(rng, right, "right", left, "left")
        assert np.linalg.det(turn) == pytest.approx(1)
        turned = left @ turn.T
        assert palm(turned, "left") @ away < -0.5
        second = limbs(turned, turned[0], turned[0] + 0.25 * unit(turned[0] - turned[9]))
        move = clasping(rng, first, second, away)
        if move is not None:
            placed += 1
            assert 0.0229 < gap(first, second + move) < 0.04
    assert placed > 10


def test_many_companions_are_many(makehuman_assets: Path) -> None:
    generator = HandSynth(count=40, image_size=(64, 64), companions="many", assets=makehuman_assets)
    scenes = [generator.scene(index) for index in range(40)]
    holding = sum(any(thing.held for thing in scene.things) for scene in scenes)
    together = sum(scene.other is not None for scene in scenes)
    assert 10 < holding < 28
    assert 10 < together < 28
    assert holding + together > 34
    assert generator.recipe()["companions"] == "many"
    assert "companions" not in HandSynth().recipe()


def test_pairs_are_in_the_frame_and_second_hands_of_many_often_not(makehuman_assets: Path) -> None:
    whole = {}
    for companions in ("many", "pairs"):
        generator = HandSynth(count=40, image_size=(64, 64), companions=companions, assets=makehuman_assets)
        pairs = [scene for scene in map(generator.scene, range(40)) if scene.other is not None]
        seconds = [generator.picture(scene)[2][1] for scene in pairs]
        assert len(pairs) > 10
        whole[companions] = np.mean([(hand["visible"] > 0).all() for hand in seconds])
    assert whole["pairs"] > 0.8 > whole["many"] + 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"companions": "more"}, "'some', 'many' or 'pairs'"),
        ({"source": "capsule", "companions": "many"}, "hands alone"),
    ],
)
def test_unknown_companions_are_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        HandSynth(**arguments)  # type: ignore[arg-type]


def test_a_second_hand_is_labelled_and_masked(generator: HandSynth, scenes: list[Scene]) -> None:
    scene = next(scene for scene in scenes if scene.other is not None and not scene.things)
    image, shown, hands = generator.picture(scene)
    assert image.shape == (64, 64, 3)
    assert len(hands) == 2
    assert set(np.unique(shown)) <= {0, 1, 2, FOREGROUND}
    for number, hand in enumerate(hands, 1):
        x, y = np.round(hand["keypoints"][hand["visible"] == 2]).astype(int).T
        if len(x) > 4:
            assert (shown[y, x] == number).mean() > 0.7
    item = generator.render(scene)
    np.testing.assert_array_equal(item["mask"] == 1, shown == 1)
    np.testing.assert_array_equal(item["mask"] == 2, shown > 1)


def test_all_hands_are_seen_by_one_camera(generator: HandSynth, scenes: list[Scene]) -> None:
    scene = next(scene for scene in scenes if scene.other is not None)
    for hand in generator._tools()[1].labels(scene):
        np.testing.assert_array_equal(hand["camera"], scene.camera.matrix())
        np.testing.assert_allclose(hand["keypoints"], scene.camera.project(hand["xyz_cam"]), rtol=1e-4, atol=1e-2)


def test_something_in_front_hides_joints(generator: HandSynth, scenes: list[Scene]) -> None:
    scene = next(scene for scene in scenes if scene.unoccluded)
    camera = Camera(scene.camera.focal, (64, 64))
    wall = Thing("box", np.eye(3), scene.position * 0.5, np.array([0.5, 0.5, 0.005]), held=False)
    hidden = generator.render(replace(scene, camera=camera, things=(wall,)))
    assert not (hidden["visible"] == 2).any()
    assert not (hidden["mask"] == 1).any()
    assert (hidden["mask"] == 2).mean() > 0.5


@pytest.fixture
def skins(tmp_path: Path) -> Path:
    (tmp_path / "uv_crop.json").write_text(json.dumps({"uv_bbox": [[0.355, 0.005], [0.769, 0.203]]}))
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((64, 128, 3), (200, 40, 20), np.uint8))
    return tmp_path


def test_photographed_skins_colour_hand_and_arm(
    generator: HandSynth, scenes: list[Scene], skins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = next(scene for scene in scenes if scene.unoccluded and not scene.bands and scene.sleeve is None)
    monkeypatch.setattr(generator._tools()[1]._surface, "_skins", SkinCharts(skins))  # type: ignore[attr-defined]
    item = generator.render(replace(scene, skin=Skin(chart="blue.png")))
    for part in (1, 2):
        red, _, strongest = item["img"][item["mask"] == part].reshape(-1, 3).mean(0)
        assert strongest > red


def test_extras_choose_among_the_skins(skins: Path) -> None:
    names = SkinCharts(skins).names
    drawn = [Extras(names).skin(np.random.default_rng(seed), Skin()).chart for seed in range(30)]
    assert set(drawn) == {None, "blue.png"}


def test_a_folder_without_skins_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has a uv_crop\.json"):
        SkinCharts(tmp_path)
    (tmp_path / "uv_crop.json").write_text(json.dumps({"uv_bbox": [[0, 0], [1, 1]]}))
    with pytest.raises(DataError, match="picture"):
        SkinCharts(tmp_path)


def test_capsule_scenes_are_of_one_hand_alone(generator: HandSynth) -> None:
    made = HandSynth("capsule", count=20, image_size=(32, 32))
    assert all(made.scene(index).unoccluded for index in range(20))
