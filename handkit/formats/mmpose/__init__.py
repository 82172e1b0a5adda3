"""Configs of mmpose 1.x for the 2D joints of hands -> handkit's."""

from handkit.formats.mmpose.config import translate

__all__ = ["translate"]
