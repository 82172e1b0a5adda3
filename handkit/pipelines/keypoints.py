"""The pipeline of `hand_2d_keypoints` and `hand_3d_keypoints`: any input -> `Hands`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.detections import Detections
from handkit.detectors import FullImage, GivenBoxes
from handkit.errors import ConfigError, DataError
from handkit.geometry import mirror_boxes
from handkit.hands import Hands
from handkit.images import ChannelOrder, source_name
from handkit.pipelines.bottom_up import BottomUp
from handkit.pipelines.inputs import OnError, answer_inputs, is_many
from handkit.pipelines.top_down import TopDown
from handkit.transforms import ImageTransform, Sample

Array = NDArray[Any]


@dataclass(frozen=True)
class HandKeypoints:
    """Call it with images; see `handkit.pipeline` for how to build one.

    Args:
        load: the image transform that reads a source, `LoadImage`.
        finder: finds hands and their joints.
        config: the resolved config that this was built from.
        mirrored: whether images are mirrored, as most selfie cameras show them, unless a call says otherwise.
        batch_size: images that are loaded, and crops that are run, together.
        on_error: 'raise' or 'skip', unless a call says otherwise.
        spatial: hands must have `xyz_root`.
    """

    load: ImageTransform
    finder: TopDown | BottomUp
    config: Mapping[str, Any] = field(repr=False)
    mirrored: bool = False
    batch_size: int = 8
    on_error: OnError = "raise"
    spatial: bool = False

    def __call__(
        self,
        inputs: Any,
        boxes: Any = None,
        *,
        mirrored: bool | None = None,
        channel_order: ChannelOrder = "bgr",
        batch_size: int | None = None,
        on_error: OnError | None = None,
    ) -> Any:
        """Finds the hands of one image, a list, or a generator of images.

        Args:
            inputs: a path, http(s) URL, image file that is open or its bytes, PIL image, or array; or a list or
                generator of them.
            boxes: where the hands are, instead of the detector: (N, 4) xyxy pixels for one image, a list of such for a
                list; row i of the result answers box i, and presence only lowers its scores. 'full' takes each whole
                image for a hand. None asks the detector; `BottomUp`, which has none, takes no boxes.
            mirrored: the images are mirrored: sides are still the person's own.
            channel_order: of arrays; files and PIL images know their own.
            batch_size: see the class.
            on_error: 'skip' puts a `BadInput` in a bad input's place.

        Returns:
            `Hands` for one input, a list for a list, a generator (constant memory) for a generator.

        Raises:
            ImageError: an input is no image.
            DataError: boxes that are no boxes.
            ConfigError: with `spatial`, a network that tells no joints in space, whose class does not say so before.
        """
        mirror = self.mirrored if mirrored is None else mirrored
        size = self.batch_size if batch_size is None else batch_size
        finder = self.finder if batch_size is None else replace(self.finder, batch_size=batch_size)
        given = _GivenBoxes(inputs, boxes)

        def load(index: int, item: Any) -> Sample:
            name = source_name(item, index if is_many(inputs) else None)
            own = given.take(name)  # before the image is read: one that cannot be takes its boxes with it
            sample = self.load({"source": item, "channel_order": channel_order, "name": name})
            if mirror:
                sample["img"] = np.ascontiguousarray(sample["img"][:, ::-1])
            return {**sample, "given": _checked(own, name, sample, mirror)}

        def answer(samples: list[Sample]) -> list[Hands]:
            hands = finder(samples, [sample.pop("given") for sample in samples])
            if self.spatial and any(len(one) and one.xyz_root is None for one in hands):
                raise ConfigError("hand_3d_keypoints: this model's network tells no joints in space (xyz_root)")
            return [one.mirrored(swap_sides=False) for one in hands] if mirror else hands

        return answer_inputs(inputs, load, answer, size, self.on_error if on_error is None else on_error)


class _GivenBoxes:
    """The caller's boxes, image by image."""

    def __init__(self, inputs: Any, boxes: Any) -> None:
        self.boxes = boxes
        self.per_image = is_many(inputs) and boxes is not None and not isinstance(boxes, str)
        listed = self.per_image and isinstance(inputs, Sequence)
        if listed and (not isinstance(boxes, Sequence) or len(boxes) != len(inputs)):
            raise DataError(f"boxes for a list of {len(inputs)} images must be a list of as many (N, 4) arrays")
        self.stream = iter(boxes) if self.per_image else None

    def take(self, name: str) -> Any:
        """The boxes of the next image, as the caller gave them.

        Raises:
            DataError: a generator of boxes has come to its end before that of the images.
        """
        if self.stream is None:
            return self.boxes
        for boxes in self.stream:
            return boxes
        raise DataError(f"{name}: there are fewer boxes than images")


def _checked(boxes: Any, name: str, sample: Sample, mirror: bool) -> Detections | None:
    """One image's boxes, or None where the detector is to look.

    Raises:
        DataError: boxes that are inside out, outside the image, not finite, or not (N, 4).
    """
    if boxes is None:
        return None
    if isinstance(boxes, str):
        if boxes != "full":
            raise DataError(f"boxes must be an (N, 4) array, a list of them, or 'full', not {boxes!r}")
        return FullImage().detect([sample["img"]])[0]
    try:
        found = GivenBoxes(boxes).detect([sample["img"]])[0]
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    return Detections(mirror_boxes(found.boxes, sample["image_size"][0]), found.scores) if mirror else found
