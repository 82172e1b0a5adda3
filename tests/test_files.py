from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from handkit.files import replacing, sha256_of, write_json, writing


def test_a_failed_write_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "result.bin"
    path.write_bytes(b"old")

    def write_half() -> None:
        with writing(path) as file:
            file.write(b"new")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_half_way_leaves_what_was_there_and_names_the_file(tmp_path: Path, disk_of: Any) -> None:
    path = tmp_path / "result.json"
    write_json(path, ["old"])
    before = path.read_bytes()
    with disk_of(5000), pytest.raises(OSError, match="too large") as caught:
        write_json(path, list(range(10_000)))
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_write_replaces_and_makes_parents(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "hands.json"
    write_json(path, {"x": 1})
    write_json(path, {"x": "ä"})
    assert json.loads(path.read_text("utf-8")) == {"x": "ä"}
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_not_there_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with writing(path, "w") as file:
        file.write("text")
        assert not path.exists()
    assert path.read_text("utf-8") == "text"


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_text, "utf-8")
        write_json(pipe, {"x": 1})
        assert json.loads(read.result(timeout=10)) == {"x": 1}
    assert pipe.is_fifo()


def test_a_long_name_is_no_longer_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("手" * 83 + ".json")
    write_json(path, {})
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["model", "old"])
def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(NotADirectoryError), replacing(folder) as made:
        sha256_of(folder / "old" / "below a file" / made.name)
    assert list(tmp_path.rglob("*")) == [folder, folder / "old"]
    with pytest.raises(FileNotFoundError), replacing(folder):
        pass  # nothing was made
    assert list(tmp_path.rglob("*")) == [folder, folder / "old"]
    with replacing(folder) as made:
        made.mkdir()
        (made / "new").touch()
    assert list(tmp_path.rglob("*")) == [folder, folder / "new"]


def test_sha256(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"hand" * 1_000_000)
    assert sha256_of(path) == hashlib.sha256(b"hand" * 1_000_000).hexdigest()
