"""The network behind `handkit.gestures.GestureClassifier`, as it is trained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from handkit.errors import ConfigError
from handkit.gestures.features import FEATURES
from handkit.models.modes import Mode, check_mode
from handkit.registry import MODELS


@MODELS.register_module()
class GestureMLP(nn.Module):
    """A perceptron with one hidden layer: what `handkit.gestures.hand_features` tells of N hands -> their gestures.

    State-dict keys: ``norm.*``, a batch norm of the features without weights of its own, ``hidden.*`` and ``output.*``.
    With `metadata` in its header, a file of them is what `GestureClassifier` reads.

    Args:
        classes: the gestures' names.
        hidden: width of the hidden layer.
        dropout: probability with which a hidden number is left out in training.
        label_smoothing: share of each label that is spread over all classes (Szegedy et al., CVPR 2016).
        upright: how the features are made, see `hand_features`; the transforms must agree.

    Attributes:
        metadata: the classes and `upright`, as text in JSON.

    Raises:
        ConfigError: fewer than two classes or one twice, or a value out of its range.
    """

    input_name: ClassVar[str] = "features"

    def __init__(
        self,
        classes: Sequence[str],
        hidden: int = 96,
        dropout: float = 0.2,
        label_smoothing: float = 0.0,
        upright: bool = True,
    ) -> None:
        super().__init__()
        if len(classes) < 2 or len(set(classes)) < len(classes):
            raise ConfigError(f"GestureMLP tells two or more gestures apart, each named once, got {list(classes)}")
        if hidden < 1 or not (0 <= dropout < 1 and 0 <= label_smoothing < 1):
            raise ConfigError(
                "GestureMLP needs hidden of 1 or more, dropout and label_smoothing in [0, 1), "
                f"got {hidden}, {dropout} and {label_smoothing}"
            )
        self.norm = nn.BatchNorm1d(FEATURES, affine=False)
        self.hidden = nn.Linear(FEATURES, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, len(classes))
        self._label_smoothing = label_smoothing
        self.metadata = {"classes": json.dumps(list(classes)), "upright": json.dumps(upright)}

    def forward(
        self,
        features: Tensor,
        mode: Mode = "predict",
        gesture: Tensor | None = None,
        class_weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Runs N hands.

        Args:
            features: (N, 55).
            mode: what is wanted.
            gesture: (N,) indices into the classes; of the mode 'loss', as the following.
            class_weight: (N,) how much each hand counts; None: alike.

        Returns:
            In the mode 'predict' ``gesture_probabilities`` (N, C), in 'tensor' ``gesture_logits``, in 'loss' the mean
            cross-entropy ``loss_gesture`` and ``loss``, the same.

        Raises:
            ConfigError: an unknown mode, features of another shape; in 'loss', no gestures.
        """
        check_mode(mode, self)
        if features.ndim != 2 or features.shape[1] != FEATURES:
            raise ConfigError(
                f"GestureMLP takes features (N, {FEATURES}), got {tuple(features.shape)}: GestureFeatures makes them"
            )
        hidden = F.relu(self.hidden(self._normalized(features)))
        logits = self.output(self.dropout(hidden)).float()
        if mode == "tensor":
            return {"gesture_logits": logits}
        if mode == "predict":
            return {"gesture_probabilities": logits.softmax(1)}
        if gesture is None:
            raise ConfigError("GestureMLP needs the target 'gesture': PoseCollect(keys=...) must name it")
        losses = F.cross_entropy(logits, gesture.long(), reduction="none", label_smoothing=self._label_smoothing)
        loss = (losses if class_weight is None else losses * class_weight).mean()
        return {"loss_gesture": loss, "loss": loss}

    def _normalized(self, features: Tensor) -> Tensor:
        """By the statistics of the batch in training, except that a single hand has none."""
        if len(features) > 1:
            normalized: Tensor = self.norm(features)
            return normalized
        return F.batch_norm(features, self.norm.running_mean, self.norm.running_var, eps=self.norm.eps)
