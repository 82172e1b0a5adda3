"""Names to classes, configs to objects."""

from handkit.registry.yapf_grammar import import_yapf

import_yapf()  # before mmengine does

# ruff: noqa: E402
from handkit.registry.build import build, is_node, registered, resolve
from handkit.registry.registries import (
    ALL,
    CODECS,
    DATASETS,
    DETECTORS,
    METRICS,
    MODELS,
    OPTIMIZERS,
    RUNTIMES,
    SCHEDULES,
    TRANSFORMS,
)

__all__ = [
    "ALL",
    "CODECS",
    "DATASETS",
    "DETECTORS",
    "METRICS",
    "MODELS",
    "OPTIMIZERS",
    "RUNTIMES",
    "SCHEDULES",
    "TRANSFORMS",
    "build",
    "is_node",
    "registered",
    "resolve",
]
