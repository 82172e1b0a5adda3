"""demo/hand.png is what tools/render_demo_hand.py renders, and shows a whole hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from handkit.datasets import HandSynth

ROOT = Path(__file__).resolve().parents[3]


def test_the_picture_is_the_tools_own(makehuman_assets: Path, program_module: Callable[[str], ModuleType]) -> None:
    tool = program_module("tools/render_demo_hand.py")
    item = HandSynth(assets=makehuman_assets, fine=True).render(tool.demo_scene())
    picture = np.asarray(Image.open(ROOT / "demo" / "hand.png").convert("RGB"))
    assert picture.shape == item["img"].shape == (480, 640, 3)
    # Other builds of the libraries round differently here and there.
    assert np.abs(picture.astype(float) - item["img"]).mean() < 1
    assert (item["visible"] == 2).all()
