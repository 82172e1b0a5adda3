"""What every runtime offers to the pipelines, whatever executes the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from handkit.codecs.base import Codec
from handkit.errors import ConfigError
from handkit.transforms.base import TensorTransform

Array = NDArray[Any]


class Net(Protocol):
    """A network made ready: crops or whole images in, joints out."""

    @property
    def input_name(self) -> str:
        """Which key of a batch goes into the network: ``img``, or what the model's own `input_name` says."""
        ...

    def __call__(self, batch: Mapping[str, Array]) -> dict[str, Array]:
        """Runs N crops.

        Args:
            batch: ``img`` (N, H, W, 3) uint8 RGB, or what the network reads instead under `input_name`, and any columns
                of N rows that the transforms use or collect.

        Returns:
            numpy arrays of N rows: with a codec ``keypoints`` (N, K, 2) in input pixels and ``scores`` (N, K), of whole
            images with M hands (N, M, K, 2), (N, M, K) and ``hand_scores`` (N, M), in place of the outputs that the
            codec reads; every other output of the model under its own name; and the columns, except the input, that the
            last transform left in the batch.
        """


class Runtime(Protocol):
    """Makes a model ready to run on a device."""

    def prepare(
        self,
        model: Any,
        checkpoint: str | Path | None,
        transforms: Sequence[TensorTransform],
        codec: Codec | None,
        base: str | Path | None = None,
    ) -> Net:
        """Loads the weights into the model and joins it with its tensor transforms and its codec.

        Args:
            model: a component of `handkit.registry.MODELS` that this runtime can execute.
            checkpoint: the weights: a path, or ``hub:CARD/FILE``.
            transforms: the tensor part of the config's ``test_transforms``, in order.
            codec: decodes the model's outputs; None returns them as they are.
            base: the weights of those of the model's parts that `checkpoint` does not hold.

        Raises:
            ConfigError: a model this runtime cannot execute.
            MissingWeightsError: no checkpoint where the model has weights.
            CheckpointError: the weights do not fit the model.
        """


def apply_transforms(
    transforms: Sequence[TensorTransform], batch: Mapping[str, Any], name: str = "img"
) -> tuple[Any, dict[str, Any]]:
    """Applies the tensor transforms and parts the result into the network's input and the other columns.

    Raises:
        ConfigError: the transforms leave no input of that name.
    """
    out = dict(batch)
    for transform in transforms:
        out = transform(out)
    if name not in out:
        raise ConfigError(
            f"the transforms leave {sorted(out)} for the network: PoseCollect(keys=...) must name {name!r}"
        )
    value = out.pop(name)
    return value, out


def decode_outputs(outputs: Mapping[str, Any], codec: Codec | None) -> dict[str, Any]:
    """Puts what the codec decodes, see `Net`, in place of the outputs that it reads.

    Raises:
        ConfigError: the model does not give what the codec reads.
    """
    if codec is None:
        return dict(outputs)
    missing = [name for name in codec.reads if name not in outputs]
    if missing:
        raise ConfigError(f"{type(codec).__name__} decodes {missing}, but the model gives {sorted(outputs)}")
    decoded = zip(("keypoints", "scores", "hand_scores"), codec.decode(outputs), strict=False)
    rest = {name: value for name, value in outputs.items() if name not in codec.reads}
    return {**rest, **dict(decoded)}
