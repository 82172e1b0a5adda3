"""Weights of torch models: read from files that handkit, mmpose, mmdet or EasyCV wrote, checked, and written.

Nothing here runs code that a file brings: files are safetensors, or pickles that ``torch.load(weights_only=True)``
accepts.
"""

from handkit.checkpoints.reading import read_state_dict
from handkit.checkpoints.weights import load_weights, save_weights

__all__ = ["load_weights", "read_state_dict", "save_weights"]
