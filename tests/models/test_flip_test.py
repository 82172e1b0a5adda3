"""The flip test: its bias in each mode, and what it does with the other outputs."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.codecs.simcc import SimCC
from handkit.errors import ConfigError
from handkit.models.backbones import HRNet
from handkit.models.estimators import FlipTest, TopDownEstimator
from handkit.models.estimators.flip_test import shift_columns
from handkit.models.heads import HRNetV2Head
from handkit.skeleton import WFLW

FOLDER = Path(__file__).parents[1] / "golden"
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmpose_rule.py")))
SIZE, CELLS = 256, 64


class Ideal(nn.Module):
    """Answers an image whose light is centred on a joint with a perfect gaussian map of it."""

    def __init__(self, udp: bool = False) -> None:
        super().__init__()
        self.scale = (CELLS - 1) / (SIZE - 1) if udp else CELLS / SIZE
        self.batches: list[int] = []

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        self.batches.append(len(img))
        light, places, cells = img[:, 0].double(), torch.arange(SIZE).double(), torch.arange(CELLS).double()
        total = light.sum((1, 2))
        x = (light.sum(1) @ places / total * self.scale)[:, None, None]
        y = (light.sum(2) @ places / total * self.scale)[:, None, None]
        squared = (cells - x) ** 2 + (cells[:, None] - y) ** 2
        return {"heatmaps": torch.exp(-squared / 8).float()[:, None]}


def image(x: float, y: float) -> Tensor:
    """(1, 3, 256, 256) with a light of 2 x 2 pixels whose centre is (x, y)."""
    made = torch.zeros(1, 3, SIZE, SIZE, dtype=torch.float64)
    column, row, right, low = int(x), int(y), x - int(x), y - int(y)
    spots = torch.outer(torch.tensor([1 - low, low]), torch.tensor([1 - right, right]))
    made[:, :, row : row + 2, column : column + 2] = spots
    return made


def error(shift: Any, x: float, y: float) -> Any:
    joints, _ = GaussianHeatmap().decode(FlipTest(Ideal(), shift)(image(x, y)))
    return joints[0, 0].numpy() - (x, y)


places = st.floats(32, 222, width=32)


@settings(max_examples=40, deadline=None)
@given(places, places)
def test_the_aligned_mode_has_no_bias(x: float, y: float) -> None:
    assert np.abs(error("aligned", x, y)).max() < 0.005


@settings(max_examples=20, deadline=None)
@given(places, places)
def test_the_other_modes_have_the_known_biases(x: float, y: float) -> None:
    assert error("mmpose", x, y) == pytest.approx([0.5, 0], abs=0.005)
    assert error("none", x, y) == pytest.approx([-1.5, 0], abs=0.005)


def test_the_mean_error_of_the_aligned_mode_is_a_thousandth_of_a_pixel() -> None:
    draws = np.random.default_rng(0).uniform(32, 222, (200, 2))
    errors = np.array([error("aligned", x, y) for x, y in draws])
    assert np.abs(errors.mean(0)).max() < 0.002


@settings(max_examples=20, deadline=None)
@given(places, places)
def test_udp_maps_need_no_shift(x: float, y: float) -> None:
    plain, flipped = Ideal(udp=True)(image(x, y)), FlipTest(Ideal(udp=True), "none")(image(x, y))
    torch.testing.assert_close(flipped["heatmaps"], plain["heatmaps"])


def test_crop_and_mirror_image_go_through_in_one_batch() -> None:
    model = Ideal()
    FlipTest(model)(torch.cat([image(40, 50), image(200, 100), image(99, 98)]))
    assert model.batches == [6]


def test_the_compatible_mode_gives_the_maps_of_mmpose() -> None:
    model = TopDownEstimator(HRNet(), HRNetV2Head())
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    model.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in RULE.state(shapes).items()})
    with torch.inference_mode():
        ours = FlipTest(model, "mmpose").eval()(torch.from_numpy(RULE.images()))["heatmaps"].numpy()
    theirs = np.load(FOLDER / "mmpose.npz")["flip_tested"]
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()


class Outputs(nn.Module):
    def __init__(self, **outputs: Tensor) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        return self.outputs


def test_presence_is_averaged_and_the_mirror_images_side_counts_the_other_way() -> None:
    model = Outputs(
        presence=torch.tensor([0.9, 0.1, 0.7, 0.3]),
        handedness=torch.tensor([0.8, 0.2, 0.4, 0.6]),
        xyz_root=torch.tensor([[[1.0, 2, 3]], [[0, 0, 0]], [[-3, 4, 5]], [[2, 2, 2]]]),
    )
    out = FlipTest(model)(torch.zeros(2, 3, 8, 8))
    torch.testing.assert_close(out["presence"], torch.tensor([0.8, 0.2]))
    torch.testing.assert_close(out["handedness"], torch.tensor([0.7, 0.3]))
    torch.testing.assert_close(out["xyz_root"], torch.tensor([[[2.0, 3, 4]], [[-1, 1, 1]]]))


class Lights(nn.Module):
    """Answers an image whose light is centred on a joint with `SimCC`'s ideal distributions, and its coordinates."""

    def __init__(self, ratio: float) -> None:
        super().__init__()
        self.codec = SimCC((SIZE, SIZE), ratio, use_dark=True)

    def forward(self, img: Tensor) -> dict[str, Tensor]:
        light, places = img[:, 0].double(), torch.arange(SIZE).double()
        total = light.sum((1, 2))
        joints = torch.stack([light.sum(1) @ places / total, light.sum(2) @ places / total], 1)[:, None].float()
        made = {name: value / value.sum(-1, keepdim=True) for name, value in self.labels(joints).items()}
        return {**made, "coordinates": joints / SIZE}

    def labels(self, joints: Tensor) -> dict[str, Tensor]:
        encoded = self.codec.encode(joints, torch.ones(joints.shape[:2]))
        return {name: encoded[name] for name in self.codec.reads}


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_mirrored_bins_have_no_bias_when_aligned(ratio: float) -> None:
    """mmpose leaves the mirrored bins where they are: (ratio - 1) / 2 bins too far right in the mean."""
    model = Lights(ratio)
    for x, y in np.random.default_rng(0).uniform(64, 190, (10, 2)):
        for shift, bias in (("aligned", 0.0), ("mmpose", (ratio - 1) / 2 / ratio)):
            joints, _ = model.codec.decode(FlipTest(model, shift)(image(x, y)))  # type: ignore[arg-type]
            assert joints[0, 0].numpy() - (x, y) == pytest.approx([bias, 0], abs=2e-3)


@pytest.mark.parametrize("shift", ["aligned", "mmpose", "none"])
def test_mirrored_coordinates_are_exact(shift: Any) -> None:
    out = FlipTest(Lights(2.0), shift)(image(70.25, 180.5))["coordinates"]
    np.testing.assert_allclose(out[0, 0] * SIZE, [70.25, 180.5], atol=1e-4)


def test_the_mirror_images_mask_is_flipped_back() -> None:
    masks = torch.rand(2, 6, 8)
    out = FlipTest(Outputs(mask=torch.cat([masks, masks.flip(-1)])))(torch.zeros(2, 3, 6, 8))
    torch.testing.assert_close(out["mask"], masks)


def test_an_output_with_no_known_mirror_image_is_refused() -> None:
    with pytest.raises(ConfigError, match="'flow'"):
        FlipTest(Outputs(flow=torch.zeros(2, 1)))(torch.zeros(1, 3, 8, 8))


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ConfigError, match="shift must be"):
        FlipTest(Ideal(), "half")  # type: ignore[arg-type]


@given(st.floats(0, 1), st.tuples(*[st.floats(-1, 1)] * 4))
def test_shifting_moves_a_cubic_exactly(cells: float, weights: tuple[float, ...]) -> None:
    def cubic(x: Tensor) -> Tensor:
        return sum((weight * x**power for power, weight in enumerate(weights)), torch.zeros_like(x))

    x = torch.linspace(-1, 1, 21, dtype=torch.float64)
    moved = shift_columns(cubic(x)[None, None, None], cells)[0, 0, 0]
    torch.testing.assert_close(moved[2:-1], cubic(x - cells * 0.1)[2:-1])


@given(st.integers(-3, 3))
def test_shifting_by_whole_cells_copies(cells: int) -> None:
    maps = torch.from_numpy(RULE.maps())
    columns = (torch.arange(48) - cells).clamp(0, 47)
    torch.testing.assert_close(shift_columns(maps, cells), maps[..., columns], rtol=0, atol=0)


def test_the_points_of_a_face_change_places() -> None:
    maps = torch.rand(1, 98, 8, 8)

    class Known(nn.Module):
        """Knows every point's map in the image, and in its mirror image by the other name."""

        def forward(self, img: Tensor) -> dict[str, Tensor]:
            return {"heatmaps": torch.cat([maps, maps[:, list(WFLW.mirror)].flip(-1)])}

    told = FlipTest(Known(), "none", "wflw")(torch.zeros(1, 3, 32, 32))["heatmaps"]
    torch.testing.assert_close(told, maps)
    assert (FlipTest(Known(), "none")(torch.zeros(1, 3, 32, 32))["heatmaps"] - maps).abs().max() > 0.1
    with pytest.raises(ConfigError, match="no skeleton 'face'"):
        FlipTest(Known(), skeleton="face")
