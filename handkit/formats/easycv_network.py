"""EasyCV's top-down networks for hands, and the steps before them, -> handkit's parts of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handkit.errors import ConfigError
from handkit.formats.easycv.network import parts
from handkit.formats.fields import Fields
from handkit.formats.schedules import Node

#: EasyCV enlarges every box by it, in its data sets and its predictor.
PADDING = 1.25


def network(fields: Fields) -> tuple[Node, Fields]:
    """The node of a `TopDownEstimator` without losses, and the fields of `test_cfg`, which are left to be read.

    Args:
        fields: EasyCV's `model` without its type.

    Raises:
        ConfigError: a part without a counterpart.
    """
    fields.drop("pretrained").expect(neck=None, loss_pose=None, train_cfg={})
    head = fields.node("keypoint_head").expect(type="TopdownHeatmapSimpleHead", align_corners=False)
    head.expect(loss_keypoint={"type": "JointsMSELoss", "use_target_weight": True})
    made = parts(fields, head)
    test = fields.node("test_cfg", {})
    for part in (head, fields):
        part.end()
    return {"type": "TopDownEstimator", **made}, test


def decoder(test: Fields, input_size: Any, heatmap_size: Any, sigma: float) -> tuple[Node, str | None]:
    """The codec, and `flip_test`.

    DARK's steps are bounded, and mirrored maps are laid on each other without the half pixel that `shift_heatmap`
    leaves between them: nothing but joints is read off the maps, so that both only make them better.

    Args:
        test: fields of `test_cfg`.
        input_size: (width, height) in pixels.
        heatmap_size: (width, height) in cells.
        sigma: of the targets that the network learnt, in cells.

    Raises:
        ConfigError: a setting without a counterpart.
    """
    flip = "aligned" if test.take("flip_test", True) else None
    test.drop("shift_heatmap").expect(use_udp=False, target_type="GaussianHeatmap")
    method, kernel = test.take("post_process", "default"), test.take("modulate_kernel", 11)
    if method not in ("default", "unbiased"):
        raise ConfigError(f"{test.where}: post_process={method!r} has no counterpart, only 'default' and 'unbiased'")
    test.end()
    dark = {"dark": True, "kernel": kernel, "max_offset": 1.0} if method == "unbiased" else {"dark": False}
    sizes = {"input_size": input_size, "heatmap_size": heatmap_size}
    return {"type": "GaussianHeatmap", **sizes, "sigma": float(sigma), "unbiased": False, **dark}, flip


def test_steps(nodes: Sequence[Any], input_size: Any, where: str) -> list[Node]:
    """EasyCV's steps of testing -> `test_transforms`.

    Raises:
        ConfigError: another step, or another order.
    """
    kinds, normalise = [], {}
    for index, node in enumerate(nodes):
        fields = Fields(node, f"{where}.{index}")
        kind = fields.kind("TopDownAffine", "MMToTensor", "NormalizeTensor", "PoseCollect")
        if kind == "NormalizeTensor":
            normalise = {key: fields.take(key) for key in ("mean", "std")}
        fields.expect(use_udp=False) if kind == "TopDownAffine" else None
        fields.drop("keys", "meta_keys").end()
        kinds.append(kind)
    if kinds != ["TopDownAffine", "MMToTensor", "NormalizeTensor", "PoseCollect"]:
        raise ConfigError(
            f"{where}: expected TopDownAffine, MMToTensor, NormalizeTensor, PoseCollect, got {', '.join(kinds) or None}"
        )
    return [
        {"type": "LoadImage"},
        {"type": "TopDownAffine", "input_size": input_size, "padding": PADDING},
        {"type": "MMToTensor"},
        {"type": "NormalizeTensor", **normalise},
        {"type": "PoseCollect", "keys": ["img"]},
    ]
