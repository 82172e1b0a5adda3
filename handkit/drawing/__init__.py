"""Pictures of results."""

from handkit.drawing.hands import draw
from handkit.drawing.masks import draw_mask
from handkit.drawing.sheets import contact_sheet, crop_picture, draw_boxes
from handkit.drawing.space import draw_in_space, require_plotly, write_space_page
from handkit.drawing.tables import joint_table

__all__ = [
    "contact_sheet",
    "crop_picture",
    "draw",
    "draw_boxes",
    "draw_in_space",
    "draw_mask",
    "joint_table",
    "require_plotly",
    "write_space_page",
]
