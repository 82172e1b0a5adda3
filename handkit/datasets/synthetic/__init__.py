"""Rendered hands: exact labels for training, tests and pictures."""

from handkit.datasets.synthetic.gesture_joints import RenderedGestures
from handkit.datasets.synthetic.handscenes import HandScenes
from handkit.datasets.synthetic.handsynth import HandSynth

__all__ = ["HandScenes", "HandSynth", "RenderedGestures"]
