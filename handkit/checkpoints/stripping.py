"""The weights alone, out of a training state or any other weight file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from handkit.checkpoints.inspection import not_finite
from handkit.checkpoints.keymaps import key_maps, to_handkit_keys
from handkit.checkpoints.reading import read_state_dict, read_weight_file
from handkit.checkpoints.weights import save_tensors
from handkit.errors import CheckpointError
from handkit.files import staged


@dataclass(frozen=True)
class Stripped:
    """What `strip_weights` did.

    Args:
        keys: tensors that were written.
        left_out: what the source holds beside its weights.
        key_maps: the renamings that were applied.
        before: bytes of the source.
        after: bytes of the new file.
        difference: the largest absolute difference between a weight of the source and of the new file, read back.
    """

    keys: int
    left_out: list[str]
    key_maps: list[str]
    before: int
    after: int
    difference: float


def strip_weights(
    source: str | os.PathLike[str], target: str | os.PathLike[str], half: bool = False, overwrite: bool = False
) -> Stripped:
    """Writes the weights of a file under handkit's names as safetensors, whole or not at all.

    Of a training state of handkit's, and of mmengine's with EMAHook, these are the averaged ones, which stand under
    ``state_dict``.

    Args:
        source: see `handkit.checkpoints.read_state_dict`.
        target: the new file; its folder is made.
        half: store weights with two or more axes as float16; statistics of norms and biases stay as they are.
        overwrite: replace `target`.

    Raises:
        CheckpointError: the source is no weight file or not safe, `target` is there, the weights hold NaN or infinity
            or exceed float16, or what was written does not read back equal.
        OSError: the file cannot be written.
    """
    source, target = Path(source), Path(target)
    refuse_present(target, overwrite)
    file = read_weight_file(source)
    weights = to_handkit_keys(file.state)
    stored = {key: halved(value) if half else value for key, value in weights.items()}
    refuse_not_finite(weights, str(source))
    refuse_not_finite(stored, f"{source} as float16")
    before = source.stat().st_size
    with staged(target) as part:
        save_tensors(stored, part)
        difference = _difference(weights, stored, read_state_dict(part), target)
        after = part.stat().st_size
    return Stripped(len(stored), sorted(file.others), key_maps(file.state), before, after, difference)


def refuse_present(target: Path, overwrite: bool) -> None:
    """Raises CheckpointError where a file would be replaced unasked."""
    if target.is_dir() or (target.exists() and not overwrite):
        mend = "name a file in it" if target.is_dir() else "choose another name, or ask to overwrite it"
        raise CheckpointError(f"{target} is there already; {mend}")


def refuse_report(report: Path | None, weights: Sequence[Path], overwrite: bool) -> None:
    """Raises CheckpointError where a report would replace a file unasked, or the weights that it is about."""
    if report is None:
        return
    if report.resolve() in [path.resolve() for path in weights]:
        raise CheckpointError(f"{report} are the weights themselves; name another file for the report")
    refuse_present(report, overwrite)


def refuse_not_finite(weights: Mapping[str, Tensor], source: str) -> None:
    """Raises CheckpointError where weights hold NaN or infinity."""
    wrong = not_finite(weights)
    if wrong:
        more = f" and {len(wrong) - 1} more tensors" if len(wrong) > 1 else ""
        raise CheckpointError(f"{source} holds NaN or infinity in {wrong[0]}{more}; nothing is written")


def halved(value: Tensor) -> Tensor:
    """A weight as `half` stores it: float16 with two or more axes, else as it is."""
    return value.half() if value.is_floating_point() and value.ndim >= 2 else value


def _difference(
    weights: Mapping[str, Tensor], stored: Mapping[str, Tensor], back: Mapping[str, Tensor], target: Path
) -> float:
    """The largest difference to the source; what was stored must come back to the bit."""
    if stored.keys() != back.keys() or not all(torch.equal(value, back[key]) for key, value in stored.items()):
        raise CheckpointError(f"{target}: what was written does not read back equal; nothing is left of it")
    return max(
        (float((weights[key] - value).abs().max()) for key, value in back.items() if _measurable(value)), default=0.0
    )


def _measurable(value: Tensor) -> bool:
    return value.is_floating_point() and value.numel() > 0
