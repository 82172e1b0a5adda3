"""What every codec offers to the runtimes and the targets of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Codec(Protocol):
    """Joints <-> what a network computes.

    Attributes:
        reads: the names of the network outputs that `decode` takes; a runtime hands all others on.
        udp: the outputs are maps whose corner cells lie on the crop's corner pixels, so that crops must be cut with
            ``use_udp=True``, and a mirrored map needs no shift.
    """

    reads: tuple[str, ...]
    udp: bool

    def decode(self, outputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """Network outputs of N crops -> joints (N, K, 2) in input pixels and scores (N, K) in [0, 1].

        The results are of the same kind as the outputs: numpy arrays or torch tensors on the same device.
        """


class TrainingCodec(Codec, Protocol):
    """A codec that also makes the targets a network is trained on.

    Attributes:
        targets: the names of what `encode` gives.
        decoding: the constructor's arguments that `decode` alone reads: where they differ, targets are the same.
    """

    targets: tuple[str, ...]
    decoding: tuple[str, ...]

    def encode(self, keypoints: Any, visible: Any) -> dict[str, Any]:
        """Joints (..., K, 2) in input pixels and their visibility (..., K) -> float32 targets by name.

        One hand or a batch, numpy or torch: the targets are of the same kind, on the same device.
        """


class WholeImageCodec(Codec, Protocol):
    """A codec of all hands of an image.

    `decode` answers (N, M, K, 2) joints, their (N, M, K) scores and the hands' (N, M) scores, M being the most hands
    found in one of the images; rows beyond an image's own hands score 0.

    Attributes:
        targets: the names of what `encode` gives.
        decoding: see `TrainingCodec`.
        whole_images: True, by which it is told from a codec of one hand per crop.
    """

    targets: tuple[str, ...]
    decoding: tuple[str, ...]
    whole_images: bool

    def encode(
        self, keypoints: Any, visible: Any, boxes: Any | None = None, ignored_boxes: Any | None = None
    ) -> dict[str, Any]:
        """The targets of N images, see `handkit.codecs.hand_offsets.HandOffsets.encode`."""
