"""The files, folders, globs and URLs of a command line, as a list of pictures with a name for each result."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from handkit.errors import DataError
from handkit.images import is_url, picture_files


@dataclass(frozen=True)
class Picture:
    """One input: where it is, and the path below the output folder that its drawing gets."""

    source: str
    target: Path


def pictures(arguments: Sequence[str]) -> list[Picture]:
    """Expands arguments; a folder gives its pictures in every depth, sorted.

    Raises:
        DataError: an argument that names nothing, or a folder or glob without pictures.
    """
    found = [picture for argument in arguments for picture in _expand(argument)]
    taken: set[Path] = set()
    unique = []
    for picture in found:
        target, number = picture.target, 1
        while target in taken:
            number += 1
            target = picture.target.with_stem(f"{picture.target.stem}_{number}")
        taken.add(target)
        unique.append(Picture(picture.source, target))
    return unique


def _expand(argument: str) -> Iterator[Picture]:
    path = Path(argument)
    if is_url(argument):
        name = Path(argument.split("?")[0]).stem or "image"
        yield Picture(argument, Path(f"{name}.png"))
    elif path.is_dir():
        yield from (Picture(str(file), _png(file.relative_to(path))) for file in picture_files(path))
    elif path.is_file() or not glob.has_magic(argument):
        yield Picture(argument, _png(Path(path.name)))
    else:
        files = sorted(Path(name) for name in glob.glob(argument, recursive=True) if Path(name).is_file())
        if not files:
            raise DataError(f"{argument}: the pattern matches no file")
        yield from (Picture(str(file), _png(Path(file.name))) for file in files)


def _png(path: Path) -> Path:
    return path.with_suffix(".png")
