"""The layouts of annotation files: which fields of a record are a hand.

Those of COCO keypoint JSON:

* ``coco``: what people annotate in. One hand per annotation: `keypoints`, optionally `bbox` (xywh), `iscrowd` and
  `hand_side` ('left' or 'right', the person's own side in an un-mirrored photograph). Coordinates have integers at
  pixel centres; `file_name` is relative to the JSON's folder. Machine-made ones may have `flip_disagreement` too. An
  annotation with a `bbox` and no `keypoints` is a hand without a labelled joint, for detectors.
* ``handphotos``: the same with edge-to-edge coordinates (0.5 is subtracted) and pictures below ``images/`` beside the
  JSON; per hand `flip_disagreement`, by which its labels are judged.
* ``coco_wholebody``: COCO-WholeBody 1.0 (Jin et al., ECCV 2020). One *person* per annotation with `lefthand_kpts`,
  `lefthand_box` (xywh), `lefthand_valid` and the same of the right hand; coordinates as in ``coco``. Some joints have a
  fraction as v, which, as its authors say, makes them labelled as any v > 0 does. A hand that is not valid is not
  labelled; a crowd of people (`iscrowd`) without a valid hand is one crowd region, its `bbox`.
* ``onehand10k``, ``freihand``, ``panoptic``, ``rhd``: mmpose's conversions of these data sets, one hand per annotation
  in `keypoints`, with `bbox`. v is 1 for labelled joints, which become `visible` 2, as the files do not say which are
  hidden. FreiHAND has right hands only; Panoptic's pictures are named ``*_l.jpg`` or ``*_r.jpg`` by the person's side
  where that is known; RHD's hands have `hand_type`, `joint_cam` (mm) and fingers from tip to base, its images
  `cam_param` (`focal`, `princpt`).

A file may state which of these it is in, ``"info": {"handkit_layout": "coco"}``, as those of ``handkit label`` do;
every reader then reads it so. In all of them an image has `file_name`, `width`, `height` and optionally `source` (the
name of where it was collected) and `human_boxes` (a list of xywh boxes that people drew around hands). A hand has 21
joints, flat or nested (x, y, v).

And the files that data sets' authors publish (`handkit.datasets.originals`): ``freihand_xyz``, ``rhd_pickle`` and
``interhand``; and ``handsynth``, a folder's ``hands.json`` in ``coco`` with the joints in space and the cameras in the
arrays beside it, as `handkit data synth` writes them (`handkit.datasets.synthetic.shards`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Literal

from handkit.datasets.originals import freihand, handsynth, interhand, rhd
from handkit.datasets.records import Layout, Original, RawHand, Row
from handkit.errors import DataError

LayoutName = Literal[
    "coco",
    "handphotos",
    "coco_wholebody",
    "onehand10k",
    "freihand",
    "panoptic",
    "rhd",
    "freihand_xyz",
    "rhd_pickle",
    "interhand",
    "handsynth",
]

_NO_JOINTS = (0.0,) * 63
_LABELLED_IS_VISIBLE = (0, 2, 2)


def _one_hand(row: Row, image: Row, where: str) -> Iterator[RawHand]:
    yield RawHand(
        f"annotation {row.get('id')!r}",
        row.get("keypoints"),
        row.get("bbox"),
        row.get("hand_side"),
        bool(row.get("iscrowd")),
        row.get("flip_disagreement"),
    )


def _hand_or_box(row: Row, image: Row, where: str) -> Iterator[RawHand]:
    for hand in _one_hand(row, image, where):
        boxed = hand.keypoints is None and hand.box is not None
        yield hand._replace(keypoints=_NO_JOINTS) if boxed else hand


def _right_hand(row: Row, image: Row, where: str) -> Iterator[RawHand]:
    for hand in _one_hand(row, image, where):
        yield hand._replace(side="right")


def _panoptic_hand(row: Row, image: Row, where: str) -> Iterator[RawHand]:
    sides = {"_l": "left", "_r": "right"}
    for hand in _one_hand(row, image, where):
        yield hand._replace(side=sides.get(PurePosixPath(str(image.get("file_name"))).stem[-2:]))


def _rhd_hand(row: Row, image: Row, where: str) -> Iterator[RawHand]:
    if missing := [field for field in ("hand_type", "joint_cam") if row.get(field) is None]:
        raise DataError(f"{where}, annotation {row.get('id')!r}: mmpose's RHD needs the field {missing[0]!r}")
    for hand in _one_hand(row, image, where):
        yield hand._replace(side=row["hand_type"], xyz=row["joint_cam"])


def _hands_of_a_person(row: Row, image: Row, where: str) -> Iterator[RawHand]:
    for side in ("left", "right"):
        fields = [f"{side}hand_{field}" for field in ("valid", "kpts", "box")]
        if missing := [field for field in fields if field not in row]:
            raise DataError(f"{where}, annotation {row.get('id')!r}: COCO-WholeBody needs the field {missing[0]!r}")
        valid, keypoints, box = (row[field] for field in fields)
        if valid:
            yield RawHand(f"annotation {row.get('id')!r}, {side} hand", keypoints, box, side, bool(row.get("iscrowd")))
    if row.get("iscrowd") and row.get("bbox") is not None and not (row["lefthand_valid"] or row["righthand_valid"]):
        yield RawHand(f"annotation {row.get('id')!r}, crowd", _NO_JOINTS, row["bbox"], crowd=True)


_COCO = Layout(_hand_or_box)
LAYOUTS: dict[LayoutName, Layout | Original] = {
    "coco": _COCO,
    "handphotos": Layout(_hand_or_box, shift=0.5, pictures="images"),
    "coco_wholebody": Layout(_hands_of_a_person, fractions=True),
    "onehand10k": Layout(_one_hand, visibility=_LABELLED_IS_VISIBLE),
    "freihand": Layout(_right_hand, visibility=_LABELLED_IS_VISIBLE),
    "panoptic": Layout(_panoptic_hand, visibility=_LABELLED_IS_VISIBLE),
    "rhd": Layout(_rhd_hand, visibility=_LABELLED_IS_VISIBLE, order="rhd", metres=0.001),
    "freihand_xyz": Original(freihand.read, freihand.files),
    "rhd_pickle": Original(rhd.read),
    "interhand": Original(interhand.read, interhand.files),
    "handsynth": Original(partial(handsynth.read, layout=_COCO), handsynth.files),
}
