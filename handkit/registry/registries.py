"""The registries: names that a config may use, and the rooms where their classes live.

Each is a child of mmengine's registry of the same kind where there is one, with scope ``handkit``. A class registers
itself with ``@MODELS.register_module()`` when its module is imported; `locations` lists those modules, and
`handkit.registry.build.resolve` imports them one at a time until the name is known, those that need torch last, so that
a pipeline without torch components never imports torch. Names are unique across all registries (a contract test holds
it), so a node ``dict(type=NAME, ...)`` needs no further hint.
"""

from __future__ import annotations

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry


def _registry(name: str, parent: Registry | None, *rooms: str) -> Registry:
    return Registry(name, parent=parent, scope="handkit", locations=[f"handkit.{room}" for room in rooms])


#: Networks and their parts: backbones, heads, losses, estimators, detector nets, nets that another runtime executes.
MODELS = _registry(
    "model",
    mmengine_registry.MODELS,
    "gestures.classifier",
    "models.mediapipe",
    "models.backbones",
    "models.heads",
    "models.losses",
    "models.estimators",
    "models.detectors",
)
#: Pairs of encode (joints to targets) and decode (network outputs to joints).
CODECS = _registry(
    "codec",
    mmengine_registry.TASK_UTILS,
    "codecs.regression",
    "codecs.gaussian_heatmap",
    "codecs.udp_heatmap",
    "codecs.simcc",
    "codecs.offset_heatmap",
    "codecs.hand_offsets",
)
#: Steps from a source to what the network takes.
TRANSFORMS = _registry("transform", mmengine_registry.TRANSFORMS, "transforms")
#: Readers of annotation files and generators of samples.
DATASETS = _registry("dataset", mmengine_registry.DATASETS, "datasets")
#: What is measured on predictions and labels.
METRICS = _registry("metric", mmengine_registry.METRICS, "metrics")
#: Executors of a model: torch, LiteRT, later ONNX Runtime and OpenVINO.
RUNTIMES = _registry("runtime", None, "runtime.litert", "runtime.torch")
#: From an image to hand boxes.
DETECTORS = _registry("detector", mmengine_registry.INFERENCERS, "detectors")

#: Rules by which gradients change weights.
OPTIMIZERS = _registry("optimizer", mmengine_registry.OPTIMIZERS, "engine.optimizers")
#: The learning rate over the course of a training.
SCHEDULES = _registry("schedule", mmengine_registry.PARAM_SCHEDULERS, "engine.schedules")

#: Rooms that import torch: looked into last, so that a config without their components runs where torch is absent.
NEEDS_TORCH = frozenset(
    f"handkit.{room}"
    for room in (
        "codecs.gaussian_heatmap",
        "codecs.udp_heatmap",
        "codecs.simcc",
        "codecs.offset_heatmap",
        "codecs.hand_offsets",
        "models.backbones",
        "models.heads",
        "models.losses",
        "models.estimators",
        "models.detectors",
        "runtime.torch",
        "engine.optimizers",
    )
)

ALL: dict[str, Registry] = {
    "models": MODELS,
    "codecs": CODECS,
    "transforms": TRANSFORMS,
    "datasets": DATASETS,
    "metrics": METRICS,
    "runtimes": RUNTIMES,
    "detectors": DETECTORS,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
}
