"""Which networks a pipeline's config runs, with which weights: what a table, a label file or `handkit doctor` names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handkit.files import sha256_of
from handkit.hub import resolve
from handkit.registry import is_node

#: The nodes of a config that may hold a network of their own.
_DETECTORS = ("detector", "retry_detector")
#: The arguments of a backbone that tell how large it is.
_SIZES = ("depth", "width", "deepen_factor", "widen_factor", "num_stacks")


@dataclass(frozen=True)
class UsedNet:
    """One network of a pipeline.

    Args:
        part: the config's key: 'detector', 'retry_detector', 'model' or 'gesture'.
        component: the type of that node.
        net: the type of the network, the same for a model and for gestures.
        backbone: the type of its backbone and how large that is, as far as the config says; empty without one.
        runtime: the type of the runtime that executes it; empty for gestures, which need numpy alone.
        reference: the weights as the config names them, or None.
    """

    part: str
    component: str
    net: str
    backbone: str
    runtime: str
    reference: str | None

    @property
    def name(self) -> str:
        """The network with its backbone, e.g. 'TopDownEstimator with HRNet (width 18)'."""
        return f"{self.net} with {self.backbone}" if self.backbone else self.net

    def path(self) -> Path | None:
        """Where the weights lie; None without weights.

        Raises:
            HubError: they cannot be had.
        """
        return None if self.reference is None else resolve(self.reference)

    def sha256(self) -> str | None:
        """The sha256 of the weights' file; None without weights.

        Raises:
            HubError: they cannot be had.
        """
        path = self.path()
        return None if path is None else sha256_of(path)


def used_nets(config: Mapping[str, Any]) -> list[UsedNet]:
    """The networks of a resolved config, in the order in which an image meets them; parts without one are left out."""
    return list(_used(config))


def _used(config: Mapping[str, Any]) -> Iterator[UsedNet]:
    for part in _DETECTORS:
        node = config.get(part)
        if node is not None and node.get("net") is not None:
            yield _net(part, node["type"], node["net"], node)
    if config.get("model") is not None and config["task"] != "hand_detection":
        yield _net("model", config["model"]["type"], config["model"], config)
    if config.get("gesture") is not None:
        yield _net("gesture", config["gesture"]["type"], config["gesture"], config["gesture"])


def _net(part: str, component: str, net: Mapping[str, Any], owner: Mapping[str, Any]) -> UsedNet:
    reference = owner.get("checkpoint")
    runtime = (owner.get("runtime") or {}).get("type", "")
    backbone = _backbone(net.get("backbone"))
    return UsedNet(part, component, net["type"], backbone, runtime, None if reference is None else str(reference))


def _backbone(node: object) -> str:
    if not is_node(node):
        return ""
    assert isinstance(node, Mapping)
    sizes = ", ".join(f"{key} {node[key]}" for key in _SIZES if key in node)
    return f"{node['type']} ({sizes})" if sizes else str(node["type"])
