"""Configs copied to another folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from handkit.errors import ConfigError
from handkit.registry.config import config_names, load_config
from handkit.registry.copying import copy_config

NAMES = ["pipelines/hand_2d_keypoints_hrnetv2_w18_dark", "hand_2d_keypoints/hrnetv2_w18_dark_onehand10k_256x256"]


@pytest.mark.parametrize("name", NAMES)
def test_the_chain_works_from_its_new_place(name: str, tmp_path: Path) -> None:
    written = copy_config(name, tmp_path / "mine")
    assert written[0] == tmp_path / "mine" / f"{name}.py"
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(written)
    assert len(written) > 2
    assert load_config(written[0]) == load_config(name)
    for path in written[1:]:
        path.unlink()
    with pytest.raises(ConfigError):  # so it was the copies that were read
        load_config(written[0])


@pytest.mark.parametrize("name", config_names())
def test_one_file_is_the_same_config(name: str, tmp_path: Path) -> None:
    (path,) = copy_config(name, tmp_path, flat=True)
    assert load_config(path) == load_config(name)
    assert "\n_base_" not in path.read_text("utf-8")


def test_no_file_is_replaced_and_none_is_added_beside_it(tmp_path: Path) -> None:
    name = NAMES[0]
    mine = tmp_path / "_base_" / "models" / "hrnetv2_w18.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(ConfigError, match=r"hrnetv2_w18\.py is there already"):
        copy_config(name, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


def config(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_bases_of_bases_above_beside_and_as_json_move_along(tmp_path: Path) -> None:
    old = tmp_path / "old"
    config(old / "up.json", '{"max_hands": 3}')
    config(old / "a" / "beside.py", "_base_ = '../up.json'\nbox_threshold = 0.5\n")
    source = config(
        old / "a" / "b.py", "_base_ = ['beside.py']\nnms_iou = {{_base_.box_threshold}}\nhome = '{{$HOME:x}}'\n"
    )
    written = copy_config(source, tmp_path / "new")
    assert {path.relative_to(tmp_path / "new").as_posix() for path in written} == {"a/b.py", "a/beside.py", "up.json"}
    resolved = load_config(written[0])
    assert (resolved["nms_iou"], resolved["max_hands"]) == (0.5, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("_base_ = ['{folder}/base.py']", "cannot move along"),
        ("_base_ = [name for name in ['base.py']]", "--flat"),
        ("_base_ = ['absent.py']", "'absent.py' is no file"),
        ("work_dir = '{{ fileDirname }}/out'", "depends on where the file lies"),
        ("task = ", "cannot be read"),
    ],
)
def test_what_cannot_be_copied_is_one_error(text: str, message: str, tmp_path: Path) -> None:
    config(tmp_path / "old" / "base.py", "max_hands = 1\n")
    source = config(tmp_path / "old" / "a.py", text.replace("{folder}", str(tmp_path / "old")) + "\n")
    with pytest.raises(ConfigError, match=message):
        copy_config(source, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_absolute_base_is_no_matter_for_one_file(tmp_path: Path) -> None:
    base = config(tmp_path / "base.py", "max_hands = 1\n")
    (path,) = copy_config(config(tmp_path / "a.py", f"_base_ = [{str(base)!r}]\n"), tmp_path / "new", flat=True)
    os.unlink(base)
    assert load_config(path) == {"max_hands": 1}
