"""EasyCV's configs for the 2D joints of hands -> handkit's."""

from handkit.formats.easycv.config import translate

__all__ = ["translate"]
