from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.errors import ConfigError
from handkit.registry import TRANSFORMS, build, registered
from handkit.transforms import (
    LoadImage,
    MMToTensor,
    NormalizeTensor,
    PoseCollect,
    ReverseChannels,
    TopDownAffine,
    split_stages,
)
from handkit.transforms.base import SAMPLE_KEYS

IMAGE = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)


def sample(**changes: Any) -> dict[str, Any]:
    return {"img": IMAGE, "box": np.array([10.0, 10.0, 50.0, 40.0]), "rotation": 0.3, "box_score": 0.9, **changes}


def test_load_image_notes_the_size() -> None:
    out = LoadImage()({"source": IMAGE, "channel_order": "rgb"})
    np.testing.assert_array_equal(out["img"], IMAGE)
    assert out["image_size"] == (80, 60)


def test_affine_cuts_pads_turns() -> None:
    before = sample()
    out = TopDownAffine((32, 48), padding=1.5, border="replicate")(before)
    assert out["img"].shape == (48, 32, 3)
    assert (out["crop"].center, out["crop"].rotation, out["crop"].border) == ((30, 25), 0.3, "replicate")
    assert out["crop"].size == (60, 90)
    assert before["img"] is IMAGE


def test_tensors_are_the_same_in_numpy_and_torch() -> None:
    torch = pytest.importorskip("torch")
    steps = [MMToTensor(), NormalizeTensor(mean=(0.1, 0.2, 0.3), std=(1, 2, 3)), PoseCollect(("img", "rotation"))]
    batch = {"img": np.stack([IMAGE, IMAGE[::-1]]), "rotation": np.zeros(2), "box": np.zeros((2, 4))}
    ours, theirs = dict(batch), {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in batch.items()}
    for step in steps:
        ours, theirs = step(ours), step(theirs)
    assert set(ours) == set(theirs) == {"img", "rotation"}
    planes = MMToTensor()({"img": torch.from_numpy(batch["img"])})["img"].contiguous()
    torch.testing.assert_close(steps[1]({"img": planes})["img"], theirs["img"], rtol=0, atol=0)
    assert ours["img"].dtype == np.float32
    np.testing.assert_allclose(theirs["img"].numpy(), ours["img"], atol=1e-6)
    expected = (IMAGE.transpose(2, 0, 1) / 255 - np.array([0.1, 0.2, 0.3])[:, None, None]) / [[[1]], [[2]], [[3]]]
    np.testing.assert_allclose(ours["img"][0], expected, atol=1e-6)


def test_channels_reverse_in_numpy_and_torch() -> None:
    torch = pytest.importorskip("torch")
    planes = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    batch = {"img": planes, "rotation": np.zeros(2)}
    ours = ReverseChannels()(batch)
    theirs = ReverseChannels()({"img": torch.from_numpy(planes)})["img"]
    np.testing.assert_array_equal(ours["img"], planes[:, ::-1])
    np.testing.assert_array_equal(theirs.numpy(), planes[:, ::-1])
    assert batch["img"] is planes
    assert set(ours) == {"img", "rotation"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NormalizeTensor(std=(1, 0, 1)), "not 0"),
        (lambda: NormalizeTensor(mean=(1, 0)), "3 means"),
        (lambda: TopDownAffine((0, 5)), "positive sizes"),
        (lambda: TopDownAffine((5, 5), border="mirror"), "border must be"),
        (lambda: PoseCollect(("img", "mask"))({"img": 1}), "the batch holds no 'mask', only img"),
        (lambda: split_stages([MMToTensor(), TopDownAffine((5, 5))]), "must stand before MMToTensor"),
    ],
)
def test_mistakes_are_named(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_every_transform_says_its_stage() -> None:
    for name in registered(TRANSFORMS):
        assert TRANSFORMS.module_dict[name].stage in ("image", "tensor"), name
    image, tensor = split_stages([LoadImage(), TopDownAffine((8, 8)), MMToTensor(), PoseCollect()])
    assert (len(image), len(tensor)) == (2, 2)


def test_built_from_a_config() -> None:
    affine = build(dict(type="TopDownAffine", input_size=[64, 32]))
    assert affine.input_size == (64, 32)


def test_the_documented_keys_are_the_keys() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "samples.md").read_text("utf-8")
    rows = dict(line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| `"))
    assert {key.strip("`"): meaning for key, meaning in rows.items()} == SAMPLE_KEYS
    out = TopDownAffine((8, 8))(LoadImage()({"source": IMAGE, **{k: v for k, v in sample().items() if k != "img"}}))
    assert set(out) <= set(SAMPLE_KEYS)
