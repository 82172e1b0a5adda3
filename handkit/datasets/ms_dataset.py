"""Data sets that ModelScope's `MsDataset.load` opened, or opens."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handkit.datasets.columns import Document, parse
from handkit.datasets.index import HandIndex, parse_index
from handkit.datasets.layouts import LAYOUTS, LayoutName
from handkit.datasets.ms_rows import Pictures, coco_rows, rows_of
from handkit.datasets.reader import BoxKind, HandReader, Unlabelled
from handkit.errors import DataError, MissingExtraError
from handkit.files import write_json, writing
from handkit.registry import DATASETS
from handkit.transforms.base import Sample

#: By which a COCO-WholeBody annotation is told from one of a hand.
_WHOLE_BODY = "lefthand_kpts"


@DATASETS.register_module()
class MsDataset(HandReader):
    """One sample per hand of a loaded data set, of rows or of the old folders of splits.

    Rows are those of ``MsDataset.load('json', ...)``, ``('imagefolder', ...)`` or of a directory; their columns are
    described at `handkit.datasets.ms_rows.coco_rows`. A folder of a split holds pictures and one JSON in the form of
    COCO-WholeBody or of plain COCO keypoints, wherever they lie in it.

    Args:
        dataset: an `MsDataset` object, a `datasets.Dataset`, a list of rows, or a path that ``MsDataset.load`` takes
            (which needs the extra `modelscope`).
        split: of a path, and of an object with several; None takes the only one, of a path 'train'.
        image_root: the folder that paths of pictures are relative to; None: the working directory, and of the folder of
            a split the one in it where the pictures lie.
        box: 'annotated' for the rows' own boxes, by which published numbers are normalised, or 'joints' for handkit's.
        unlabelled: 'skip' leaves out hands without a joint in the frame or without a box, 'error' refuses them.

    Raises:
        DataError: rows of another form, several splits, a split's folder without such a JSON; no hand is left.
        MissingExtraError: a path without ModelScope.
    """

    def __init__(
        self,
        dataset: Any,
        split: str | None = None,
        image_root: str | os.PathLike[str] | None = None,
        box: BoxKind = "annotated",
        unlabelled: Unlabelled = "skip",
    ) -> None:
        loaded = _load(dataset, split) if isinstance(dataset, (str, os.PathLike)) else dataset
        folder = _split_folder(loaded, split)
        self._document: dict[str, Any] | None = None
        self._pictures = Pictures()
        if folder is not None:
            file = _labels_in(folder)
            index = parse_index(file, _layout(json.loads(file.read_bytes())))
            root = _pictures_in(folder, index) if image_root is None else Path(image_root)
        else:
            root = Path(image_root or ".").absolute()
            rows = coco_rows(rows_of(loaded), root, "MsDataset")
            self._document, index, self._pictures = rows.document, _index(rows.document), rows.pictures
        super().__init__(index, root, box, unlabelled)

    def __getitem__(self, index: int) -> Sample:
        """Sample `index`, without its pixels; its `source` is a path, or the encoded picture."""
        sample = super().__getitem__(index)
        name = self.index.columns.file_names[self.index.image_of(self._row(index))].decode()
        return {**sample, "source": self._pictures[name]} if name in self._pictures else sample

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_document": None}

    def export(self, folder: Path) -> dict[str, Any]:
        """The node of a reader of files that gives the same samples, so that a config can name it.

        Args:
            folder: for the labels and the pictures that lie in no file; it is made if there are any.
        """
        file = self.index.path if self._document is None else folder / "labels.json"
        if self._document is not None:
            for name in self._pictures:
                with writing(folder / name) as picture:
                    picture.write(self._pictures[name])
            moved = {name: str((folder / name).absolute()) for name in self._pictures}
            images = [
                {**image, "file_name": moved.get(image["file_name"], image["file_name"])}
                for image in self._document["images"]
            ]
            write_json(file, {**self._document, "images": images})
        kind = "CocoWholeBodyHand" if self.index.layout == "coco_wholebody" else "CocoHands"
        places = {"ann_file": str(file.absolute()), "image_root": str(self.image_root.absolute())}
        return {"type": kind, **places, "box": self.box, "unlabelled": self.unlabelled}


def _load(path: str | os.PathLike[str], split: str | None) -> Any:
    try:
        from modelscope.msdatasets import MsDataset as Loader
    except ImportError as error:
        raise MissingExtraError("modelscope[framework]", "modelscope", "opening a data set of ModelScope") from error
    return Loader.load(os.fspath(path), split=split or "train")


def _split_folder(loaded: Any, split: str | None) -> Path | None:
    """The folder of an old data set's split; None of rows.

    Raises:
        DataError: several splits and no name, or no such split.
    """
    folders = getattr(getattr(loaded, "ds_instance", loaded), "split_path_dict", None)
    if folders is None and isinstance(loaded, Mapping):
        raise DataError(f"MsDataset: several splits, {', '.join(map(str, loaded))}; hand one of them over")
    if folders is None:
        return None
    if split is None and len(folders) == 1:
        (split,) = folders
    if split not in folders:
        raise DataError(f"MsDataset: no split {split!r}, only {', '.join(folders)}; name it by split")
    folder = Path(str(folders[split]))
    if not folder.is_dir():
        raise DataError(f"{folder}: the folder of the split {split!r} is not there; load the data set again")
    return folder


def _labels_in(folder: Path) -> Path:
    """The one JSON of COCO keypoints in a folder."""
    found = [file for file in sorted(folder.rglob("*.json")) if file.is_file() and _is_coco(file)]
    if len(found) != 1:
        names = ", ".join(str(file.relative_to(folder)) for file in found) or "none"
        raise DataError(f"{folder}: expected one JSON with images and annotations of hands, found {names}")
    return found[0]


def _is_coco(file: Path) -> bool:
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    rows = document.get("annotations") if isinstance(document, dict) and document.get("images") else None
    first = rows[0] if isinstance(rows, list) and rows else None
    return isinstance(first, dict) and ("keypoints" in first or _WHOLE_BODY in first)


def _pictures_in(folder: Path, index: HandIndex) -> Path:
    """The folder below `folder` to which the index's file names are relative, by where its first picture lies."""
    name = index.columns.file_names[0].decode()
    found = sorted(path for path in folder.rglob(Path(name).name) if path.as_posix().endswith(f"/{name}"))
    if not found:
        raise DataError(f"{index.path}: its picture {name} is nowhere in {folder}; name the folder by image_root")
    return Path(found[0].as_posix().removesuffix(name))


def _layout(document: Mapping[str, Any]) -> LayoutName:
    rows = document["annotations"]
    return "coco_wholebody" if rows and isinstance(rows[0], dict) and _WHOLE_BODY in rows[0] else "coco"


def _index(document: dict[str, Any]) -> HandIndex:
    """The index of a document that lies in no file."""
    name: LayoutName = _layout(document)
    layout: Any = LAYOUTS[name]
    columns = parse(Document(document["images"], document["annotations"]), layout, "MsDataset")
    return HandIndex(Path("MsDataset"), name, columns)
