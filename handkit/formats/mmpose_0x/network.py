"""mmpose 0.x's `TopDown` models and what their tests do with the outputs -> handkit's."""

from __future__ import annotations

from handkit.errors import ConfigError
from handkit.formats.easycv.network import Decisions, decoding, parts, pretrained, squares
from handkit.formats.fields import Fields
from handkit.formats.mmpose.backbones import plain_backbone
from handkit.formats.schedules import Node


def network(fields: Fields, decisions: Decisions) -> tuple[Node, Node, str | None]:
    """The node of a `TopDownEstimator`, its codec without sizes and targets, and its `flip_test`.

    Args:
        fields: mmpose's `model`.
        decisions: gets a line for each part that is only nearly the same here.

    Raises:
        ConfigError: a part without a counterpart.
    """
    fields.expect(type="TopDown", train_cfg={})
    pretrained(fields, decisions)
    head = fields.node("keypoint_head")
    kind = head.kind("TopdownHeatmapSimpleHead", "TopdownHeatmapMultiStageHead", "DeepposeRegressionHead")
    test = fields.node("test_cfg", {})
    flips = test.take("flip_test", True)
    if kind == "DeepposeRegressionHead":
        made, codec = _regression(fields, head), Node(type="Regression")
        test.drop("post_process", "shift_heatmap", "modulate_kernel")
        flip = _mirrored_coordinates(test.where, decisions) if flips else None
    else:
        made = _stage(fields, head) if kind == "TopdownHeatmapMultiStageHead" else _maps(fields, head)
        codec = _codec(test)
        flip = _mirrored_maps(test, udp=codec["type"] == "UDPHeatmap", flips=flips)
    for part in (test, head, fields):
        part.end()
    return {"type": "TopDownEstimator", **made}, codec, flip


def _maps(fields: Fields, head: Fields) -> Node:
    head.expect(align_corners=False)
    return {**parts(fields, head), "losses": [squares(head)]}


def _stage(fields: Fields, head: Fields) -> Node:
    """One stage of them is a 1x1 convolution."""
    head.expect(num_stages=1, num_deconv_layers=0, extra={"final_conv_kernel": 1})
    channels = {"in_channels": head.take("in_channels"), "out_channels": head.take("out_channels")}
    ours = {"type": "HeatmapHead", **channels, "deconv_out_channels": (), "deconv_kernel_sizes": ()}
    return {"backbone": plain_backbone(fields.node("backbone")), "head": ours, "losses": [squares(head)]}


def _regression(fields: Fields, head: Fields) -> Node:
    """DeepPose: the mean of the last map, and a linear layer."""
    fields.node("neck").expect(type="GlobalAveragePooling").end()
    loss = head.expect(out_sigma=False).node("loss_keypoint").expect(type="SmoothL1Loss", use_target_weight=True)
    term = {"type": "SmoothL1Loss", "loss_weight": loss.take("loss_weight", 1.0)}
    loss.end()
    sizes = {"in_channels": head.take("in_channels"), "num_joints": head.take("num_joints")}
    backbone = plain_backbone(fields.node("backbone"))
    return {"backbone": backbone, "head": {"type": "RegressionHead", **sizes}, "losses": [term]}


def _codec(test: Fields) -> Node:
    """UDP's maps are always read by DARK, whatever `post_process` says."""
    if test.take("use_udp", False):
        test.drop("post_process").expect(target_type="GaussianHeatmap")
        return {"type": "UDPHeatmap", "kernel": test.take("modulate_kernel", 11), "max_offset": None}
    return {"type": "GaussianHeatmap", **decoding(test)}


def _mirrored_maps(test: Fields, udp: bool, flips: bool) -> str | None:
    """The shift by a cell, which UDP's maps do without; mmpose 0.x does it by numpy, which does not smear the map."""
    shift = test.take("shift_heatmap", False)
    if flips and shift == udp:
        raise ConfigError(
            f"{test.where}: shift_heatmap={shift} has no counterpart in handkit, only {not udp} "
            f"{'with' if udp else 'without'} use_udp"
        )
    return ("aligned" if udp else "mmpose") if flips else None


def _mirrored_coordinates(where: str, decisions: Decisions) -> str:
    decisions.append(f"{where}.flip_test: flip_test='aligned'; mmpose's mirrored joints lie a pixel of the input off")
    return "aligned"
