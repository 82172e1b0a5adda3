"""Parts of mmpose, mmdet and mmcv in a config of handkit's: ``type='mmpose.ResNet'``."""

from __future__ import annotations

import difflib
import functools
import importlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope, Registry

from handkit.errors import ConfigError
from handkit.interop.openmmlab.their_detectors import adapted_detector
from handkit.interop.openmmlab.their_heads import adapted_head
from handkit.interop.openmmlab.their_transforms import adapted_transform
from handkit.registry.foreign import PLUG_INS

SCOPES = ("mmcv", "mmdet", "mmpose")
#: Which of a scope's registries answers a kind of handkit's.
_KINDS = {"model": "MODELS", "transform": "TRANSFORMS"}
_FAILURES = (TypeError, KeyError, ValueError, AttributeError, AssertionError, ImportError, NotImplementedError)


class OpenMMLab:
    """Finds classes in their registries and builds them as they would; see `handkit.registry.foreign.PlugIn`."""

    def find(self, name: str, kinds: Sequence[str], where: str) -> type:
        """The registered class, with what handkit asks of its place."""
        scope, _, plain = name.rpartition(".")
        known: set[str] = set()
        for kind, registry in _KINDS.items():
            members = _members(scope, registry)
            known |= set(members)
            if plain in members and kind in kinds:
                found: type = _adapted(members[plain], kind, name, where)
                return found
            if plain in members:
                raise ConfigError(f"{where}: {name} is a {kind}, not a {' or '.join(kinds)}{_HINTS.get(kinds[0], '')}")
        for registry in _registries(scope):
            if plain in _members(scope, registry):
                raise ConfigError(
                    f"{where}: {name} is registered in {scope}.registry.{registry}; handkit takes networks' parts and "
                    "transforms from there, and has its own of the rest (`handkit ls`)"
                )
        raise ConfigError(f"{where}: {scope} has no {plain!r}{_near(plain, known)}")

    def check(self, name: str, arguments: Mapping[str, Any], where: str) -> None:
        """Every type inside must be a plain name, or one that is registered in its scope.

        mmengine imports any other dotted name and calls it. Weights named in ``init_cfg`` are refused, since they would
        be fetched unasked and unpickled.
        """
        for key, value in arguments.items():
            _check_inside(value, f"{where}.{key}")
        if arguments.get("data_preprocessor") is not None:
            raise ConfigError(
                f"{where}.data_preprocessor: NormalizeTensor(mean, std) among the transforms does its work here, with "
                "the channels as R, G, B (ReverseChannels before it where bgr_to_rgb was False): leave it out"
            )

    def build(self, cls: Any, arguments: Mapping[str, Any], where: str) -> Any:
        """By the class's constructor, which builds what lies inside in its own scope; weights are made as it says."""
        scope = cls.__module__.partition(".")[0]
        self.check(f"{scope}.{cls.__name__}", arguments, where)
        try:
            with DefaultScope.overwrite_default_scope(scope):
                made = cls(**ConfigDict(arguments))
                if hasattr(made, "init_weights") and not hasattr(made, "predicting"):
                    with _quiet():
                        made.init_weights()
        except _FAILURES as error:
            reason = f"{type(error).__name__}: {error}"
            raise ConfigError(f"{where}: {scope}.{cls.__name__} cannot be built: {reason}") from error
        return made


@contextmanager
def _quiet() -> Iterator[None]:
    """Without mmengine's line for each parameter."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.INFO))
    try:
        yield
    finally:
        logging.disable(before)


_HINTS = {
    "detector": "; a detector of mmdet is the net of handkit's OneHandDetector: "
    "dict(type='OneHandDetector', net=dict(type='mmdet...'), ...)"
}


def _near(word: str, known: Iterable[str]) -> str:
    """The nearest name; they have too many to list."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _registries(scope: str) -> list[str]:
    module = importlib.import_module("mmengine.registry" if scope == "mmcv" else f"{scope}.registry")
    return [name for name, value in vars(module).items() if isinstance(value, Registry)]


def _members(scope: str, registry: str) -> dict[str, Any]:
    """Names with their classes. mmcv registers in mmengine's own registries."""
    module = importlib.import_module("mmengine.registry" if scope == "mmcv" else f"{scope}.registry")
    found: Registry = getattr(module, registry)
    found.import_from_location()
    members = dict(found.module_dict)
    if scope != "mmcv":
        return members
    return {name: item for name, item in members.items() if getattr(item, "__module__", "").startswith("mmcv.")}


def _adapted(cls: Any, kind: str, name: str, where: str) -> Any:
    from mmdet.models.detectors.base import BaseDetector
    from mmpose.models.heads.base_head import BaseHead

    if kind == "transform":
        return _made(adapted_transform, cls)
    if issubclass(cls, BaseDetector):
        return _made(adapted_detector, cls)
    if issubclass(cls, BaseHead):
        head = _made(adapted_head, cls)
        if head is None:
            raise ConfigError(
                f"{where}: {name}'s outputs have no codec in handkit; heads of heat maps, SimCC and joints do"
            )
        return head
    if "backbones" not in cls.__module__.split(".") and not name.startswith("mmcv."):
        raise ConfigError(
            f"{where}: {name} has no place in handkit; of networks it takes backbones, heads and detectors"
        )
    return cls


@functools.cache
def _made(adapt: Any, cls: Any) -> Any:
    """One adapted class per class."""
    return adapt(cls)


def _check_inside(value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        if "type" in value:
            _check_type(value["type"], where)
        for key, item in value.items():
            _check_inside(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check_inside(item, f"{where}.{index}")


def _check_type(name: Any, where: str) -> None:
    if name == "Pretrained":
        raise ConfigError(
            f"{where}: 'Pretrained' fetches weights unasked and unpickles them: leave it out, and name a file as "
            "backbone_from= or load_from= at the config's top"
        )
    scope, _, plain = name.rpartition(".") if isinstance(name, str) else ("?", "", "")
    if scope and not (scope in SCOPES and any(plain in _members(scope, registry) for registry in _registries(scope))):
        raise ConfigError(f"{where}: type={name!r} is not registered in {', '.join(SCOPES)}; import paths are refused")


for _scope in SCOPES:
    PLUG_INS[_scope] = OpenMMLab()
