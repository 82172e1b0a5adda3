"""Steps of mmcv, mmdet and mmpose that change how a picture looks, in handkit's lists of transforms."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import numpy as np

from handkit.errors import ConfigError
from handkit.transforms.base import Sample
from handkit.transforms.draws import stream

#: What a step leaves behind that moves pixels, and with them joints that it is not shown.
_MOVES = ("flip", "scale", "scale_factor", "homography_matrix", "pad_shape", "crop_size", "warp_mat")


def adapted_transform(cls: Any) -> Any:
    """A class that is theirs and works on handkit's samples."""
    places = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (_Picture, cls), places)


class _Picture:
    """What stands before their class: it sees the picture alone, B, G, R as all of theirs, and draws from the sample.

    Their steps draw from Python's and numpy's global generators, which are seeded from ``sample['rng']`` while the step
    works and then put back, so that a sample stays a function of its own generator.
    """

    stage: ClassVar[Literal["image"]] = "image"
    transform: Any

    def __call__(self, sample: Sample) -> Sample:
        """Replaces `img`.

        Raises:
            ConfigError: the step needs more than the picture, or moves its pixels.
        """
        own = stream(sample, self, 1.0)
        assert own is not None
        results: dict[str, Any] = {"img": np.ascontiguousarray(sample["img"][..., ::-1])}
        results["img_shape"] = results["img"].shape[:2]
        known = set(results)
        with _seeded(int(own.integers(2**32))):
            try:
                made = self.transform(results)
            except KeyError as error:
                raise ConfigError(f"{self._name()} needs {error} beside the picture; {_ONLY}") from error
        moved = [key for key in _MOVES if key in set(made) - known]
        if moved or made["img"].shape != sample["img"].shape:
            raise ConfigError(f"{self._name()} moves pixels ({', '.join(moved) or 'another size'}); {_ONLY}")
        return {**sample, "img": np.ascontiguousarray(made["img"][..., ::-1])}

    def _name(self) -> str:
        return f"{type(self).__module__.partition('.')[0]}.{type(self).__name__}"

    def __reduce__(self) -> Any:
        """By name: the class is made, not found in its module."""
        return _restored, (self._name(), self.__dict__)


_ONLY = "of their steps handkit takes those that change colours, and has its own for all others (`handkit ls`)"


def _restored(name: str, state: dict[str, Any]) -> Any:
    importlib.import_module("handkit.interop.openmmlab")
    from handkit.registry import TRANSFORMS, resolve

    cls: Any = resolve(name, TRANSFORMS)
    made = cls.__new__(cls)
    made.__dict__.update(state)
    return made


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Both global generators seeded, and then as they were."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
