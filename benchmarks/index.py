"""How soon training can begin: the first and the second start of a synthetic file of 100,000 annotated hands.

    python benchmarks/index.py [--annotations 100000]

A start is `CocoHands(file)` in a new process, imports excluded; the file is in the system's page cache each time. Also
prints how much memory a process holds alone and how much it can share, and how long xtcocotools, through which mmpose
reads COCO files, takes where it is installed. Exits with 1 if the second start takes 2 seconds or more.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _timing import print_machine

LIMIT_SECONDS = 2.0
STARTS = 5

_START = """
import json, pickle, sys, time
from handkit.datasets import CocoHands
begin = time.perf_counter()
reader = CocoHands(sys.argv[1])
seconds = time.perf_counter() - begin
for row in range(0, len(reader), 100):
    reader[row]
lines = [line.split() for line in open("/proc/self/smaps_rollup")]
memory = {words[0].rstrip(":"): int(words[1]) for words in lines if words[-1] == "kB"}
private = memory["Private_Clean"] + memory["Private_Dirty"]
print(json.dumps([seconds, len(pickle.dumps(reader)), len(reader), private, memory["Rss"] - private]))
"""
_PEER = """
import contextlib, io, json, sys, time
from xtcocotools.coco import COCO
begin = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    COCO(sys.argv[1])
print(json.dumps([time.perf_counter() - begin]))
"""


def synthetic_file(path: Path, annotations: int) -> None:
    """Two hands in each 640x480 image, with the fields of a file that people annotate in."""
    draw = np.random.default_rng(0)
    joints = np.empty((annotations, 21, 3))
    joints[..., :2] = draw.uniform(100, 300, (annotations, 1, 2)) + draw.uniform(0, 150, (annotations, 21, 2))
    joints[..., 2] = draw.integers(1, 3, (annotations, 21))
    images = [
        {"id": i, "file_name": f"images/{i:08d}.jpg", "width": 640, "height": 480} for i in range(-(-annotations // 2))
    ]
    rows = [
        {
            "id": i,
            "image_id": i // 2,
            "category_id": 1,
            "iscrowd": 0,
            "keypoints": hand.ravel().round(2).tolist(),
            "bbox": [*hand[:, :2].min(0).round(2).tolist(), 150.0, 150.0],
            "hand_side": ("left", "right")[i % 2],
        }
        for i, hand in enumerate(joints)
    ]
    path.write_text(json.dumps({"images": images, "annotations": rows}))


def run(code: str, path: Path, home: Path) -> list[Any]:
    """What a new Python process prints."""
    environment = {**os.environ, "HANDKIT_HOME": str(home)}
    command = [sys.executable, "-c", code, str(path)]
    return json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotations", type=int, default=100_000)
    count = parser.parse_args().annotations
    with tempfile.TemporaryDirectory() as folder:
        path, home = Path(folder) / "hands.json", Path(folder) / "home"
        synthetic_file(path, count)
        print_machine(1, ["numpy"])
        print(f"{count} annotations, {path.stat().st_size / 1e6:.0f} MB of JSON")
        first = run(_START, path, home)[0]
        starts = [run(_START, path, home) for _ in range(STARTS)]
        second = statistics.median(start[0] for start in starts)
        _, pickled, hands, private, shared = starts[-1]
        index = sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
        print(f"first start: {first:.2f} s, second start: {second:.2f} s (median of {STARTS}), {hands} samples")
        print(f"index: {index / 1e6:.0f} MB on disk; a pickled reader: {pickled} bytes")
        print(f"memory of a process: {private / 1e3:.0f} MB of its own, {shared / 1e3:.0f} MB that others share")
        if importlib.util.find_spec("xtcocotools"):
            peer = run(_PEER, path, home)[0]
            print(f"xtcocotools: {peer:.2f} s at every start: {peer / second:.1f} times ours")
    return int(second >= LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
