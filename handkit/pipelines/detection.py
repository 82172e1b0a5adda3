"""The pipeline of `hand_detection`: any input -> `Detections`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handkit.detections import Detections
from handkit.detectors.base import Detector
from handkit.images import ChannelOrder, source_name
from handkit.pipelines.inputs import OnError, answer_inputs, is_many
from handkit.transforms import ImageTransform, Sample


@dataclass(frozen=True)
class HandDetection:
    """Call it with images; see `handkit.pipeline` for how to build one.

    Args:
        load: the image transform that reads a source, `LoadImage`.
        detector: answers where hands may be.
        config: the resolved config that this was built from.
        max_hands: most boxes per image; None for all.
        batch_size: images that are loaded and looked at together.
        on_error: 'raise' or 'skip', unless a call says otherwise.
    """

    load: ImageTransform
    detector: Detector
    config: Mapping[str, Any] = field(repr=False)
    max_hands: int | None = None
    batch_size: int = 8
    on_error: OnError = "raise"

    def __call__(
        self,
        inputs: Any,
        *,
        channel_order: ChannelOrder = "bgr",
        batch_size: int | None = None,
        on_error: OnError | None = None,
    ) -> Any:
        """Finds the boxes of hands; inputs, options, results in order and errors as `HandKeypoints`.

        Returns:
            `Detections` for one input, a list for a list, a generator for a generator.
        """

        def load(index: int, item: Any) -> Sample:
            name = source_name(item, index if is_many(inputs) else None)
            return self.load({"source": item, "channel_order": channel_order, "name": name})

        def answer(samples: list[Sample]) -> list[Detections]:
            found = self.detector.detect([sample["img"] for sample in samples]) if samples else []
            return [one[: self.max_hands] for one in found]

        size = self.batch_size if batch_size is None else batch_size
        return answer_inputs(inputs, load, answer, size, self.on_error if on_error is None else on_error)
