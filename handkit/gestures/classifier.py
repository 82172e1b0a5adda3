"""A perceptron with one hidden layer that names gestures; needs numpy alone."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from handkit.errors import CheckpointError, ConfigError
from handkit.gestures.features import FEATURES, hand_features
from handkit.hub import resolve
from handkit.registry import MODELS

Array = NDArray[Any]
#: The classifier that is part of the package.
SHIPPED = "hub:hand_gestures/handsynth.safetensors"
#: What torch's batch norm adds to a variance.
_EPS = 1e-5


@dataclass(frozen=True)
class GestureWeights:
    """What a training of `handkit.models.estimators.GestureMLP` learns.

    Args:
        classes: the gestures' names.
        upright: see `hand_features`.
        arrays: ``norm.running_mean`` and ``norm.running_var`` (F,) of the features, ``hidden.weight`` (H, F),
            ``hidden.bias`` (H,), ``output.weight`` (C, H), ``output.bias`` (C,).

    Raises:
        CheckpointError: arrays that do not fit each other, or fewer than two classes or one twice.
    """

    classes: tuple[str, ...]
    upright: bool
    arrays: dict[str, Array]

    def __post_init__(self) -> None:
        shapes = {name: value.shape for name, value in self.arrays.items()}
        hidden = shapes.get("hidden.bias", (0,))[0]
        count = len(self.classes)
        wanted = {
            "norm.running_mean": (FEATURES,),
            "norm.running_var": (FEATURES,),
            "hidden.weight": (hidden, FEATURES),
            "hidden.bias": (hidden,),
            "output.weight": (count, hidden),
            "output.bias": (count,),
        }
        if count < 2 or len(set(self.classes)) < count or shapes != wanted:
            raise CheckpointError(f"no weights of {count} gestures: {shapes}, expected {wanted}")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> GestureWeights:
        """Reads the ``best.safetensors`` of a training, which names the gestures in its header.

        Raises:
            CheckpointError: there is no such file, or it is another one.
        """
        try:
            with safe_open(os.fspath(path), "numpy") as file:
                head = file.metadata() or {}
                names = [name for name in file.keys() if name != "norm.num_batches_tracked"]  # noqa: SIM118
                arrays = {name: file.get_tensor(name) for name in names}
        except (OSError, SafetensorError, TypeError) as error:  # numpy has no bfloat16
            raise CheckpointError(f"{path}: cannot be read as weights of gestures ({error})") from None
        try:
            classes, upright = json.loads(head["classes"]), json.loads(head["upright"])
        except (KeyError, ValueError, RecursionError):
            classes, upright = None, None
        named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        if not named or not isinstance(upright, bool):
            raise CheckpointError(f"{path}: holds no gestures; `handkit gesture train` writes such files")
        return cls(tuple(classes), upright, arrays)


@MODELS.register_module()
class GestureClassifier:
    """Names what hands do, from their joints in the picture.

    Args:
        checkpoint: what `handkit gesture train` wrote, or the best.safetensors of a `GestureMLP`: a path, or
            hub:CARD/FILE; by default the file in the package, for the ten digits of American Sign Language and further
            gestures, learnt from joints of rendered hands.
        threshold: a likeliest gesture of less probability is no answer.

    Attributes:
        classes: the gestures' names.

    Raises:
        ConfigError: a threshold outside [0, 1].
        HubError: there is no such file.
        CheckpointError: it is another one.
    """

    def __init__(self, checkpoint: str = SHIPPED, threshold: float = 0.5) -> None:
        if not 0 <= threshold <= 1:
            raise ConfigError(f"GestureClassifier: threshold must be in [0, 1], not {threshold}")
        self.threshold = threshold
        self._weights = GestureWeights.load(resolve(checkpoint))
        self.classes = self._weights.classes

    def probabilities(self, points: Array) -> Array:
        """(N, 21, 2) joints -> (N, C) probabilities of `classes`.

        Raises:
            DataError: see `hand_features`.
        """
        of = self._weights.arrays
        features = hand_features(points, self._weights.upright) - of["norm.running_mean"]
        features /= np.sqrt(of["norm.running_var"] + _EPS)
        hidden = np.maximum(features @ of["hidden.weight"].T + of["hidden.bias"], 0)
        logits = hidden @ of["output.weight"].T + of["output.bias"]
        powers = np.exp(logits - logits.max(1, keepdims=True))
        shares: Array = powers / powers.sum(1, keepdims=True)
        return shares

    def __call__(self, points: Array) -> tuple[tuple[str | None, ...], Array]:
        """(N, 21, 2) joints -> N names, None where none is certain enough, and (N,) their probabilities."""
        shares = self.probabilities(points)
        scores = shares.max(1, initial=0)
        best = shares.argmax(1)
        names = tuple(
            self.classes[row] if score >= self.threshold else None for row, score in zip(best, scores, strict=True)
        )
        return names, scores
