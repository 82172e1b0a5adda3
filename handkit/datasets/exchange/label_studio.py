"""Label Studio: a JSON list of tasks, one per picture, in the form that it imports and exports.

A hand is a rectangle region labelled ``left hand``, ``right hand`` or ``hand``, and a keypoint region per labelled
joint whose `parentID` is the rectangle's. A hidden joint and a crowd region say so in a choice of their region. Places
are per cent of the picture, counted from its edge. `interface` is the labelling interface that such a project needs.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.exchange.labelled import LabelledHand, LabelledImage, Labels, Lost, boxed_hands, check_joints
from handkit.errors import DataError, did_you_mean
from handkit.files import write_json, writing
from handkit.skeleton import HAND

Array = NDArray[Any]
_EDGE = 0.5
_RECTANGLES: dict[str, str | None] = {"left hand": "left", "right hand": "right", "hand": None}
_DRAWN = "drawn box"
_LOCAL = "/data/local-files/?d="


def interface() -> str:
    """The labelling interface (XML) of a project for hands."""
    boxes = "".join(f'\n    <Label value="{name}"/>' for name in (*_RECTANGLES, _DRAWN))
    joints = "".join(f'\n    <Label value="{joint}"/>' for joint in HAND.joints)
    return f"""<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="hand" toName="image">{boxes}
  </RectangleLabels>
  <KeyPointLabels name="joint" toName="image">{joints}
  </KeyPointLabels>
  <Choices name="state" toName="image" perRegion="true">
    <Choice value="hidden"/>
    <Choice value="crowd"/>
  </Choices>
</View>
"""


def interface_file(path: Path) -> Path:
    """Where the interface of the tasks in a file is written: beside them."""
    return path.with_suffix(".xml")


def write_label_studio(labels: Labels, path: Path) -> list[str]:
    """Writes the tasks, and beside them the labelling interface as ``.xml``.

    Returns:
        What the format cannot hold.
    """
    lost = Lost()
    lost.extras(labels)
    tasks = []
    for number, image in enumerate(labels.images, 1):
        regions: list[dict[str, Any]] = []
        for place, hand in enumerate(boxed_hands(image, lost)):
            lost.add("hands without a box (their rectangle is the joints' box x 1.15)", int(hand.box is None))
            lost.add("the places of joints that are not labelled", int(hand.joints[hand.joints[:, 2] == 0, :2].any()))
            regions += _regions(hand, image.size, f"i{number}h{place}")
        for place, box in enumerate(image.drawn):
            regions.append(_rectangle(box, image.size, f"i{number}d{place}", _DRAWN))
        data = {"image": _LOCAL + urllib.parse.quote(image.name)}
        tasks.append({"id": number, "data": data, "annotations": [{"result": regions}]})
    with writing(interface_file(path), "w") as file:
        file.write(interface())
    write_json(path, tasks)
    return lost.lines()


def _regions(hand: LabelledHand, size: tuple[int, int], name: str) -> Iterator[dict[str, Any]]:
    label = next(label for label, side in _RECTANGLES.items() if side == hand.side)
    yield _rectangle(hand.some_box(size), size, name, label)
    if hand.crowd:
        yield _state("crowd", name, size)
    for joint, (x, y, v) in zip(HAND.joints, hand.joints.tolist(), strict=True):
        if v > 0:
            place = {"x": _percent(x, size[0]), "y": _percent(y, size[1]), "width": 0.5, "keypointlabels": [joint]}
            region = _region(f"{name}.{joint}", size, "keypointlabels", "joint", place)
            yield {**region, "parentID": name}
            if v == 1:
                yield _state("hidden", f"{name}.{joint}", size)


def _rectangle(box: Array, size: tuple[int, int], name: str, label: str) -> dict[str, Any]:
    (x1, y1, x2, y2), (width, height) = box.tolist(), size
    corner = {"x": _percent(x1, width), "y": _percent(y1, height)}
    sides = {"width": round(100 * (x2 - x1) / width, 5), "height": round(100 * (y2 - y1) / height, 5), "rotation": 0}
    return _region(name, size, "rectanglelabels", "hand", {**corner, **sides, "rectanglelabels": [label]})


def _state(choice: str, name: str, size: tuple[int, int]) -> dict[str, Any]:
    return _region(name, size, "choices", "state", {"choices": [choice]})


def _region(name: str, size: tuple[int, int], kind: str, tag: str, value: dict[str, Any]) -> dict[str, Any]:
    frame = {"original_width": size[0], "original_height": size[1], "image_rotation": 0}
    return {"id": name, "type": kind, "from_name": tag, "to_name": "image", **frame, "value": value}


def _percent(value: float, side: int) -> float:
    return round(100 * (value + _EDGE) / side, 5)


def read_label_studio(path: Path) -> Labels:
    """Reads tasks with the labels of `interface`; of a task's annotations the last that was not skipped is taken.

    Raises:
        DataError: no list of tasks, or a region that is no part of a hand; the message names the task.
    """
    try:
        tasks = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise DataError(f"{path}: not a JSON file: {error}") from None
    if not isinstance(tasks, list):
        raise DataError(f"{path}: Label Studio's JSON is a list of tasks; export as 'JSON', not 'JSON-MIN' or 'COCO'")
    notes = Lost()
    images = []
    for task in tasks:
        where = f"{path}: task {task.get('id') if isinstance(task, dict) else task!r}"
        try:
            name = _file_of(task["data"]["image"])
            regions = _regions_of(task["annotations"], notes)
            if not regions:
                notes.add("tasks without a region: their size is unknown, so they are left out")
                continue
            images.append(_image(name, regions, where, notes))
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
            raise DataError(f"{where}: no task of Label Studio's JSON export: {error!r}") from None
    return Labels(images, [f"not read: {line}" for line in notes.lines()])


def _regions_of(annotations: list[dict[str, Any]], notes: Lost) -> list[dict[str, Any]]:
    """The regions of a task's last annotation that was not skipped; none where all were."""
    kept = [annotation for annotation in annotations if not annotation.get("was_cancelled")]
    notes.add("skipped annotations", len(annotations) - len(kept))
    notes.add("older annotations of a task that has several", max(len(kept) - 1, 0))
    results = kept[-1]["result"] if kept else []
    regions = [result for result in results if result.get("type") != "relation"]
    notes.add("relations between regions", len(results) - len(regions))
    return regions


def _file_of(reference: str) -> str:
    """The file that `data.image` means: a local file's path below its storage, an upload's name, else the text."""
    parts = urllib.parse.urlsplit(reference)
    named = urllib.parse.parse_qs(parts.query).get("d")
    if named:
        return named[0]
    return urllib.parse.unquote(reference.removeprefix("/data/upload/"))


def _image(name: str, regions: list[dict[str, Any]], where: str, notes: Lost) -> LabelledImage:
    size = (int(regions[0]["original_width"]), int(regions[0]["original_height"]))
    if any(float(region.get("image_rotation") or 0) for region in regions):
        raise DataError(f"{where}: was rotated while it was labelled; rotate the picture itself, and label it anew")
    states = {(region["id"], choice) for region in regions for choice in region["value"].get("choices", ())}
    image = LabelledImage(name, size)
    drawn: list[Array] = []
    hands: dict[str, LabelledHand] = {}
    for region in regions:
        label = (region["value"].get("rectanglelabels") or [None])[0]
        if label == _DRAWN:
            drawn.append(_box(region["value"], size, where))
        elif label is not None:
            if label not in _RECTANGLES:
                raise DataError(f"{where}: no rectangle is called {label!r}; {did_you_mean(label, _RECTANGLES)}")
            joints = np.zeros((len(HAND), 3))
            box, crowd = _box(region["value"], size, where), (region["id"], "crowd") in states
            hands[region["id"]] = LabelledHand(joints, box, _RECTANGLES[label], crowd)
    for region in regions:
        if "keypointlabels" in region["value"]:
            _add_joint(hands, region, size, (region["id"], "hidden") in states, where)
        elif not {"rectanglelabels", "choices"} & region["value"].keys():
            notes.add(f"regions of the type {region.get('type')!r}")
    image.hands = [LabelledHand(check_joints(h.joints, where), h.box, h.side, h.crowd) for h in hands.values()]
    image.drawn = np.array(drawn, np.float64).reshape(-1, 4)
    return image


def _add_joint(
    hands: Mapping[str, LabelledHand], region: dict[str, Any], size: tuple[int, int], hidden: bool, where: str
) -> None:
    label, value = region["value"]["keypointlabels"][0], region["value"]
    if label not in HAND.joints:
        raise DataError(f"{where}: no joint is called {label!r}; {did_you_mean(label, HAND.joints)}")
    x, y = (value[key] * side / 100 - _EDGE for key, side in zip("xy", size, strict=True))
    owner = region.get("parentID")
    if not owner:
        around = [name for name, hand in hands.items() if hand.box is not None and _inside(hand.box, x, y)]
        owner = around[0] if len(around) == 1 else None
    if owner is None or owner not in hands:
        raise DataError(f"{where}: the joint {label!r} belongs to no hand; drag it into its hand's rectangle region")
    row = hands[owner].joints[HAND.joints.index(label)]
    if row[2]:
        raise DataError(f"{where}: a hand has the joint {label!r} twice; remove one")
    row[:] = x, y, 1 if hidden else 2


def _inside(box: Array, x: float, y: float) -> bool:
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _box(value: Mapping[str, Any], size: tuple[int, int], where: str) -> Array:
    if float(value.get("rotation") or 0):
        raise DataError(f"{where}: a rectangle is rotated; hands have upright boxes: set its rotation to 0")
    x, y = value["x"] * size[0] / 100 - _EDGE, value["y"] * size[1] / 100 - _EDGE
    return np.array([x, y, x + value["width"] * size[0] / 100, y + value["height"] * size[1] / 100])
