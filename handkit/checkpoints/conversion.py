"""A weight file of any supported origin as safetensors for one model, with a report and a numeric self-check."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from handkit.checkpoints.keymaps import key_maps, to_handkit_keys
from handkit.checkpoints.reading import read_weight_file
from handkit.checkpoints.stripping import refuse_not_finite, refuse_present
from handkit.checkpoints.weights import COUNTER, load_weights, save_weights, take_part, unwrap
from handkit.errors import CheckpointError
from handkit.files import staged


@dataclass(frozen=True)
class KeyReport:
    """How the names of a file answer to those of a model.

    Args:
        key_maps: the renamings that apply, in words.
        same: names that are the model's as they stand.
        renamed: the file's name to the model's.
        dropped: names of the file that are left out on purpose: preprocessor, classifier, other parts.
        missing: names of the model that the file has not.
        counters: batch norms' counters that the file has not; they are unused, and written as zero.
        unexpected: names of the file that the model has not.
        misshaped: names of both whose shapes differ, with the shapes.
    """

    key_maps: list[str]
    same: list[str]
    renamed: dict[str, str]
    dropped: list[str]
    missing: list[str]
    counters: list[str]
    unexpected: list[str]
    misshaped: dict[str, str]

    @property
    def fits(self) -> bool:
        """Whether the file can be converted for the model."""
        return not (self.missing or self.unexpected or self.misshaped)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self, limit: int = 6) -> list[str]:
        """For people: numbers, with up to `limit` names of each kind."""
        kinds: dict[str, Sequence[str]] = {
            "renamed": [f"{old} -> {new}" for old, new in self.renamed.items()],
            "dropped": self.dropped,
            "missing counters, written as zero": self.counters,
            "missing": self.missing,
            "unexpected": self.unexpected,
            "misshaped": [f"{key} {shapes}" for key, shapes in self.misshaped.items()],
        }
        lines = [*self.key_maps, f"{len(self.same) + len(self.renamed)} mapped, {len(self.same)} of them by their name"]
        for kind, names in kinds.items():
            if names:
                lines.append(f"{len(names)} {kind}:")
                lines.extend(f"  {name}" for name in names[:limit])
                lines.extend([f"  and {len(names) - limit} more"] if len(names) > limit else [])
        return lines


@dataclass(frozen=True)
class SelfCheck:
    """Outputs of two models, one with the source's weights and one with the new file's, on one fixed input.

    Args:
        shape: of the input.
        outputs: tensors that were compared.
        values: numbers in them.
        difference: the largest absolute difference, which is zero.
    """

    shape: tuple[int, ...]
    outputs: int
    values: int
    difference: float


@dataclass(frozen=True)
class Conversion:
    """What `convert_weights` did."""

    report: KeyReport
    check: SelfCheck


def compare_keys(model: nn.Module, path: str | os.PathLike[str], part: str | None = None) -> KeyReport:
    """Holds the names and shapes of a file against a model's; loads nothing.

    Args:
        model: the network.
        path: see `handkit.checkpoints.read_state_dict`.
        part: as in `handkit.checkpoints.load_weights`; the classifier that such a part names is left out.

    Raises:
        CheckpointError: the file cannot be read, is damaged, unsafe, or holds no weights.
    """
    state = read_weight_file(path).state
    own = unwrap(model).state_dict()
    origin = _origins(state, part, _classifier(model) if part else ())
    read = {new: state[old] for new, old in origin.items()}
    fitting = {new: old for new, old in origin.items() if new in own and read[new].shape == own[new].shape}
    missing = [key for key in own if key not in read]
    used = set(origin.values())
    return KeyReport(
        key_maps(state),
        [new for new, old in fitting.items() if new == old],
        {old: new for new, old in fitting.items() if new != old},
        [key for key in state if key not in used],
        [key for key in missing if not key.endswith(COUNTER)],
        [key for key in missing if key.endswith(COUNTER)],
        [origin[key] for key in read if key not in own],
        {
            origin[key]: f"{tuple(value.shape)}, the model's {tuple(own[key].shape)}"
            for key, value in read.items()
            if key in own and value.shape != own[key].shape
        },
    )


def convert_weights(
    make: Callable[[], nn.Module],
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    input_size: tuple[int, int],
    part: str | None = None,
    overwrite: bool = False,
) -> Conversion:
    """Writes a file's weights under the model's names; the new file is there only if the self-check holds.

    Args:
        make: builds the model, each time anew.
        source: see `handkit.checkpoints.read_state_dict`.
        target: the new safetensors file; its folder is made.
        input_size: (width, height) of the self-check's input in pixels.
        part: what the model is in a larger network, e.g. ``backbone``; see `compare_keys`.
        overwrite: replace `target`.

    Raises:
        CheckpointError: the source does not fit or is not safe, `target` is there, weights hold NaN or infinity, or the
            outputs of the two models differ.
        OSError: the file cannot be written.
    """
    target = Path(target)
    refuse_present(target, overwrite)
    first, second = make(), make()
    report = compare_keys(first, source, part)
    load_weights(first, source, extra=_classifier(first) if part else (), part=part)
    for key in report.counters:
        first.state_dict()[key].zero_()
    refuse_not_finite(first.state_dict(), os.fspath(source))
    with staged(target) as staging:
        save_weights(first, staging)
        load_weights(second, staging)
        check = compare_outputs(first, second, input_size)
        if check.difference:
            raise CheckpointError(
                f"{target}: the self-check failed, outputs differ by up to {check.difference:g}; nothing is left of it"
            )
    return Conversion(report, check)


@torch.no_grad()
def compare_outputs(first: nn.Module, second: nn.Module, input_size: tuple[int, int]) -> SelfCheck:
    """Runs two models on two images of fixed random numbers in evaluation mode.

    Raises:
        CheckpointError: the outputs are no finite numbers, of which nothing could be said.
    """
    width, height = input_size
    image = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 3, height, width), np.float32))
    pairs = list(zip(_tensors(first.eval()(image)), _tensors(second.eval()(image)), strict=True))
    if not pairs or not all(bool(torch.isfinite(value).all()) for pair in pairs for value in pair):
        raise CheckpointError("the self-check failed: with these weights the outputs are no finite numbers")
    differences = [float((a.double() - b.double()).abs().max()) for a, b in pairs if a.numel()]
    values = sum(a.numel() for a, _ in pairs)
    return SelfCheck(tuple(image.shape), len(pairs), values, max(differences, default=0.0))


def _origins(state: Mapping[str, Any], part: str | None, left_out: Sequence[str]) -> dict[str, str]:
    """The model's name of each tensor that is taken -> the file's."""
    named = take_part(to_handkit_keys({key: key for key in state}), part)
    return {new: old for new, old in named.items() if not new.startswith(tuple(f"{name}." for name in left_out))}


def _classifier(model: nn.Module) -> tuple[str, ...]:
    return tuple(getattr(unwrap(model), "classifier", ()))


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    inner: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
    return [] if not isinstance(value, (Mapping, list, tuple)) else [t for item in inner for t in _tensors(item)]
