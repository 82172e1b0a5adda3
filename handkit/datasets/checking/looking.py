"""What the samples of a data set, and their pictures, say about the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.checking.findings import Finding, finding
from handkit.datasets.checking.leaves import Leaf
from handkit.datasets.checking.mirrors import against, mirror_votes, side_vote
from handkit.datasets.checking.orders import scrambled_group, scrambled_hands
from handkit.datasets.checking.pictures import Pictures
from handkit.datasets.checking.targets import is_hand
from handkit.errors import HandkitError
from handkit.skeleton import HAND
from handkit.transforms.base import Sample

Array = NDArray[Any]
#: (RGB picture, (21, 2) joints, box) -> 1 the person's right hand, 0 the left, NaN not sure.
SideJudge = Callable[[Array, Array, Array], float]
#: About so many hands of each leaf have their side judged, spread evenly.
_JUDGED = 60


@dataclass
class Seen:
    """What was seen of a leaf; lists have an entry per judged hand.

    Args:
        samples: that were opened.
        hands: among them that show a labelled hand.
        sided: of those that have a side.
        places: how findings call the hands that are judged.
        points: (21, 2) each.
        visible: (21,) each.
        mirrors: votes of `mirror_votes`, where the picture could be read.
        sides: votes of `side_vote` or of a judge, where there is one.
        failures: samples that the data set could not give.
    """

    samples: int = 0
    hands: int = 0
    sided: int = 0
    places: list[str] = field(default_factory=list)
    points: list[Array] = field(default_factory=list)
    visible: list[Array] = field(default_factory=list)
    mirrors: list[tuple[int, int]] = field(default_factory=list)
    sides: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def look(leaf: Leaf, limit: int, pictures: Pictures, known: set[str], judge: SideJudge | None) -> Seen:
    """Opens samples of a leaf, spread evenly, with their pictures.

    Args:
        leaf: the data set.
        limit: at most so many samples.
        pictures: takes note of every picture file.
        known: names of hands that something is wrong with; they are not judged.
        judge: tells sides where no 3D joints do.
    """
    seen = Seen()
    stride = max(1, min(leaf.count, limit) // _JUDGED)
    last: tuple[str | None, Array | None] = (None, None)
    for index in leaf.indices(limit):
        seen.samples += 1
        try:
            sample = leaf.dataset[index]
        except HandkitError as error:
            seen.failures.append(str(error))
            continue
        path = sample.get("source")
        if not isinstance(path, str):
            last = (None, sample.get("img"))
        elif path != last[0]:
            last = (path, pictures.open(path, sample.get("image_size")))
        if is_hand(sample):
            seen.hands += 1
            if isinstance(path, str):
                pictures.boxes.setdefault(path, []).append(np.asarray(sample["box"], np.float64))
            seen.sided += int(np.isfinite(sample.get("right", np.nan)))
            if str(sample["sample_id"]) not in known and len(sample["keypoints"]) == len(HAND):
                _note(seen, sample, last[1], judge if seen.hands % stride == 0 else None)
        elif np.isfinite(sample.get("box_points", np.nan)).any():
            seen.hands += 1
    return seen


def _note(seen: Seen, sample: Sample, picture: Array | None, judge: SideJudge | None) -> None:
    points, visible = np.asarray(sample["keypoints"], np.float64), np.asarray(sample["visible"])
    right = float(sample.get("right", np.nan))
    seen.places.append(str(sample["sample_id"]))
    seen.points.append(points)
    seen.visible.append(visible)
    if picture is not None:
        seen.mirrors.append(mirror_votes(picture, points, visible))
    if "xyz_cam" in sample:
        seen.sides.append(side_vote(sample["xyz_cam"], right))
    elif judge is not None and picture is not None and np.isfinite(right):
        answer = judge(picture, points, np.asarray(sample["box"], np.float64))
        seen.sides.append(0 if np.isnan(answer) else 1 if (answer > 0.5) != (right > 0.5) else -1)


def judge_hands(where: str, seen: Seen) -> list[Finding]:
    """The faults of order, mirroring and sides that the hands show."""
    if not seen.places:
        return []
    found = _orders(where, seen)
    if not found:
        for column, about in enumerate(("the picture", "the hand's own box")):
            votes = [row[column] for row in seen.mirrors]
            if not found and against(votes):
                clear = f"{votes.count(1)} hands stand out more when mirrored, {votes.count(-1)} less"
                message = f"joints are mirrored about the middle of {about}: {clear}"
                found.append(Finding("mirrored_joints", where, message))
    if against(seen.sides):
        wrong, right = seen.sides.count(1), seen.sides.count(-1)
        message = f"left and right are swapped: {wrong} hands look like the other side, {right} like their own"
        found.append(Finding("mirrored_sides", where, message))
    return found


def _orders(where: str, seen: Seen) -> list[Finding]:
    points, visible = np.stack(seen.points), np.stack(seen.visible)
    order = scrambled_group(points, visible)
    if order is not None:
        return [Finding("scrambled_joints", where, f"the joints of most hands stand in another order: {order}")]
    single = np.flatnonzero(scrambled_hands(points, visible)).tolist()
    if not single:
        return []
    message = f"{len(single)} of {len(seen.places)} hands: their joints stand in another order than handkit's"
    return [finding("scrambled_joints", where, message, [seen.places[row] for row in single])]
