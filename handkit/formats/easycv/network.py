"""EasyCV's `TopDown` models and what their tests do with heat maps -> handkit's. The keys are also mmpose 0.x's."""

from __future__ import annotations

from handkit.errors import ConfigError
from handkit.formats.fields import Fields
from handkit.formats.mmpose.backbones import hrnet, plain_backbone
from handkit.formats.schedules import Node

Decisions = list[str]


def network(fields: Fields, decisions: Decisions) -> tuple[Node, Node, str | None]:
    """The node of a `TopDownEstimator`, how its codec decodes, and its `flip_test`, from EasyCV's `model`.

    Raises:
        ConfigError: a part without a counterpart.
    """
    fields.expect(type="TopDown", train_cfg={})
    pretrained(fields, decisions)
    head = fields.node("keypoint_head").expect(type="TopdownHeatmapSimpleHead", align_corners=False)
    made, term = parts(fields, head), squares(head)
    test = fields.node("test_cfg", {}).expect(use_udp=False)
    made_of_maps, flip = decoding(test), _flip_test(test, decisions)
    for part in (test, head, fields):
        part.end()
    return {"type": "TopDownEstimator", **made, "losses": [term]}, made_of_maps, flip


def pretrained(fields: Fields, decisions: Decisions) -> None:
    """The weights that a `model` begins with, which stay where they are."""
    if fields.take("pretrained", None):
        decisions.append(f"{fields.where}.pretrained: not fetched; name a file by backbone_from or load_from")


def squares(head: Fields) -> Node:
    """The loss of heat maps."""
    loss = head.node("loss_keypoint").expect(type="JointsMSELoss", use_target_weight=True)
    weight = loss.take("loss_weight", 1.0)
    loss.end()
    return {"type": "KeypointMSELoss", "loss_weight": weight}


def parts(fields: Fields, head: Fields) -> Node:
    """The nodes of backbone and head.

    Args:
        fields: EasyCV's `model`, of which the backbone is taken.
        head: its `keypoint_head` without type and loss.

    Raises:
        ConfigError: a part without a counterpart.
    """
    joined = head.take("input_transform", None)
    if joined not in (None, "resize_concat"):
        raise ConfigError(f"{head.where}: input_transform={joined!r} has no counterpart, only 'resize_concat'")
    return _joined(fields, head) if joined else _alone(fields, head)


def _joined(fields: Fields, head: Fields) -> Node:
    """HRNetV2: the four maps joined, and two 1x1 convolutions."""
    backbone, channels = hrnet(fields.node("backbone"))
    extra = {"final_conv_kernel": 1, "num_conv_layers": 1, "num_conv_kernels": (1,)}
    head.expect(in_index=(0, 1, 2, 3), in_channels=channels, num_deconv_layers=0, extra=extra)
    return {
        "backbone": backbone,
        "head": {"type": "HRNetV2Head", "in_channels": channels, "out_channels": head.take("out_channels")},
    }


def _alone(fields: Fields, head: Fields) -> Node:
    """One map: deconvolutions, if any, and a 1x1 convolution."""
    head.expect(in_index=0)
    Fields(head.take("extra", None) or {}, f"{head.where}.extra").expect(final_conv_kernel=1, num_conv_layers=0).end()
    layers = head.take("num_deconv_layers", 3)
    filters, kernels = head.take("num_deconv_filters", (256,) * 3), head.take("num_deconv_kernels", (4,) * 3)
    if layers and not len(filters) == len(kernels) == layers:
        raise ConfigError(f"{head.where}: num_deconv_layers={layers} needs as many filters and kernels")
    return {
        "backbone": plain_backbone(fields.node("backbone")),
        "head": {
            "type": "HeatmapHead",
            "in_channels": head.take("in_channels"),
            "out_channels": head.take("out_channels"),
            "deconv_out_channels": filters if layers else (),
            "deconv_kernel_sizes": kernels if layers else (),
        },
    }


def decoding(test: Fields) -> Node:
    """What a codec does with maps; 'unbiased' is DARK, 'default' goes a quarter of a cell towards the higher neighbour
    and reads no kernel.

    Raises:
        ConfigError: a `test_cfg` without a counterpart.
    """
    test.expect(target_type="GaussianHeatmap")
    process, kernel = test.take("post_process", "default"), test.take("modulate_kernel", 11)
    if process not in ("default", "unbiased"):
        raise ConfigError(
            f"{test.where}: post_process={process!r} has no counterpart in handkit, only 'default' and 'unbiased'"
        )
    return {"dark": True, "kernel": kernel, "max_offset": None} if process == "unbiased" else {"dark": False}


def _flip_test(test: Fields, decisions: Decisions) -> str | None:
    if not test.take("flip_test", True):
        test.drop("shift_heatmap")
        return None
    test.expect(shift_heatmap=True)
    decisions.append(
        f"{test.where}.shift_heatmap: flip_test='mmpose', the shift by a cell that is meant; EasyCV copies the map "
        "over itself, which smears it (joints move by 0.5 px of the input on average)"
    )
    return "mmpose"
