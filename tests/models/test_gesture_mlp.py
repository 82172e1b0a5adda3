"""The network of gestures and the classifier that needs no torch say the same of the same file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from handkit.checkpoints import save_weights
from handkit.errors import CheckpointError, ConfigError
from handkit.gestures import GestureClassifier, hand_features
from handkit.models.estimators import GestureMLP

POINTS = np.random.default_rng(0).uniform(0, 100, (7, 21, 2))


def network(upright: bool = True) -> GestureMLP:
    torch.manual_seed(0)
    made = GestureMLP(("a", "b", "c"), hidden=8, upright=upright)
    made.norm.running_mean = torch.randn(55)
    made.norm.running_var = torch.rand(55) + 0.1
    return made.eval()


@pytest.mark.parametrize("upright", [True, False])
def test_its_file_is_the_classifiers(upright: bool, tmp_path: Path) -> None:
    save_weights(network(upright), tmp_path / "best.safetensors", {"epoch": "3"})
    classifier = GestureClassifier(str(tmp_path / "best.safetensors"))
    with torch.inference_mode():
        expected = network(upright)(torch.from_numpy(hand_features(POINTS, upright)))["gesture_probabilities"]
    assert classifier.classes == ("a", "b", "c")
    np.testing.assert_allclose(classifier.probabilities(POINTS), expected.numpy(), atol=1e-5)


def test_files_without_gestures_are_no_classifier(tmp_path: Path) -> None:
    save_weights(torch.nn.Linear(2, 2), tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="holds no gestures"):
        GestureClassifier(str(tmp_path / "other.safetensors"))


@pytest.mark.parametrize(
    ("classes", "upright", "words"),
    [
        ('["a", "b"', "true", "holds no gestures"),
        ("[" * 100_000, "true", "holds no gestures"),
        ("3", "true", "holds no gestures"),
        ('"abc"', "true", "holds no gestures"),
        ("[1, 2, 3]", "true", "holds no gestures"),
        ('["a", "b", "c"]', '"no"', "holds no gestures"),
        ('["a", "b", "b"]', "true", "no weights of 3 gestures"),
    ],
)
def test_a_header_that_names_no_gestures_is_refused(classes: str, upright: str, words: str, tmp_path: Path) -> None:
    path, header = tmp_path / "best.safetensors", {"classes": classes, "upright": upright}
    save_file({name: value.contiguous() for name, value in network().state_dict().items()}, path, header)
    with pytest.raises(CheckpointError, match=words):
        GestureClassifier(str(path))


def test_weights_that_numpy_does_not_know_are_refused(tmp_path: Path) -> None:
    save_weights(network().bfloat16(), tmp_path / "half.safetensors")
    with pytest.raises(CheckpointError, match="cannot be read as weights of gestures"):
        GestureClassifier(str(tmp_path / "half.safetensors"))


def test_weights_and_smoothing_enter_the_loss() -> None:
    made, features = network(), torch.randn(4, 55)
    gesture, weight = torch.tensor([0, 1, 2, 2]), torch.tensor([2.0, 0.0, 1.0, 1.0])
    logits = made(features, mode="tensor")["gesture_logits"]
    each = -logits.log_softmax(1)[torch.arange(4), gesture]
    assert torch.allclose(made(features, "loss", gesture, weight)["loss"], (each * weight).mean())
    smooth = GestureMLP(("a", "b", "c"), hidden=8, label_smoothing=0.3).eval()
    smooth.load_state_dict(made.state_dict())
    mixed = 0.7 * each - 0.3 * logits.log_softmax(1).mean(1)
    assert torch.allclose(smooth(features, "loss", gesture)["loss"], mixed.mean())


def test_a_batch_of_one_hand_is_learnt_from() -> None:
    made = network().train()
    made(torch.randn(1, 55), mode="loss", gesture=torch.tensor([1]))["loss"].backward()
    assert made.hidden.weight.grad is not None
    assert int(made.norm.num_batches_tracked) == 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="two or more gestures"):
        GestureMLP(("a",))
    with pytest.raises(ConfigError, match="hidden of 1 or more"):
        GestureMLP(("a", "b"), hidden=0)
    with pytest.raises(ConfigError, match=r"takes features \(N, 55\)"):
        network()(torch.randn(2, 54))
    with pytest.raises(ConfigError, match="target 'gesture'"):
        network()(torch.randn(2, 55), mode="loss")
