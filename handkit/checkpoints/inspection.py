"""What a weight file holds, told without building a model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from handkit.checkpoints.keymaps import key_maps
from handkit.checkpoints.reading import WeightFile, read_weight_file, storage_format
from handkit.errors import UnsafePickleError
from handkit.files import sha256_of


@dataclass(frozen=True)
class Part:
    """The tensors whose names begin alike.

    Args:
        keys: how many.
        values: numbers in all of them.
        bytes: what they take.
        dtypes: the tensors of each type.
    """

    keys: int
    values: int
    bytes: int
    dtypes: dict[str, int]


@dataclass(frozen=True)
class Inspection:
    """The report of `inspect_weights`.

    Args:
        path: the file.
        size: bytes.
        sha256: of the file.
        format: how it is stored.
        safe: False for a pickle that was refused; nothing else is known of it then.
        reason: why it was refused.
        key_maps: the renamings its names call for; none means handkit's names, which are those of mmpose 1.x and mmdet.
        parts: by the first of the dotted names, ``module.`` left out.
        shapes: type and shape of each tensor under the file's own names.
        not_finite: tensors that hold NaN or infinity.
        metadata: the text in a safetensors header.
        others: what stands beside the weights, by name.
    """

    path: str
    size: int
    sha256: str
    format: str
    safe: bool = True
    reason: str = ""
    key_maps: list[str] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    shapes: dict[str, str] = field(default_factory=dict)
    not_finite: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For people."""
        head = [
            f"{self.path}: {self.format}, {self.size} bytes",
            f"sha256 {self.sha256}",
            "safe: tensors and plain values only" if self.safe else f"NOT SAFE: {self.reason}",
        ]
        if not self.safe:
            return head
        rows = [
            f"  {name:<20} {part.keys:>5} keys {part.values:>12} values {part.bytes:>12} bytes  "
            + ", ".join(f"{count} {dtype}" for dtype, count in part.dtypes.items())
            for name, part in self.parts.items()
        ]
        total = sum(part.values for part in self.parts.values())
        return [
            *head,
            f"names: {'; '.join(self.key_maps) or 'as handkit, mmpose 1.x and mmdet give them'}",
            f"{len(self.shapes)} tensors, {total} values, in these parts:",
            *rows,
            *(f"NaN or infinity in {key}" for key in self.not_finite),
            *(f"beside them: {name} ({what})" for name, what in self.others.items()),
            *(f"metadata: {name} = {text}" for name, text in self.metadata.items()),
        ]


def inspect_weights(path: str | os.PathLike[str]) -> Inspection:
    """Looks into a weight file; nothing in it is run, and a pickle that would run something is reported as not safe.

    Raises:
        CheckpointError: the file cannot be read, is damaged, or holds no weights.
    """
    path = Path(path)
    kind = storage_format(path)
    known: dict[str, Any] = {
        "path": str(path),
        "size": path.stat().st_size,
        "sha256": sha256_of(path),
        "format": kind,
    }
    try:
        file = read_weight_file(path)
    except UnsafePickleError as error:
        return Inspection(**known, safe=False, reason=str(error))
    return Inspection(
        **known,
        key_maps=key_maps(file.state),
        parts=_parts(file.state),
        shapes={key: f"{dtype_name(value)} {tuple(value.shape)}" for key, value in file.state.items()},
        not_finite=not_finite(file.state),
        metadata=file.metadata,
        others=_others(file),
    )


def dtype_name(value: Tensor) -> str:
    """``float32`` and so on."""
    return str(value.dtype).removeprefix("torch.")


def not_finite(state: Mapping[str, Tensor]) -> list[str]:
    """The floating tensors that hold NaN or infinity."""
    return [
        key
        for key, value in state.items()
        if value.is_floating_point()
        and not value.is_meta
        and value.layout is torch.strided
        and not bool(torch.isfinite(value).all())
    ]


def _parts(state: Mapping[str, Tensor]) -> dict[str, Part]:
    groups: dict[str, list[Tensor]] = {}
    for key, value in state.items():
        groups.setdefault(key.removeprefix("module.").partition(".")[0], []).append(value)
    return {name: _part(values) for name, values in groups.items()}


def _part(values: list[Tensor]) -> Part:
    names = [dtype_name(value) for value in values]
    return Part(
        len(values),
        sum(value.numel() for value in values),
        sum(value.numel() * value.element_size() for value in values),
        {name: names.count(name) for name in sorted(set(names))},
    )


def _others(file: WeightFile) -> dict[str, str]:
    return {name: _described(value) for name, value in file.others.items()}


def _described(value: Any) -> str:
    if isinstance(value, (str, int, float, bool, type(None))):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    if isinstance(value, Tensor):
        return f"{dtype_name(value)} {tuple(value.shape)}"
    return f"{type(value).__name__} of {len(value)}" if hasattr(value, "__len__") else type(value).__name__
