"""handkit inside ModelScope: importing this registers what handkit answers there.

After `handkit modelscope enable` ModelScope imports it by itself. Needs the extra `modelscope`.
"""

import _handkit_modelscope
from handkit.errors import MissingExtraError

try:
    import modelscope.pipelines.builder  # noqa: F401
except ImportError as error:
    raise MissingExtraError("modelscope[framework]", "modelscope", "handkit inside ModelScope") from error

from handkit.interop.modelscope.pipeline import HandKeypointsPipeline

_handkit_modelscope.install()

__all__ = ["HandKeypointsPipeline"]
