"""Pictures: can they be read, are they of the size that was labelled, are there two of one?"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.checking.findings import Finding, finding
from handkit.errors import ImageError
from handkit.geometry import box_iou
from handkit.images import read_image

Array = NDArray[Any]

#: Boxes in two copies of a picture that overlap by this IoU are of the same hand.
_SAME_HAND = 0.5


@dataclass
class Pictures:
    """The picture files of one of a config's data sets, each opened once.

    Args:
        digests: path -> sha256 of its pixels and size; '' where it cannot be read.
        unreadable: what was wrong, by path.
        sizes: what was wrong about the size, by path.
        boxes: of the labelled hands, by path.
        rendered: kinds, sources and seeds of hands that are rendered when they are needed.
    """

    digests: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, list[Array]] = field(default_factory=dict)
    rendered: set[str] = field(default_factory=set)

    def open(self, path: str, labelled: tuple[int, int] | None) -> Array | None:
        """The pixels; None if they cannot be read, or are not of the labelled (width, height)."""
        try:
            picture = read_image(path)
        except ImageError as error:
            self.unreadable[path] = str(error)
            self.digests[path] = ""
            return None
        if path not in self.digests:
            head = f"{picture.shape}".encode()
            self.digests[path] = hashlib.sha256(head + np.ascontiguousarray(picture).data.tobytes()).hexdigest()
        size = (picture.shape[1], picture.shape[0])
        if labelled is not None and size != tuple(labelled):
            self.sizes[path] = f"{path}: {size[0]} x {size[1]} pixels, labelled as {labelled[0]} x {labelled[1]}"
            return None
        return picture

    def findings(self, where: str, whole: bool) -> list[Finding]:
        """Unreadable pictures, other sizes than labelled, and the same picture twice.

        Args:
            where: how findings call the data set.
            whole: pictures are learnt from as a whole, not hand by hand; otherwise two copies of one that label
                different hands are no fault.
        """
        found = []
        if self.unreadable:
            message = f"{len(self.unreadable)} of {len(self.digests)} pictures cannot be read"
            found.append(finding("unreadable_pictures", where, message, list(self.unreadable.values())))
        if self.sizes:
            message = f"{len(self.sizes)} of {len(self.digests)} pictures have another size than their labels say"
            found.append(finding("wrong_picture_sizes", where, message, list(self.sizes.values())))
        copies = [paths for paths in self._by_content().values() if len(paths) > 1]
        twins = [" = ".join(paths) for paths in copies if whole or not self._different_hands(paths)]
        if twins:
            message = f"{len(twins)} pictures are there more than once, under other names"
            found.append(finding("duplicate_pictures", where, message, twins))
        return found

    def _by_content(self) -> Mapping[str, list[str]]:
        groups: dict[str, list[str]] = defaultdict(list)
        real: set[Path] = set()
        for path, digest in self.digests.items():
            if digest and (resolved := Path(path).resolve()) not in real:
                real.add(resolved)
                groups[digest].append(path)
        return groups

    def _different_hands(self, paths: list[str]) -> bool:
        """Whether no hand is labelled in two of these copies, and each has one."""
        labelled = [np.reshape(self.boxes.get(path, []), (-1, 4)) for path in paths]
        pairs = itertools.combinations(labelled, 2)
        return all(map(len, labelled)) and all(box_iou(one, other).max() < _SAME_HAND for one, other in pairs)

    def shared(self, other: Pictures) -> list[str]:
        """The pictures of this that are among those of the other as well; rendered ones by their seed."""
        theirs = {digest: path for path, digest in other.digests.items() if digest}
        both = {digest: path for path, digest in self.digests.items() if digest in theirs}
        rendered = sorted(self.rendered & other.rendered)
        return [*(path if path == theirs[one] else f"{path} = {theirs[one]}" for one, path in both.items()), *rendered]
