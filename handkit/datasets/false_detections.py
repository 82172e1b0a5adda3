"""What a detector takes for hands where there are none: the hardest negatives, and the ones a pipeline meets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.negatives import no_hand
from handkit.errors import DataError
from handkit.geometry import box_area, clip_boxes
from handkit.registry import DATASETS
from handkit.transforms.base import Sample

Array = NDArray[Any]


class WholeImages(Protocol):
    """Samples of whole images with `source`, `sample_id`, `image_size`, `boxes` and `ignored_boxes`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


@DATASETS.register_module()
class FalseDetections:
    """A detector's boxes that show no hand, of the form of `NegativePhotos`' samples.

    ``handkit predict PICTURES --task hand_detection --box-threshold 0.1 --json detections.json`` writes them down. A
    pipeline whose presence head has learnt them can take more boxes of that detector without inventing hands.

    Args:
        dataset: the images and the boxes of all their hands: `NegativeImages`, or `ImageBoxes` of images in which no
            hand lacks a box.
        detections: the JSON file; it has an entry for each image of `dataset`, and may have more. Its paths count from
            the working folder, or from the file's own.
        score: boxes below it are left out.
        overlap: so is one that shares more than this part of the smaller box's area with a hand, ignored ones too.

    Raises:
        DataError: the file is none of these or lacks an image, an argument is out of its range, or no box is left.
    """

    def __init__(
        self, dataset: WholeImages, detections: str | os.PathLike[str], score: float = 0.1, overlap: float = 0.1
    ) -> None:
        if not (0 <= score <= 1 and 0 <= overlap < 1):
            raise DataError(f"FalseDetections needs score in [0, 1] and overlap in [0, 1), got {score} and {overlap}")
        self.dataset = dataset
        self.path = Path(detections)
        found = _read(self.path)
        images, boxes = [], []
        for index in range(len(dataset)):
            image = dataset[index]
            for box in self._false(image, found, score, overlap):
                images.append(index)
                boxes.append(box)
        if not images:
            raise DataError(f"{self.path}: none of its boxes of {score} or more is apart from all hands")
        self._images, self._boxes = np.array(images), np.array(boxes, np.float32)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        image = self.dataset[int(self._images[index])]
        sample_id = f"{image['sample_id']}, detection {index % len(self)}"
        return no_hand(image["source"], sample_id, image["image_size"], self._boxes[index])

    def _false(self, image: Sample, found: dict[str, Array], score: float, overlap: float) -> Array:
        """(F, 4) boxes of an image that show no hand."""
        rows = found.get(os.path.realpath(image["source"]))
        if rows is None:
            raise DataError(
                f"{self.path}: says nothing of {image['source']}; write it again by 'handkit predict --task "
                "hand_detection --json' over all pictures of this data set, from this folder"
            )
        boxes = clip_boxes(rows[rows[:, 4] >= score, :4], image["image_size"])
        hands = np.concatenate([image["boxes"], image["ignored_boxes"]]).astype(np.float64)
        solid = box_area(boxes) >= 1
        return np.asarray(boxes[solid & (_shared(boxes, hands).max(1, initial=0) <= overlap)])


def _read(path: Path) -> dict[str, Array]:
    """Real path of a picture -> (D, 5) its boxes xyxy and their scores."""
    try:
        records = json.loads(path.read_text("utf-8"))["images"]
        found: dict[str, Array] = {}
        for record in records:
            if "error" not in record:
                boxes = np.array(record["boxes"], np.float64).reshape(-1, 4)
                rows = np.column_stack([boxes, np.array(record["box_scores"], np.float64)])
                found |= {os.path.realpath(base / record["input"]): rows for base in (path.parent, Path())}
        return found
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: is not what 'handkit predict --task hand_detection --json' writes ({type(error).__name__}: "
            f"{error})"
        ) from None


def _shared(boxes: Array, hands: Array) -> Array:
    """(F, 4) and (H, 4) -> (F, H) the shared area in parts of the smaller one's."""
    low = np.maximum(boxes[:, None, :2], hands[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], hands[None, :, 2:])
    both = box_area(np.concatenate([low, high], -1))
    smaller = np.minimum(box_area(boxes)[:, None], box_area(hands)[None])
    return np.asarray(both / np.maximum(smaller, 1e-9))
