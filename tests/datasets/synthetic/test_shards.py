"""Shards: whole or not there, the same whoever rendered them, and read by the readers."""

from __future__ import annotations

import errno
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets import CocoHands, HandShards, HandSynth
from handkit.datasets.synthetic import shards
from handkit.datasets.synthetic.shards import Progress, write_shards
from handkit.errors import DataError, OfflineError
from handkit.images import read_image


def capsules(count: int = 5, seed: int = 0) -> HandSynth:
    return HandSynth("capsule", seed, count, (48, 40))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards") / "whole"
    write_shards(capsules(), folder, shard_size=2)
    return folder


def test_the_folder_holds_what_is_documented(whole: Path) -> None:
    names = set(files(whole))
    assert {"generator.json", "hands.json", "xyz_cam.npy", "camera.npy", "contact_sheet.png"} <= names
    assert {name.split("/")[0] for name in names if "/" in name} == {
        "00000000-00000001",
        "00000002-00000003",
        "00000004-00000004",
    }
    assert "00000002-00000003/images/00000003.jpg" in names
    assert "00000002-00000003/masks/00000003.png" in names


def test_readers_take_it(whole: Path) -> None:
    reader, rendered = HandShards(whole), capsules()
    assert len(reader) == len(CocoHands(whole / "hands.json", unlabelled="skip")) > 3
    for sample in reader:
        number = int(Path(sample["source"]).stem)
        item = rendered[number]
        np.testing.assert_allclose(sample["keypoints"], item["keypoints"], atol=0.006)
        np.testing.assert_allclose(sample["xyz_cam"], item["xyz_cam"], atol=1e-5)
        np.testing.assert_allclose(sample["camera"], item["camera"], rtol=1e-6)
        np.testing.assert_allclose(sample["box"], item["box"], atol=0.02)
        np.testing.assert_array_equal(sample["visible"], item["visible"])
        np.testing.assert_array_equal(sample["mask"], item["mask"])
        assert sample["right"] == item["right"]
        difference = np.abs(read_image(sample["source"]).astype(float) - item["img"])
        assert difference.mean() < 6


def test_a_reader_travels_to_a_worker(whole: Path) -> None:
    sent = pickle.dumps(HandShards(whole))
    again = pickle.loads(sent)
    np.testing.assert_array_equal(again[1]["xyz_cam"], HandShards(whole)[1]["xyz_cam"])


def test_two_workers_write_the_same_files(whole: Path, tmp_path: Path) -> None:
    write_shards(capsules(), tmp_path / "again", shard_size=2, workers=2)
    assert files(tmp_path / "again") == files(whole)


def test_an_interrupted_run_goes_on_behind_the_last_whole_shard(whole: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.pictures == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(capsules(), tmp_path / "out", shard_size=2, report=stop)
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {"00000000-00000001"}
    assert len(HandShards(tmp_path / "out").index) == 2
    write_shards(capsules(), tmp_path / "out", shard_size=2, report=seen.append)
    assert seen[3] == Progress(pictures=3, total=5, rendered=1)
    assert files(tmp_path / "out") == files(whole)
    before = len(seen)
    write_shards(capsules(), tmp_path / "out", shard_size=2, report=seen.append)
    assert len(seen) == before


def test_a_killed_run_leaves_no_half_shard_and_no_worker(whole: Path, tmp_path: Path) -> None:
    code = (
        "from handkit.datasets import HandSynth\nfrom handkit.datasets.synthetic.shards import write_shards\n"
        "from pathlib import Path\nimport os, sys\nif __name__ == '__main__':\n"
        "    def tell(p):\n        import multiprocessing as m\n"
        "        if p.pictures == 3: print(*[c.pid for c in m.active_children()], flush=True)\n"
        "        if p.pictures == 4: import time; time.sleep(60)\n"
        "    write_shards(HandSynth('capsule', 0, 5, (48, 40)), Path(sys.argv[1]), 2, 2, tell)\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    with subprocess.Popen([sys.executable, script, tmp_path / "out"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [int(pid) for pid in process.stdout.readline().split()]
        process.send_signal(signal.SIGKILL)
    assert workers
    write_shards(capsules(), tmp_path / "out", shard_size=2)
    assert files(tmp_path / "out") == files(whole)
    for _ in range(40):
        if not any(map(_alive, workers)):
            break
        time.sleep(0.1)
    assert not any(map(_alive, workers))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().split()[2] == "Z")


def test_another_generator_or_a_full_folder_is_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"another generator \(seed 0 there, 1 here"):
        write_shards(capsules(seed=1), whole, shard_size=2)
    with pytest.raises(DataError, match="shard_size 2 there, 3 here"):
        write_shards(capsules(), whole, shard_size=3)
    with pytest.raises(DataError, match="views None there, 'front' here"):
        write_shards(HandSynth("capsule", 0, 5, (48, 40), views="front"), whole, shard_size=2)
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(DataError, match=r"not empty and has no generator\.json"):
        write_shards(capsules(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_full_disk_is_named_and_leaves_whole_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = shards._write_picture

    def full(part: Path, number: int, picture: Any) -> None:
        if number == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(part, number, picture)

    monkeypatch.setattr(shards, "_write_picture", full)
    with pytest.raises(DataError, match="No space left on device; whole shards are kept"):
        write_shards(capsules(), tmp_path / "out", shard_size=2)
    assert [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()] == ["00000000-00000001"]


def test_a_mesh_that_cannot_be_had_is_no_fault_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HANDKIT_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"^makehuman_hand/\S+ could not be had"):
        write_shards(HandSynth("makehuman", count=1), tmp_path / "out")


def test_a_later_epoch_is_not_mixed_with_the_first(whole: Path, tmp_path: Path) -> None:
    endless = HandSynth("capsule", 0, 5, (48, 40), endless=True)
    write_shards(endless, tmp_path / "first", shard_size=2)
    assert files(tmp_path / "first") == files(whole)
    endless.set_epoch(1)
    with pytest.raises(DataError, match=r"first epoch: set_epoch\(0\), not 1"):
        write_shards(endless, tmp_path / "first", shard_size=2)
    still = capsules()
    still.set_epoch(1)
    write_shards(still, tmp_path / "first", shard_size=2)


def test_pictures_are_on_the_disk_before_their_shard_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, synced = [], []
    fsync, replace = os.fsync, Path.replace

    def sync(number: int) -> None:
        synced.append(os.fstat(number).st_ino)
        fsync(number)

    def rename(path: Path, target: Path) -> Path:
        folders.append(target.name)
        assert {file.stat().st_ino for file in path.rglob("*") if file.is_file()} <= set(synced)
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", rename)
    write_shards(capsules(2), tmp_path / "out")
    assert folders == ["00000000-00000001"]


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least 1"):
        write_shards(capsules(), tmp_path / "out", shard_size=0)
    with pytest.raises(DataError, match="nothing to render"):
        write_shards(capsules(0), tmp_path / "out")
    with pytest.raises(DataError, match="no whole shard"):
        HandShards(tmp_path)


def test_a_first_run_that_fails_leaves_the_folder_free(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(DataError, match="no folder"):
        write_shards(HandSynth("makehuman", count=5, assets=tmp_path / "mistyped"), out, shard_size=2)
    assert not out.exists()
    out.mkdir()
    (out / "generator.json").write_text('{"seed": 7}')
    write_shards(capsules(1), out)
    assert len(HandShards(out).index) == 1


@pytest.mark.parametrize("before", [3, 4])
def test_more_pictures_are_rendered_into_the_folder(whole: Path, tmp_path: Path, before: int) -> None:
    """As if all had been asked for at once; until a full shard takes the place of the cut one, that one is read."""
    out = tmp_path / "out"
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    write_shards(capsules(before), out, shard_size=2)
    with pytest.raises(KeyboardInterrupt):
        write_shards(capsules(), out, shard_size=2, report=stop)
    assert len(HandShards(out).index) == before
    assert all(Path(sample["source"]).is_file() for sample in HandShards(out))
    write_shards(capsules(), out, shard_size=2, report=seen.append)
    assert files(out) == files(whole)
    assert [progress.rendered for progress in seen] == list(range(1, 4 - 2 * (before == 4)))
    with pytest.raises(DataError, match="count 5 there, 4 here"):
        write_shards(capsules(4), out, shard_size=2)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    write_shards(capsules(2), folder)
    return folder


def test_damaged_shards_are_named(copy: Path) -> None:
    mask = next(copy.glob("*/masks/00000000.png"))
    mask.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"00000000\.png: is no mask"):
        HandShards(copy)[0]
    np.save(copy / "xyz_cam.npy", np.zeros((1, 21, 3), np.float32))
    with pytest.raises(DataError, match="hold fewer hands"):
        HandShards(copy)
    (copy / "xyz_cam.npy").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be read"):
        HandShards(copy)


@pytest.mark.parametrize("name", ["hands.json", "xyz_cam.npy", "camera.npy"])
def test_damaged_labels_of_all_shards_are_written_anew(copy: Path, name: str) -> None:
    before = files(copy)
    (copy / name).write_bytes(b"")
    write_shards(capsules(2), copy)
    assert files(copy) == before
    (copy / name).unlink()
    write_shards(capsules(2), copy)
    assert files(copy) == before


def test_hands_of_which_little_is_seen_are_crowd_regions() -> None:
    item = {**capsules()[0], "visible": np.array([2] * 7 + [0] * 14, np.uint8)}
    assert shards._annotation(item)["iscrowd"] == 1
    assert shards._annotation({**item, "visible": np.array([2] * 5 + [1] * 16, np.uint8)})["iscrowd"] == 0
    assert shards._annotation({**item, "visible": np.array([2] * 4 + [1] * 17, np.uint8)})["iscrowd"] == 1


def test_a_broken_label_file_of_a_shard_is_named(copy: Path) -> None:
    (copy / "contact_sheet.png").unlink()
    next(copy.glob("0*/hands.json")).write_text("{")
    with pytest.raises(DataError, match=r"hands\.json: not a JSON file"):
        write_shards(capsules(2), copy)


def test_the_generator_file_says_how(whole: Path) -> None:
    made = json.loads((whole / "generator.json").read_text())
    assert made["seed"] == 0
    assert made["source"] == "capsule"
    assert made["image_size"] == [48, 40]
