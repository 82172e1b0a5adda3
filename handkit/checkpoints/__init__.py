"""Weights of torch models: read from files that handkit, mmpose, mmdet or EasyCV wrote, checked, and written.

Nothing here runs code that a file brings: files are safetensors, or pickles that ``torch.load(weights_only=True)``
accepts.
"""

from handkit.checkpoints.conversion import convert_weights
from handkit.checkpoints.inspection import inspect_weights
from handkit.checkpoints.keymaps import to_easycv_keys
from handkit.checkpoints.means import mean_weights
from handkit.checkpoints.reading import read_plain, read_state_dict
from handkit.checkpoints.stripping import strip_weights
from handkit.checkpoints.weights import (
    check_weights,
    copy_weights,
    load_weights,
    save_pickled,
    save_tensors,
    save_weights,
    unwrap,
)

__all__ = [
    "check_weights",
    "convert_weights",
    "copy_weights",
    "inspect_weights",
    "load_weights",
    "mean_weights",
    "read_plain",
    "read_state_dict",
    "save_pickled",
    "save_tensors",
    "save_weights",
    "strip_weights",
    "to_easycv_keys",
    "unwrap",
]
