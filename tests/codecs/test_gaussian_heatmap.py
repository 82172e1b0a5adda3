"""GaussianHeatmap: against mmpose, round trips, and maps that are no gaussians at all."""

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
from hypothesis.extra import numpy as hnp

from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.codecs.udp_heatmap import UDPHeatmap
from handkit.errors import ConfigError, DataError

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = np.load(FOLDER / "mmpose.npz")
RULE = SimpleNamespace(**runpy.run_path(str(FOLDER / "mmpose_rule.py")))
SIZES = {"input_size": RULE.INPUT_SIZE, "heatmap_size": RULE.MAP_SIZE}
DECODERS = {
    "dark_11": GaussianHeatmap(**SIZES, kernel=11, max_offset=None),
    "dark_17": GaussianHeatmap(**SIZES, kernel=17, max_offset=None),
    "plain": GaussianHeatmap(**SIZES, dark=False),
}


def decode(codec: GaussianHeatmap, maps: Any) -> Any:
    return codec.decode({"heatmaps": maps})


@pytest.mark.parametrize("name", DECODERS)
def test_decoding_is_that_of_mmpose(name: str) -> None:
    joints, scores = decode(DECODERS[name], RULE.maps())
    # In maps of noise alone, nearly singular Hessians throw joints dozens of pixels away, and rounding with them.
    cells, _ = decode(GaussianHeatmap(**SIZES, max_offset=0.0), RULE.maps())
    near = np.abs(GOLDEN[name] - cells).max(-1) < 8
    assert near.sum() > 50
    assert np.abs(joints - GOLDEN[name])[near].max() < 1e-3
    assert np.abs(joints - GOLDEN[name]).max() < 0.01
    np.testing.assert_array_equal(scores, GOLDEN["peaks"].clip(0, 1))


@pytest.mark.parametrize("unbiased", [True, False])
def test_encoding_is_that_of_mmpose(unbiased: bool) -> None:
    name = "unbiased" if unbiased else "biased"
    targets = GaussianHeatmap(**SIZES, unbiased=unbiased).encode(RULE.joints(), np.ones((2, 21)))
    theirs = GOLDEN[name]
    assert np.abs(targets["heatmaps"][: theirs.shape[0], : theirs.shape[1]] - theirs).max() < 1e-6
    np.testing.assert_array_equal(targets["target_weight"], GOLDEN[f"{name}_weights"])
    assert 5 < (targets["target_weight"] == 0).sum() < 20, "the joints must try both sides of the limit"


def test_biased_encoding_with_sigma_3_is_that_of_mmpose() -> None:
    targets = GaussianHeatmap(**SIZES, sigma=3, unbiased=False).encode(RULE.joints()[:1], np.ones((1, 21)))
    assert np.abs(targets["heatmaps"] - GOLDEN["biased_3"]).max() < 1e-6


def test_the_reference_maps_decode_to_the_reference_joints(peer_data: Path) -> None:
    codec = GaussianHeatmap(max_offset=None)
    with np.load(peer_data / "peers" / "mmpose_reference.npz") as reference:
        for maps, joints in (("enc_heat", "dec_kpts"), ("heat", "heat0_kpts")):
            ours, scores = decode(codec, reference[maps][:1] if maps == "heat" else reference[maps][None])
            assert np.abs(ours - reference[joints])[scores > 0].max() < 1e-3
        targets = codec.encode(reference["enc_kpts"], np.ones((1, 21)))
        assert np.abs(targets["heatmaps"][0] - reference["enc_heat"]).max() < 1e-6


@pytest.mark.parametrize(
    ("arguments", "mean", "largest"),
    [
        (dict(sigma=2, kernel=11), 0.0009, 0.002),
        (dict(sigma=3, kernel=17), 0.00032, 0.006),
        (dict(sigma=2, dark=False), 0.77, 1.42),
        (dict(sigma=2, unbiased=False, dark=False), 1.56, 2.83),
        (dict(sigma=3, unbiased=False, kernel=11), 1.55, 2.83),
    ],
)
def test_round_trip_errors(arguments: dict[str, Any], mean: float, largest: float) -> None:
    joints = np.random.default_rng(5).uniform(30, 220, (50, 21, 2))
    codec = GaussianHeatmap(**arguments)
    decoded, _ = decode(codec, codec.encode(joints, np.ones((50, 21)))["heatmaps"])
    distances = np.linalg.norm(decoded - joints, axis=-1)
    assert 0.8 * mean < distances.mean() < mean
    assert distances.max() < largest


@settings(deadline=None)
@given(hnp.arrays(np.float64, (2, 3, 2), elements=st.floats(40, 150)), st.floats(0.05, 20))
def test_a_round_trip_finds_the_joints_at_any_height_of_the_peak(joints: Any, height: float) -> None:
    codec = GaussianHeatmap(**SIZES)
    maps = codec.encode(joints, np.ones((2, 3)))["heatmaps"] * np.float32(height)
    decoded, scores = decode(codec, maps)
    assert np.abs(decoded - joints).max() < 0.01
    assert (scores <= min(height, 1)).all()
    assert (scores > 0.93 * min(height, 1)).all()


values = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-12, 1e-38, 1e-45, 3e38, -3e38, np.inf, -np.inf, np.nan]),
    st.floats(width=32),
)


@settings(deadline=None, max_examples=200)
@given(
    hnp.arrays(np.float32, (2, 2, 9, 8), elements=values, fill=st.sampled_from([0.0, 1.0, -1.0, 1e-12])),
    st.booleans(),
    st.sampled_from([1.0, 0.3, None]),
    st.sampled_from([0.0, 2.5]),
)
def test_any_map_gives_finite_joints_and_scores_within_0_and_1(
    maps: Any, dark: bool, limit: float | None, blur: float
) -> None:
    codec = GaussianHeatmap((32, 36), (8, 9), dark=dark, max_offset=limit, blur=blur)
    joints, scores = decode(codec, maps)
    assert np.isfinite(joints).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    if limit is not None:
        assert (joints >= -4).all()
        assert (joints <= (32, 36)).all()


def test_blurred_maps_decode_to_the_likelier_of_two_places() -> None:
    maps = np.zeros((1, 1, 48, 48), np.float32)
    maps[0, 0, 10, 10] = 0.3
    maps[0, 0, 29:32, 39:42] = 0.7 / 9
    for blur, place, height in ((0.0, 10, 0.3), (2.5, (40, 30), 0.7 / 9)):
        joints, scores = decode(GaussianHeatmap((192, 192), (48, 48), blur=blur), maps)
        np.testing.assert_allclose(joints[0, 0] / 4, place, atol=0.01)
        np.testing.assert_allclose(scores[0, 0], height)


@pytest.mark.parametrize("heatmap", [GaussianHeatmap, UDPHeatmap])
def test_a_blur_moves_no_joint_of_a_clean_gaussian(heatmap: type[GaussianHeatmap]) -> None:
    joints = np.random.default_rng(6).uniform(60, 190, (20, 21, 2))
    codec = heatmap(blur=2.5)
    decoded, scores = decode(codec, codec.encode(joints, np.ones((20, 21)))["heatmaps"])
    assert np.linalg.norm(decoded - joints, axis=-1).max() < 0.05
    assert scores.min() > 0.93


@pytest.mark.parametrize("blur", [-1.0, np.inf, np.nan])
def test_a_blur_is_no_negative_number_of_cells(blur: float) -> None:
    with pytest.raises(ConfigError, match="blur"):
        GaussianHeatmap(blur=blur)


@pytest.mark.parametrize("value", [0.0, -0.5, np.nan])
@pytest.mark.parametrize("name", DECODERS)
def test_a_map_without_a_positive_value_scores_0_at_the_crops_centre(name: str, value: float) -> None:
    joints, scores = decode(DECODERS[name], np.full((1, 2, 64, 48), value, np.float32))
    np.testing.assert_array_equal(joints, np.full((1, 2, 2), (96, 128)))
    np.testing.assert_array_equal(scores, np.zeros((1, 2)))


def surface(xx: float, yy: float, xy: float, slope: float = 0.0) -> Any:
    """A (1, 1, 64, 64) map whose logarithm is a quadric about (32, 32), its highest cell raised a little."""
    x, y = np.meshgrid(np.arange(64.0) - 32, np.arange(64.0) - 32)
    logarithm = xx * x * x + yy * y * y + xy * x * y + slope * x
    logarithm[32, 32] = logarithm.max() + 0.01
    return np.exp(logarithm - logarithm.max())[None, None].astype(np.float32)


@pytest.mark.parametrize(
    "maps",
    [
        surface(-1e-3, 1e-4, 0),
        surface(1e-4, -1e-3, 0),
        surface(-1e-4, -1e-4, 8e-4),
        surface(0, 0, 0),
        surface(0, 0, 0, 1e-3),
    ],
    ids=["saddle x", "saddle y", "turned saddle", "flat", "slope"],
)
def test_without_a_clear_peak_a_joint_stays_within_a_cell_of_the_highest_one(maps: Any) -> None:
    joints, _ = decode(GaussianHeatmap(), maps)
    assert np.abs(joints - 128).max() <= 4


@pytest.mark.parametrize(("apart", "held"), [(14, 128), (12, 124)], ids=["saddle", "nearly flat"])
def test_between_two_hills_a_joint_is_thrown_far_off_in_the_compatible_mode_only(apart: int, held: float) -> None:
    hills = GaussianHeatmap().encode(np.array([[[128 - apart, 128], [128 + apart, 132]]]), np.ones((1, 2)))["heatmaps"]
    maps = hills[:, :1] + 0.5 * hills[:, 1:]
    maps[..., 32, 32] = 1.1 * maps.max()
    free, limited = (decode(GaussianHeatmap(max_offset=limit), maps)[0][0, 0, 0] for limit in (None, 1.0))
    assert abs(free - 128) > 20
    assert limited == held


@pytest.mark.parametrize("limit", [0.0, 0.1, 1.0])
def test_no_joint_moves_further_than_max_offset(limit: float) -> None:
    cells, _ = decode(GaussianHeatmap(**SIZES, max_offset=0.0), RULE.maps())
    joints, _ = decode(GaussianHeatmap(**SIZES, max_offset=limit), RULE.maps())
    assert np.abs(joints - cells).max() <= 4 * limit + 1e-4
    np.testing.assert_array_equal(cells % 4, 0)


def test_a_peak_is_found_up_to_the_border_itself() -> None:
    joints = np.array([[[0, 0], [252, 0], [0, 252], [252, 252], [4, 128], [6, 6]]], np.float32)
    codec = GaussianHeatmap()
    decoded, scores = decode(codec, codec.encode(joints, np.ones((1, 6)))["heatmaps"])
    assert np.abs(decoded - joints).max() <= 2
    assert (scores > 0.9).all()


@pytest.mark.parametrize("codec", DECODERS.values(), ids=DECODERS)
def test_torch_in_torch_out_and_the_same_numbers(codec: GaussianHeatmap) -> None:
    joints, scores = decode(codec, RULE.maps())
    kept = torch.from_numpy(RULE.maps()).requires_grad_()
    tensor_joints, tensor_scores = decode(codec, kept)
    assert isinstance(joints, np.ndarray)
    assert isinstance(scores, np.ndarray)
    np.testing.assert_array_equal(tensor_joints.numpy(), joints)
    np.testing.assert_array_equal(tensor_scores.numpy(), scores)
    assert joints.dtype == scores.dtype == np.float32


@pytest.mark.parametrize("codec", DECODERS.values(), ids=DECODERS)
def test_hands_are_decoded_independently_and_the_maps_are_left_alone(codec: GaussianHeatmap) -> None:
    maps = RULE.maps()
    maps.setflags(write=False)
    together = decode(codec, maps)[0]
    singly = np.concatenate([decode(codec, maps[index : index + 1])[0] for index in range(3)])
    inside = ((together >= 0) & (together < SIZES["input_size"])).all(-1)
    np.testing.assert_allclose(singly[inside], together[inside], atol=1e-3)
    np.testing.assert_allclose(singly, together, atol=1e-2)  # a step out of the picture: a Hessian near to singular
    np.testing.assert_array_equal(maps, RULE.maps())
    mirrored_layout = np.asfortranarray(maps)
    np.testing.assert_array_equal(decode(codec, mirrored_layout)[0], together)


@pytest.mark.parametrize("arguments", [{}, {"unbiased": False}, {"sigma": 3.0}])
def test_targets_are_the_same_in_torch_and_for_one_hand(arguments: dict[str, Any]) -> None:
    codec, joints, visible = GaussianHeatmap(**SIZES, **arguments), RULE.joints(), np.ones((2, 21), np.uint8)
    ours = codec.encode(joints, visible)
    theirs = codec.encode(torch.from_numpy(joints), torch.from_numpy(visible))
    first = codec.encode(joints[0], visible[0])
    for name, values in ours.items():
        assert isinstance(theirs[name], torch.Tensor)
        assert isinstance(values, np.ndarray)
        np.testing.assert_allclose(theirs[name].numpy(), values, atol=1e-6)
        np.testing.assert_array_equal(first[name], values[0])
    maps = ours["heatmaps"]
    assert maps[maps > 0].min() >= np.finfo(np.float32).tiny, "denormal numbers are slow"


def test_half_precision_maps_and_empty_batches_decode() -> None:
    joints, _ = decode(DECODERS["dark_11"], torch.from_numpy(RULE.maps()[:2]).half())
    exact, _ = decode(DECODERS["dark_11"], RULE.maps()[:2])
    assert joints.dtype == torch.float32
    assert np.median(np.abs(joints.numpy() - exact)) < 0.01
    for codec in DECODERS.values():
        assert decode(codec, np.zeros((0, 21, 64, 48), np.float32))[0].shape == (0, 21, 2)


def test_mixed_precision_around_it_changes_nothing() -> None:
    maps = torch.from_numpy(RULE.maps())
    exact, _ = decode(DECODERS["dark_11"], maps)
    with torch.autocast("cpu", torch.bfloat16):
        assert (maps[0] @ maps[0].mT).dtype == torch.bfloat16
        assert torch.equal(decode(DECODERS["dark_11"], maps)[0], exact)


def test_invisible_and_missing_joints_have_no_target() -> None:
    joints = np.array([[[100.0, 100], [np.nan, np.nan], [100, 100], [-3000, 5], [100, 5000]]])
    targets = GaussianHeatmap().encode(joints, np.array([[2, 0, 0, 1, 1]]))
    np.testing.assert_array_equal(targets["target_weight"], [[1, 0, 0, 0, 0]])
    assert targets["heatmaps"][0, 0].max() == 1
    assert not targets["heatmaps"][0, 1:].any()
    assert targets["heatmaps"].dtype == targets["target_weight"].dtype == np.float32


@pytest.mark.parametrize(
    ("joints", "visible", "message"),
    [
        (np.zeros((2, 21, 3)), np.ones((2, 21)), "must be"),
        (np.zeros((2, 21, 2)), np.ones((2, 20)), "must be"),
        (np.full((1, 1, 2), np.inf), np.ones((1, 1)), "not finite"),
    ],
)
def test_wrong_labels_are_refused(joints: Any, visible: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        GaussianHeatmap().encode(joints, visible)


@pytest.mark.parametrize(
    "arguments", [{"kernel": 10}, {"kernel": -1}, {"sigma": 0}, {"heatmap_size": (0, 64)}, {"max_offset": -1.0}]
)
def test_arguments_without_sense_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        GaussianHeatmap(**arguments)


def test_maps_of_another_size_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"decodes \(N, K, 64, 64\)"):
        decode(GaussianHeatmap(), np.zeros((1, 21, 32, 32), np.float32))
