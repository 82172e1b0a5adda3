"""The index of an annotation file: its columns, parsed once and then memory-mapped by every process that needs them.

The cache lies in ``HANDKIT_HOME/index/SHA256-LAYOUT/``, by the sha256 of the annotation file, or of all files that are
read together: one ``.npy`` per column and ``columns.json`` with their CRC-32, written last. Whatever is missing or
damaged is written anew; a changed annotation file has another sha256 and so another folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.columns import HandColumns, load_document, parse
from handkit.datasets.layouts import LAYOUTS, LayoutName
from handkit.datasets.originals import handsynth
from handkit.datasets.records import Layout, Original
from handkit.errors import DataError, did_you_mean
from handkit.files import sha256_of, write_json, writing
from handkit.hub import home

Array = NDArray[Any]

#: Smaller annotation files are parsed each time, which takes less than a tenth of a second.
MIN_CACHED_BYTES = 1_000_000
#: Another number, another meaning of the columns: older folders are written anew.
VERSION = 4
_NAMES = tuple(field.name for field in fields(HandColumns))
_CHECKS = "columns.json"


class HandIndex:
    """The columns of an annotation file.

    An index that is cached pickles as the path of its folder, so that a worker process maps the same memory.

    Args:
        path: the annotation file.
        layout: how it was read; the file's own, if it states one.
        columns: its images and hands.
        folder: the cache that `columns` are mapped from; None: they lie in memory.
    """

    def __init__(self, path: Path, layout: LayoutName, columns: HandColumns, folder: Path | None = None) -> None:
        self.path = path
        self.layout: LayoutName = layout
        self.columns = columns
        self.folder = folder

    @property
    def images(self) -> int:
        """How many images the file lists."""
        return len(self.columns.file_names)

    def __len__(self) -> int:
        """How many hands the file holds."""
        return len(self.columns.hand_names)

    def rows_of(self, image: int) -> slice:
        """The rows of an image's hands."""
        first = self.columns.first_hands
        return slice(int(first[image]), int(first[image + 1]))

    def image_of(self, row: Any) -> Any:
        """The image of a hand, or of an array of hands."""
        return np.searchsorted(self.columns.first_hands, row, side="right") - 1

    def place(self, row: int) -> str:
        """How messages call a hand, e.g. ``image 785, annotation 442619, right hand``."""
        image_id = self.columns.image_ids[self.image_of(row)].decode()
        return f"image {image_id}, {self.columns.hand_names[row].decode()}"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.folder is None:
            return HandIndex, (self.path, self.layout, self.columns)
        return _reopen, (self.path, self.layout, self.folder)


def parse_index(path: str | os.PathLike[str], layout: LayoutName | None = None) -> HandIndex:
    """Parses an annotation file, past the cache.

    Args:
        path: the file; files that belong to it are found beside it.
        layout: how it is read, unless it states its own layout; see `handkit.datasets.layouts`. None takes
            ``handsynth`` where the arrays of rendered hands lie beside it, else ``handphotos`` if a hand has the field
            `flip_disagreement`, else ``coco``.

    Raises:
        DataError: the file is missing or no JSON object, or a record breaks its documented form; the message names it.
    """
    path = _path(path)
    if layout is None and all(file.is_file() for file in handsynth.files(path)):
        layout = "handsynth"
    return _parse_bytes(path, [_read(file) for file in _files(path, layout)], layout)


def open_index(path: str | os.PathLike[str], layout: LayoutName) -> HandIndex:
    """The index of an annotation file: mapped from the cache, or parsed and cached for the next time.

    Where the cache cannot be written, a warning says so and the index stays in memory. A file that states its own
    layout is read by that.

    Raises:
        DataError: as `parse_index`.
    """
    path = _path(path)
    files = _files(path, layout)
    try:
        if sum(file.stat().st_size for file in files) < MIN_CACHED_BYTES:
            return parse_index(path, layout)
        folder = _folder([sha256_of(file) for file in files], layout)
    except OSError as error:
        raise _unreadable(Path(error.filename or path), error) from None
    if (index := _load(path, folder)) is not None:
        return index
    data = [_read(file) for file in files]
    index = _parse_bytes(path, data, layout)
    folder = _folder([hashlib.sha256(content).hexdigest() for content in data], layout)
    try:
        _store(folder, index)
    except OSError as error:
        warnings.warn(
            f"{path}: its index cannot be kept in {folder} ({error.strerror or error}), so that every start parses the "
            "file again; make the folder writable or set HANDKIT_HOME",
            stacklevel=2,
        )
        return index
    return _reopen(path, layout, folder)


def _path(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path)
    except TypeError:
        raise DataError(f"an annotation file is named by its path, not by {path!r}") from None


def _files(path: Path, layout: LayoutName | None) -> tuple[Path, ...]:
    """All files that are read; the first is `path`."""
    known = None if layout is None else _layout(layout, path)
    return known.files(path) if isinstance(known, Original) else (path,)


def _parse_bytes(path: Path, data: Sequence[bytes], layout: LayoutName | None) -> HandIndex:
    if layout is not None and isinstance(original := _layout(layout, path), Original):
        return HandIndex(path, layout, original.read(path, *data))
    document = load_document(data[0], str(path))
    if document.layout is not None:
        layout = document.layout
    elif layout is None:
        layout = "handphotos" if any("flip_disagreement" in row for row in document.annotations) else "coco"
    stated = _layout(layout, path)
    if isinstance(stated, Original):
        raise DataError(f"{path}: states the layout {layout!r}, which is none of COCO JSON")
    return HandIndex(path, layout, parse(document, stated, str(path)))


def _layout(name: LayoutName, path: Path) -> Layout | Original:
    if not isinstance(name, str) or name not in LAYOUTS:
        raise DataError(f"{path}: no layout is called {name!r}; {did_you_mean(str(name), LAYOUTS)}")
    return LAYOUTS[name]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path}: cannot be read: {error.strerror or error}")


def _folder(hashes: Sequence[str], layout: LayoutName) -> Path:
    """The cache of a file, or of several that are read together, by their sha256."""
    one = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    return home() / "index" / f"{one}-{layout}"


def _reopen(path: Path, layout: LayoutName, folder: Path) -> HandIndex:
    """Maps a folder that this program has just checked or written; parses the file where it has gone since."""
    index = _load(path, folder, check=False)
    return parse_index(path, layout) if index is None else index


def _load(path: Path, folder: Path, check: bool = True) -> HandIndex | None:
    """The index of a cache folder, mapped; None if it is absent, incomplete, of another version or damaged."""
    try:
        stored = json.loads((folder / _CHECKS).read_bytes())
        if stored["version"] != VERSION or stored["layout"] not in LAYOUTS:
            return None
        mapped = {name: np.lib.format.open_memmap(folder / f"{name}.npy", mode="r") for name in _NAMES}
        if check and _checks(mapped) != stored["columns"]:
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    columns = HandColumns(**{name: np.asarray(column) for name, column in mapped.items()})
    return HandIndex(path, stored["layout"], columns, folder)


def _store(folder: Path, index: HandIndex) -> None:
    """Writes each file whole; two processes that do so at once write the same bytes."""
    arrays = {name: np.ascontiguousarray(getattr(index.columns, name)) for name in _NAMES}
    (folder / _CHECKS).unlink(missing_ok=True)
    for name, array in arrays.items():
        with writing(folder / f"{name}.npy") as file:
            np.save(file, array, allow_pickle=False)
    write_json(folder / _CHECKS, {"version": VERSION, "layout": index.layout, "columns": _checks(arrays)})


def _checks(columns: Mapping[str, Array]) -> dict[str, list[Any]]:
    """Per column its type, its shape and the CRC-32 of its bytes."""
    return {
        name: [column.dtype.str, list(column.shape), zlib.crc32(np.ascontiguousarray(column).view(np.uint8).data)]
        for name, column in columns.items()
    }
