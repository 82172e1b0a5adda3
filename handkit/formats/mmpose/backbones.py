"""mmpose's backbones -> handkit's."""

from __future__ import annotations

from typing import Any

from handkit.errors import ConfigError
from handkit.formats.fields import Fields, plain
from handkit.formats.schedules import Node

_NORM = {"type": "BN"}


def plain_backbone(fields: Fields) -> Node:
    """A backbone whose last map its head reads.

    Raises:
        ConfigError: a type, or a setting of one, without a counterpart.
    """
    kind = fields.drop("init_cfg").kind(*_BACKBONES)
    made = {"type": kind, **_BACKBONES[kind](fields)}
    fields.end()
    return made


def _resnet(fields: Fields) -> Node:
    fields.expect(num_stages=4)
    fields.expect(norm_cfg=_NORM, style="pytorch", deep_stem=False, avg_down=False, frozen_stages=-1, norm_eval=False)
    defaults = {"in_channels": 3, "out_indices": (3,), "zero_init_residual": True}
    return {"depth": fields.take("depth"), **{key: fields.take(key, value) for key, value in defaults.items()}}


def _hourglass(fields: Fields) -> Node:
    fields.expect(norm_cfg={"type": "BN", "requires_grad": True})
    defaults = {
        "num_stacks": 2,
        "downsample_times": 5,
        "stage_channels": (256, 256, 384, 384, 384, 512),
        "stage_blocks": (2, 2, 2, 2, 2, 4),
        "feat_channel": 256,
    }
    return {key: fields.take(key, value) for key, value in defaults.items()}


def _mobilenet_v2(fields: Fields) -> Node:
    fields.expect(norm_cfg=_NORM, act_cfg={"type": "ReLU6"}, frozen_stages=-1, norm_eval=False)
    return {"widen_factor": fields.take("widen_factor", 1.0), "out_indices": fields.take("out_indices", (7,))}


def _litehrnet(fields: Fields) -> Node:
    fields.expect(norm_cfg=_NORM)
    extra = fields.node("extra").expect(num_stages=3, with_head=True)
    extra.expect(stem={"stem_channels": 32, "out_channels": 32, "expand_ratio": 1})
    stages = extra.node("stages_spec").expect(
        num_branches=(2, 3, 4), module_type=("LITE",) * 3, with_fuse=(True, True, True)
    )
    modules, channels = stages.take("num_modules"), plain(stages.take("num_channels"))
    width = channels[0][0]
    if channels != [[width << branch for branch in range(count)] for count in (2, 3, 4)]:
        raise ConfigError(f"{stages.where}: num_channels={channels} has no counterpart, only {width} and its doubles")
    made = {
        "num_modules": modules,
        "width": width,
        "num_blocks": _same(stages, "num_blocks"),
        "reduce_ratio": _same(stages, "reduce_ratios"),
        "in_channels": fields.take("in_channels", 3),
    }
    for part in (stages, extra):
        part.end()
    return made


def _same(fields: Fields, key: str) -> Any:
    """The value that all stages share."""
    first, *others = values = fields.take(key)
    if any(other != first for other in others):
        raise ConfigError(f"{fields.where}: {key}={values!r} has no counterpart, only one number for all stages")
    return first


def _cspnext(fields: Fields) -> Node:
    """Norms over all processes (SyncBN) are those of one process where there is only one."""
    fields.drop("_scope_").expect(arch="P5", act_cfg={"type": "SiLU"})
    norm = fields.node("norm_cfg", {"type": "BN"})
    norm.kind("BN", "SyncBN")
    made = {"bn_eps": norm.take("eps", 1e-5), "bn_momentum": norm.take("momentum", 0.1)}
    norm.end()
    defaults = {"deepen_factor": 1.0, "widen_factor": 1.0, "expand_ratio": 0.5, "channel_attention": True}
    return {
        **{key: fields.take(key, value) for key, value in defaults.items()},
        "out_indices": fields.take("out_indices"),
        **made,
    }


_BACKBONES = {
    "ResNet": _resnet,
    "SCNet": _resnet,
    "HourglassNet": _hourglass,
    "MobileNetV2": _mobilenet_v2,
    "LiteHRNet": _litehrnet,
    "CSPNeXt": _cspnext,
}


def hrnet(fields: Fields) -> tuple[Node, list[int]]:
    """HRNet's node, and the channels of its four outputs.

    Raises:
        ConfigError: a setting without a counterpart.
    """
    fields.expect(type="HRNet", norm_cfg=_NORM).drop("init_cfg")
    extra = fields.node("extra")
    upsample = extra.node("upsample", {})
    mode, corners = upsample.take("mode", "nearest"), upsample.take("align_corners", False)
    upsample.end()
    stages = [extra.node(f"stage{number}") for number in (1, 2, 3, 4)]
    modules, blocks, channels = [], [], []
    for branches, stage in enumerate(stages, 1):
        stage.expect(block="BOTTLENECK" if branches == 1 else "BASIC", num_branches=branches)
        modules.append(stage.take("num_modules"))
        channels.append(plain(stage.take("num_channels")))
        per_branch = stage.take("num_blocks")
        stage.expect(multiscale_output=True) if branches == 4 else None
        stage.end()
        blocks.append(per_branch[0])
        if list(per_branch) != [per_branch[0]] * branches:
            raise ConfigError(f"{stage.where}: num_blocks={per_branch} has no counterpart, only one number per stage")
    extra.end()
    width = channels[1][0]
    for branches, (stage, given) in enumerate(zip(stages[1:], channels[1:], strict=True), 2):
        if given != [width << branch for branch in range(branches)]:
            raise ConfigError(f"{stage.where}: num_channels={given} has no counterpart, only {width} and its doubles")
    node = {
        "type": "HRNet",
        "width": width,
        "num_modules": modules[1:],
        "num_blocks": blocks,
        "stage1_channels": channels[0][0],
        "in_channels": fields.take("in_channels", 3),
        "upsample": mode,
        "align_corners": corners,
    }
    fields.end()
    return node, channels[3]
