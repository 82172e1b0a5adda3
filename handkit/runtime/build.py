"""From a config to a network made ready: the one that pipelines run and tests measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handkit.errors import ConfigError
from handkit.registry import CODECS, MODELS, RUNTIMES, TRANSFORMS, build
from handkit.registry.validate import needs_codec
from handkit.runtime.base import Net
from handkit.runtime.second_look import SecondLook
from handkit.skeleton import HAND, SKELETONS
from handkit.transforms import split_stages


def build_net(config: Mapping[str, Any]) -> Net:
    """The config's network with its weights, behind one call from a batch to joints or boxes.

    Raises:
        ConfigError: the config names no model, codec or runtime.
    """
    needed = ("model", "codec", "runtime") if needs_codec(config) else ("model", "runtime")
    for key in needed:
        if config.get(key) is None:
            raise ConfigError(f"the config names no {key!r}, which {config['task']} needs")
    transforms = [build(node, TRANSFORMS, "test_transforms") for node in config["test_transforms"]]
    _, tensor_part = split_stages(transforms)
    model: Any = config["model"]
    codec = build(config["codec"], CODECS, "codec") if "codec" in needed else None
    if config.get("flip_test"):
        shift = "none" if codec is not None and codec.udp else config["flip_test"]
        model = {"type": "FlipTest", "model": model, "shift": shift, "skeleton": config.get("skeleton", "hand")}
    runtime = build(config["runtime"], RUNTIMES, "runtime")
    base = {} if config.get("base_checkpoint") is None else {"base": config["base_checkpoint"]}
    net: Net = runtime.prepare(build(model, MODELS, "model"), config.get("checkpoint"), tensor_part, codec, **base)
    return SecondLook(net, SKELETONS[config.get("skeleton", HAND.name)]) if config.get("second_look") else net
