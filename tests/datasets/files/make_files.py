"""Makes the annotation files and pictures beside it: python tests/datasets/files/make_files.py.

Two pictures of a hand of 21 joints, each on the centre of a pixel that has the joint's own colour. The files are read
by the tests of `handkit.datasets`; the coordinates of `handphotos.json` are edge-to-edge.

Then files in the formats of published data sets: mmpose's, of the same pictures, and the authors' own, whose pictures
show each joint as a square of 5 pixels, as some are JPEG.
"""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handkit.datasets import HandSynth
from handkit.datasets.gesture_hands import write_gestures
from handkit.datasets.synthetic.gesture_joints import gesture_joints
from handkit.datasets.synthetic.shards import write_shards

Array = NDArray[Any]
HERE = Path(__file__).parent
#: A hand from the wrist upwards: five fingers of four joints.
HAND = [(20, 40)] + [(8 + 6 * finger, 30 - 5 * joint - finger) for finger in range(5) for joint in range(4)]
#: Where the fingers' joints stand in RHD's order (tip to base), and in InterHand2.6M's (with the wrist last).
RHD = [0, *(base + joint for base in (1, 5, 9, 13, 17) for joint in (3, 2, 1, 0))]
INTERHAND = [*RHD[1:], 0]
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


def hand(scale: float, left: float = 0) -> Array:
    """(21, 2) `HAND`, enlarged and moved right."""
    return np.array(HAND, float) * scale + (left, 0)


def camera(focal: float, size: tuple[int, int]) -> Array:
    """(3, 3) intrinsics."""
    return np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])


def lifted(points: Array, intrinsics: Array) -> Array:
    """(21, 3) metres before the camera, each joint a little farther than the one before."""
    depth = 0.5 + 0.01 * np.arange(len(points))[:, None]
    return np.concatenate([points, np.ones_like(depth)], -1) @ np.linalg.inv(intrinsics).T * depth


def grey_picture(size: tuple[int, int], *hands: Array) -> Image.Image:
    """A grey picture of hands."""
    pixels = np.full((size[1], size[0], 3), 70, np.uint8)
    for points in hands:
        for joint, (x, y) in enumerate(points.astype(int)):
            pixels[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = (255, 10 * joint, 0)
    return Image.fromarray(pixels)


def write(name: str, value: Any) -> None:
    """A JSON file."""
    (HERE / name).parent.mkdir(exist_ok=True)
    (HERE / name).write_text(json.dumps(value) + "\n")


def save(image: Image.Image, name: str) -> None:
    """A picture; JPEG nearly without loss of colour."""
    (HERE / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(HERE / name, quality=100, subsampling=0, optimize=True)


def mmpose_files() -> None:
    """One annotation per format, of ``images/one.png``, and Panoptic's of a picture named by its side."""
    one = [{"id": 7, "file_name": "images/one.png"}]
    first = {"id": 70, "image_id": 7, "bbox": [2, 4, 30, 40], "iscrowd": 0}
    write("onehand10k.json", document(one, [{**first, "keypoints": keypoints(0, v=1, j3=(0, 0, 0))}]))
    write("freihand.json", document(one, [{**first, "keypoints": keypoints(0, v=1)}]))
    sides = [{"id": 7, "file_name": "images/one.png"}, {"id": 8, "file_name": "panoptic/two_l.png"}]
    Image.open(HERE / "images" / "two.png").save(_folder("panoptic") / "two_l.png", optimize=True)
    second = {"id": 80, "image_id": 8, "bbox": [58, 10, 30, 40], "keypoints": keypoints(50, v=1), "head_size": 140.0}
    made = document([sides[0]], [{**first, "keypoints": keypoints(0, v=1), "head_size": 140.0}, second])
    made["images"].append({**sides[1], "width": 96, "height": 60})
    write("panoptic.json", made)
    intrinsics = camera(80, (64, 48))
    nested = [[float(x), float(y), 1] for x, y in hand(1)[RHD]]
    nested[4][2] = 0
    space = {"hand_type": "left", "joint_cam": (1000 * lifted(hand(1), intrinsics)[RHD]).tolist()}
    made = document(one, [{**first, **space, "keypoints": nested}])
    made["images"][0]["cam_param"] = {"focal": [80.0, 80.0], "princpt": [32.0, 24.0]}
    write("rhd.json", made)


def _folder(name: str) -> Path:
    (HERE / name).mkdir(exist_ok=True)
    return HERE / name


def freihand() -> None:
    """One recording in its four versions, and one of the evaluation, further to the right."""
    intrinsics = camera(200, (224, 224))
    for split, points, count in (("training", hand(4), 4), ("evaluation", hand(4, 60), 1)):
        write(f"freihand/{split}_xyz.json", [lifted(points, intrinsics).tolist()])
        write(f"freihand/{split}_K.json", [intrinsics.tolist()])
        for image in range(count):
            save(grey_picture((224, 224), points), f"freihand/{split}/rgb/{image:08d}.jpg")


def rhd() -> None:
    """Picture 3 shows a left hand, its right one is hidden whole; picture 5 both, with one joint hidden.

    The pickle names the modules that NumPy had when the data set was made.
    """
    intrinsics = camera(300, (320, 320))
    left, right = hand(4), hand(4, 150)
    seen = np.ones((2, 21))
    entries = {}
    for number, hidden in ((3, 21), (5, 4)):
        seen[1] = np.arange(21) >= hidden
        shown = [left] if hidden == 21 else [left, right]
        save(grey_picture((320, 320), *shown), f"rhd/color/{number:05d}.png")
        mask = np.zeros((320, 320), np.uint8)
        mask[100:, :300] = 1
        for side, points in enumerate(shown):
            low, high = points.min(0).astype(int), points.max(0).astype(int)
            mask[low[1] : high[1], low[0] : high[0]] = (17, 33)[side]
            mask[low[1] : low[1] + 9, low[0] : low[0] + 9] = (2, 18)[side]
        save(Image.fromarray(mask), f"rhd/mask/{number:05d}.png")
        uv = np.concatenate([left[RHD], right[RHD]])
        entries[number] = {
            "uv_vis": np.concatenate([uv, seen[:, RHD].reshape(42, 1)], -1).astype(np.float32),
            "xyz": np.concatenate([lifted(points, intrinsics)[RHD] for points in (left, right)]).astype(np.float32),
            "K": intrinsics.astype(np.float32),
        }
    data = pickle.dumps(entries, protocol=2).replace(b"cnumpy._core.", b"cnumpy.core.")
    (HERE / "rhd" / "anno_training.pickle").write_bytes(data)


def interhand() -> None:
    """Picture 0 shows both hands, picture 1 the left one alone, whose joint 3 is not valid; cameras stand askew."""
    size = (160, 100)
    intrinsics = camera(120, size)
    turn = np.array([[0.6, 0.0, 0.8], [0.0, 1.0, 0.0], [-0.8, 0.0, 0.6]])
    position = np.array([30.0, -20.0, 15.0])
    right, left = hand(2), hand(2, 80)
    spaces = [1000 * lifted(points, intrinsics)[INTERHAND] @ turn + position for points in (right, left)]
    valid = np.ones((2, 42, 1), int)
    valid[1, :21] = valid[1, 21 + INTERHAND.index(3)] = 0
    world = np.stack([np.concatenate(spaces)] * 2)
    world[valid[..., 0] == 0] = 1
    images, annotations, joints = [], [], {}
    for row, kind in enumerate(("interacting", "left")):
        name = f"Capture0/image{row}.png"
        save(grey_picture(size, *([right, left] if row == 0 else [left])), f"interhand/{name}")
        joints[str(row)] = {"world_coord": world[row].tolist(), "joint_valid": valid[row].tolist(), "hand_type": kind}
        place = {"capture": 0, "subject": 0, "seq_name": "tiny", "camera": "400002", "frame_idx": row}
        images.append({"id": row, "file_name": name, "width": size[0], "height": size[1], **place})
        box = [10.0, 10.0, 140.0, 80.0] if row == 0 else [90.0, 10.0, 60.0, 80.0]
        fields = {"bbox": box, "joint_valid": valid[row].tolist(), "hand_type": kind, "hand_type_valid": 1}
        annotations.append({"id": row, "image_id": row, **fields})
    fields = {"campos": position, "camrot": turn, "focal": intrinsics[(0, 1), (0, 1)], "princpt": intrinsics[:2, 2]}
    write("interhand/tiny_data.json", {"images": images, "annotations": annotations})
    write("interhand/tiny_joint_3d.json", {"0": joints})
    write("interhand/tiny_camera.json", {"0": {name: {"400002": value.tolist()} for name, value in fields.items()}})


def row(x1: float, y1: float, x2: float, y2: float, count: int) -> list[tuple[float, float]]:
    """Points on a line, both ends among them."""
    return [(x1 + (x2 - x1) * k / (count - 1), y1 + (y2 - y1) * k / (count - 1)) for k in range(count)]


def ring(x: float, y: float, width: float, height: float, count: int) -> list[tuple[float, float]]:
    """Points on an ellipse, clockwise from its left end."""
    turns = [np.pi + 2 * np.pi * k / count for k in range(count)]
    return [(x + width * float(np.cos(turn)), y + height * float(np.sin(turn))) for turn in turns]


def face() -> list[tuple[float, float]]:
    """A face that looks straight ahead: the 98 points of WFLW, symmetrical about x = 0, ears at -30 and 30."""
    jaw = [(-30 * float(np.cos(np.pi * k / 32)), 36 * float(np.sin(np.pi * k / 32))) for k in range(33)]
    brows = [row(x1, -12, x2, -12, 5) + row(x2 - 1, -10, x1 + 1, -10, 4) for x1, x2 in ((-24, -8), (8, 24))]
    nose = row(0, -4, 0, 8, 4) + row(-6, 10, 6, 10, 5)
    eyes = ring(-16, -4, 6, 3, 8) + ring(16, -4, 6, 3, 8)
    return [
        *jaw,
        *brows[0],
        *brows[1],
        *nose,
        *eyes,
        *ring(0, 22, 12, 6, 12),
        *ring(0, 22, 8, 3, 8),
        (-16, -4),
        (16, -4),
    ]


def wflw() -> None:
    """Two faces, the second one turned and half the size, in the form of WFLW's lists; each point is a white pixel."""
    (HERE / "wflw" / "WFLW_images").mkdir(parents=True, exist_ok=True)
    lines = []
    for name, centre, turn, flags in (
        ("one.png", (40, 30), 0.0, "0 0 0 0 0 0"),
        ("two.png", (30, 40), 0.5, "1 0 0 0 1 0"),
    ):
        along = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * (
            1 if name == "one.png" else 0.5
        )
        points = np.array(face()) @ along + centre
        pixels = np.full((80, 80, 3), 60, np.uint8)
        for x, y in np.rint(points).astype(int).tolist():
            pixels[y, x] = 255
        Image.fromarray(pixels).save(HERE / "wflw" / "WFLW_images" / name, optimize=True)
        box = [*np.floor(points.min(0)).astype(int).tolist(), *np.ceil(points.max(0)).astype(int).tolist()]
        numbers = " ".join(f"{value:.6f}" for value in points.ravel())
        lines.append(f"{numbers} {' '.join(map(str, box))} {flags} {name}\n")
    (HERE / "wflw" / "list.txt").write_text("".join(lines), "utf-8")


def gestures() -> None:
    """A hand that shows one finger, and one that shows two."""
    points, _ = gesture_joints(1, source="capsule", poses={"one": ("point",), "two": ("two",)})
    write_gestures(HERE / "gestures.json", points, ("one", "two"), ("one/a.png", "two/b.png"), [(256, 256)] * 2)


def detections() -> None:
    """What a detector may find in the two pictures, as `handkit predict --json` writes it."""
    found = [{"input": "images/one.png", "boxes": [[1.0, 2.0, 20.0, 24.0]], "box_scores": [0.3]}]
    write("detections.json", {"images": [*found, {"input": "images/two.png", "boxes": [], "box_scores": []}]})


def main() -> None:
    """Writes everything."""
    (HERE / "images").mkdir(exist_ok=True)
    for name, left in (("one.png", 0), ("two.png", 50)):
        picture(*SIZES[name], left).save(HERE / "images" / name, optimize=True)
    for name, made in (("coco", coco()), ("handphotos", handphotos()), ("coco_wholebody", wholebody())):
        (HERE / f"{name}.json").write_text(json.dumps(made) + "\n")
    shutil.rmtree(HERE / "shards", ignore_errors=True)
    write_shards(HandSynth("capsule", count=3, image_size=(48, 48)), HERE / "shards", shard_size=2)
    mmpose_files()
    freihand()
    rhd()
    interhand()
    wflw()
    gestures()
    detections()


if __name__ == "__main__":
    main()
