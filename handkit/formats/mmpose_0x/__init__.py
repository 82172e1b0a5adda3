"""mmpose 0.x's configs for the 2D joints of hands -> handkit's."""

from handkit.formats.mmpose_0x.config import translate

__all__ = ["translate"]
