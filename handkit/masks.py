"""Masks: which pixels of an image show each of its hands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError

Array = NDArray[Any]


def checked_masks(masks: Any, count: int, image_size: tuple[int, int] | None = None, name: str = "masks") -> Array:
    """A read-only copy of masks, (count, H, W) bool.

    Args:
        masks: bool, or numbers that are 0 or 1.
        count: how many there must be.
        image_size: (width, height) that they must have; None for any.
        name: what they are called in messages.

    Raises:
        DataError: another shape, or another number in them.
    """
    try:
        given = np.array(masks)
    except ValueError:
        raise DataError(f"{name} must be of one size, and differ in theirs") from None
    height, width = given.shape[1:] if image_size is None and given.ndim == 3 else (image_size or (0, 0))[::-1]
    if given.shape != (count, height, width):
        raise DataError(f"{name} must have the shape {(count, height or 'H', width or 'W')}, got {given.shape}")
    if given.dtype != bool and not np.isin(given, (0, 1)).all():
        raise DataError(f"{name} must be bool, or 0 and 1")
    made = given.astype(bool, copy=False)
    made.setflags(write=False)
    return made


def run_lengths(masks: Array) -> list[dict[str, Any]]:
    """(N, H, W) bool masks -> N times COCO's compressed run lengths, which pycocotools reads.

    ``size`` is [H, W]; ``counts`` tells the lengths of runs down the columns, from the left, beginning with pixels that
    show no hand, as text.
    """
    return [{"size": list(mask.shape), "counts": _text(_counts(mask))} for mask in masks]


def _counts(mask: Array) -> list[int]:
    changes = np.flatnonzero(np.diff(mask.ravel(order="F"), prepend=False))
    counts: list[int] = np.diff(changes, prepend=0, append=mask.size).tolist()
    return counts


def _text(counts: list[int]) -> str:
    """From the fourth on the difference from the last but one; five bits a letter, the lowest first."""
    letters = []
    for index, count in enumerate(counts):
        rest = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            bits, rest = rest & 31, rest >> 5
            more = rest != (-1 if bits & 16 else 0)
            letters.append(chr(48 + bits + 32 * more))
    return "".join(letters)
