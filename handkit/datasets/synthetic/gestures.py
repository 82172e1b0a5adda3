"""Limits of a living hand's joints, and named gestures. Angles are those of `posing.Pose`, in degrees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from handkit.datasets.synthetic.posing import Pose
from handkit.errors import DataError, did_you_mean

#: (low, high) of knuckle, middle joint, end joint and splay of the forefinger, middle, ring and pinky finger.
FINGER_LIMITS = np.array(
    [
        [(-20, 90), (-2, 108), (-8, 75), (-14, 22)],
        [(-20, 90), (-2, 108), (-8, 75), (-14, 10)],
        [(-20, 92), (-2, 110), (-8, 75), (-22, 10)],
        [(-25, 95), (-2, 112), (-8, 78), (-40, 14)],
    ],
    float,
)
#: (low, high) of palmar abduction, radial abduction, pronation, MCP and IP of the thumb, from the rest pose.
THUMB_LIMITS = np.array([(-18, 38), (-42, 25), (-15, 50), (-12, 45), (-20, 70)], float)
#: (low, high) of the wrist's flexion and deviation.
WRIST_LIMITS = np.array([(-60, 65), (-30, 20)], float)
CUPPING_LIMITS = (0.0, 20.0)

_STRAIGHT, _LOOSE, _HALF, _CURLED, _HOOK = (4, 6, 4), (18, 26, 14), (40, 50, 28), (82, 102, 62), (6, 92, 58)
_ROOF = (68, 12, 6)
# Splay of the four fingers: spread, at ease, side by side, and drawn together as in a fist.
_WIDE, _EASY, _CLOSED, _DRAWN = (16, 0, -15, -32), (9, -2, -10, -20), (1, -2, -5, -9), (-4, -2, 2, 6)
_THUMB_OUT, _THUMB_EASY, _THUMB_BESIDE = (0, 12, 0, 0, 0), (4, -6, 6, 6, 8), (-6, -30, -6, 14, 6)
_THUMB_ACROSS, _THUMB_FOLDED, _THUMB_UP = (-3, -17, 0, 30, 46), (-15, -19, -12, 45, 66), (-12, 16, -10, -6, -14)

_Four = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _gesture(fingers: _Four, splay: tuple[int, ...], thumb: tuple[int, ...], cupping: float = 0.0) -> Pose:
    angles = np.column_stack([np.array(fingers, float), splay])
    return Pose(angles, np.array(thumb, float), np.zeros(2), cupping)


_S, _C, _L = _STRAIGHT, _CURLED, _LOOSE
#: Named poses. Fingers are listed from forefinger to pinky.
GESTURES: dict[str, Pose] = {
    "open": _gesture((_S, _S, _S, _S), _EASY, _THUMB_OUT),
    "spread": _gesture((_S, _S, _S, _S), _WIDE, (0, 22, 0, -4, -6)),
    "flat": _gesture((_S, _S, _S, _S), _CLOSED, _THUMB_BESIDE),
    "relaxed": _gesture((_L, (22, 30, 16), (26, 34, 18), (28, 34, 18)), (6, 0, -7, -14), _THUMB_EASY, 4),
    "curved": _gesture((_HALF, _HALF, _HALF, _HALF), _EASY, (20, -8, 18, 10, 14), 8),
    "fist": _gesture((_C, _C, _C, _C), _DRAWN, _THUMB_ACROSS, 8),
    "thumb_up": _gesture((_C, _C, _C, _C), _DRAWN, _THUMB_UP, 6),
    "point": _gesture((_S, _C, _C, _C), (4, -2, 2, 6), _THUMB_ACROSS, 6),
    "gun": _gesture((_S, _C, _C, _C), (4, -2, 2, 6), _THUMB_UP, 6),
    "two": _gesture((_S, _S, _C, _C), (14, -8, 2, 6), _THUMB_ACROSS, 6),
    "three": _gesture((_S, _S, _S, _C), (13, 0, -13, 6), _THUMB_ACROSS, 6),
    "three_thumb": _gesture((_S, _S, _C, _C), (14, -8, 2, 6), _THUMB_OUT, 6),
    "four": _gesture((_S, _S, _S, _S), _WIDE, _THUMB_FOLDED),
    "pinky": _gesture((_C, _C, _C, _S), (-4, -2, 0, -8), _THUMB_ACROSS),
    "horns": _gesture((_S, _C, _C, _S), (8, -2, 0, -12), _THUMB_ACROSS),
    "call": _gesture((_C, _C, _C, _S), (-4, -2, 0, -26), (-4, 22, 0, -6, -8)),
    "love": _gesture((_S, _C, _C, _S), (8, -2, 0, -20), (0, 22, 0, -4, -4)),
    "hook": _gesture((_HOOK, _HOOK, _HOOK, _HOOK), _CLOSED, _THUMB_EASY),
    "claw": _gesture(((-10, 60, 40), (-10, 62, 40), (-10, 62, 40), (-10, 58, 40)), _WIDE, (6, 10, 4, 10, 30)),
    "roof": _gesture((_ROOF, _ROOF, _ROOF, _ROOF), _CLOSED, (20, -14, 20, 6, 4)),
    "pinch": _gesture(
        ((69, 11, 60), (66, 70, 40), (74, 82, 46), (78, 84, 46)), (4, -2, 2, 6), (2, -25, -8, 23, -14), 8
    ),
    "ring": _gesture(((59, 38, 62), (24, 20, 10), (10, 12, 8), (2, 8, 4)), (0, 0, -8, -18), (-13, -11, 4, 45, -6)),
    # Letters and digits of American Sign Language that are none of the above.
    "letter_a": _gesture((_C, _C, _C, _C), _DRAWN, (-10, -14, -6, 2, 4), 4),
    "letter_b": _gesture((_S, _S, _S, _S), _CLOSED, _THUMB_FOLDED),
    "letter_c": _gesture(((30, 44, 26), (30, 44, 26), (32, 44, 26), (34, 42, 26)), _CLOSED, (28, -6, 24, 8, 16), 6),
    "letter_d": _gesture(((4, 6, 4), (60, 62, 40), (64, 66, 40), (66, 68, 40)), _DRAWN, (14, -24, 14, 18, 16), 6),
    "letter_e": _gesture(((46, 104, 62), (48, 104, 62), (50, 104, 62), (52, 102, 62)), _DRAWN, (-6, -26, 0, 40, 62), 8),
    "letter_g": _gesture(((34, 6, 4), _C, _C, _C), _DRAWN, (10, -16, 0, 4, -4), 4),
    "letter_k": _gesture((_S, (44, 8, 4), _C, _C), (8, -4, 2, 6), (10, -20, 4, 6, -4), 4),
    "letter_m": _gesture(((72, 66, 30), (74, 66, 30), (76, 66, 30), _C), _DRAWN, (-8, -34, -4, 40, 34), 10),
    "letter_n": _gesture(((72, 66, 30), (74, 66, 30), _C, _C), _DRAWN, (-8, -28, -4, 36, 34), 8),
    "letter_o": _gesture(((50, 52, 34), (52, 54, 34), (54, 56, 34), (56, 56, 34)), _DRAWN, (20, -22, 20, 16, 18), 8),
    "letter_r": _gesture((_S, (12, 12, 6), _C, _C), (-9, 9, 2, 6), _THUMB_ACROSS, 6),
    "letter_t": _gesture(((66, 84, 50), _C, _C, _C), _DRAWN, (-8, -10, -4, 16, 26), 6),
    "letter_u": _gesture((_S, _S, _C, _C), (1, -2, 2, 6), _THUMB_ACROSS, 6),
    "letter_x": _gesture(((16, 88, 50), _C, _C, _C), _DRAWN, _THUMB_ACROSS, 6),
    "six": _gesture((_S, _S, _S, (60, 62, 34)), (12, 0, -12, -8), (14, -34, 14, 30, 30), 12),
    "seven": _gesture((_S, _S, (58, 62, 34), _S), (12, 2, -6, -22), (14, -30, 12, 24, 26), 10),
    "eight": _gesture((_S, (56, 60, 34), _S, _S), (10, 0, -12, -22), (14, -24, 10, 20, 24), 6),
    "grip": _gesture(((44, 62, 36), (48, 66, 38), (52, 68, 40), (56, 66, 40)), (0, -2, 0, 2), (30, -8, 30, 12, 20), 10),
}


def gesture(name: str) -> Pose:
    """The gesture of that name.

    Raises:
        DataError: there is none.
    """
    if name not in GESTURES:
        raise DataError(f"no gesture is called {name!r}; {did_you_mean(name, GESTURES)}")
    return GESTURES[name]


def within_limits(pose: Pose) -> Pose:
    """The nearest pose that the joints allow; a flexed knuckle allows little splay."""
    fingers = np.clip(pose.fingers, FINGER_LIMITS[..., 0], FINGER_LIMITS[..., 1])
    # Splaying fingers converge when the knuckles flex.
    bent = np.clip(fingers[:, 0] / 80, 0, 1)
    drawn = np.array(_DRAWN, float) / 2
    fingers[:, 3] = drawn + (fingers[:, 3] - drawn) * (1 - 0.85 * bent)
    return replace(
        pose,
        fingers=fingers,
        thumb=np.clip(pose.thumb, *THUMB_LIMITS.T),
        wrist=np.clip(pose.wrist, *WRIST_LIMITS.T),
        cupping=float(np.clip(pose.cupping, *CUPPING_LIMITS)),
    )


def blend(a: Pose, b: Pose, share: float) -> Pose:
    """The pose between a (share 0) and b (share 1)."""
    names = ("fingers", "thumb", "wrist", "cupping", "forearm", "elbow")
    return Pose(**{name: getattr(a, name) * (1 - share) + getattr(b, name) * share for name in names})
