"""Renders demo/hand.png, the picture that `make demo` runs on; the same bytes on every run.

python tools/render_demo_hand.py [OUT] [--assets DIR]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from handkit.datasets.synthetic import HandSynth
from handkit.datasets.synthetic.cloth import Sleeve
from handkit.datasets.synthetic.gestures import blend, gesture
from handkit.datasets.synthetic.scene import UPRIGHT, Camera, Scene, Sensor
from handkit.datasets.synthetic.shading import Light, unit
from handkit.datasets.synthetic.skin import Skin
from handkit.files import writing


def demo_scene() -> Scene:
    """A right hand, open and at ease, its palm to the camera, before a dim room."""
    pose = blend(gesture("open"), gesture("relaxed"), 0.35)
    light = Light(
        key=unit(np.array([-0.55, -0.5, -0.75])),
        key_color=np.array([0.72, 0.67, 0.6]),
        softness=0.16,
        fill=unit(np.array([0.9, -0.1, -0.4])),
        fill_color=np.array([0.12, 0.14, 0.16]),
        up=np.array([0.0, -1.0, 0.0]),
        sky_color=np.array([0.31, 0.33, 0.36]),
        ground_color=np.array([0.2, 0.17, 0.15]),
    )
    return Scene(
        side="right",
        pose=replace(pose, wrist=np.array([8.0, 2.0]), forearm=10.0, elbow=20.0),
        rotation=UPRIGHT @ Rotation.from_euler("zyx", [8, 14, -6], degrees=True).as_matrix(),
        position=np.array([-0.0005, -0.027, 0.5709]),
        camera=Camera(focal=800.0, image_size=(640, 480)),
        light=light,
        skin=Skin(tone=0.22, mottling=0.9, relief=0.9),
        sensor=Sensor(blur=0.45, grain=1.5),
        scale=1.08,
        sleeve=Sleeve(start=0.062, thickness=4e-3, folds=5e-3, color=(0.30, 0.38, 0.50), seed=3.0),
        seed=25,
    )


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description="Renders the demo's hand.")
    parser.add_argument("out", nargs="?", type=Path, default=Path(__file__).parents[1] / "demo" / "hand.png")
    parser.add_argument("--assets", type=Path, help="folder with the hand's files; the hub's if not given")
    arguments = parser.parse_args()
    item = HandSynth(assets=arguments.assets, fine=True).render(demo_scene())
    with writing(arguments.out) as file:
        Image.fromarray(item["img"]).save(file, format="PNG", optimize=True)


if __name__ == "__main__":
    main()
