"""Stand-ins for compiled packages, so that mmdet and mmpose can be imported where those cannot be had.

mmdet and mmpose import all of mmcv's compiled ops, and one class of torchvision, before they need any of them. Both are
put in `sys.modules`, in this process only, and only where the real ones are absent.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from handkit.interop.openmmlab.ops import nms, roi_align_forward


class ShimWarning(UserWarning):
    """Says which stand-ins are in use."""


OPS: dict[str, Callable[..., Any]] = {"nms": nms, "roi_align_forward": roi_align_forward}


def missing_ops() -> bool:
    """True where mmcv is installed without its compiled ops."""
    if "mmcv._ext" in sys.modules:
        return False
    return importlib.util.find_spec("mmcv") is not None and importlib.util.find_spec("mmcv._ext") is None


def stand_in_for_ops() -> bool:
    """Puts `mmcv._ext` in `sys.modules` where it is absent, and says so by a `ShimWarning`.

    Of the ops, those in `OPS` work, in plain torch; any other raises NotImplementedError when it is called.

    Returns:
        Whether it did.
    """
    if not missing_ops():
        return False
    ops = _Ops("mmcv._ext")
    ops.__spec__ = ModuleSpec("mmcv._ext", None)
    sys.modules["mmcv._ext"] = ops
    names = " and ".join(OPS)
    warnings.warn(
        f"mmcv is installed without its compiled ops; handkit stands in for them in this process: {names} work, in "
        "plain torch, every other op raises NotImplementedError when it is called",
        ShimWarning,
        stacklevel=2,
    )
    return True


class _Ops(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return OPS.get(name) or _refusing(name)


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"mmcv's compiled op {name!r} is absent here, and handkit stands in for {', '.join(OPS)} only: install an "
            "mmcv that was built with its ops"
        )

    return refuse


def import_mmpose() -> None:
    """Imports mmpose's drawing, with the one class that it takes of torchvision, `ToPILImage`, where that is absent.

    Nothing of torchvision is left in `sys.modules`, so that others who look for it still learn that it is absent.
    """
    if "torchvision" in sys.modules or importlib.util.find_spec("torchvision") is not None:
        return
    package, transforms = ModuleType("torchvision"), ModuleType("torchvision.transforms")
    package.transforms = transforms  # type: ignore[attr-defined]
    transforms.ToPILImage = ToPILImage  # type: ignore[attr-defined]
    stand_ins = {"torchvision": package, "torchvision.transforms": transforms}
    for name, module in stand_ins.items():
        module.__spec__ = ModuleSpec(name, None, is_package=name == "torchvision")
    package.__path__ = []
    sys.modules.update(stand_ins)
    try:
        importlib.import_module("mmpose.visualization")
    finally:
        for name in stand_ins:
            sys.modules.pop(name, None)


class ToPILImage:
    """A (C, H, W) tensor, float in [0, 1] or uint8, with 1 or 3 channels -> a PIL image."""

    def __call__(self, picture: Tensor) -> Any:
        """The picture; other shapes raise ValueError."""
        from PIL import Image

        if picture.ndim != 3 or picture.shape[0] not in (1, 3):
            raise ValueError(f"expected (1, H, W) or (3, H, W), got {tuple(picture.shape)}")
        values = picture.detach().cpu()
        if values.is_floating_point():
            values = (values * 255).to(torch.uint8)
        return Image.fromarray(values.permute(1, 2, 0).squeeze(-1).numpy())
