"""One generator for all tests of this folder: refining the mesh takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handkit.datasets import HandSynth
from handkit.datasets.synthetic.arm import BONES, PARENTS, Geometry, MeshArm
from handkit.datasets.synthetic.makehuman import FILES, read_makehuman


@pytest.fixture(scope="session", params=["capsule", "makehuman"])
def synth(request: pytest.FixtureRequest) -> HandSynth:
    """Small pictures of each source's hands."""
    assets = request.getfixturevalue("makehuman_assets") if request.param == "makehuman" else None
    return HandSynth(request.param, seed=3, count=12, image_size=(160, 120), assets=assets)


@pytest.fixture(scope="session")
def arm(makehuman_assets: Path) -> MeshArm:
    """The MakeHuman arm."""
    return read_makehuman({name: makehuman_assets / name for name in FILES})


@pytest.fixture(scope="session")
def bones() -> Geometry:
    """A hand of bones alone, flat but for slightly bent fingers; needs no files."""
    heads, tails = np.zeros((len(BONES), 3)), np.zeros((len(BONES), 3))
    heads[0], tails[0] = (0, -0.5, 0), (0, -0.27, 0)
    for index, bone in list(enumerate(BONES))[1:]:
        kind = bone[:-1] if bone[-1].isdigit() else bone
        heads[index] = tails[PARENTS[index]]
        if kind in ("lowerarm", "wrist"):
            tails[index] = heads[index] + (0, 0.135 if kind == "lowerarm" else 0.0, 0)
        elif kind == "metacarpal":
            tails[index] = ((3.5 - int(bone[-1])) * 0.02, 0.09, 0)
        elif bone.startswith("finger1"):
            tails[index] = heads[index] + 0.03 * np.array([0.6, 0.7, 0.1 * int(bone[-1])])
        else:
            tails[index] = heads[index] + 0.03 * np.array([0, 1, 0.12 * int(bone[-1])])
    return Geometry(np.zeros((0, 3)), heads, tails)
