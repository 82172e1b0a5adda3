"""More hands in a picture, or hands in one that shows none."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.errors import ConfigError, DataError
from handkit.registry import TRANSFORMS
from handkit.skeleton import HAND
from handkit.transforms.background import soft_weight
from handkit.transforms.base import Sample
from handkit.transforms.draws import check_at_least_0, check_shares, stream
from handkit.transforms.loading import LoadImage
from handkit.transforms.random_view import RandomView
from handkit.transforms.whole_images import boxes_of

Array = NDArray[Any]
_LOAD = LoadImage()


class Pictures(Protocol):
    """Samples with `source` or, of a data set that renders, `img`; with `boxes` and `mask`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


@TRANSFORMS.register_module()
class PasteHands:
    """Cuts what the masks of other pictures show, hands with their arms and what they hold, and pastes it.

    Each pasted picture gets a view of its own; one that would hide more than `most_hidden` of a hand that is there
    already is left out. Stands behind the `RandomView` of the picture itself, whose `mask` is used up.

    Args:
        pictures: samples of whole images with masks, e.g. `HandScenes`, or `ImageBoxes` of `HandShards`.
        view: how a pasted picture is looked at; its `input_size` is that of the picture it is pasted on.
        count: most pictures pasted; their number is drawn evenly from 1 on.
        most_hidden: share of a box.
        feather: deviation in pixels by which outlines are softened.
        prob: how often anything is pasted.

    Raises:
        ConfigError: `count` below 1, a negative `feather`, or no share.
        DataError: in use, pictures without masks, or of another size than the view's.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        pictures: Pictures,
        view: RandomView,
        count: int = 2,
        most_hidden: float = 0.2,
        feather: float = 0.7,
        prob: float = 0.3,
    ) -> None:
        check_shares(self, prob=prob, most_hidden=most_hidden)
        check_at_least_0(self, feather=feather)
        if count < 1:
            raise ConfigError(f"PasteHands: count must be 1 or more, not {count}")
        self.pictures = pictures
        self.view = view
        self.count = count
        self.most_hidden = most_hidden
        self.feather = feather
        self.prob = prob

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`, `boxes`, `box_points` and `ignored_boxes`."""
        boxes_of(sample, self)
        rng = stream(sample, self, self.prob)
        if rng is None:
            return sample
        done = {key: value for key, value in sample.items() if key != "mask"}
        for _ in range(1 + int(rng.integers(self.count))):
            done = self._paste(done, self._cut(rng))
        return done

    def _cut(self, rng: np.random.Generator) -> Sample:
        """A view of a random picture."""
        other = self.pictures[int(rng.integers(len(self.pictures)))]
        if "mask" not in other:
            raise DataError(f"PasteHands: {other.get('sample_id', 'a picture')} has no 'mask' to be cut out by")
        return self.view({**_LOAD(other), "rng": rng})

    def _paste(self, sample: Sample, other: Sample) -> Sample:
        img, mask = sample["img"], other["mask"]
        if mask.shape != img.shape[:2]:
            raise DataError(f"PasteHands: its view has the size {mask.shape[::-1]}, the picture {img.shape[1::-1]}")
        if any(_hidden(mask, box) > self.most_hidden for box in sample["boxes"]):
            return sample
        weight = soft_weight(mask > 0, self.feather)
        return {
            **sample,
            "img": cv2.blendLinear(other["img"], img, weight, 1 - weight),
            "boxes": np.concatenate([sample["boxes"], other["boxes"]]),
            "box_points": np.concatenate([_points(sample), _points(other)]),
            "ignored_boxes": np.concatenate([_ignored(sample), _ignored(other)]),
        }


def _points(sample: Sample) -> Array:
    """(M, 21, 2) float32 `box_points`, unknown where the sample has none."""
    unknown = np.full((len(sample["boxes"]), len(HAND), 2), np.nan, np.float32)
    return np.asarray(sample.get("box_points", unknown), np.float32)


def _ignored(sample: Sample) -> Array:
    """(I, 4) float32 `ignored_boxes`, none where the sample has none."""
    return np.asarray(sample.get("ignored_boxes", ()), np.float32).reshape(-1, 4)


def _hidden(mask: Array, box: Array) -> float:
    """The share of a box that a mask covers."""
    x1, y1 = np.floor(box[:2]).astype(int)
    x2, y2 = np.ceil(box[2:]).astype(int)
    part = mask[y1:y2, x1:x2]
    return float(np.mean(part > 0)) if part.size else 0.0
