"""From a weight file to named tensors."""

from __future__ import annotations

import os
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from handkit.checkpoints.keymaps import to_handkit_keys
from handkit.errors import CheckpointError, UnsafePickleError

#: What handkit writes into the metadata of its own safetensors files.
FORMAT = {"format": "handkit", "version": "1"}
SAFETENSORS = "safetensors"


@dataclass(frozen=True)
class WeightFile:
    """What a weight file holds.

    Args:
        path: the file.
        format: how it is stored.
        state: its tensors on the CPU, under the file's own names.
        metadata: the text in a safetensors header.
        others: what stands beside the tensors, e.g. ``optimizer`` and ``meta``.
    """

    path: Path
    format: str
    state: dict[str, Tensor]
    metadata: dict[str, str] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Reads the weights of a file under handkit's names, on the CPU.

    Formats are told apart by content, not by suffix: safetensors; and what torch.save wrote, either the tensors
    themselves or a dict with them under ``state_dict`` (mmpose 0.x and 1.x, mmdet, EasyCV).

    Raises:
        CheckpointError: the file is not there, is damaged, is no weight file, was written by a newer handkit, or holds
            more than tensors and plain values, so that loading it could run code (`UnsafePickleError`).
    """
    return to_handkit_keys(read_weight_file(path).state)


def read_weight_file(path: str | os.PathLike[str]) -> WeightFile:
    """Reads a file as `read_state_dict` does, its names as they are, with what else it holds."""
    path = Path(path)
    kind = storage_format(path)
    if kind == SAFETENSORS:
        return _read_safetensors(path)
    content = read_plain(path)
    others = {}
    if isinstance(content, Mapping) and "state_dict" in content:
        others = {str(key): value for key, value in content.items() if key != "state_dict"}
    return WeightFile(path, kind, _tensors(path, content), others=others)


def storage_format(path: str | os.PathLike[str]) -> str:
    """How a weight file is stored, by its first bytes.

    Raises:
        CheckpointError: it cannot be read, or is no weight file.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(9)
    except OSError as error:
        raise CheckpointError(f"cannot read the weight file {path}: {error.strerror}") from error
    if head[8:] == b"{":
        return SAFETENSORS
    if head.startswith(b"PK\x03\x04"):
        return "torch.save, zip"
    if head.startswith(b"\x80"):
        return "torch.save, before torch 1.6"
    raise CheckpointError(f"{path} is not a weight file: it begins neither as safetensors nor as torch.save's files")


def _read_safetensors(path: Path) -> WeightFile:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            _check_version(path, metadata)
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (it is no mapping)
            return WeightFile(path, SAFETENSORS, state, metadata)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} is a damaged safetensors file: {error}") from error


def _check_version(path: Path, metadata: Mapping[str, str]) -> None:
    version = metadata.get("version", "")
    if metadata.get("format") == FORMAT["format"] and version != FORMAT["version"]:
        raise CheckpointError(
            f"{path} has handkit's weight format {version!r}, this handkit reads {FORMAT['version']!r}"
        )


def read_plain(path: str | os.PathLike[str]) -> Any:
    """What torch.save wrote, if it is tensors and plain values only, on the CPU; nothing in the file is run.

    Raises:
        CheckpointError: the file cannot be read, is damaged, or holds anything else (`UnsafePickleError`).
    """
    try:
        file = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error
    try:
        with file, warnings.catch_warnings():  # given a path, torch.load would look at its suffix
            warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        # Of torch's own words only what it met: the rest advises to load the file without care.
        met = re.search(r"WeightsUnpickler error: (.+)", str(error))
        reason = met.group(1) if met else "it is no pickle of tensors and plain values"
        reason = f"{found.group(1)} is no tensor or plain value" if found else reason
        raise (UnsafePickleError if found else CheckpointError)(
            f"{path} is refused: loading it could run code that it brings, or it is damaged ({reason}). Ask its maker "
            "for the tensors alone, as torch.save(model.state_dict(), PATH) stores them"
        ) from error
    except Exception as error:  # a damaged zip or pickle makes torch raise nearly anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is damaged or not a weight file: {reason}") from error


def _tensors(path: Path, content: Any) -> dict[str, Tensor]:
    """The state dict itself, or the one under ``state_dict``."""
    state = content.get("state_dict", content) if isinstance(content, Mapping) else content
    if not isinstance(state, Mapping) or not state:
        raise CheckpointError(f"{path} holds no weights: expected named tensors, or them under 'state_dict'")
    strange = [key for key, value in state.items() if not (isinstance(key, str) and isinstance(value, Tensor))]
    if strange:
        known = f" among {len(state)} entries" if len(state) > 1 else ""
        raise CheckpointError(f"{path} is not a plain set of weights: {strange[0]!r}{known} is not a named tensor")
    return dict(state)
