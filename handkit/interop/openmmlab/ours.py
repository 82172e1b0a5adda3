"""handkit's parts in a config of mmpose's: ``type='handkit.GaussianHeatmap'``.

mmpose looks such a name up below its own registries first, so what fits there is registered there, under the scope
``handkit``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmengine.registry import Registry
from mmpose import registry as mmpose_registry

from handkit.errors import ConfigError, did_you_mean
from handkit.interop.openmmlab import our_codecs, our_metrics, our_transforms
from handkit.registry import MODELS, registered


class OwnParts(Registry):
    """handkit's parts below one of mmpose's registries; another name is refused, not imported.

    Args:
        parent: mmpose's.
        members: their classes.
    """

    def __init__(self, parent: Registry, members: Iterable[Any]) -> None:
        super().__init__(parent.name, parent=parent, scope="handkit")
        for member in members:
            self.register_module(module=member)

    def get(self, key: str) -> Any:
        """The class of a name.

        Raises:
            ConfigError: there is none of that name that mmpose could use.
        """
        plain = key.removeprefix("handkit.")
        if plain not in self.module_dict:
            raise ConfigError(
                f"type='handkit.{plain}': of handkit's, mmpose's registry {self.name!r} takes "
                f"{', '.join(self.module_dict)}; {did_you_mean(plain, self.module_dict)}"
            )
        return self.module_dict[plain]


def _backbones() -> list[Any]:
    """Images in, a tuple of maps out: they are built and called the same way on both sides."""
    registered(MODELS)
    return [cls for cls in MODELS.module_dict.values() if cls.__module__.startswith("handkit.models.backbones.")]


for _registry, _members in (
    (mmpose_registry.KEYPOINT_CODECS, our_codecs.OURS),
    (mmpose_registry.METRICS, our_metrics.OURS),
    (mmpose_registry.TRANSFORMS, our_transforms.OURS),
    (mmpose_registry.MODELS, _backbones()),
):
    OwnParts(_registry, _members)
