"""The cached index: mapped, shared, and made anew whenever it is not exactly what was written."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets import CocoHands, index
from handkit.datasets.columns import HandColumns
from handkit.datasets.index import HandIndex, open_index, parse_index
from handkit.errors import DataError

COLUMNS = tuple(HandColumns.__dataclass_fields__)


def same(a: HandIndex, b: HandIndex) -> bool:
    return all(np.array_equal(getattr(a.columns, name), getattr(b.columns, name)) for name in ("file_names", "boxes"))


def mapped(columns: HandColumns) -> bool:
    return all(isinstance(getattr(columns, name).base, np.memmap) for name in COLUMNS)


@pytest.fixture
def cached(files: Path, index_home: Path) -> Path:
    """The cache folder of coco.json, filled."""
    made = open_index(files / "coco.json", "coco")
    assert made.folder is not None
    assert made.folder.parent == index_home
    return made.folder


@pytest.fixture
def no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(index, "parse", refuse)


def test_the_second_start_maps_what_the_first_wrote(files: Path, cached: Path, no_parsing: None) -> None:
    again = open_index(files / "coco.json", "coco")
    assert again.folder == cached
    assert mapped(again.columns)
    assert not again.columns.keypoints.flags.writeable


def test_cached_and_parsed_columns_are_equal(files: Path, index_home: Path) -> None:
    for layout in ("coco", "handphotos", "coco_wholebody"):
        path = files / f"{layout}.json"
        open_index(path, layout)  # type: ignore[arg-type]
        kept, parsed = open_index(path, layout), parse_index(path, layout)  # type: ignore[arg-type]
        for name in COLUMNS:
            ours, theirs = getattr(kept.columns, name), getattr(parsed.columns, name)
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
            assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("path", [3, None])
def test_what_is_no_path_is_told(path: Any) -> None:
    with pytest.raises(DataError, match=f"named by its path, not by {path}"):
        CocoHands(path)
    with pytest.raises(DataError, match=f"named by its path, not by {path}"):
        parse_index(path)


def test_small_files_are_not_cached(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDKIT_HOME", str(tmp_path))
    assert open_index(files / "coco.json", "coco").folder is None
    assert not list(tmp_path.iterdir())


def test_the_cache_goes_by_content_and_layout(
    files: Path, index_home: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    first = open_index(files / "coco.json", "coco")
    copy = Path(shutil.copy(files / "coco.json", tmp_path / "renamed.json"))
    assert open_index(copy, "coco").folder == first.folder
    assert open_index(copy, "coco").path == copy
    edited = changed("coco.json", keypoints=[5.0, 5.0, 2] * 21, hand_side="left")
    other = open_index(edited, "coco")
    assert other.folder != first.folder
    assert other.columns.sides[0] == 0
    assert open_index(copy, "handphotos").folder not in (first.folder, other.folder)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_damaged_column_is_written_anew(files: Path, cached: Path, column: str) -> None:
    path = cached / f"{column}.npy"
    sound = path.read_bytes()
    broken = bytearray(sound)
    # human_boxes holds no row in this file: its last byte is one of the header
    broken[-1] ^= 1
    path.write_bytes(broken)
    assert same(open_index(files / "coco.json", "coco"), parse_index(files / "coco.json", "coco"))
    assert path.read_bytes() == sound


def cut(folder: Path) -> None:
    path = folder / "keypoints.npy"
    path.write_bytes(path.read_bytes()[:-8])


def write_text(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


def other_version(folder: Path) -> None:
    stored = json.loads((folder / "columns.json").read_text())
    (folder / "columns.json").write_text(json.dumps({**stored, "version": 0}))


def pickled_column(folder: Path) -> None:
    np.save(folder / "boxes.npy", np.array([{"a": 1}], object), allow_pickle=True)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "truncated column": cut,
    "empty column": write_text("boxes.npy", ""),
    "no column": lambda folder: (folder / "sides.npy").unlink(),
    "no checks": lambda folder: (folder / "columns.json").unlink(),
    "checks of another kind": write_text("columns.json", "[]"),
    "half of the checks": write_text("columns.json", '{"version": 1'),
    "another version": other_version,
    "a pickle": pickled_column,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_is_written_anew(files: Path, cached: Path, damage: str) -> None:
    DAMAGE[damage](cached)
    made = open_index(files / "coco.json", "coco")
    assert made.folder == cached
    assert same(made, parse_index(files / "coco.json", "coco"))
    assert mapped(made.columns)
    assert not list(cached.glob("*.part"))


def test_an_interrupted_write_leaves_nothing_that_is_read(
    files: Path, index_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, save = [], np.save

    def full_disk(file: Any, array: Any, **options: Any) -> None:
        calls.append(file)
        if len(calls) == 5:
            raise OSError(28, "No space left on device")
        save(file, array, **options)

    monkeypatch.setattr(np, "save", full_disk)
    with pytest.warns(UserWarning, match=r"cannot be kept in .* \(No space left on device\)"):
        made = open_index(files / "coco.json", "coco")
    assert made.folder is None
    assert same(made, parse_index(files / "coco.json", "coco"))
    monkeypatch.setattr(np, "save", save)
    assert open_index(files / "coco.json", "coco").folder is not None


def test_a_home_that_is_no_folder_only_warns(files: Path, index_home: Path) -> None:
    index_home.parent.write_text("a file")
    with pytest.warns(UserWarning, match="set HANDKIT_HOME"):
        made = open_index(files / "coco.json", "coco")
    assert same(pickle.loads(pickle.dumps(made)), made)


def test_a_pickle_is_the_path_and_not_the_columns(files: Path, cached: Path, no_parsing: None) -> None:
    reader = CocoHands(files / "coco.json")
    data = pickle.dumps(reader)
    assert len(data) < 1000
    again = pickle.loads(data)
    assert mapped(again.index.columns)
    assert again[1]["sample_id"] == reader[1]["sample_id"]


def test_a_pickle_outlives_its_cache(files: Path, cached: Path) -> None:
    data = pickle.dumps(CocoHands(files / "coco.json"))
    shutil.rmtree(cached)
    assert len(pickle.loads(data)) == 2


def test_another_process_maps_the_same_files(
    files: Path, cached: Path, in_subprocess: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "reader.pkl").write_bytes(pickle.dumps(CocoHands(files / "coco.json")))
    out = in_subprocess(
        "import pickle, sys\n"
        f"reader = pickle.loads(open({str(tmp_path / 'reader.pkl')!r}, 'rb').read())\n"
        "print(type(reader.index.columns.keypoints.base).__name__, reader.index.columns.keypoints.base.filename)\n"
        "print('torch' in sys.modules)"
    )
    assert out.split() == ["memmap", str(cached / "keypoints.npy"), "False"]


def test_processes_that_start_at_once_all_get_it(files: Path, index_home: Path) -> None:
    code = (
        "from handkit.datasets import index; index.MIN_CACHED_BYTES = 0\n"
        f"made = index.open_index({str(files / 'coco.json')!r}, 'coco'); print(len(made), made.folder is not None)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0].split() for process in running] == [["3", "True"]] * 3


def test_rows_and_images_answer_each_other(tmp_path: Path, files: Path) -> None:
    document = json.loads((files / "coco.json").read_text())
    empty = {"id": 1, "file_name": "empty.png", "width": 9, "height": 9}
    document["images"] = [empty, document["images"][0], {**empty, "id": "x"}, document["images"][1], {**empty, "id": 2}]
    path = tmp_path / "some.json"
    path.write_text(json.dumps(document))
    made = parse_index(path, "coco")
    assert (made.images, len(made)) == (5, 3)
    assert made.image_of(np.arange(3)).tolist() == [1, 3, 3]
    assert [made.rows_of(image) for image in range(5)] == [
        slice(0, 0),
        slice(0, 1),
        slice(1, 1),
        slice(1, 3),
        slice(3, 3),
    ]
    assert made.place(0) == "image 7, annotation 70"


def test_a_file_without_hands_has_an_index(tmp_path: Path, index_home: Path) -> None:
    path = tmp_path / "none.json"
    path.write_text('{"images": [], "annotations": []}')
    open_index(path, "coco")
    again = open_index(path, "coco")
    assert (again.images, len(again)) == (0, 0)
    assert again.columns.keypoints.shape == (0, 21, 2)


def test_unknown_layouts_and_absent_files_are_named(tmp_path: Path, files: Path) -> None:
    with pytest.raises(DataError, match="did you mean 'coco'"):
        open_index(files / "coco.json", "coc")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"absent\.json: cannot be read"):
        open_index(tmp_path / "absent.json", "coco")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        open_index(tmp_path, "coco")


def stating(path: Path, layout: Any, target: Path) -> Path:
    """A copy of a file that states its own layout."""
    document = json.loads(path.read_text("utf-8"))
    target.write_text(json.dumps({**document, "info": {"handkit_layout": layout}}))
    return target


def test_a_file_that_states_its_layout_is_read_by_it(files: Path, index_home: Path, tmp_path: Path) -> None:
    path = stating(files / "handphotos.json", "coco", tmp_path / "mine.json")
    plain = parse_index(files / "handphotos.json")
    first, again, guessed = open_index(path, "handphotos"), open_index(path, "handphotos"), parse_index(path)
    for made in (first, again, guessed, pickle.loads(pickle.dumps(again))):
        assert made.layout == "coco"
        np.testing.assert_allclose(made.columns.keypoints, plain.columns.keypoints + 0.5)
    assert again.folder is not None
    assert mapped(again.columns)


@pytest.mark.parametrize("layout", ["cocoo", 3])
def test_a_file_that_states_an_unknown_layout_is_refused(files: Path, tmp_path: Path, layout: Any) -> None:
    with pytest.raises(DataError, match=r"mine\.json: no layout is called"):
        parse_index(stating(files / "coco.json", layout, tmp_path / "mine.json"), "coco")
