"""Crops, codec, head and losses that do not fit each other are refused before anything is built."""

from __future__ import annotations

from typing import Any

import pytest

from handkit.errors import ConfigError
from handkit.registry.config import load_config
from handkit.registry.pairing import tells_space
from handkit.registry.validate import validate

SIMCC = dict(type="SimCC", input_size=(256, 256), sigma=5.66, normalize=False, label_beta=10.0)
KL = dict(type="KLDiscretLoss", beta=10.0, label_softmax=True)
UDP = dict(type="UDPHeatmap", input_size=(256, 256))
PARTS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "udp": (UDP, dict(type="HeatmapHead"), dict(type="KeypointMSELoss"), ("heatmaps", "target_weight")),
    "simcc": (SIMCC, dict(type="RTMCCHead"), KL, ("simcc_x", "simcc_y", "target_weight")),
    "regression": (
        dict(type="Regression", input_size=(256, 256)),
        dict(type="RegressionHead"),
        dict(type="SmoothL1Loss"),
        ("coordinates", "target_weight"),
    ),
    "offsets": (
        dict(type="OffsetHeatmap", input_size=(257, 257), output_stride=32),
        dict(type="OffsetHead"),
        dict(type="OffsetLoss"),
        ("heatmaps", "offsets", "target_weight"),
    ),
}


def config(
    name: str, codec: Any = None, head: Any = None, loss: Any = None, keys: Any = None, udp: bool | None = None
) -> dict[str, Any]:
    """A training and testing config of the parts of that name, with changes to them."""
    own = PARTS[name]
    codec, head, loss = ({**part, **(more or {})} for part, more in zip(own[:3], (codec, head, loss), strict=True))
    udp = codec["type"] in ("UDPHeatmap", "OffsetHeatmap") if udp is None else udp
    steps = [
        dict(type="LoadImage"),
        dict(type="TopDownAffine", input_size=codec["input_size"], **({"use_udp": True} if udp else {})),
        dict(type="MMToTensor"),
    ]
    collect = dict(type="PoseCollect", keys=("img", *(own[3] if keys is None else keys)))
    return {
        "task": "hand_2d_keypoints",
        "model": dict(type="TopDownEstimator", backbone=dict(type="HRNet"), head=head, losses=[loss]),
        "codec": codec,
        "train_dataset": dict(type="CocoHands", ann_file="train.json"),
        "train_transforms": [*steps, dict(type="TopDownGenerateTarget", codec=codec), collect],
        "test_transforms": [*steps, dict(type="PoseCollect")],
        "optimizer": dict(type="AdamW"),
        "batch_size": 2,
        "max_epochs": 1,
    }


@pytest.mark.parametrize("name", PARTS)
def test_parts_that_belong_together_pass(name: str) -> None:
    assert validate(config(name), use="training") > 5


@pytest.mark.parametrize("name", ["simcc", "regression"])
def test_codecs_without_corners_take_either_crop(name: str) -> None:
    assert validate(config(name, udp=True), use="training") > 5


@pytest.mark.parametrize("where", ["train_transforms", "test_transforms"])
def test_udp_maps_need_udp_crops(where: str) -> None:
    made = config("udp")
    made[where] = [{key: value for key, value in step.items() if key != "use_udp"} for step in made[where]]
    with pytest.raises(ConfigError, match=rf"{where}\.1: UDPHeatmap \(codec\) .* add use_udp=True, or take"):
        validate(made, use="training")
    made[where][1]["use_udp"] = False
    with pytest.raises(ConfigError, match="add use_udp=True"):
        validate(made, use="training")


def test_udp_targets_alone_need_udp_crops_too() -> None:
    made = {key: value for key, value in config("udp", udp=False).items() if key not in ("codec", "test_transforms")}
    with pytest.raises(ConfigError, match=r"train_transforms\.1: UDPHeatmap \(train_transforms\.3\.codec\)"):
        validate(made, use="training")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (
            "udp",
            dict(head=dict(type="RegressionHead")),
            r"codec: UDPHeatmap reads \['heatmaps'\], but .*RegressionHead",
        ),
        ("udp", dict(codec=dict(probabilities=True)), "softmax=False, but codec has probabilities=True"),
        ("udp", dict(head=dict(softmax=True)), "softmax=True, but codec has probabilities=False"),
        (
            "simcc",
            dict(head=dict(type="HeatmapHead")),
            r"SimCC reads \['simcc_x', 'simcc_y'\], but model.head, HeatmapHead",
        ),
        ("simcc", dict(head=dict(input_size=(256, 192))), r"model\.head has input_size=\(256, 192\), but codec has"),
        (
            "simcc",
            dict(head=dict(simcc_split_ratio=3.0)),
            "has simcc_split_ratio=3.0, but codec has simcc_split_ratio=2.0",
        ),
        ("simcc", dict(loss=dict(label_beta=5.0)), "codec has label_beta=10.0, but .* so write label_beta=5.0"),
        ("simcc", dict(codec=dict(label_beta=None)), "codec has label_beta=None, but .* so write label_beta=10.0"),
        ("simcc", dict(loss=dict(label_softmax=False)), "so write label_beta=None"),
        ("simcc", dict(loss=dict(beta=1.0)), "KLDiscretLoss has beta=1.0, but RTMCCHead has beta=10.0"),
        ("simcc", dict(head=dict(beta=2.0)), "KLDiscretLoss has beta=10.0, but RTMCCHead has beta=2.0"),
        (
            "regression",
            dict(loss=dict(type="KeypointMSELoss")),
            r"model\.losses\.0: KeypointMSELoss judges 'heatmaps', but the heads give \['coordinates'\]",
        ),
        (
            "simcc",
            dict(keys=("simcc_x",)),
            r"train_transforms\.4: PoseCollect must name \['simcc_y', 'target_weight'\], which KLDiscretLoss",
        ),
    ],
)
def test_what_does_not_fit_is_named(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validate(config(name, **changes), use="training")


def test_targets_that_no_codec_makes_are_named() -> None:
    made = config("regression")
    made["codec"] = None
    made["train_transforms"][3] = dict(type="TopDownGenerateTarget", codec=dict(type="GaussianHeatmap"))
    made["model"]["head"] = dict(type="HRNetV2Head")
    made["model"]["losses"] = [dict(type="KeypointMSELoss"), dict(type="PresenceLoss")]
    made["model"]["aux_heads"] = [dict(type="PresenceHead")]
    made["train_transforms"][4]["keys"] = ("img", "heatmaps", "target_weight")
    del made["test_transforms"]
    with pytest.raises(ConfigError, match=r"PoseCollect must name \['hand'\], which PresenceLoss \(model\.losses\.1\)"):
        validate(made, use="training")
    made["train_transforms"][3] = dict(type="TopDownGenerateTarget", codec=UDP)
    made["train_transforms"][1]["use_udp"] = True
    made["model"]["head"] = dict(type="HeatmapHead")
    made["model"]["losses"] = [dict(type="KeypointMSELoss")]
    made["train_transforms"][4]["keys"] = ("img",)
    with pytest.raises(ConfigError, match=r"PoseCollect must name \['heatmaps', 'target_weight'\]"):
        validate(made, use="training")


def test_a_codec_of_another_stride_than_the_backbones_is_refused() -> None:
    made = config("offsets")
    made["model"]["backbone"] = dict(type="MobileNetV2", output_stride=32)
    assert validate(made, use="training") > 5
    del made["model"]["backbone"]["output_stride"]
    assert validate(made, use="training") > 5  # 32 is its default
    made["model"]["backbone"]["output_stride"] = 16
    with pytest.raises(ConfigError, match=r"model\.backbone has output_stride=16, but codec has output_stride=32"):
        validate(made, use="training")


BOTH = ("codec.type", "train_transforms.9.codec.type")
MULTIHAND = "hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model.type": "TopDownEstimator"}, "model: TopDownEstimator does not go with codec=HandOffsets"),
        (
            {"train_transforms.9.type": "TopDownGenerateTarget"},
            r"train_transforms\.9: TopDownGenerateTarget does not go",
        ),
        (
            dict.fromkeys(BOTH, "OffsetHeatmap"),
            "model: BottomUpEstimator does not go with codec=OffsetHeatmap.*one hand per",
        ),
        ({"test_transforms.1.type": "Resize"}, "test_transforms: without BottomUpResize nobody knows where"),
        (
            {"test_transforms.1.input_size": (257, 257)},
            r"crops of \(257, 257\) do not fit codec.input_size \(321, 321\)",
        ),
        ({"train_transforms.10.keys": ["img", "heatmaps"]}, r"PoseCollect must name \['heatmap_mask', 'offsets'"),
        ({"presence_threshold": 0.5}, "presence_threshold: HandOffsets finds all hands of an image without a detector"),
        ({"detector": {"type": "FullImage"}}, "detector: HandOffsets finds all hands .*leave 'detector' out"),
        ({"model.backbone.output_stride": 8}, "backbone has output_stride=8, but codec has output_stride=16"),
    ],
)
def test_parts_of_crops_and_of_whole_images_are_told_apart(options: dict[str, Any], message: str) -> None:
    assert validate(load_config(MULTIHAND), use="pipeline") > 10
    with pytest.raises(ConfigError, match=message):
        validate(load_config(MULTIHAND, options))


def test_a_custom_key_of_the_shipped_configs_still_passes() -> None:
    for name in ("hrnetv2_w18_dark_tiny", "hrnetv2_w18_dark_coco-wholebody-hand_256x256"):
        assert validate(load_config(f"hand_2d_keypoints/{name}"), use="training") > 10


def test_which_configs_tell_joints_in_space() -> None:
    for name, told in (
        ("hand_3d_keypoints/hrnetv2_w18_lifting_handsynth_192x192", True),
        ("hand_3d_keypoints/poseprior_handsynth_256x256", True),
        ("pipelines/hand_2d_keypoints_mediapipe", True),
        ("hand_2d_keypoints/hrnetv2_w18_onehand10k_256x256", False),
        ("hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321", False),
        ("pipelines/hand_detection_mediapipe", False),
    ):
        assert tells_space(load_config(name)) is told, name
    lifting = load_config("hand_3d_keypoints/hrnetv2_w18_lifting_handsynth_192x192")
    assert tells_space({**lifting, "model": dict(type="FlipTest", model=lifting["model"])})
    assert tells_space({"model": dict(type="GestureMLP")}) is None  # its class does not say
