"""Pictures of results."""

from handkit.drawing.hands import draw
from handkit.drawing.tables import joint_table

__all__ = ["draw", "joint_table"]
