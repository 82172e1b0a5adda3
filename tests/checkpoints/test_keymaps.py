"""Names of mmpose 0.x, EasyCV and wrapped models."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handkit.checkpoints.keymaps import key_maps, to_handkit_keys


def renamed(*keys: str) -> list[str]:
    return list(to_handkit_keys(dict.fromkeys(keys)))


def test_the_old_heads_last_convolution_is_the_final_layer_and_the_others_come_before_it() -> None:
    old = ["0.weight", "0.bias", "1.running_mean", "1.num_batches_tracked", "3.weight", "3.bias"]
    assert renamed(*(f"keypoint_head.final_layer.{name}" for name in old)) == [
        "head.conv_layers.0.weight",
        "head.conv_layers.0.bias",
        "head.conv_layers.1.running_mean",
        "head.conv_layers.1.num_batches_tracked",
        "head.final_layer.weight",
        "head.final_layer.bias",
    ]


def test_a_head_with_one_convolution_keeps_its_name() -> None:
    assert renamed("keypoint_head.final_layer.weight", "keypoint_head.deconv_layers.0.weight") == [
        "head.final_layer.weight",
        "head.deconv_layers.0.weight",
    ]


def test_a_wrappers_prefix_goes_and_so_does_the_preprocessor() -> None:
    assert renamed(
        "module.backbone.conv1.weight", "module.keypoint_head.final_layer.3.bias", "data_preprocessor.mean"
    ) == [
        "backbone.conv1.weight",
        "head.final_layer.bias",
    ]


def test_the_numbered_parts_of_mobilenetv2s_blocks_get_their_names() -> None:
    assert renamed(
        "backbone.layer1.0.conv.0.conv.weight",
        "backbone.layer1.0.conv.1.bn.bias",
        "layer2.1.conv.0.conv.weight",
        "layer2.1.conv.1.bn.running_var",
        "layer2.1.conv.2.conv.weight",
        "layer2.0.conv1.weight",
    ) == [
        "backbone.layer1.0.depthwise_conv.conv.weight",
        "backbone.layer1.0.linear_conv.bn.bias",
        "layer2.1.expand_conv.conv.weight",
        "layer2.1.depthwise_conv.bn.running_var",
        "layer2.1.linear_conv.conv.weight",
        "layer2.0.conv1.weight",
    ]


names = st.sampled_from(
    ["backbone.conv1.weight", "head.final_layer.weight", "head.conv_layers.0.bias", "neck.0.weight", "bbox_head.a.1.b"]
)


@given(st.sets(names))
def test_names_of_handkit_mmpose_1_and_mmdet_stay(keys: set[str]) -> None:
    assert renamed(*keys) == list(keys)


def test_a_head_of_one_stage_is_one_without_stages() -> None:
    for head in ("head", "keypoint_head"):
        state = {f"{head}.multi_final_layers.0.weight": 1, "backbone.x": 2}
        assert to_handkit_keys(state) == {"head.final_layer.weight": 1, "backbone.x": 2}
        assert "mmpose head of one stage (multi_final_layers.0 -> final_layer)" in key_maps(list(state))
    several = {f"head.multi_final_layers.{stage}.weight": stage for stage in range(2)}
    assert to_handkit_keys(several) == several
