"""handkit and OpenMMLab's toolkits in one config.

Importing this, which a config does by ``custom_imports = dict(imports=['handkit.interop.openmmlab'])``, makes their
parts available in handkit's configs and handkit's parts in mmpose's; docs/openmmlab.md says which. It needs mmcv, mmdet
and mmpose, as `handkit openmmlab install` installs them, and nothing of handkit imports it on its own.
"""

from __future__ import annotations

import importlib.util

from handkit.errors import MissingExtraError
from handkit.interop.openmmlab.shims import ShimWarning, import_mmpose, stand_in_for_ops

__all__ = ["ShimWarning"]

for _package in ("mmcv", "mmdet", "mmpose"):
    if importlib.util.find_spec(_package) is None:
        _command = "handkit openmmlab install --venv DIR makes an environment that has it"
        raise MissingExtraError(_package, "openmmlab", "handkit.interop.openmmlab", _command)
stand_in_for_ops()
import_mmpose()

from handkit.interop.openmmlab import ours, theirs  # noqa: E402, F401
