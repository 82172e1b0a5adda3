"""Whole images with their hands: the samples of a detector, and of an estimator that finds all joints in one pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.labels import HandLabels
from handkit.datasets.reader import HandReader
from handkit.errors import DataError
from handkit.geometry import box_iou, clip_boxes
from handkit.registry import DATASETS
from handkit.skeleton import HAND
from handkit.transforms.base import Sample

Array = NDArray[Any]
#: The reader's boxes; where people drew boxes, those instead; or only images in which people drew boxes.
Drawn = Literal["no", "first", "only"]

#: A drawn box and a hand's box that overlap by this IoU or more are of the same hand.
_SAME_HAND = 0.3


@DATASETS.register_module()
class ImageBoxes:
    """One sample per image of a reader, with the boxes and joints of its hands, those without a labelled joint too.

    Samples hold no pixels yet: `source`, `name`, `image_size`, `boxes`, `box_points`, `ignored_boxes` and `sample_id`,
    and `mask` where the data have masks, as `handkit.transforms.base.SAMPLE_KEYS` explains them. Which of a hand's
    boxes is taken, handkit's or the file's, is the reader's `box`; a hand whose box has a side below a pixel counts as
    none. Crowd regions, and hands whose labels the reader's `max_disagreement` doubts, are ignored boxes.

    Boxes that people drew replace the reader's in their image as they are: of 1,131 hands of HandPhotos' training part
    that have both, they overlap handkit's box by a median IoU of .84 (lebanese_gestures) and .74 (asl_letters), 99 % by
    more than .5. They are wider than the joints' box by 10 % of its longer side at each edge; no one factor brings the
    two sources nearer (.95: .82 and .79). A hand without a drawn box, beside hands that have one, is ignored.

    Args:
        dataset: a reader of a COCO file, e.g. `CocoHands`.
        empty: take the images without any box too.
        min_size: images with a shorter side are left out, in pixels; mmdet leaves out those below 32.
        drawn: whether boxes that people drew are taken: 'no'; 'first', in images that have some; 'only', and images
            without are left out.
        least: images with fewer boxes are left out, unless they have none and `empty` is set; 2 for photographs that
            all show two hands, so that a hand nobody labelled is not taught to be none.

    Raises:
        DataError: `dataset` is no reader, an argument is out of its range, or no image is left.
    """

    def __init__(
        self, dataset: HandReader, empty: bool = False, min_size: int = 32, drawn: Drawn = "no", least: int = 1
    ) -> None:
        if not isinstance(dataset, HandReader):
            raise DataError(f"ImageBoxes needs a reader of a COCO file, {type(dataset).__name__} is none")
        if drawn not in ("no", "first", "only") or least < 1:
            raise DataError(
                f"ImageBoxes: drawn must be 'no', 'first' or 'only', least 1 or more, not {drawn!r}, {least}"
            )
        self.dataset = dataset
        self.empty = empty
        self.min_size = min_size
        self.drawn: Drawn = drawn
        self.least = least
        self._images = self._select()
        if not len(self._images):
            path, images = dataset.index.path, dataset.index.images
            more = f", and drawn={drawn!r}" if drawn == "only" else ""
            boxes = "a box" if least == 1 else f"{least} boxes"
            raise DataError(f"{path}: none of {images} images has {boxes} and sides of {min_size} pixels or more{more}")

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels but with the mask's."""
        image = self._image(index)
        reader, of = self.dataset, self.dataset.index.columns
        path = str(reader.image_root / of.file_names[image].decode())
        sample_id = f"{reader.index.path.name}: image {of.image_ids[image].decode()}"
        boxes, points, ignored = self._boxes(image)
        sample: Sample = {
            "source": path,
            "name": f"{path} ({sample_id})",
            "sample_id": sample_id,
            "image_size": tuple(of.image_sizes[image].tolist()),
            "boxes": boxes,
            "box_points": points,
            "ignored_boxes": ignored,
        }
        mask = reader.image_mask(image)
        return sample if mask is None else {**sample, "mask": mask}

    def image_labels(self) -> list[HandLabels]:
        """Per sample its boxes with their joints, as `handkit test --detector` measures them."""
        reader, of = self.dataset, self.dataset.index.columns
        labels = []
        for image in self._images.tolist():
            path, (width, height) = reader.image_root / of.file_names[image].decode(), of.image_sizes[image].tolist()
            boxes, points, ignored = self._boxes(image)
            labels.append(HandLabels.of_boxes(Path(path), (width, height), boxes, ignored, points))
        return labels

    def groups(self) -> dict[str, Array]:
        """The samples of each source, by its name, as indices; those of images that name none under ''."""
        codes = self.dataset.index.columns.sources[self._images]
        return {name.decode(): np.flatnonzero(codes == name) for name in np.unique(codes)}

    def __getstate__(self) -> dict[str, Any]:
        """Without the list of images, which follows from the rest."""
        return self.__dict__ | {"_images": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._images = self._select()

    def _image(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return int(self._images[index])

    def _boxes(self, image: int) -> tuple[Array, Array, Array]:
        """(M, 4) boxes and (M, 21, 2) joints of an image's hands, NaN where unknown, and (I, 4) ignored boxes."""
        reader, of = self.dataset, self.dataset.index.columns
        rows = reader.index.rows_of(image)
        boxes, doubted = np.array(reader.boxes[rows]), reader.doubted[rows]
        points = np.where(of.visible[rows, :, None] > 0, of.keypoints[rows], np.float32(np.nan))
        solid = _solid(boxes)
        drawn = self._drawn(image)
        if not len(drawn):
            sure = solid & ~doubted
            return boxes[sure], points[sure], boxes[solid & doubted]
        overlap = box_iou(drawn, boxes) * solid
        drawn_points = np.full((len(drawn), len(HAND), 2), np.nan, np.float32)
        for row in range(len(drawn)):
            best = int(overlap[row].argmax()) if len(boxes) else -1
            if best >= 0 and overlap[row, best] >= _SAME_HAND and not doubted[best]:
                drawn_points[row] = points[best]
        others = solid & (overlap.max(0, initial=0) < _SAME_HAND)
        return drawn, drawn_points, boxes[others]

    def _drawn(self, image: int) -> Array:
        """(M, 4) float32 boxes that people drew in an image, where they are to be taken."""
        of = self.dataset.index.columns
        first, last = (0, 0) if self.drawn == "no" else of.first_human_boxes[image : image + 2].tolist()
        boxes = clip_boxes(np.array(of.human_boxes[first:last]).reshape(-1, 4), of.image_sizes[image])
        return boxes[_solid(boxes)].astype(np.float32)

    def _select(self) -> Array:
        reader, of = self.dataset, self.dataset.index.columns
        kept = reader.chosen_images() & (of.image_sizes.min(-1) >= self.min_size)
        sums = np.concatenate([[0], np.cumsum(_solid(reader.boxes) & ~reader.doubted)])
        counts = np.diff(sums[of.first_hands])
        if self.drawn != "no":
            drawn = np.diff(of.first_human_boxes)
            counts = np.where(drawn > 0, np.maximum(drawn, self.least), counts)
            kept &= (drawn > 0) | (self.drawn == "first")
        enough = counts >= self.least
        return np.flatnonzero(kept & (enough | (counts == 0) if self.empty else enough))


def _solid(boxes: Array) -> Array:
    """(N, 4) -> (N,) whether both sides are at least a pixel; False for NaN."""
    return np.asarray(((boxes[:, 2:] - boxes[:, :2]) >= 1).all(-1))
