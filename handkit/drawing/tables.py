"""Results as tables on a terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from handkit.hands import Hands


def joint_table(hands: Hands, title: str) -> Table:
    """A table with a row per joint and, per hand, its x, y (pixels of the original image) and score."""
    caption = "x and y in pixels of the image, (0, 0) is the centre of its top left pixel"
    table = Table(title=Text(title), caption=caption)
    table.add_column("joint")
    for index, hand in enumerate(hands):
        side = hand.handedness[0] or "side unknown"
        for head in (f"hand {index} ({side}) x", "y", "score"):
            table.add_column(head, justify="right")
    for joint, name in enumerate(hands.skeleton.joints):
        cells = [name]
        for points, scores in zip(hands.keypoints, hands.scores, strict=True):
            cells += [f"{points[joint, 0]:.1f}", f"{points[joint, 1]:.1f}", f"{scores[joint]:.3f}"]
        table.add_row(*cells)
    return table
