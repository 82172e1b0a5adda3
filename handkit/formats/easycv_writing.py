"""The config of a handkit pipeline -> ``configuration.json`` and ``detection/config.py`` in EasyCV's terms.

The reverse of `handkit.formats.modelscope`, for networks that EasyCV has. It takes nodes with all of their arguments.
"""

from __future__ import annotations

import pprint
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from handkit.formats.fields import Fields
from handkit.formats.modelscope import JOINTS
from handkit.formats.schedules import Node

_fields = partial(Fields, target="EasyCV")
DETECTOR_WEIGHTS = "detection/detection_model.pth"
DETECTOR_CONFIG = "detection/config.py"


def sections(config: Mapping[str, Any], where: str = "config") -> Node:
    """The sections of configuration.json that say how to run the pipeline.

    Raises:
        ConfigError: EasyCV has no counterpart of a part.
    """
    _fields(config, where).expect(
        task="hand_2d_keypoints", retry_detector=None, presence_threshold=None, pose_nms=None, second_look=False
    )
    model = _fields(config["model"], f"{where}.model").expect(type="TopDownEstimator", aux_heads=(), losses=())
    backbone = _hrnet(model.node("backbone"))
    head = model.node("head").expect(type="HRNetV2Head", out_channels=JOINTS, softmax=False)
    channels = list(head.take("in_channels"))
    codec = _fields(config["codec"], f"{where}.codec").expect(type="GaussianHeatmap", probabilities=False, blur=0.0)
    sizes = {"image_size": list(codec.take("input_size")), "heatmap_size": list(codec.take("heatmap_size"))}
    data_cfg = {**sizes, "num_output_channels": JOINTS, "num_joints": JOINTS}
    kernel, dark, sigma = codec.take("kernel"), codec.take("dark"), codec.take("sigma")
    test_cfg = {
        "flip_test": config.get("flip_test") is not None,
        "post_process": "unbiased" if dark else "default",
        "shift_heatmap": True,
        "modulate_kernel": 11 if kernel is None else kernel,
    }
    steps = _steps(config["test_transforms"], f"{where}.test_transforms")
    for part in (head, model, codec.drop("unbiased", "max_offset")):
        part.end()
    return {
        "model": {
            "type": "HRNet-Hand2D-Keypoints",
            "pretrained": False,
            "backbone": backbone,
            "keypoint_head": _head(channels),
            "train_cfg": {},
            "test_cfg": test_cfg,
            "__easycv_arch__": {"type": "TopDown"},
        },
        "dataset": {
            "train": {"pipeline": [{"type": "TopDownGenerateTarget", "sigma": sigma}]},
            "val": {"data_source": {"data_cfg": data_cfg}, "pipeline": steps},
        },
        "pipeline": {"predictor_config": {"type": "HandKeypointsPredictor"}},
        "DETECTION": {
            "type": "DetectionPredictor",
            "model_path": DETECTOR_WEIGHTS,
            "config_file": DETECTOR_CONFIG,
            "score_threshold": config.get("box_threshold", config["detector"]["score_threshold"]),
        },
    }


def detector_text(node: Mapping[str, Any], where: str = "detector") -> str:
    """The text of the detector's config, with literals only.

    Raises:
        ConfigError: EasyCV has no counterpart of a part.
    """
    fields = (
        _fields(node, where)
        .expect(type="OneHandDetector", pad_value=None, tile=None)
        .drop("checkpoint", "runtime", "score_threshold", "tile_from")
    )
    net = fields.node("net").expect(type="SSDLite").drop("selection", "assigner", "loss")
    nms, most = fields.take("nms_iou"), fields.take("max_detections")
    model = {
        "type": "SingleStageDetector",
        "backbone": _mobilenet(net.node("backbone")),
        "neck": _neck(net.node("neck")),
        "bbox_head": _bbox_head(net.node("bbox_head")),
        "test_cfg": {
            "nms_pre": 1000,
            "nms": {"type": "nms", "iou_threshold": nms},
            "min_bbox_size": 0,
            "score_thr": 0.02,
            "max_per_img": most,
        },
        "train_cfg": _TRAINING,
    }
    size = list(fields.take("input_size"))
    normalise = _normalise(fields.take("transforms"), f"{where}.transforms")
    transforms = [
        {"type": "MMResize", "keep_ratio": False},
        {"type": "MMNormalize", **{key: [255 * v for v in value] for key, value in normalise.items()}, "to_rgb": True},
        {"type": "ImageToTensor", "keys": ["img"]},
        {"type": "Collect", "keys": ["img"]},
    ]
    wrapper = {"type": "MMMultiScaleFlipAug", "img_scale": size, "flip": False, "transforms": transforms}
    names = {"SingleStageDetector": "model", "MobileNetV2": "backbone", "SSDNeck": "neck", "SSDHead": "head"}
    modules = [{"type": "mmdet", "name": name, "module": module} for name, module in names.items()]
    for part in (net, fields):
        part.end()
    values = {"model": model, "classes": ("hand",), "test_pipeline": [wrapper], "mmlab_modules": modules}
    return (
        "\n".join(f"{key} = {pprint.pformat(value, width=110, sort_dicts=False)}" for key, value in values.items())
        + "\n"
    )


_TRAINING: Node = {
    "assigner": {
        "type": "MaxIoUAssigner",
        "pos_iou_thr": 0.5,
        "neg_iou_thr": 0.5,
        "min_pos_iou": 0.0,
        "ignore_iof_thr": -1,
        "gt_max_assign_all": False,
    },
    "smoothl1_beta": 1.0,
    "allowed_border": -1,
    "pos_weight": -1,
    "neg_pos_ratio": 3,
    "debug": False,
}


def _hrnet(fields: Fields) -> Node:
    fields.expect(type="HRNet", multiscale_output=True)
    width, blocks, modules = fields.take("width"), fields.take("num_blocks"), fields.take("num_modules")
    stages = {
        "stage1": {
            "num_modules": 1,
            "num_branches": 1,
            "block": "BOTTLENECK",
            "num_blocks": [blocks[0]],
            "num_channels": [fields.take("stage1_channels")],
        }
    }
    for branches, count, depth in zip((2, 3, 4), modules, blocks[1:], strict=True):
        stages[f"stage{branches}"] = {
            "num_modules": count,
            "num_branches": branches,
            "block": "BASIC",
            "num_blocks": [depth] * branches,
            "num_channels": [width << branch for branch in range(branches)],
        }
    stages["stage4"]["multiscale_output"] = True
    upsample = {"mode": fields.take("upsample"), "align_corners": fields.take("align_corners")}
    made = {"type": "HRNet", "in_channels": fields.take("in_channels"), "extra": {**stages, "upsample": upsample}}
    fields.end()
    return made


def _head(channels: Sequence[int]) -> Node:
    return {
        "type": "TopdownHeatmapSimpleHead",
        "in_channels": list(channels),
        "in_index": [0, 1, 2, 3],
        "input_transform": "resize_concat",
        "out_channels": JOINTS,
        "num_deconv_layers": 0,
        "extra": {"final_conv_kernel": 1, "num_conv_layers": 1, "num_conv_kernels": [1]},
        "loss_keypoint": {"type": "JointsMSELoss", "use_target_weight": True},
    }


def _steps(nodes: Sequence[Any], where: str) -> list[Node]:
    """The one list that EasyCV's networks for hands are tested with."""
    fields = [_fields(node, f"{where}.{index}") for index, node in enumerate(nodes)]
    kinds = ("LoadImage", "TopDownAffine", "MMToTensor", "NormalizeTensor", "PoseCollect")
    for part, kind in zip(fields, kinds, strict=False):
        part.expect(type=kind)
    _fields({"steps": len(fields)}, where).expect(steps=len(kinds))
    fields[1].expect(padding=1.25, use_udp=False, border="constant")
    return [
        {"type": "TopDownAffine"},
        {"type": "MMToTensor"},
        {"type": "NormalizeTensor", **{key: list(fields[3].take(key)) for key in ("mean", "std")}},
        {
            "type": "PoseCollect",
            "keys": ["img"],
            "meta_keys": ["image_file", "image_id", "center", "scale", "rotation"],
        },
    ]


def _normalise(nodes: Sequence[Any], where: str) -> Node:
    first, second = (_fields(node, f"{where}.{index}") for index, node in enumerate(nodes))
    first.expect(type="MMToTensor")
    second.expect(type="NormalizeTensor")
    return {key: list(second.take(key)) for key in ("mean", "std")}


def _norm(fields: Fields) -> Node:
    made = {"norm_cfg": {"type": "BN", "eps": fields.take("bn_eps"), "momentum": fields.take("bn_momentum")}}
    fields.drop("init_std").end()
    return made


def _mobilenet(fields: Fields) -> Node:
    fields.expect(type="MobileNetV2", output_stride=32)
    made = {"widen_factor": fields.take("widen_factor"), "out_indices": list(fields.take("out_indices"))}
    return {"type": "MobileNetV2", **made, **_norm(fields)}


def _neck(fields: Fields) -> Node:
    fields.expect(type="SSDNeck")
    keys = ("in_channels", "out_channels", "level_strides", "level_paddings")
    made = {key: list(fields.take(key)) for key in keys}
    rest = {"l2_norm_scale": None, "use_depthwise": True, "act_cfg": {"type": "ReLU6"}}
    return {"type": "SSDNeck", **made, **rest, **_norm(fields)}


def _bbox_head(fields: Fields) -> Node:
    anchors = fields.expect(type="SSDHead").node("anchors").expect(type="SSDAnchors")
    sizes = {key: [_listed(v) for v in anchors.take(key)] for key in ("strides", "ratios", "min_sizes", "max_sizes")}
    anchors.end()
    return {
        "type": "SSDHead",
        "in_channels": list(fields.take("in_channels")),
        "num_classes": 1,
        "use_depthwise": True,
        "act_cfg": {"type": "ReLU6"},
        "anchor_generator": {"type": "SSDAnchorGenerator", "scale_major": False, **sizes},
        "bbox_coder": {
            "type": "DeltaXYWHBBoxCoder",
            "target_means": [0.0] * 4,
            "target_stds": list(fields.take("target_stds")),
        },
        **_norm(fields),
    }


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value
