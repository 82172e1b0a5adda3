"""WFLW's lists, the skeleton of its points, and what a mirror does to them."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets import WFLW
from handkit.errors import DataError
from handkit.skeleton import WFLW as FACE
from handkit.transforms import LoadImage, TopDownAffine, TopDownRandomFlip

FILES = Path(__file__).parent / "files"
FOLDER = FILES / "wflw"
LINE = (FOLDER / "list.txt").read_text("utf-8").splitlines()[0].split()
MAKER = runpy.run_path(str(FILES / "make_files.py"))


def reader(path: Path = FOLDER / "list.txt", **options: Any) -> WFLW:
    return WFLW(path, FOLDER / "WFLW_images", **options)


def with_field(folder: Path, place: int, value: str) -> Path:
    path = folder / "list.txt"
    path.write_text("\n" + " ".join([*LINE[:place], value, *LINE[place + 1 :]]) + "\n", "utf-8")
    return path


def test_points_lie_where_the_picture_shows_them() -> None:
    for sample in (LoadImage()(raw) for raw in (reader()[0], reader()[1])):
        assert sample["keypoints"].shape == (98, 2)
        assert (sample["visible"] == 2).all()
        x, y = np.rint(sample["keypoints"]).astype(int).T
        assert (sample["img"][y, x] == 255).all()
        x1, y1, x2, y2 = sample["box"]
        assert x1 <= x.min() < x.max() <= x2
        assert y1 <= y.min() < y.max() <= y2
    assert reader()[1]["name"] == f"{FOLDER}/WFLW_images/two.png (list.txt: line 2)"


def test_a_flag_takes_its_faces() -> None:
    assert [len(reader(attribute=name)) for name in (None, "pose", "occlusion")] == [2, 1, 1]
    assert reader(attribute="pose")[0]["sample_id"] == "list.txt: line 2"
    with pytest.raises(DataError, match="shows no face with the flag 'blur'"):
        reader(attribute="blur")


def test_the_mirror_of_a_face_that_looks_straight_ahead_is_itself() -> None:
    """The face of the files is built from its parts, not from the permutation."""
    points = np.array(MAKER["face"]())
    np.testing.assert_allclose((points * (-1, 1))[list(FACE.mirror)], points, atol=1e-9)
    assert sorted(FACE.mirror) == list(range(98))
    assert [FACE.mirror[FACE.mirror[joint]] for joint in range(98)] == list(range(98))
    sides = {"left": "right", "right": "left"}
    for joint, other in zip(FACE.joints, FACE.mirror, strict=True):
        side, _, part = joint.partition("_")
        if side in sides:
            assert FACE.joints[other].startswith(f"{sides[side]}_{part.rstrip('0123456789')}")
    assert len(FACE) == len(FACE.colors) == len(set(FACE.joints)) == 98
    assert max(max(edge) for edge in FACE.edges) == 95


def test_training_mirrors_points_with_their_names() -> None:
    crop = TopDownAffine(input_size=(160, 160))
    plain = crop(LoadImage()(reader()[0]))
    mirrored = crop(TopDownRandomFlip(flip_prob=1)({**LoadImage()(reader()[0]), "rng": np.random.default_rng(0)}))
    assert np.abs(mirrored["img"].astype(int) - plain["img"][:, ::-1]).max() <= 2
    np.testing.assert_allclose(mirrored["keypoints"][60], (159, 0) + plain["keypoints"][72] * (-1, 1), atol=1e-3)
    assert mirrored["keypoints"][60, 0] < mirrored["keypoints"][72, 0]  # the right eye is on the left


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, "x", "list.txt: line 2: could not convert"),
        (5, "nan", "line 2: needs finite numbers, got nan in field 6"),
        (198, "0", r"line 2: needs a box of x1 < x2 and y1 < y2, got \([0-9., ]+\)$"),
        (200, "2", "line 2: flags must be 0 or 1, got 2 0 0 0 0 0"),
        (206, "", "line 2 has 206 fields; WFLW's have 206 numbers"),
    ],
)
def test_lines_of_another_form_are_refused(place: int, value: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        reader(with_field(tmp_path, place, value))


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        reader(tmp_path / "no.txt")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(DataError, match=r"shows no face$"):
        reader(tmp_path / "empty.txt")
    with pytest.raises(DataError, match=r"attribute must be one of pose, .*'poses'"):
        reader(attribute="poses")
