"""Runs .tflite files on the CPU with Google's LiteRT, the successor of TensorFlow Lite."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from handkit.codecs.base import Codec
from handkit.errors import CheckpointError, ConfigError, MissingExtraError, MissingWeightsError
from handkit.hub import resolve
from handkit.registry import RUNTIMES
from handkit.runtime.base import apply_transforms, decode_outputs
from handkit.transforms.base import TensorTransform

Array = NDArray[Any]


@runtime_checkable
class LiteRTModel(Protocol):
    """A network whose weights and arithmetic are in a .tflite file.

    Attributes:
        input_size: (width, height) of its input, 3 channels, in pixels.
        raw_shapes: per output tensor of the file, in its order, the shape of one row.
    """

    input_size: tuple[int, int]
    raw_shapes: tuple[tuple[int, ...], ...]

    def unpack(self, raw: Sequence[Array]) -> dict[str, Array]:
        """The file's output tensors, N rows each, in its order -> named outputs of N rows."""


@RUNTIMES.register_module()
class LiteRTRuntime:
    """Executes models that are described by a .tflite file; needs no torch.

    Args:
        threads: threads per network. With two, the nets of MediaPipe take about a third less time than with one.
        device: None or 'cpu'; there is no other.

    Raises:
        ConfigError: another device, or fewer than one thread.
    """

    def __init__(self, threads: int = 1, device: str | None = None) -> None:
        if device not in (None, "cpu"):
            raise ConfigError(f"LiteRTRuntime runs on the CPU only, not on device={device!r}; leave device out")
        if threads < 1:
            raise ConfigError(f"LiteRTRuntime needs threads of at least 1, got {threads}")
        self.threads = threads

    def prepare(
        self,
        model: Any,
        checkpoint: str | Path | None,
        transforms: Sequence[TensorTransform],
        codec: Codec | None,
        base: str | Path | None = None,
    ) -> LiteRTNet:
        """Opens the file; see `handkit.runtime.base.Runtime`.

        Raises:
            ConfigError: a model that is not described as a `LiteRTModel`, or a base.
            MissingWeightsError: no checkpoint.
            CheckpointError: the file is not a .tflite file, or its tensors are not the model's.
            HubError: the checkpoint cannot be had.
            MissingExtraError: ai-edge-litert is not installed.
        """
        name = type(model).__name__
        if not isinstance(model, LiteRTModel):
            raise ConfigError(f"LiteRTRuntime cannot execute {name}: it takes models that a .tflite file holds")
        if checkpoint is None:
            raise MissingWeightsError(f"{name} has no weights of its own", "name its .tflite file as checkpoint=")
        if base is not None:
            raise ConfigError(f"base_checkpoint={str(base)!r}: a .tflite file is whole; leave it out")
        return LiteRTNet(resolve(checkpoint), self.threads, model, transforms, codec)


class LiteRTNet:
    """A .tflite file made ready; see `handkit.runtime.base.Net`.

    The files take one row at a time, and so are run: for the hand's net a resized batch is no faster, and the palm's
    cannot be resized. Calls from several threads wait for each other.

    Args:
        path: the .tflite file.
        threads: that LiteRT may use.
        model: names the file's tensors.
        transforms: the tensor part of the config's transforms.
        codec: decodes the outputs; None returns them as they are.

    Raises:
        CheckpointError: not a .tflite file, or its tensors are not the model's.
        MissingExtraError: ai-edge-litert is not installed.
    """

    input_name = "img"

    def __init__(
        self,
        path: Path,
        threads: int,
        model: LiteRTModel,
        transforms: Sequence[TensorTransform],
        codec: Codec | None,
    ) -> None:
        self._arguments = (path, threads, model, tuple(transforms), codec)
        self._model = model
        self._transforms = tuple(transforms)
        self._codec = codec
        self._interpreter = _open(path, threads)
        _check_tensors(self._interpreter, model, path)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [details["index"] for details in self._interpreter.get_output_details()]
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles as what it was made from; unpickling opens the file anew."""
        return type(self), self._arguments

    def __call__(self, batch: Mapping[str, Array]) -> dict[str, Array]:
        """Runs N crops.

        Raises:
            ConfigError: the transforms give another shape than the model takes.
        """
        img, columns = apply_transforms(self._transforms, batch)
        width, height = self._model.input_size
        if img.shape[1:] != (3, height, width):
            raise ConfigError(
                f"{type(self._model).__name__} takes inputs of the shape (N, 3, {height}, {width}), but the transforms "
                f"give {tuple(img.shape)}: TopDownAffine's input_size must be {self._model.input_size}, and MMToTensor "
                "must be among the tensor transforms"
            )
        outputs = self._model.unpack(self._run(np.ascontiguousarray(np.moveaxis(img, 1, -1), np.float32)))
        return {**columns, **decode_outputs(outputs, self._codec)}

    def _run(self, rows: Array) -> list[Array]:
        """(N, H, W, 3) float32 -> the output tensors, N rows each."""
        raw = [np.empty((len(rows), *shape), np.float32) for shape in self._model.raw_shapes]
        with self._lock:
            for index in range(len(rows)):
                self._interpreter.set_tensor(self._input, rows[index : index + 1])
                self._interpreter.invoke()
                for tensor, output in zip(raw, self._outputs, strict=True):
                    tensor[index] = self._interpreter.get_tensor(output)[0]
        return raw


def _open(path: Path, threads: int) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "mediapipe", "running .tflite files") from error
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:  # what LiteRT raises for a malformed file and for unknown operators
        raise CheckpointError(f"{path} is not a .tflite file that LiteRT can run: {error}") from error
    return interpreter


def _check_tensors(interpreter: Any, model: LiteRTModel, path: Path) -> None:
    """Raises CheckpointError unless the file's tensors are those that the model describes."""
    width, height = model.input_size
    expected = [[(1, height, width, 3)], [(1, *shape) for shape in model.raw_shapes]]
    found = [
        [tuple(int(side) for side in details["shape"]) for details in tensors]
        for tensors in (interpreter.get_input_details(), interpreter.get_output_details())
    ]
    if found != expected:
        raise CheckpointError(
            f"{path} does not hold a {type(model).__name__}: its inputs and outputs have the shapes {found[0]} and "
            f"{found[1]}, expected {expected[0]} and {expected[1]}"
        )
