"""Pictures of people: sizes and places of hands, labels, what is ignored, and the way through shards to a detector."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from handkit.datasets import HandScenes, HandShards, ImageBoxes, TrainingView
from handkit.datasets.labels import HandLabels
from handkit.datasets.synthetic.backdrops import Backdrops
from handkit.datasets.synthetic.handscenes import LEAST_SHARE
from handkit.datasets.synthetic.picture import FOREGROUND
from handkit.datasets.synthetic.scene import Scene
from handkit.datasets.synthetic.shards import Progress, write_shards
from handkit.datasets.synthetic.things import Thing
from handkit.datasets.synthetic.wide import _apart
from handkit.errors import DataError
from handkit.transforms import BackgroundPaste, LoadImage
from handkit.transforms.base import SAMPLE_KEYS

SIZE = (200, 150)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two plain pictures, the first of them black and held out."""
    folder = tmp_path_factory.mktemp("rooms")
    for name, color in (("a.png", (0, 0, 0)), ("b.png", (0, 255, 0))):
        cv2.imwrite(str(folder / name), np.full((60, 80, 3), color, np.uint8))
    return folder


@pytest.fixture(scope="module")
def generator(makehuman_assets: Path) -> HandScenes:
    return HandScenes(seed=4, count=40, image_size=SIZE, assets=makehuman_assets)


@pytest.fixture(scope="module")
def scenes(generator: HandScenes) -> list[Scene]:
    return [generator.scene(index) for index in range(len(generator))]


@pytest.fixture(scope="module")
def labels(generator: HandScenes) -> list[HandLabels]:
    return [generator.hands(index) for index in range(len(generator))]


def like(generator: HandScenes, **changes: Any) -> HandScenes:
    """Another generator with the same mesh, which takes long to make."""
    options: dict[str, Any] = dict(seed=4, count=3, image_size=SIZE, assets=generator._assets)
    made = HandScenes(**(options | changes))
    made._made = generator._tools()
    return made


def test_items_are_what_image_boxes_gives(generator: HandScenes) -> None:
    item = generator[0]
    assert item.keys() <= SAMPLE_KEYS.keys()
    assert item["img"].shape == (150, 200, 3)
    assert item["boxes"].dtype == item["ignored_boxes"].dtype == np.float32
    assert set(np.unique(item["mask"])) == {0, 1, 2}
    hands = generator.hands(0)
    np.testing.assert_allclose(item["boxes"], hands.boxes[~hands.ignored])
    np.testing.assert_allclose(item["ignored_boxes"], hands.boxes[hands.ignored])
    assert len(LoadImage()(item)["boxes"]) == len(item["boxes"])


def test_another_generator_of_the_seed_gives_the_same_pictures(generator: HandScenes) -> None:
    again = HandScenes(seed=4, count=40, image_size=SIZE, assets=generator._assets)
    for key, value in generator[1].items():
        np.testing.assert_array_equal(again[1][key], value)
    again.seed = 5
    assert (again[1]["img"] != generator[1]["img"]).any()


def test_hands_have_all_sizes_sides_and_directions(labels: list[HandLabels]) -> None:
    counts = np.bincount([len(row) for row in labels], minlength=4)
    assert (counts > 0).all()
    assert counts[1:3].sum() > 25
    boxes = np.concatenate([row.joint_boxes for row in labels])
    sides = (boxes[:, 2:] - boxes[:, :2]).max(1)
    assert 23 < sides.min() < 32
    assert 150 < sides.max() < 202
    # Evenly on a logarithmic scale: a quarter in each of four parts of it.
    quarters = np.histogram(np.log(sides), np.linspace(np.log(23.5), np.log(201), 5))[0] / len(sides)
    assert 0.12 < quarters.min() <= quarters.max() < 0.42
    points = np.concatenate([row.keypoints for row in labels])
    angles = np.arctan2(*(points[:, 9] - points[:, 0]).T)
    assert (np.histogram(angles, np.linspace(-np.pi, np.pi, 5))[0] > 4).all()
    right = [side == "right" for row in labels for side in row.handedness]
    assert 0.3 < np.mean(right) < 0.7
    cut = ((boxes[:, :2] < 0) | (boxes[:, 2:] > np.array(SIZE) - 1)).any(1)
    assert 0.08 < cut.mean() < 0.4


def test_labels_lie_inside_and_on_their_hand(generator: HandScenes, scenes: list[Scene]) -> None:
    found = 0
    for scene in scenes[:8]:
        _, shown, hands = generator.picture(scene)
        assert set(np.unique(shown)) <= {0, FOREGROUND, *range(1, len(hands) + 1)}
        for number, hand in enumerate(hands, 1):
            x1, y1, x2, y2 = hand["box"]
            assert 0 <= x1 < x2 <= 199
            assert 0 <= y1 < y2 <= 149
            np.testing.assert_allclose(scene.camera.project(hand["xyz_cam"]), hand["keypoints"], rtol=1e-4, atol=1e-2)
            assert hand["xyz_cam"][:, 2].min() > 0.09
            x, y = np.round(hand["keypoints"][hand["visible"] == 2]).astype(int).T
            if len(x) > 4:
                assert (shown[y, x] == number).mean() > 0.6
                found += 1
    assert found > 6


def test_a_hand_that_is_hardly_seen_is_ignored(generator: HandScenes, scenes: list[Scene]) -> None:
    alone = [scene for scene in scenes if scene.other is None and not scene.things]
    scene = next(scene for scene in alone if _shares(generator, scene) == [1.0])
    outside = replace(scene, position=scene.position * (1, 1, 0) + (10, 0, scene.position[2]))
    assert generator.picture(outside)[2] == []
    joints = generator.picture(scene)[2][0]["xyz_cam"]
    slopes, depth = np.sort(joints[:, 0] / joints[:, 2]), 0.7 * joints[:, 2].min()
    for row, ignored in ((1, True), (16, False)):
        # A board before the hand's right part leaves its left part.
        board = Thing(
            "box", np.eye(3), np.array([slopes[row] * depth + 0.5, 0, depth]), np.array([0.5, 0.5, 1e-3]), False
        )
        shares = _shares(generator, replace(scene, things=(board,)))
        assert [share < LEAST_SHARE for share in shares] == [ignored]


def _shares(generator: HandScenes, scene: Scene) -> list[float]:
    return [hand["share"] for hand in generator.picture(scene)[2]]


def test_pictures_have_bare_arms_and_bodies(scenes: list[Scene], labels: list[HandLabels]) -> None:
    assert sum(len(row) < len(scene.hands) for scene, row in zip(scenes, labels, strict=True)) > 1
    assert sum(any(thing.kind == "ball" for thing in scene.things) for scene in scenes) > 10
    assert all(hand.camera == scene.camera for scene in scenes for hand in scene.hands)


def test_small_hands_are_sharp_beside_large_ones(generator: HandScenes, scenes: list[Scene]) -> None:
    renderer = generator._tools()[1]
    steps = []
    for scene in scenes[:12]:
        stage = renderer._set(scene)  # type: ignore[attr-defined]
        steps.append([window.step for window, _ in renderer._windows(scene, stage)])  # type: ignore[attr-defined]
    assert all(row == sorted(row, reverse=True) and set(row) <= {1, 2} for row in steps)
    assert sum(1 in row for row in steps) > 3
    assert sum(2 in row for row in steps) > 3


def test_windows_of_what_is_apart_do_not_overlap() -> None:
    boxes = np.array([[0, 0, 10, 10], [50, 50, 60, 60], [8, 8, 20, 30], [15, 25, 52, 52], [80, 0, 90, 10]], float)
    found = sorted(group.tolist() for group in _apart(boxes))
    assert found == [[0, 0, 60, 60], [80, 0, 90, 10]]
    behind = np.array([[-np.inf] * 2 + [np.inf] * 2, [0, 0, 5, 5]])
    assert len(_apart(behind)) == 1


def test_shards_go_on_and_a_detector_reads_them(generator: HandScenes, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.pictures == 3:
            raise KeyboardInterrupt

    once, twice = tmp_path / "once", tmp_path / "twice"
    write_shards(like(generator), once, shard_size=2)
    with pytest.raises(KeyboardInterrupt):
        write_shards(like(generator), twice, shard_size=2, report=stop)
    write_shards(like(generator), twice, shard_size=2)
    for path in (path for path in once.rglob("*") if path.is_file()):
        assert path.read_bytes() == (twice / path.relative_to(once)).read_bytes()
    images = ImageBoxes(HandShards(once), empty=True)
    assert len(images) == 3
    for index in range(3):
        item, sample = generator[index], images[index]
        np.testing.assert_allclose(sample["boxes"], item["boxes"], atol=0.03)
        np.testing.assert_allclose(sample["ignored_boxes"], item["ignored_boxes"], atol=0.03)
        np.testing.assert_array_equal(sample["mask"], item["mask"])


def test_hardly_seen_hands_reach_image_boxes_as_ignored(
    generator: HandScenes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = like(generator, count=1)
    picture = made.picture

    def hidden(scene: Scene) -> Any:
        img, shown, hands = picture(scene)
        return img, shown, [{**hands[0], "share": LEAST_SHARE - 0.01}, *hands]

    monkeypatch.setattr(made, "picture", hidden)
    write_shards(made, tmp_path / "out")
    sample = ImageBoxes(HandShards(tmp_path / "out"))[0]
    assert len(sample["ignored_boxes"]) == 1
    assert len(sample["boxes"]) >= 1
    np.testing.assert_allclose(sample["ignored_boxes"][0], sample["boxes"][0], atol=0.03)


def test_another_background_keeps_every_hand(generator: HandScenes, rooms: Path) -> None:
    paste = BackgroundPaste(str(rooms), skip=1, prob=1.0, feather=0.0)
    item = TrainingView(generator, [LoadImage(), paste])[0]
    before = generator[0]
    inside = cv2.erode((before["mask"] > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (before["mask"][inside] == 1).any()
    np.testing.assert_array_equal(item["img"][inside], before["img"][inside])
    assert (item["img"][before["mask"] == 0] == (0, 255, 0)).all()


def test_photographs_behind_at_render_time(
    generator: HandScenes, rooms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator._tools()[1], "_backdrops", Backdrops(rooms, 1))
    green = [generator[index]["img"][0].astype(int) for index in range(4)]
    assert sum((row[:, 1] - row[:, 0] > 60).mean() > 0.3 for row in green) >= 2
    with pytest.raises(DataError, match="2 pictures, none is left after the first 2"):
        HandScenes(assets=generator._assets, backgrounds=rooms, skip=2)[0]
    with pytest.raises(DataError, match="nowhere"):
        HandScenes(assets=generator._assets, backgrounds=tmp_path / "nowhere")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(seed=-1), "HandScenes needs seed and count >= 0"),
        (dict(image_size=(48, 32)), "a side of 64 px or more"),
        (dict(skip=3), "backgrounds names no folder"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        HandScenes(**arguments)
