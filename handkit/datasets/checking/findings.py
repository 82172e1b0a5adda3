"""What a check may find, and how each is mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: Every kind of finding: how it is mended. `docs/datasets.md` shows this table; a test compares them.
KINDS: dict[str, str] = {
    "unusable_dataset": "change the file, the folder or the filter that the message names",
    "too_few_samples": "lower batch_size, set drop_last=False, or use RepeatDataset",
    "scrambled_joints": "convert with `handkit data convert --joint-order NAME`, or bring the joints into the order of "
    "handkit.skeleton.HAND",
    "mirrored_joints": "mirror either the pictures or the joints (x becomes width - 1 - x), never one alone",
    "mirrored_sides": "swap left and right in the file: a side is the person's own, in an un-mirrored photograph",
    "joints_outside_box": "draw the box around the joints, as x, y, width, height, or leave it out "
    "and read with box='joints'",
    "no_visible_joints": "label the hand's joints, mark it iscrowd, or remove it",
    "duplicate_annotations": "remove all but one",
    "duplicate_pictures": "keep one of the files, with all its hands",
    "shared_pictures": "remove them from one of the two data sets; what is measured must not be trained on",
    "unreadable_pictures": "restore the files, or remove their images from the labels",
    "wrong_picture_sizes": "put back the pictures that were labelled, or scale the labels with the pictures; width and "
    "height are those of the upright picture",
    "crops_without_hand": "mend the boxes, or lower shift, scale and rotation of the augmentation",
    "zero_target_weights": "mend the codec: its input_size must be that of the crop",
    "no_hands": "add a data set with labelled hands",
    "no_sides": "add hand_side to the labels, or leave out the handedness head and 'right' of PoseCollect",
    "failing_transforms": "change the step that the message names",
}


@dataclass(frozen=True)
class Finding:
    """One fault.

    Args:
        kind: of `KINDS`.
        where: the part of the config and the file, e.g. ``train_dataset, hands/train.json``.
        message: what is wrong.
        count: how many hands or pictures show it; 0 where it is not of single ones.
        examples: the first of them.
    """

    kind: str
    where: str
    message: str
    count: int = 0
    examples: tuple[str, ...] = ()

    @property
    def mend(self) -> str:
        """What to do about it."""
        return KINDS[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "examples": list(self.examples), "mend": self.mend}

    def lines(self) -> list[str]:
        """Text for a terminal."""
        shown = [f"    {example}" for example in self.examples[:3]]
        more = [f"    and {self.count - len(shown)} more"] if self.count > len(shown) and shown else []
        return [f"{self.kind}: {self.where}: {self.message}", *shown, *more, f"    mend: {self.mend}"]


def finding(kind: str, where: str, message: str, places: Sequence[str]) -> Finding:
    """A finding about single hands or pictures; the first ten of `places` are kept."""
    return Finding(kind, where, message, len(places), tuple(places[:10]))
