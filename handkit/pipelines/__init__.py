"""From a task's name to a callable that takes images."""

from handkit.pipelines.build import pipeline
from handkit.pipelines.inputs import BadInput

__all__ = ["BadInput", "pipeline"]
