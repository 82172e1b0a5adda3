"""From 21 joints to what a hand does: finger states by rule, and gestures by a small classifier."""

from handkit.gestures.classifier import GestureClassifier, GestureWeights
from handkit.gestures.features import hand_features
from handkit.gestures.fingers import FINGER_STATES, FINGERS, FingerRules, FingerState
from handkit.gestures.palm import palm_angles, palm_axes, palm_facing

__all__ = [
    "FINGERS",
    "FINGER_STATES",
    "FingerRules",
    "FingerState",
    "GestureClassifier",
    "GestureWeights",
    "hand_features",
    "palm_angles",
    "palm_axes",
    "palm_facing",
]
