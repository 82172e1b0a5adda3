"""A small data set in the folder format of FreiHAND, of rendered hands: for trying recipes that read the real one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.originals.freihand import SIZE, VERSIONS
from handkit.datasets.synthetic.background import room
from handkit.datasets.synthetic.handsynth import HandSynth
from handkit.datasets.synthetic.skin import linear_to_srgb
from handkit.errors import DataError, HandkitError
from handkit.files import write_json
from handkit.skeleton import HAND
from handkit.transforms.background import soft_weight

Array = NDArray[Any]

#: The middle finger's first bone, whose length `*_scale.json` holds.
_SCALE_BONE = (HAND.joints.index("middle_finger1"), HAND.joints.index("middle_finger2"))
_GREEN = (70, 170, 90)
_JPEG_QUALITY = 95
_FEATHER = 0.8
#: Hands are rendered in pictures of this side, of which a square around each, so many times as wide as it, is kept.
_RENDERED, _MARGIN = 320, 1.7
#: About half of the rendered hands are right ones; this many times as many are looked through at most.
_LOOKED_THROUGH = 8


def write_freihand(
    folder: Path,
    training: int,
    evaluation: int,
    source: str = "makehuman",
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Writes right hands of `HandSynth`, 224 x 224, as FreiHAND's authors publish theirs; the folder appears whole.

    ``training/rgb`` shows every hand four times: before a green screen and, in its place, before three others;
    ``training/mask`` has the hands' outlines. ``SPLIT_xyz.json`` holds metres in the camera's frame, ``SPLIT_K.json``
    the intrinsics, ``SPLIT_scale.json`` the length of the middle finger's first bone.

    Args:
        folder: must not exist.
        training: hands to learn from, four pictures each.
        evaluation: hands to measure on, one picture each; none of them is in the training part.
        source: see `HandSynth`.
        seed: another seed, other hands.
        report: told after every hand how many of how many are done.

    Raises:
        DataError: the folder exists, there is nothing to make, or it cannot be written.
        HubError: the files of the hand cannot be had.
        MissingExtraError: what renders the source is not installed.
    """
    if min(training, evaluation) < 1:
        raise DataError(f"at least 1 hand to learn from and 1 to measure on, not {training} and {evaluation}")
    if folder.exists():
        raise DataError(f"{folder} is there already; choose another folder")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    total = training + evaluation
    hands = _right_hands(HandSynth(source, seed, _LOOKED_THROUGH * total + 16, (_RENDERED, _RENDERED)), seed)
    try:
        _write_split(part, "training", training, hands, lambda done: report(done, total))
        _write_split(part, "evaluation", evaluation, hands, lambda done: report(training + done, total))
        part.replace(folder)
    except HandkitError:  # A file of the hub that cannot be had is an OSError too.
        raise
    except OSError as error:
        raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _right_hands(dataset: HandSynth, seed: int) -> Iterator[tuple[dict[str, Any], np.random.Generator]]:
    """The right hands that lie in the frame, with a generator of random numbers for what is put behind each."""
    for index in range(len(dataset)):
        labels = dataset.hands(index)
        if labels.handedness == ("right",) and (labels.visible > 0).all():
            yield _framed(dataset[index]), np.random.default_rng([seed, index, 1])


def _framed(sample: dict[str, Any]) -> dict[str, Any]:
    """A rendered sample cut to a square around its hand, inside the picture, and scaled to FreiHAND's size."""
    x1, y1, x2, y2 = sample["box"]
    side = min(_RENDERED, round(_MARGIN * float(max(x2 - x1, y2 - y1))))
    left, top = (
        int(np.clip(round(float(mid) - side / 2), 0, _RENDERED - side)) for mid in ((x1 + x2) / 2, (y1 + y2) / 2)
    )
    scale = SIZE / side
    # A pixel's centre is a whole number, so that (x - left + 0.5) * scale - 0.5 is where x goes.
    move = np.array([[scale, 0, (0.5 - left) * scale - 0.5], [0, scale, (0.5 - top) * scale - 0.5], [0, 0, 1]])
    square = (slice(top, top + side), slice(left, left + side))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return {
        "img": cv2.resize(sample["img"][square], (SIZE, SIZE), interpolation=way),
        "mask": cv2.resize(sample["mask"][square], (SIZE, SIZE), interpolation=cv2.INTER_NEAREST_EXACT),
        "camera": move @ sample["camera"],
        "xyz_cam": sample["xyz_cam"],
    }


def _write_split(
    part: Path,
    split: str,
    count: int,
    hands: Iterator[tuple[dict[str, Any], np.random.Generator]],
    report: Callable[[int], None],
) -> None:
    pictures, masks = part / split / "rgb", part / split / "mask"
    pictures.mkdir(parents=True)
    masks.mkdir()
    labels: dict[str, list[Any]] = {"xyz": [], "K": [], "scale": []}
    for number in range(count):
        sample, rng = next(hands, (None, None))
        if sample is None or rng is None:
            raise DataError(
                f"of so many rendered hands too few are right ones in the frame; {number} of {count} {split}"
            )
        shown = (sample["mask"] == 1).astype(np.uint8) * 255
        cv2.imwrite(str(masks / f"{number:08d}.jpg"), shown, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        for version, name in enumerate(VERSIONS[split]):
            img = _version(sample, name, rng)
            path = pictures / f"{version * count + number:08d}.jpg"
            if not cv2.imwrite(str(path), img[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]):
                raise OSError(f"{path.name} could not be written")
        xyz = sample["xyz_cam"].astype(float)
        labels["xyz"].append(xyz.round(6).tolist())
        labels["K"].append(sample["camera"].astype(float).round(6).tolist())
        labels["scale"].append(round(float(np.linalg.norm(xyz[_SCALE_BONE[0]] - xyz[_SCALE_BONE[1]])), 6))
        report(number + 1)
    for name, rows in labels.items():
        write_json(part / f"{split}_{name}.json", rows)


def _version(sample: dict[str, Any], name: str, rng: np.random.Generator) -> Array:
    """The picture before its own background, a green screen (gs), or a made room."""
    img: Array = sample["img"]
    if name in ("", "auto"):
        return img
    if name == "gs":
        behind = np.full_like(img, _GREEN)
    else:
        behind = (linear_to_srgb(room(rng, (SIZE, SIZE))) * 255).round().clip(0, 255).astype(np.uint8)
    weight = soft_weight(sample["mask"] > 0, _FEATHER)
    return np.asarray(cv2.blendLinear(img, behind, weight, 1 - weight))
