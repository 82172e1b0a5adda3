"""Pictures of results."""

from handkit.drawing.hands import draw
from handkit.drawing.sheets import contact_sheet, crop_picture
from handkit.drawing.tables import joint_table

__all__ = ["contact_sheet", "crop_picture", "draw", "joint_table"]
