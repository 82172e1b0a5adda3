"""demo/hand.png is what tools/render_demo_hand.py renders, and shows a whole hand."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

from handkit.datasets import HandSynth

ROOT = Path(__file__).resolve().parents[3]


def test_the_picture_is_the_tools_own(makehuman_assets: Path) -> None:
    spec = importlib.util.spec_from_file_location("render_demo_hand", ROOT / "tools" / "render_demo_hand.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    item = HandSynth(assets=makehuman_assets, fine=True).render(tool.demo_scene())
    picture = np.asarray(Image.open(ROOT / "demo" / "hand.png").convert("RGB"))
    assert picture.shape == item["img"].shape == (480, 640, 3)
    # Other builds of the libraries round differently here and there.
    assert np.abs(picture.astype(float) - item["img"]).mean() < 1
    assert (item["visible"] == 2).all()
