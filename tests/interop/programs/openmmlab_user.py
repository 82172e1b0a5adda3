"""What `test_openmmlab.py` runs where mmpose, mmdet and mmcv are: it compares, and prints what it found as JSON.

python openmmlab_user.py FOLDER
"""

from __future__ import annotations

import json
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

with warnings.catch_warnings(record=True) as WARNED:
    warnings.simplefilter("always")
    import handkit.interop.openmmlab

import mmcv.ops
import mmdet
import mmpose
from mmdet.apis import inference_detector, init_detector
from mmengine.config import Config
from mmengine.registry import METRICS, MODELS, TRANSFORMS, init_default_scope
from mmpose.registry import KEYPOINT_CODECS

from handkit.errors import HandkitError
from handkit.registry import DETECTORS, build
from handkit.registry import MODELS as OURS
from handkit.registry.bundles import check_own
from handkit.registry.config import load_config
from handkit.registry.validate import validate

FOLDER = Path(sys.argv[1])
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "golden"))
import mmdet_rule
import rtmdet_rule

CONFIGS = Path(mmpose.__file__).parent / ".mim"
RNG = np.random.default_rng(0)
JOINTS = RNG.uniform(40, 200, (1, 21, 2)).astype(np.float32)
#: What a gated attention unit must be told.
OFF = {"dropout_rate": 0.0, "drop_path": 0.0, "act_fn": "SiLU", "use_rel_bias": False, "pos_enc": False}
SEEN = np.ones((1, 21), np.float32)


def shims() -> dict[str, Any]:
    boxes = torch.from_numpy(RNG.uniform(0, 50, (40, 4)).astype(np.float32))
    boxes[:, 2:] += boxes[:, :2]
    scores = torch.from_numpy(RNG.permutation(40) / 40).float()
    _, kept = mmcv.ops.nms(boxes, scores, 0.5)
    features = torch.arange(64.0).reshape(1, 1, 8, 8)
    regions = mmcv.ops.roi_align(features, torch.tensor([[0, 1.0, 2.0, 5.0, 6.0]]), (2, 2), 1.0, 0, "avg", True)
    return {
        "warned": [str(one.message) for one in WARNED if one.category.__name__ == "ShimWarning"],
        "torchvision": [name for name in sys.modules if name.startswith("torchvision")],
        "nms": [boxes.tolist(), scores.tolist(), kept.tolist()],
        "regions": regions.flatten().tolist(),
        "absent": told(lambda: mmcv.ops.DeformConv2d(1, 1, 3)(torch.zeros(1, 1, 8, 8), torch.zeros(1, 18, 6, 6))),
        "of": handkit.interop.openmmlab.__all__,
    }


def told(call: Any) -> str:
    """What a call that must fail says."""
    try:
        call()
    except (HandkitError, NotImplementedError) as error:
        return str(error)
    return "nothing"


def detector() -> dict[str, float]:
    """mmdet's own inference, and its network as the net of OneHandDetector, on one picture."""
    config = Config.fromfile(str(CONFIGS / "demo" / "mmdetection_cfg" / "rtmdet_nano_320-8xb32_hand.py"))
    config.model.test_cfg.score_thr = 0.05
    theirs = init_detector(config, None, device="cpu")
    shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    theirs.load_state_dict({key: torch.from_numpy(np.asarray(v)) for key, v in rtmdet_rule.state(shapes).items()})
    torch.save(theirs.state_dict(), FOLDER / "detector.pth")
    net = config.model.to_dict()
    for key in ("data_preprocessor", "_scope_"):
        net.pop(key, None)
    own = load_config("pipelines/hand_2d_keypoints_rtmdet_nano")["detector"]
    node = {**own, "net": {**net, "type": "mmdet.RTMDet"}, "checkpoint": str(FOLDER / "detector.pth")}
    image = np.ascontiguousarray(mmdet_rule.images()[0][..., ::-1])
    ours = build({**node, "score_threshold": 0.05, "nms_iou": 0.6}, DETECTORS)
    found = inference_detector(theirs, image).pred_instances
    answer = ours.detect([image[..., ::-1], np.zeros_like(image)])[0]
    count = len(answer)
    return {
        "count": count,
        "theirs": len(found),
        "spread": float(answer.boxes.std()),
        "boxes": float(np.abs(answer.boxes - found.bboxes.numpy()[:count]).max()),
        "scores": float(np.abs(answer.scores - found.scores.numpy()[:count]).max()),
    }


def other_detectors() -> dict[str, Any]:
    """One whose head mmdet never gives a loss, and one of two stages, whose regions are pooled by the stand-in."""
    files = {
        "SingleStageDetector": CONFIGS / "demo/mmdetection_cfg/ssdlite_mobilenetv2_scratch_600e_onehand.py",
        "FasterRCNN": Path(mmdet.__file__).parent / ".mim/configs/_base_/models/faster-rcnn_r50_fpn.py",
    }
    found = {}
    for name, file in files.items():
        node = Config.fromfile(str(file)).model.to_dict()
        for key in ("data_preprocessor", "_scope_"):
            node.pop(key, None)
        node["backbone"]["init_cfg"] = None
        if name == "FasterRCNN":
            found["classes"] = told(lambda node=node: built(node).predicting(0.01, 0.5, 5))
            node["roi_head"]["bbox_head"]["num_classes"] = 1
        with torch.inference_mode():
            images = torch.from_numpy(RNG.normal(0, 1, (2, 3, 96, 96)).astype(np.float32))
            made = built(node).predicting(0.01, 0.5, 5)(images)
        found[name] = {key: list(value.shape) for key, value in made.items()}
        found[name]["finite"] = all(bool(value.isfinite().all()) for value in made.values())
    return found


def built(node: dict[str, Any]) -> Any:
    """A detector of mmdet by handkit's registry."""
    return build({**node, "type": f"mmdet.{node['type']}"}, OURS).eval()


def estimator() -> dict[str, Any]:
    """mmpose's estimator, and its backbone and head in handkit's, with one state."""
    heads = {
        "HeatmapHead": {"deconv_out_channels": (8, 8), "deconv_kernel_sizes": (4, 4)},
        "RTMCCHead": {
            "input_size": (64, 64),
            "in_featuremap_size": (2, 2),
            "gau_cfg": {"hidden_dims": 24, "s": 10, "expansion_factor": 2, **OFF},
            "loss": {"type": "KLDiscretLoss", "beta": 10.0},
        },
    }
    made: dict[str, Any] = {}
    for name, arguments in heads.items():
        backbone, head = {"type": "ResNet", "depth": 18}, {"in_channels": 512, "out_channels": 21, **arguments}
        parts = {"backbone": backbone, "head": {"type": name, **head}}
        theirs = MODELS.build({"type": "mmpose.TopdownPoseEstimator", **parts}).eval()
        theirs.init_weights()
        ours = build(
            {
                "type": "TopDownEstimator",
                "backbone": {**backbone, "type": "mmpose.ResNet"},
                "head": {**head, "type": f"mmpose.{name}"},
            },
            OURS,
        )
        ours.load_state_dict(theirs.state_dict())
        images = torch.from_numpy(RNG.normal(0, 1, (2, 3, 64, 64)).astype(np.float32))
        with torch.inference_mode():
            expected, found = theirs(images, None, mode="tensor"), ours.eval()(images, "tensor")
            shares = ours(images)
        expected = expected if isinstance(expected, tuple) else (expected,)
        made[name] = {
            "outputs": list(found),
            "difference": max(float((a - b).abs().max()) for a, b in zip(found.values(), expected, strict=True)),
            "sum": float(next(iter(shares.values())).sum(-1).mean()),
        }
    return made


def codecs() -> dict[str, dict[str, float]]:
    """handkit's codecs built by mmpose's registry, beside mmpose's own."""
    size = {"input_size": (256, 256)}
    maps = {**size, "heatmap_size": (64, 64)}
    pairs = {
        "GaussianHeatmap": (
            {**maps, "max_offset": None},
            {"type": "MSRAHeatmap", **maps, "sigma": 2, "unbiased": True},
        ),
        "UDPHeatmap": ({**maps, "max_offset": None}, {"type": "UDPHeatmap", **maps, "sigma": 2}),
        "SimCC": ({**size, "unbiased": False}, {"type": "SimCCLabel", **size}),
        "Regression": (size, {"type": "RegressionLabel", **size}),
    }
    found = {}
    for name, (ours, theirs) in pairs.items():
        one, other = KEYPOINT_CODECS.build({"type": f"handkit.{name}", **ours}), KEYPOINT_CODECS.build(theirs)
        made, expected = one.encode(JOINTS, SEEN), other.encode(JOINTS, SEEN)
        labels = [value for key, value in expected.items() if key != "keypoint_weights"]
        answers = [1000 * value[0] for value in labels] if name == "SimCC" else labels
        joints, scores = one.decode(*answers)
        batch, _ = one.batch_decode(*(torch.from_numpy(np.stack([value, value])) for value in answers))
        tables = ("label_mapping_table", "field_mapping_table")
        found[name] = {
            "targets": max(float(np.abs(made[key] - expected[key]).max()) for key in expected),
            "shapes": float(all(made[key].shape == expected[key].shape for key in expected)),
            "tables": float(set(made) == set(expected) and all(getattr(one, t) == getattr(other, t) for t in tables)),
            "joints": float(np.abs(joints - other.decode(*answers)[0]).max()),
            "batch": float(np.abs(np.stack(batch) - joints).max()) + abs(len(batch) - 2),
            "score": float(scores.min()),
        }
    return found


def metrics() -> dict[str, float]:
    """handkit's metrics and mmpose's on the same rows, from mmengine's own registry."""
    rows = []
    for _ in range(6):
        joints = RNG.uniform(0, 100, (1, 21, 2))
        labelled = {"keypoints": joints, "bboxes": np.array([[0.0, 0.0, 90.0, 100.0]])}
        labelled["keypoints_visible"] = (RNG.uniform(size=(1, 21)) > 0.3).astype(float)
        guess = {"keypoints": joints + RNG.normal(0, 14, joints.shape), "keypoint_scores": SEEN}
        rows.append({"gt_instances": labelled, "pred_instances": guess})
    numbers: dict[str, float] = {}
    for node in (
        {"type": "PCKAccuracy", "thr": 0.2},
        "AUC",
        "EPE",
        *(f"handkit.{n}" for n in ("PCK", "AUC", "EPE", "NME")),
    ):
        metric = METRICS.build(node if isinstance(node, dict) else {"type": node})
        metric.process({}, rows)
        numbers |= {key: float(value) for key, value in metric.evaluate(len(rows)).items()}
    return numbers


def transforms() -> dict[str, Any]:
    """Theirs in handkit's list and handkit's in theirs: colours in their order, draws from the sample."""
    image = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    step = build({"type": "mmdet.YOLOXHSVRandomAug"})
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    drawn = [
        s({"img": image, "rng": np.random.default_rng(3)})["img"] for s in (step, pickle.loads(pickle.dumps(step)))
    ]
    grey = build(
        {"type": "mmcv.RandomGrayscale", "prob": 1.0, "keep_channels": True, "channel_weights": (0.0, 0.0, 1.0)}
    )
    reds = grey({"img": image, "rng": np.random.default_rng(3)})["img"]
    ours = TRANSFORMS.build({"type": "handkit.RandomPhotometric", "prob": 1.0})
    results = ours({"img": image, "keypoints": JOINTS})
    return {
        "same": bool((drawn[0] == drawn[1]).all()),
        "changed": bool((drawn[0] != image).any()),
        "state_kept": np.random.get_state()[1].tolist() == before,  # noqa: NPY002
        "red_is_last_of_bgr": bool((reds == image[..., :1]).all()),
        "ours_changed": bool((results["img"] != image).any()),
        "ours_kept": results["keypoints"] is JOINTS and results["img"].dtype == np.uint8,
        "backbone": type(MODELS.build({"type": "handkit.ResNet", "depth": 18})).__module__,
    }


def names() -> dict[str, list[str]]:
    """What mmpose's registries know of handkit."""
    from mmpose import registry

    kinds = {"codecs": KEYPOINT_CODECS, "metrics": registry.METRICS, "transforms": registry.TRANSFORMS}
    return {kind: list(parent.children["handkit"].module_dict) for kind, parent in kinds.items()}


def refusals() -> dict[str, str]:
    resnet = {"type": "mmpose.ResNet", "depth": 18}
    sample = {"img": np.zeros((8, 8, 3), np.uint8), "rng": np.random.default_rng(0)}
    nodes: dict[str, Any] = {
        "typo": {"type": "mmpose.ResNt"},
        "argument": {"type": "mmpose.ResNet", "dept": 18},
        "value": {"type": "mmpose.ResNet", "depth": 19},
        "path": {**resnet, "norm_cfg": {"type": "os.system", "command": "false"}},
        "pretrained": {**resnet, "init_cfg": {"type": "Pretrained", "checkpoint": "https://example.org/a.pth"}},
        "codec": {"type": "mmpose.MSRAHeatmap"},
        "head": {"type": "mmpose.CPMHead"},
        "loss": {"type": "mmpose.KeypointMSELoss"},
    }
    found = {name: told(lambda node=node: build(node)) for name, node in nodes.items()}
    found["validate"] = told(
        lambda: validate(
            {"model": nodes["path"], "task": "x", "detector": {"type": "FullImage"}, "test_transforms": []}
        )
    )
    found["detector"] = told(lambda: build({"type": "mmdet.RTMDet"}, DETECTORS, "detector"))
    found["flip"] = told(lambda: build({"type": "mmcv.RandomFlip", "prob": 0.5})(sample))
    found["affine"] = told(lambda: build({"type": "mmpose.TopdownAffine", "input_size": (4, 4)})(sample))
    found["bundle"] = told(lambda: check_own({"model": [resnet]}, "b"))
    found["ours"] = told(lambda: TRANSFORMS.build({"type": "handkit.TopDownAffine"}))
    return found


def main() -> None:
    found = {}
    for part in (shims, detector, other_detectors, estimator, codecs, metrics, transforms, names, refusals):
        init_default_scope("mmpose")
        found[part.__name__] = part()
    (FOLDER / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
