"""Readers of annotation files and generators of samples."""

from handkit.datasets.synthetic import HandSynth

__all__ = ["HandSynth"]
