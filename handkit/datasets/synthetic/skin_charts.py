"""Photographed skins: the hand's part of MakeHuman's skin textures, which share the mesh's texture coordinates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.synthetic.chart import halved, look_up
from handkit.datasets.synthetic.makehuman import CHART
from handkit.datasets.synthetic.skin import Skin, srgb_to_linear
from handkit.errors import DataError
from handkit.images import picture_files, read_image

Array = NDArray[Any]

#: Names the part of the body's texture that the pictures of a folder show: ``{"uv_bbox": [[u, v], [u, v]]}``, lower
#: left and upper right.
CROP = "uv_crop.json"
_CHART_WIDTH = 0.3
_WRIST = 0.0
_FADE = 0.02


class SkinCharts:
    """The pictures of a folder; each is read when first needed.

    Args:
        folder: with pictures and `CROP`.

    Raises:
        DataError: a file is missing or unusable.
    """

    def __init__(self, folder: Path) -> None:
        try:
            (left, bottom), (right, top) = json.loads((folder / CROP).read_bytes())["uv_bbox"]
            box = np.array([left, bottom, right, top], float)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{folder}: a folder of skins has a {CROP} with the uv_bbox that its pictures show ({error})"
            ) from None
        self.names = tuple(path.name for path in picture_files(folder))
        self._folder = folder
        self._box = box
        self._charts: dict[str, tuple[list[Array], Array]] = {}

    def albedo(self, skin: Skin, ruled: Array, uv: Array, rest: Array, spacing: float) -> Array:
        """(N, 3) linear RGB: photographed on the hand; on the arm the skin by rule in the photographed wrist's colour.

        Args:
            skin: whose chart is taken.
            ruled: (N, 3) the colour by rule.
            uv: (N, 2) on the hand's chart, -1 outside.
            rest: (N, 3) metres.
            spacing: metres between neighbouring points, about.
        """
        charts, places = self._chart(str(skin.chart))
        scale = places[2:] - places[:2]
        photo = look_up(charts, places[:2] + uv * scale, spacing / _CHART_WIDTH * scale[0])
        inside = uv[:, 0] > -0.5
        near = inside & (np.abs(rest[:, 1]) < 2 * _FADE)
        if near.any():
            ruled = np.clip(ruled * (photo[near].mean(0) / ruled[near].mean(0)), 0, 1)
        elif inside.any():
            ruled = np.clip(ruled * (photo[inside].mean(0) / ruled[inside].mean(0)), 0, 1)
        share = np.clip((rest[:, 1] - _WRIST) / _FADE, 0, 1) * inside
        return np.asarray(ruled + share[:, None] * (photo - ruled))

    def _chart(self, name: str) -> tuple[list[Array], Array]:
        """Levels of linear RGB, and where the hand's chart lies in it: left, top, right, bottom in [0, 1]."""
        if name not in self._charts:
            picture = read_image(self._folder / name)
            left, bottom, side = CHART
            u = (np.array([left, left + side]) - self._box[0]) / (self._box[2] - self._box[0])
            v = 1 - (np.array([bottom + side, bottom]) - self._box[1]) / (self._box[3] - self._box[1])
            levels = halved(srgb_to_linear(picture.astype(np.float32) / 255).astype(np.float32))
            self._charts[name] = levels, np.array([u[0], v[0], u[1], v[1]])
        return self._charts[name]
