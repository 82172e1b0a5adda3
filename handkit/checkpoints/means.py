"""The mean of the weights of several trainings that began with the same ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from handkit.checkpoints.keymaps import to_handkit_keys
from handkit.checkpoints.reading import read_state_dict
from handkit.checkpoints.stripping import refuse_not_finite, refuse_present
from handkit.checkpoints.weights import save_tensors
from handkit.errors import CheckpointError


def mean_weights(
    sources: Sequence[str | os.PathLike[str]], target: str | os.PathLike[str], overwrite: bool = False
) -> int:
    """Writes the mean of several files' weights as safetensors, whole or not at all.

    Of trainings that go on from the same weights the mean is often better than each (Wortsman et al., *Model Soups*,
    ICML 2022); of trainings that began apart it is worth nothing.

    Args:
        sources: two files or more with the same tensors, see `handkit.checkpoints.read_state_dict`.
        target: the new file; its folder is made.
        overwrite: replace `target`.

    Returns:
        The number of tensors. Means are float32; what is no measure, such as a count of batches, is that of the last.

    Raises:
        CheckpointError: less than two files, one that cannot be read or has other tensors than the first, NaN or
            infinity, or `target` is there.
        OSError: the file cannot be written.
    """
    target = Path(target)
    refuse_present(target, overwrite)
    if len(sources) < 2:
        raise CheckpointError(f"a mean takes two files or more, not {len(sources)}")
    states = [to_handkit_keys(read_state_dict(source)) for source in sources]
    for source, state in zip(sources, states, strict=True):
        refuse_not_finite(state, str(source))
        _refuse_other(states[0], state, f"{source} is of another network than {sources[0]}")
    weights = {key: _mean([state[key] for state in states]) for key in states[0]}
    save_tensors(weights, target)
    return len(weights)


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack([value.float() for value in values]).mean(0) if values[0].is_floating_point() else values[-1]


def _refuse_other(first: dict[str, Tensor], state: dict[str, Tensor], what: str) -> None:
    wrong = sorted(first.keys() ^ state.keys()) or [key for key in first if first[key].shape != state[key].shape]
    if wrong:
        raise CheckpointError(f"{what}: {wrong[0]!r} is not in both, or has another shape")
