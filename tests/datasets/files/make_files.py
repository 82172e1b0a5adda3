"""Makes the annotation files and pictures beside it: python tests/datasets/files/make_files.py.

Two pictures of a hand of 21 joints, each on the centre of a pixel that has the joint's own colour. The files are read
by the tests of `handkit.datasets`; the coordinates of `handphotos.json` are edge-to-edge.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from handkit.datasets import HandSynth
from handkit.datasets.synthetic.shards import write_shards

HERE = Path(__file__).parent
#: A hand from the wrist upwards: five fingers of four joints.
HAND = [(20, 40)] + [(8 + 6 * finger, 30 - 5 * joint - finger) for finger in range(5) for joint in range(4)]
SIZES = {"one.png": (64, 48), "two.png": (96, 60)}


def picture(width: int, height: int, left: int) -> Image.Image:
    """A grey ramp with `HAND` moved right by `left`; joint j has the colour (255, 10 j, 0)."""
    pixels = np.tile(np.linspace(40, 90, width).astype(np.uint8)[None, :, None], (height, 1, 3))
    for joint, (x, y) in enumerate(HAND):
        pixels[y, x + left] = (255, 10 * joint, 0)
    return Image.fromarray(pixels)


def keypoints(left: float, shift: float = 0.0, v: int = 2, **changes: tuple[float, float, int]) -> list[float]:
    """`HAND` moved right by `left`, all coordinates by `shift`; ``j5=(x, y, v)`` replaces a joint."""
    rows = [(x + left + shift, y + shift, v) for x, y in HAND]
    for name, row in changes.items():
        rows[int(name[1:])] = row
    return [value for row in rows for value in row]


def document(images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> dict[str, Any]:
    """A COCO JSON; the images' sizes are filled in."""
    for image in images:
        image["width"], image["height"] = SIZES[Path(image["file_name"]).name]
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "hand"}]}


def coco() -> dict[str, Any]:
    """One hidden and one unlabelled joint in the first hand; in the second one outside the frame; a crowd."""
    images = [
        {"id": 7, "file_name": "images/one.png", "source": "kitchen"},
        {"id": 8, "file_name": "images/two.png", "source": "garden"},
    ]
    first = keypoints(0, j3=(*HAND[3], 1), j4=(0, 0, 0))
    second = keypoints(50, j20=(100, 11, 1))
    return document(
        images,
        [
            {"id": 70, "image_id": 7, "keypoints": first, "hand_side": "right", "bbox": [2, 4, 30, 40]},
            {"id": 80, "image_id": 8, "keypoints": second, "hand_side": "left"},
            {"id": 81, "image_id": 8, "keypoints": keypoints(0), "iscrowd": 1},
        ],
    )


def handphotos() -> dict[str, Any]:
    """A good hand, one whose labels are doubted, and one whose joint 20 is outside the frame."""
    images = [
        {"id": 7, "file_name": "one.png", "source": "kitchen", "human_boxes": [[2, 4, 30, 40]]},
        {"id": 8, "file_name": "two.png", "source": "garden"},
    ]
    second = keypoints(50, 0.5, j20=(100.5, 11.5, 1))
    return document(
        images,
        [
            {"id": 1, "image_id": 7, "keypoints": keypoints(0, 0.5), "hand_side": "right", "flip_disagreement": 0.01},
            {"id": 2, "image_id": 8, "keypoints": keypoints(0, 0.5), "hand_side": "left", "flip_disagreement": 0.2},
            {"id": 3, "image_id": 8, "keypoints": second, "hand_side": "left", "flip_disagreement": 0.049},
        ],
    )


def wholebody() -> dict[str, Any]:
    """A person with both hands, the left one's box beyond the frame, the right one's v a fraction; a crowd."""
    faint = [value if index % 3 < 2 else 0.04 for index, value in enumerate(keypoints(0))]
    person = {
        "lefthand_valid": True,
        "lefthand_kpts": keypoints(50, v=1),
        "lefthand_box": [50, -3, 60, 50],
        "righthand_valid": True,
        "righthand_kpts": faint,
        "righthand_box": [4.5, 6, 34, 38],
    }
    nobody = {"lefthand_valid": False, "righthand_valid": False}
    blank = {
        f"{side}hand_{key}": [0.0] * size for side in ("left", "right") for key, size in (("kpts", 63), ("box", 4))
    }
    return document(
        [{"id": 8, "file_name": "images/two.png"}],
        [
            {"id": 90, "image_id": 8, "iscrowd": 0, **person},
            {"id": 91, "image_id": 8, "iscrowd": 0, **nobody, **blank},
            {"id": 92, "image_id": 8, "iscrowd": 1, **person},
        ],
    )


def main() -> None:
    """Writes everything."""
    (HERE / "images").mkdir(exist_ok=True)
    for name, left in (("one.png", 0), ("two.png", 50)):
        picture(*SIZES[name], left).save(HERE / "images" / name, optimize=True)
    for name, made in (("coco", coco()), ("handphotos", handphotos()), ("coco_wholebody", wholebody())):
        (HERE / f"{name}.json").write_text(json.dumps(made) + "\n")
    shutil.rmtree(HERE / "shards", ignore_errors=True)
    write_shards(HandSynth("capsule", count=3, image_size=(48, 48)), HERE / "shards", shard_size=2)


if __name__ == "__main__":
    main()
