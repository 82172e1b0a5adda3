"""The layouts of COCO keypoint JSON that hands come in: which fields of an annotation are a hand.

* ``coco``: what people annotate in. One hand per annotation: `keypoints`, optionally `bbox` (xywh), `iscrowd` and
  `hand_side` ('left' or 'right', the person's own side in an un-mirrored photograph). Coordinates have integers at
  pixel centres; `file_name` is relative to the JSON's folder. Machine-made ones may have `flip_disagreement` too.
* ``handphotos``: the same with edge-to-edge coordinates (0.5 is subtracted) and pictures below ``images/`` beside the
  JSON; per hand `flip_disagreement`, by which its labels are judged.
* ``coco_wholebody``: COCO-WholeBody 1.0 (Jin et al., ECCV 2020). One *person* per annotation with `lefthand_kpts`,
  `lefthand_box` (xywh), `lefthand_valid` and the same of the right hand; coordinates as in ``coco``. Some joints have a
  fraction as v, which, as its authors say, makes them labelled as any v > 0 does.

A file may state which it is in, ``"info": {"handkit_layout": "coco"}``, as those of ``handkit label`` do; every reader
then reads it so.

In all of them an image has `file_name`, `width`, `height` and optionally `source` (the name of where it was collected)
and `human_boxes` (a list of xywh boxes that people drew around hands). A hand has 21 joints in handkit's order, flat or
nested (x, y, v).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from handkit.errors import DataError

LayoutName = Literal["coco", "handphotos", "coco_wholebody"]


class RawHand(NamedTuple):
    """One hand as the file has it, unchecked."""

    name: str
    keypoints: Any
    box: Any = None
    side: Any = None
    crowd: bool = False
    disagreement: Any = None


@dataclass(frozen=True)
class Layout:
    """How a layout is read.

    Args:
        hands: the hands of one annotation; the second argument says where it stands, for messages.
        shift: subtracted from every coordinate, so that integers are pixel centres.
        pictures: the folder of the pictures, relative to the JSON's.
        fractions: v may be any number from 0 to 2, not only 0, 1 and 2.
    """

    hands: Callable[[Mapping[str, Any], str], Iterator[RawHand]]
    shift: float = 0.0
    pictures: str = "."
    fractions: bool = False


def _one_hand(row: Mapping[str, Any], where: str) -> Iterator[RawHand]:
    yield RawHand(
        f"annotation {row.get('id')!r}",
        row.get("keypoints"),
        row.get("bbox"),
        row.get("hand_side"),
        bool(row.get("iscrowd")),
        row.get("flip_disagreement"),
    )


def _hands_of_a_person(row: Mapping[str, Any], where: str) -> Iterator[RawHand]:
    for side in ("left", "right"):
        fields = [f"{side}hand_{field}" for field in ("valid", "kpts", "box")]
        if missing := [field for field in fields if field not in row]:
            raise DataError(f"{where}, annotation {row.get('id')!r}: COCO-WholeBody needs the field {missing[0]!r}")
        valid, keypoints, box = (row[field] for field in fields)
        if valid:
            yield RawHand(f"annotation {row.get('id')!r}, {side} hand", keypoints, box, side, bool(row.get("iscrowd")))


LAYOUTS: dict[LayoutName, Layout] = {
    "coco": Layout(_one_hand),
    "handphotos": Layout(_one_hand, shift=0.5, pictures="images"),
    "coco_wholebody": Layout(_hands_of_a_person, fractions=True),
}
