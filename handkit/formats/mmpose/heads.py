"""mmpose's heads, what they read of the backbone, and their losses -> handkit's."""

from __future__ import annotations

from handkit.formats.fields import Fields
from handkit.formats.mmpose.backbones import hrnet
from handkit.formats.mmpose.backbones import plain_backbone as backbone_of
from handkit.formats.mmpose.codecs import codec
from handkit.formats.schedules import Node


def network(fields: Fields) -> tuple[Node, Node, str | None]:
    """The node of a `TopDownEstimator`, its codec, and its `flip_test`, from mmpose's `model`.

    Raises:
        ConfigError: a part without a counterpart.
    """
    head = fields.node("head")
    kind = head.kind(*_HEADS)
    if kind == "HeatmapHead" and "neck" in fields:
        model, decoder = _joined(fields, head)
    else:
        model, decoder = _HEADS[kind](fields, head)
    test = fields.node("test_cfg", {})
    flip = _flip_test(test, kind, decoder["type"])
    for part in (test, head, fields):
        part.end()
    return {"type": "TopDownEstimator", **model}, decoder, flip


def _joined(fields: Fields, head: Fields) -> tuple[Node, Node]:
    """HRNetV2: the four maps joined, and two 1x1 convolutions."""
    decoder = codec(head.take("decoder"), f"{head.where}.decoder", _HEATMAPS)
    fields.node("neck").expect(type="FeatureMapProcessor", concat=True).end()
    backbone, channels = hrnet(fields.node("backbone"))
    joined = sum(channels)
    head.expect(in_channels=joined, deconv_out_channels=None, conv_out_channels=(joined,), conv_kernel_sizes=(1,))
    ours = {"type": "HRNetV2Head", "in_channels": channels, "out_channels": head.take("out_channels")}
    return {"backbone": backbone, "head": ours, "losses": [_squares(head)]}, decoder


def _heatmaps(fields: Fields, head: Fields) -> tuple[Node, Node]:
    """Deconvolutions, if any, and a 1x1 convolution."""
    decoder = codec(head.take("decoder"), f"{head.where}.decoder", _HEATMAPS)
    channels = head.take("deconv_out_channels", (256, 256, 256)) or ()
    kernels = head.take("deconv_kernel_sizes", (4, 4, 4)) if channels else ()
    head.expect(conv_out_channels=None, conv_kernel_sizes=None, final_layer={"kernel_size": 1})
    ours = {
        "type": "HeatmapHead",
        "in_channels": head.take("in_channels"),
        "out_channels": head.take("out_channels"),
        "deconv_out_channels": channels,
        "deconv_kernel_sizes": kernels,
    }
    return {"backbone": backbone_of(fields.node("backbone")), "head": ours, "losses": [_squares(head)]}, decoder


def _stage(fields: Fields, head: Fields) -> tuple[Node, Node]:
    """One stage of them is a 1x1 convolution."""
    decoder = codec(head.take("decoder"), f"{head.where}.decoder", _HEATMAPS)
    head.expect(num_stages=1, deconv_out_channels=None, deconv_kernel_sizes=None, final_layer={"kernel_size": 1})
    channels = {"in_channels": head.take("in_channels"), "out_channels": head.take("out_channels")}
    ours = {"type": "HeatmapHead", **channels, "deconv_out_channels": (), "deconv_kernel_sizes": ()}
    return {"backbone": backbone_of(fields.node("backbone")), "head": ours, "losses": [_squares(head)]}, decoder


def _squares(head: Fields) -> Node:
    loss = head.node("loss").expect(type="KeypointMSELoss", use_target_weight=True)
    weight = loss.take("loss_weight", 1.0)
    loss.end()
    return {"type": "KeypointMSELoss", "loss_weight": weight}


def _regression(fields: Fields, head: Fields) -> tuple[Node, Node]:
    decoder = codec(head.take("decoder"), f"{head.where}.decoder", ("RegressionLabel",))
    fields.node("neck").expect(type="GlobalAveragePooling").end()
    loss = head.node("loss").expect(type="SmoothL1Loss", use_target_weight=True)
    term = {"type": "SmoothL1Loss", "loss_weight": loss.take("loss_weight", 1.0)}
    loss.end()
    ours = {
        "type": "RegressionHead",
        "in_channels": head.take("in_channels"),
        "num_joints": head.take("num_joints"),
    }
    return {"backbone": backbone_of(fields.node("backbone")), "head": ours, "losses": [term]}, decoder


def _rtmcc(fields: Fields, head: Fields) -> tuple[Node, Node]:
    """RTMPose: a gated attention unit before two linear layers; the loss has the temperature of both softmaxes."""
    decoder = codec(head.take("decoder"), f"{head.where}.decoder", ("SimCCLabel",))
    head.expect(input_size=decoder["input_size"], simcc_split_ratio=decoder["simcc_split_ratio"])
    loss = head.node("loss").expect(type="KLDiscretLoss", use_target_weight=True)
    term = {
        "type": "KLDiscretLoss",
        "beta": loss.take("beta", 1.0),
        "label_softmax": loss.take("label_softmax", False),
        "label_beta": loss.take("label_beta", 10.0),
        "loss_weight": loss.take("loss_weight", 1.0),
    }
    loss.end()
    attention = head.node("gau_cfg").expect(use_rel_bias=False, pos_enc=False)
    sizes = ("hidden_dims", "s", "expansion_factor", "dropout_rate", "drop_path", "act_fn")
    ours = {
        "type": "RTMCCHead",
        **{key: head.take(key) for key in ("in_channels", "out_channels", "in_featuremap_size")},
        "final_layer_kernel_size": head.take("final_layer_kernel_size", 1),
        "input_size": decoder["input_size"],
        "simcc_split_ratio": decoder["simcc_split_ratio"],
        **{key: attention.take(key) for key in sizes},
        "beta": term["beta"],
    }
    attention.end()
    if term["label_softmax"]:
        decoder = {**decoder, "label_beta": term["label_beta"]}
    return {"backbone": backbone_of(fields.node("backbone")), "head": ours, "losses": [term]}, decoder


_HEATMAPS = ("MSRAHeatmap", "UDPHeatmap")
_HEADS = {"HeatmapHead": _heatmaps, "CPMHead": _stage, "RegressionHead": _regression, "RTMCCHead": _rtmcc}


def _flip_test(fields: Fields, head: str, codec_type: str) -> str | None:
    """UDP's maps need no shift, which handkit knows of the codec; only heads of maps read `shift_heatmap`."""
    if not fields.take("flip_test", False):
        fields.drop("flip_mode", "shift_heatmap", "shift_coords")
        return None
    if head not in ("HeatmapHead", "CPMHead"):
        fields.drop("flip_mode", "shift_heatmap").expect(shift_coords=True)
        return "aligned" if head == "RegressionHead" else "mmpose"
    udp = codec_type == "UDPHeatmap"
    fields.expect(flip_mode="heatmap", shift_heatmap=not udp)
    return "aligned" if udp else "mmpose"
