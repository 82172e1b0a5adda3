"""Every error handkit raises on purpose.

Each message says what is wrong, where, and how to mend it; the classes let a caller tell apart what they can react
to. All derive from `HandkitError`, and the ones that are also a built-in kind of error (`ValueError`,
`FileNotFoundError`, `ImportError`) derive from that too, so that ordinary handlers catch them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HandkitError(Exception):
    """Base class of all errors raised by handkit."""


class ImageError(HandkitError, ValueError):
    """An input cannot be read as an image, or exceeds a stated limit."""


class ImageTooLargeError(ImageError):
    """An image has more pixels than allowed."""


class ConfigError(HandkitError, ValueError):
    """A config, or a node in it, is wrong: unknown type or key, missing or wrong argument, parts that disagree."""


class MissingWeightsError(ConfigError):
    """A model has weights, and no file is named for them.

    Args:
        reason: which model, and why it cannot do without.
        mend: where to name the file.
    """

    def __init__(
        self, reason: str, mend: str = "name a file as checkpoint=, to `handkit predict` as --checkpoint"
    ) -> None:
        super().__init__(f"{reason}: {mend}")
        self.reason = reason


class CheckpointError(HandkitError, ValueError):
    """A weight file does not fit the model: missing, extra or misshaped keys, or not a weight file at all."""


class UnsafePickleError(CheckpointError):
    """A pickle names more than tensors and plain values, so that loading it could run code; nothing of it was run."""


class DataError(HandkitError, ValueError):
    """An annotation file or a value handed to handkit (boxes, points) breaks its documented form."""


class TrainingError(HandkitError, RuntimeError):
    """A training cannot begin or go on: its folder is taken, a loss is no number, its files cannot be written."""


class ProcessError(HandkitError, RuntimeError):
    """Another process of the same run failed or is gone, so this one ends too.

    Args:
        message: what it said.
        told: process 0 knows the same.
    """

    def __init__(self, message: str, told: bool = False) -> None:
        super().__init__(message)
        self.told = told


class HubError(HandkitError, OSError):
    """A file of a card could not be had from any source, or its sha256 is wrong."""


class OfflineError(HubError):
    """A network source would be needed but HANDKIT_OFFLINE=1 forbids opening a socket."""


class MissingExtraError(HandkitError, ImportError):
    """An optional dependency is not installed.

    Args:
        package: the distribution that is missing, e.g. ``ai-edge-litert``.
        extra: handkit's extra that brings it, e.g. ``mediapipe``.
        purpose: what it is needed for, as the end of the sentence "... is needed for".
        command: what installs it; None: the extra does.
    """

    def __init__(self, package: str, extra: str, purpose: str, command: str | None = None) -> None:
        command = command or f"pip install 'handkit[{extra}]'"
        super().__init__(f"{package} is needed for {purpose}: {command}")
        self.package = package
        self.extra = extra


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Ends an error message: the nearest known word if one is near, else all of them.

    >>> did_you_mean('HRNt', ['HRNet', 'ResNet'])
    "did you mean 'HRNet'?"
    >>> did_you_mean('zzz', ['b', 'a'])
    'known: a, b'
    """
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else "known: " + (", ".join(known) or "none")
