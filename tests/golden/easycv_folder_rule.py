"""A model folder as EasyCV put them on ModelScope's hub, with weights made up under mmpose 0.x's names.

``easycv_folder/`` is written by hand after the hub's public description of the model, not by handkit.
"""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
_MMDET = runpy.run_path(str(FOLDER / "mmdet_rule.py"))
_MMPOSE = runpy.run_path(str(FOLDER / "mmpose_rule.py"))

State = dict[str, np.ndarray[Any, Any]]


def network_state(backbone: Mapping[str, tuple[int, ...]]) -> State:
    """HRNetV2-W18 with TopdownHeatmapSimpleHead, of 21 joints.

    Args:
        backbone: shapes by name without ``backbone.``, which are the same in all versions of HRNet.
    """
    joined, norm = 18 + 36 + 72 + 144, "keypoint_head.final_layer.1"
    shapes: dict[str, tuple[int, ...]] = {
        **{f"backbone.{key}": tuple(shape) for key, shape in backbone.items()},
        "keypoint_head.final_layer.0.weight": (joined, joined, 1, 1),
        "keypoint_head.final_layer.0.bias": (joined,),
        **{f"{norm}.{name}": (joined,) for name in ("weight", "bias", "running_mean", "running_var")},
        f"{norm}.num_batches_tracked": (),
        "keypoint_head.final_layer.3.weight": (21, joined, 1, 1),
        "keypoint_head.final_layer.3.bias": (21,),
    }
    state: State = _MMPOSE["state"](shapes)
    return state


def detector_state() -> State:
    """mmdet's SSDLite."""
    keys = json.loads((FOLDER / "mmdet_ssdlite_keys.json").read_text("utf-8"))
    state: State = _MMDET["state"]({key: tuple(shape) for key, shape in keys.items()})
    return state


def write(folder: Path, backbone: Mapping[str, tuple[int, ...]]) -> Path:
    """Writes configuration.json, pytorch_model.pt and detection/ into a new folder, which is returned."""
    import torch

    shutil.copytree(FOLDER / "easycv_folder", folder)
    for name, state in (
        ("pytorch_model.pt", network_state(backbone)),
        ("detection/detection_model.pth", detector_state()),
    ):
        tensors = {key: torch.from_numpy(np.asarray(value)) for key, value in state.items()}
        torch.save({"meta": {"config": "{}", "epoch": 210}, "state_dict": tensors}, folder / name)
    return folder
