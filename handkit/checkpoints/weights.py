"""Weights into a model, and out of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from handkit.checkpoints.reading import FORMAT, read_state_dict
from handkit.errors import CheckpointError
from handkit.files import writing

Value = TypeVar("Value")

_NAMED = 8  # keys that a message names of each kind
COUNTER = ".num_batches_tracked"  # of batch norms: unused with a fixed momentum, and absent from some files


def load_weights(
    model: nn.Module,
    path: str | os.PathLike[str],
    optional: Sequence[str] = (),
    extra: Sequence[str] = (),
    part: str | None = None,
    base: str | os.PathLike[str] | None = None,
) -> list[str]:
    """Copies a file's weights into a model, on whatever device it is.

    Every tensor must be there, have the model's shape and belong to it; only batch norms' ``num_batches_tracked`` may
    be missing. The network inside a wrapper that calls it ``module`` (`FlipTest`, DistributedDataParallel) is meant.

    Args:
        model: it is left as it was unless all weights fit.
        path: see `handkit.checkpoints.read_state_dict`.
        optional: parts of the model by their dotted names, e.g. ``aux_heads.presence``, that the file may know nothing
            of; such a part stays as it is. A part of which some tensors are there must be there as a whole.
        extra: parts of the file by their dotted names, e.g. ``_fc``, that are left out.
        part: what the model is in a larger network, e.g. ``backbone``: of a file that has such a part nothing else is
            read, any other file is read whole.
        base: a file with the tensors that the first does not hold.

    Returns:
        Those of `optional` that the file knows nothing of.

    Raises:
        CheckpointError: the file cannot be read, or keys are missing, extra or misshaped; the message names them.
    """
    left_out = tuple(f"{name}." for name in extra)
    below = {} if base is None else read_state_dict(base)
    held = take_part({**below, **read_state_dict(path)}, part)
    weights = {key: value for key, value in held.items() if not key.startswith(left_out)}
    absent = [name for name in optional if not any(key.startswith(f"{name}.") for key in weights)]
    copy_weights(model, weights, os.fspath(path) if base is None else f"{path} on {base}", absent)
    return absent


def copy_weights(model: nn.Module, weights: Mapping[str, Tensor], source: str, absent: Sequence[str] = ()) -> None:
    """Copies named tensors into a model as `load_weights` does those of a file.

    Args:
        model: it is left as it was unless all weights fit.
        weights: by name.
        source: what messages call them.
        absent: parts of the model that stay as they are.

    Raises:
        CheckpointError: keys are missing, extra or misshaped.
    """
    check_weights(model, weights, source, absent)
    network = unwrap(model)
    own = network.state_dict()
    try:
        ready = {key: torch.empty_like(own[key]).copy_(value) for key, value in weights.items()}
    except (RuntimeError, NotImplementedError) as error:
        raise CheckpointError(f"{source} holds tensors without plain values: {error}") from error
    network.load_state_dict(ready, strict=False)


def check_weights(model: nn.Module, weights: Mapping[str, Tensor], source: str, absent: Sequence[str] = ()) -> None:
    """Refuses named tensors that are not the model's, as `copy_weights` does, and copies nothing."""
    prefixes = tuple(f"{part}." for part in absent)
    own = {key: value for key, value in unwrap(model).state_dict().items() if not key.startswith(prefixes)}
    faults = _faults(own, weights)
    if faults:
        raise CheckpointError(f"{source} does not fit the {type(unwrap(model)).__name__}: {'; '.join(faults)}")


def save_weights(model: nn.Module, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Writes a model's weights with `save_tensors`.

    Args:
        model: as in `load_weights`, the network inside a wrapper is meant.
        path: the file; its folder is made.
        metadata: further text for the file's header, e.g. the name of the config, beside that of the model's own
            attribute ``metadata``, if it has one.
    """
    network = unwrap(model)
    save_tensors(network.state_dict(), path, {**getattr(network, "metadata", {}), **(metadata or {})})


def save_tensors(
    weights: Mapping[str, Tensor], path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes named tensors as safetensors in handkit's format, whole or not at all.

    Raises:
        CheckpointError: a tensor without plain values (sparse, quantized, on the meta device).
        OSError: the file cannot be written.
    """
    strange = [
        key
        for key, value in weights.items()
        if value.layout is not torch.strided or value.is_meta or value.is_quantized or value.is_complex()
    ]
    if strange:
        raise CheckpointError(f"{path}: {strange[0]!r} is no tensor of plain values, so safetensors cannot hold it")
    state = {key: value.detach().cpu().clone(memory_format=torch.contiguous_format) for key, value in weights.items()}
    content = _in_order(safetensors.torch.save(state, {**(metadata or {}), **FORMAT}))
    with writing(path) as file:
        file.write(content)


def _in_order(content: bytes) -> bytes:
    """The same file with its metadata sorted, so that the same weights are the same bytes.

    safetensors leaves their order to chance; its header is JSON behind its own length in 8 bytes, padded to 8 bytes.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[end:]


def save_pickled(weights: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Writes named tensors under ``state_dict`` as torch.save does, for programs that read nothing else; as a whole."""
    with writing(path) as file:
        torch.save({"meta": {}, "state_dict": {key: value.detach().cpu() for key, value in weights.items()}}, file)


def unwrap(model: nn.Module) -> nn.Module:
    """The network inside wrappers that, as torch's do, hold it as their attribute ``module``."""
    inner = getattr(model, "module", None)
    return unwrap(inner) if isinstance(inner, nn.Module) else model


def take_part(weights: dict[str, Value], part: str | None) -> dict[str, Value]:
    """Those of one part, without its name in front; all, where the names know no such part."""
    inside = {key.removeprefix(f"{part}."): value for key, value in weights.items() if key.startswith(f"{part}.")}
    return inside or weights


def _faults(own: Mapping[str, Tensor], read: Mapping[str, Tensor]) -> list[str]:
    """What keeps the read tensors from being the model's, one phrase for each kind."""
    missing = [key for key in own if key not in read and not key.endswith(COUNTER)]
    extra = [key for key in read if key not in own]
    misshaped = [
        f"{key} {_kind(value)} instead of {_kind(own[key])}"
        for key, value in read.items()
        if key in own and (value.shape != own[key].shape or value.is_floating_point() != own[key].is_floating_point())
    ]
    kinds = {"missing": missing, "extra": extra, "misshaped": misshaped}
    return [f"{len(keys)} {kind}: {_named(keys)}" for kind, keys in kinds.items() if keys]


def _kind(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"


def _named(keys: Sequence[str]) -> str:
    rest = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(keys[:_NAMED]) + rest
