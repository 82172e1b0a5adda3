"""From data sets to batches, in worker processes that leave signals to their parent and report errors as one line."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from handkit.datasets.view import HandDataset, TrainingView
from handkit.engine.processes import ALONE, Processes
from handkit.engine.sampling import EpochSampler
from handkit.errors import HandkitError
from handkit.transforms.base import ImageTransform, Sample

#: What a measurement needs of a sample beside its picture, as the data set gives it: in image pixels.
LABELS = (
    *("keypoints", "visible", "box", "right", "hand", "sample_id"),
    *("xyz_root", "xyz_cam", "boxes", "box_points", "ignored_boxes", "image_size", "gesture"),
)
#: Seconds: longer than a batch takes on a busy CPU.
_GRACE = 120
#: Columns with as many rows as an image has boxes: what they are filled up with.
_BOXES = {"boxes": 0.0, "ignored_boxes": 0.0, "box_points": np.nan}
#: What the numbers of rows of some of them are called.
_COUNTS = {"boxes": "counts", "ignored_boxes": "ignored_counts"}


@dataclass(frozen=True)
class Failure:
    """An error of handkit's own on its way from a worker process to the training process."""

    kind: type[HandkitError]
    message: str

    @classmethod
    def of(cls, error: HandkitError) -> Failure:
        """Notes an error."""
        return cls(type(error), str(error))

    def error(self) -> HandkitError:
        """The error again."""
        error = self.kind.__new__(self.kind)
        error.args = (self.message,)
        return error


class _TrainingItems(Dataset[Any]):
    """(epoch, index) -> sample."""

    def __init__(self, view: TrainingView) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, place: tuple[int, int]) -> Sample | Failure:
        try:
            return self._view[place]
        except HandkitError as error:
            return Failure.of(error)


class _MeasuredItems(Dataset[Any]):
    """index -> the sample of the crop or the whole image, with its labels, before they moved, under ``labels``."""

    def __init__(self, dataset: HandDataset, transforms: Sequence[ImageTransform]) -> None:
        self._dataset = dataset
        self._transforms = tuple(transforms)

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample | Failure:
        try:
            raw = sample = self._dataset[index]
            for transform in self._transforms:
                sample = transform(sample)
        except HandkitError as error:
            return Failure.of(error)
        source = raw.get("source")
        image = str(source) if isinstance(source, (str, os.PathLike)) else f"sample {index}"
        return {"crop": None, **sample, "labels": {key: raw[key] for key in LABELS if key in raw}, "image": image}


def training_loader(view: TrainingView, sampler: EpochSampler, workers: int) -> DataLoader[Any]:
    """Batches in the sampler's order, stacked by `stack`."""
    return _loader(_TrainingItems(view), workers, batch_sampler=sampler, collate_fn=stack)


def measuring_loader(
    dataset: HandDataset,
    transforms: Sequence[ImageTransform],
    batch_size: int,
    workers: int,
    processes: Processes = ALONE,
) -> DataLoader[Any]:
    """All samples in order, made ready by the image part of a config's ``test_transforms``; see `Processes.shares`.

    A batch has beside its columns the lists ``crop`` (of None for whole images), ``labels``, and ``image``, which is
    equal for hands of one file.
    """
    items = _MeasuredItems(dataset, transforms)
    batches = [list(rows) for _, rows in processes.shares(len(items), batch_size)]
    return _loader(items, workers, batch_sampler=batches, collate_fn=_stack_measured)


def stack(samples: Sequence[Sample | Failure]) -> dict[str, Any] | Failure:
    """Samples -> a tensor for every key that holds numbers of one shape in all of them, and the list ``sample_id``.

    float64 becomes float32. `boxes` and `ignored_boxes`, of which each image has its own number, are filled up with
    zeros and counted, `box_points` are filled up with NaN. The first failure among the samples takes the batch's place.
    """
    good: list[Sample] = []
    for sample in samples:
        if isinstance(sample, Failure):
            return sample
        good.append(sample)
    batch: dict[str, Any] = {}
    for key in good[0]:
        if key not in _BOXES and all(key in sample for sample in good):
            column = _column([sample[key] for sample in good])
            if column is not None:
                batch[key] = torch.from_numpy(column)
    for key, blank in _BOXES.items():
        if all(key in sample for sample in good):
            batch[key], counts = _padded([sample[key] for sample in good], blank)
            batch |= {_COUNTS[key]: counts} if key in _COUNTS else {}
    batch["sample_id"] = [sample.get("sample_id") for sample in good]
    return batch


def _stack_measured(samples: Sequence[Sample | Failure]) -> dict[str, Any] | Failure:
    batch = stack(samples)
    if isinstance(batch, Failure):
        return batch
    return batch | {key: [sample[key] for sample in samples] for key in ("crop", "labels", "image")}  # type: ignore[index]


def to_device(batch: Mapping[str, Any] | Failure, device: torch.device) -> dict[str, torch.Tensor]:
    """The tensors of a batch, moved.

    Raises:
        HandkitError: the batch could not be loaded; the error is the worker's.
    """
    if isinstance(batch, Failure):
        raise batch.error()
    return {key: v.to(device, non_blocking=True) for key, v in batch.items() if isinstance(v, torch.Tensor)}


def _column(values: list[Any]) -> np.ndarray[Any, Any] | None:
    """(N, ...) numbers, or None where the values are no numbers or differ in shape."""
    if not all(isinstance(value, (np.ndarray, np.generic, int, float, tuple)) for value in values):
        return None
    arrays = [np.asarray(value) for value in values]
    if len({array.shape for array in arrays}) > 1 or any(array.dtype.kind not in "biuf" for array in arrays):
        return None
    column = np.stack(arrays)
    return column.astype(np.float32) if column.dtype == np.float64 else column


def _padded(rows: Sequence[np.ndarray[Any, Any]], blank: float) -> tuple[torch.Tensor, torch.Tensor]:
    """N arrays (M, ...) -> (N, largest M, ...) float32, filled up with `blank`, and their lengths (N,) int64."""
    counts = [len(own) for own in rows]
    padded = np.full((len(rows), max(counts), *rows[0].shape[1:]), blank, np.float32)
    for index, own in enumerate(rows):
        padded[index, : len(own)] = own
    return torch.from_numpy(padded), torch.tensor(counts)


def _loader(items: Dataset[Any], workers: int, **options: Any) -> DataLoader[Any]:
    return DataLoader(
        items,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=_quiet,
        generator=torch.Generator(),  # so that beginning an epoch draws nothing from the training's own random numbers
        pin_memory=torch.cuda.is_available(),
        **options,
    )


def end_workers(loader: DataLoader[Any]) -> None:
    """Ends a loader's processes now, instead of when it is collected as garbage."""
    iterator, loader._iterator = loader._iterator, None
    if iterator is not None:
        with contextlib.suppress(RuntimeError):  # one of them had died already, which is why the training ends
            iterator._shutdown_workers()  # type: ignore[attr-defined]


def _quiet(worker: int) -> None:
    """A signal to the whole group of processes must not end a worker before the training has saved.

    It outlives SIGTERM, by which Python also ends it at exit, by `_GRACE` seconds.
    """
    import cv2

    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGTERM, lambda number, frame: signal.alarm(_GRACE))
