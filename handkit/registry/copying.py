"""Configs to another folder: with the files they are based on, or as one file."""

from __future__ import annotations

import ast
import os
import pprint
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.fileio import load

from handkit.errors import ConfigError
from handkit.files import writing
from handkit.formats.foreign import SCOPE
from handkit.registry.config import find_config, load_config

_BASE = "_base_"
_ENVIRONMENT = re.compile(r"\{\{\s*\$[^}]*\}\}")  # mmengine's {{$NAME:default}}, which is no Python


def copy_config(name: str | Path, folder: str | os.PathLike[str], flat: bool = False) -> list[Path]:
    """Copies a config so that it works from another folder, and resolves there to the same.

    Bases ``handkit::NAME`` are found from every folder and stay with handkit.

    Args:
        name: see `handkit.registry.config.find_config`.
        folder: it is made. The files lie in it as they lie to each other; no file in it is replaced.
        flat: one file instead, the resolved config, which is based on no other.

    Returns:
        The new files, the config first.

    Raises:
        ConfigError: no such config, a mistake in it, a base that cannot be copied, a file that is there already, or a
            config that means something else in another place.
        OSError: a file cannot be written; none is left then.
    """
    source, folder = Path(os.path.abspath(find_config(name))), Path(folder)
    resolved = load_config(source)
    files = _flat(source, resolved) if flat else _chain(source)
    taken = [str(folder / file) for file in files if os.path.lexists(folder / file)]
    if taken:
        are = "are" if len(taken) > 1 else "is"
        raise ConfigError(f"{', '.join(taken)} {are} there already; nothing is copied, choose another folder")
    with tempfile.TemporaryDirectory() as trial:
        _write(files, Path(trial))
        _check(resolved, Path(trial) / next(iter(files)), source)
    return _write(files, folder)


def as_python(config: Mapping[str, Any], title: str) -> str:
    """The text of a config file that `load_config` reads back as this config."""
    rows = (f"{key} = {pprint.pformat(value, width=118, sort_dicts=False)}\n" for key, value in config.items())
    return f'"""{title}"""\n\n' + "".join(rows)


def _flat(source: Path, resolved: Mapping[str, Any]) -> dict[str, str]:
    return {f"{source.stem}.py": as_python(resolved, f"{source.stem}, resolved.")}


def _chain(source: Path) -> dict[str, str]:
    """The texts of a config and of all it is based on, by their places below the folder they have in common."""
    texts: dict[Path, str] = {}
    waiting = [source]
    while waiting:
        path = waiting.pop()
        if path not in texts:
            texts[path] = _read(path)
            waiting.extend(Path(os.path.abspath(path.parent / base)) for base in _bases(path, texts[path]))
    top = os.path.commonpath([path.parent for path in texts])
    return {os.path.relpath(path, top): text for path, text in texts.items()}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a config: {error}") from None


def _bases(path: Path, text: str) -> list[str]:
    """What the file's ``_base_`` names, without what is found from every folder."""
    try:
        bases = _assigned(text) if path.suffix == ".py" else load(str(path)).get(_BASE, [])
    except (ValueError, SyntaxError) as error:
        raise ConfigError(f"{path}: its {_BASE} is no list of names ({error}); copy it as one file, --flat") from None
    names = [name for name in ([bases] if isinstance(bases, str) else bases) if not str(name).startswith(SCOPE)]
    for name in names:
        if "::" in name or os.path.isabs(name):
            raise ConfigError(
                f"{path}: its base {name!r} is named by its place on this machine and cannot move along; copy the "
                "config as one file, --flat"
            )
    return names


def _assigned(text: str) -> Any:
    """The value of the assignment to ``_base_``; nothing is executed."""
    for node in ast.parse(_ENVIRONMENT.sub("0", text)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == _BASE:
            return ast.literal_eval(node.value)
    return []


def _check(resolved: Mapping[str, Any], copy: Path, source: Path) -> None:
    again = load_config(copy)
    different = sorted(key for key in {*resolved, *again} if resolved.get(key) != again.get(key))
    if different:
        raise ConfigError(
            f"{source}: its {different[0]!r} depends on where the file lies ({{{{ fileDirname }}}} or the like), so a "
            "copy would mean something else; write the path out"
        )


def _write(files: Mapping[str, str], folder: Path) -> list[Path]:
    written: list[Path] = []
    try:
        for place, text in files.items():
            with writing(folder / place, "w") as file:
                file.write(text)
            written.append(folder / place)
    except BaseException:
        for path in written:
            path.unlink()
        raise
    return written
