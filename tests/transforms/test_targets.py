"""TopDownGenerateTarget: one hand or a batch, numpy or torch, the same targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from handkit.errors import ConfigError, DataError
from handkit.registry import build
from handkit.transforms import PoseCollect, TopDownGenerateTarget

torch = pytest.importorskip("torch")
STEP = build(dict(type="TopDownGenerateTarget", codec=dict(type="GaussianHeatmap")))


def batch(count: int = 5) -> dict[str, Any]:
    draw = np.random.default_rng(3)
    keypoints = draw.uniform(-40, 296, (count, 21, 2)).astype(np.float32)
    return {"keypoints": keypoints, "visible": draw.integers(0, 3, (count, 21)).astype(np.uint8)}


def test_one_hand_a_batch_and_torch_give_the_same_targets() -> None:
    together = STEP(batch())
    assert together["heatmaps"].shape == (5, 21, 64, 64)
    singly = [STEP({key: value[row] for key, value in batch().items()}) for row in range(5)]
    on_torch = STEP({key: torch.from_numpy(value) for key, value in batch().items()})
    for key in ("heatmaps", "target_weight"):
        np.testing.assert_array_equal(np.stack([one[key] for one in singly]), together[key])
        assert isinstance(on_torch[key], torch.Tensor)
        np.testing.assert_allclose(on_torch[key].numpy(), together[key], atol=1e-6)
    assert 0 < together["target_weight"].mean() < 1


def test_the_targets_are_collected_with_the_labels() -> None:
    out = PoseCollect(("heatmaps", "target_weight", "right"))(STEP({**batch(), "right": np.ones(5, np.float32)}))
    assert list(out) == ["heatmaps", "target_weight", "right"]


def test_a_codec_that_only_decodes_is_refused() -> None:
    class Reader:
        """A user's codec that a published network is decoded by."""

        reads = ("heatmaps",)

        def decode(self, outputs: Any) -> Any:
            return outputs["heatmaps"], outputs["heatmaps"]

    with pytest.raises(ConfigError, match="Reader makes no targets"):
        TopDownGenerateTarget(Reader())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "codec", [dict(type="UDPHeatmap"), dict(type="SimCC"), dict(type="Regression", input_size=(256, 256))]
)
def test_every_codec_names_the_targets_it_adds(codec: dict[str, Any]) -> None:
    step = build(dict(type="TopDownGenerateTarget", codec=codec))
    assert set(step(batch())) == {*batch(), *step.codec.targets}


def test_labels_that_make_no_sense_are_named() -> None:
    with pytest.raises(DataError, match="not finite"):
        STEP({"keypoints": np.full((21, 2), np.nan), "visible": np.ones(21)})
    assert isinstance(STEP, TopDownGenerateTarget)
