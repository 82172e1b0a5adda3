"""Config files of other toolkits: told from handkit's own, read with the files they are based on, translated."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handkit.errors import ConfigError
from handkit.formats import easycv, mmpose, mmpose_0x
from handkit.formats.schedules import Node
from handkit.formats.text import parse_config

#: Files that one is based on, and those they are based on, and so on.
_DEEPEST = 20
#: Keys at the top that handkit's own configs do not have, and others' do.
_FOREIGN = frozenset({"data", "data_cfg", "total_epochs", "train_dataloader", "train_cfg", "optim_wrapper"})
#: Stands before a base that is one of handkit's own configs; what is based on one is no config of another toolkit.
SCOPE = "handkit::"
#: By the type of the model: the toolkits, and their translators. EasyCV took the name from mmpose 0.x.
_TOOLKITS: dict[str, tuple[str, Callable[..., Node]]] = {
    "TopDown": ("mmpose 0.x", mmpose_0x.translate),
    "TopdownPoseEstimator": ("mmpose 1.x", mmpose.translate),
}
_EASYCV = ("EasyCV", easycv.translate)


@dataclass(frozen=True)
class Translation:
    """A foreign config as handkit reads it.

    Args:
        toolkit: whose it is.
        config: handkit's keys.
        decisions: a line for each part that is only nearly the same.
    """

    toolkit: str
    config: Node
    decisions: tuple[str, ...]


def translation(path: Path) -> Translation | None:
    """What the config file of another toolkit says; None of one of handkit's own. Nothing is executed.

    Args:
        path: the file.

    Raises:
        ConfigError: of a foreign file: what handkit cannot read or has no counterpart of, with its place.
    """
    if path.suffix != ".py":
        return None
    names = _names(path)
    if SCOPE in names or not _FOREIGN & names:
        return None
    config = _read(path)
    model = config.get("model")
    kind = model.get("type") if isinstance(model, dict) else None
    if not isinstance(kind, str) or kind not in _TOOLKITS:
        raise ConfigError(
            f"{path}: is a config of another toolkit whose model, {kind!r}, handkit does not translate; it reads "
            "TopDown of EasyCV and of mmpose 0.x, and mmpose 1.x's TopdownPoseEstimator"
        )
    toolkit, translate = _EASYCV if kind == "TopDown" and _of_easycv(config) else _TOOLKITS[kind]
    decisions: list[str] = []
    return Translation(toolkit, translate(config, where=path.name, decisions=decisions), tuple(decisions))


def _of_easycv(config: dict[str, Any]) -> bool:
    """Its data sets have a source of their own, and its batches are called `imgs_per_gpu`."""
    data = config.get("data")
    splits = [data.get("train"), data.get("val")] if isinstance(data, dict) else []
    return isinstance(data, dict) and (
        "imgs_per_gpu" in data or any(isinstance(s, dict) and "data_source" in s for s in splits)
    )


def _names(path: Path, depth: int = 0) -> set[str]:
    """The variables of a file and of its bases, and `SCOPE` for those of handkit; a text that is no Python has none."""
    try:
        body = ast.parse(path.read_text("utf-8")).body
        targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        bases = _bases(body) if depth < _DEEPEST else ()
    except (OSError, SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return set()
    return names.union(
        *({SCOPE} if base.startswith(SCOPE) else _names(path.parent / base, depth + 1) for base in bases)
    )


def _bases(body: Sequence[ast.stmt]) -> list[str]:
    for node in body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "_base_" for t in node.targets):
            bases = ast.literal_eval(node.value)
            return [str(base) for base in ([bases] if isinstance(bases, str) else bases)]
    return []


def _read(path: Path, depth: int = 0) -> dict[str, Any]:
    """The variables of a file above those of its bases."""
    if depth > _DEEPEST:
        raise ConfigError(f"{path}: is based on itself, or on more than {_DEEPEST} files one upon the other")
    try:
        text = path.read_text("utf-8")
        bases = _bases(ast.parse(text).body)
    except (OSError, SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ConfigError(f"{path}: cannot be read as a config: {error}") from None
    return parse_config(text, path.name, [_read(path.parent / base, depth + 1) for base in bases])
