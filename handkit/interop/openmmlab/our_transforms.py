"""handkit's steps that change how a picture looks, as mmpose calls them: ``dict(type='handkit.RandomPhotometric')``."""

from __future__ import annotations

from typing import Any

import numpy as np

from handkit import transforms


class _Step:
    """What stands before handkit's class: it takes mmpose's results and changes their picture alone.

    Draws come from a generator seeded by numpy's global one, which mmengine seeds in every worker.
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replaces ``img``, (H, W, 3) B, G, R."""
        rng = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002
        sample = {"img": np.ascontiguousarray(results["img"][..., ::-1]), "rng": rng}
        made = super().__call__(sample)  # type: ignore[misc]
        return {**results, "img": np.ascontiguousarray(made["img"][..., ::-1])}


class RandomPhotometric(_Step, transforms.RandomPhotometric):
    """`handkit.transforms.RandomPhotometric`."""


class PhotoMetricDistortion(_Step, transforms.PhotoMetricDistortion):
    """`handkit.transforms.PhotoMetricDistortion`; the picture is float32 afterwards."""


class RandomOcclusion(_Step, transforms.RandomOcclusion):
    """`handkit.transforms.RandomOcclusion`; covered joints stay labelled, as mmpose tells no hidden ones apart."""


class RandomBlur(_Step, transforms.RandomBlur):
    """`handkit.transforms.RandomBlur`."""


class RandomNoise(_Step, transforms.RandomNoise):
    """`handkit.transforms.RandomNoise`."""


class RandomJPEG(_Step, transforms.RandomJPEG):
    """`handkit.transforms.RandomJPEG`."""


class RandomDownscale(_Step, transforms.RandomDownscale):
    """`handkit.transforms.RandomDownscale`."""


OURS = (
    *(RandomPhotometric, PhotoMetricDistortion, RandomOcclusion, RandomBlur, RandomNoise, RandomJPEG, RandomDownscale),
)
