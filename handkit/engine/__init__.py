"""Training: mmengine's Runner around handkit's own data order, precision, average of weights and resumable state.

`build_runner` makes the Runner of a config; `train` and `measure` are what ``handkit train`` and ``handkit test``
call. They are imported when first used, so that a config's optimizer and schedule are checked without the Runner.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

import handkit.registry  # noqa: F401 (brings mmengine safely, see handkit.registry.yapf_grammar)

if TYPE_CHECKING:
    from handkit.engine.build import build_runner
    from handkit.engine.testing import measure
    from handkit.engine.training import TrainingResult, train

# raised in torch, by what mmengine imports of it
warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)

__all__ = ["TrainingResult", "build_runner", "measure", "train"]
_HOMES = {
    "TrainingResult": "handkit.engine.training",
    "build_runner": "handkit.engine.build",
    "measure": "handkit.engine.testing",
    "train": "handkit.engine.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'handkit.engine' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
