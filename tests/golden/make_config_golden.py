"""Makes published_configs.json: what mmengine reads in the configs that mmpose published for hands.

    python tests/golden/make_config_golden.py MIM_1 MIM_0

MIM_1 and MIM_0 are the folders ``mmpose/.mim`` of the wheels mmpose 1.3.2 and 0.29.0. The detector's training is stated
in 0.29.0 only; 1.3.2 repeats its network, optimizer, schedule and test. Tuples become lists, and the keys of hooks and
logging are left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mmengine.config import Config

HERE = Path(__file__).resolve().parent
DETECTOR = "demo/mmdetection_cfg/ssdlite_mobilenetv2_scratch_600e_onehand.py"
HANDS = "configs/hand_2d_keypoint"
MAPS = f"{HANDS}/topdown_heatmap"
_COCO = f"{MAPS}/coco_wholebody_hand/td-hm_{{}}8xb32-210e_coco-wholebody-hand-256x256.py"
_ONEHAND = f"{MAPS}/onehand10k/td-hm_{{}}8xb64-210e_onehand10k-256x256.py"
_RHD = f"{MAPS}/rhd2d/td-hm_{{}}8xb64-210e_rhd2d-256x256.py"
FILES = {
    "hrnet": _COCO.format("hrnetv2-w18_dark-"),
    "detector": DETECTOR,
    "detector_training": DETECTOR,
    "coco_hrnet": _COCO.format("hrnetv2-w18_"),
    "coco_litehrnet": _COCO.format("litehrnet-w18_"),
    "coco_mobilenet": _COCO.format("mobilenetv2_"),
    "coco_resnet": _COCO.format("res50_"),
    "coco_rtmpose": f"{HANDS}/rtmpose/coco_wholebody_hand/rtmpose-m_8xb32-210e_coco-wholebody-hand-256x256.py",
    "coco_scnet": _COCO.format("scnet50_"),
    "coco_hourglass": _COCO.format("hourglass52_"),
    "hand5": f"{HANDS}/rtmpose/hand5/rtmpose-m_8xb256-210e_hand5-256x256.py",
    "freihand_resnet": f"{MAPS}/freihand2d/td-hm_res50_8xb64-100e_freihand2d-224x224.py",
    "onehand_hrnet": _ONEHAND.format("hrnetv2-w18_"),
    "onehand_dark": _ONEHAND.format("hrnetv2-w18_dark-"),
    "onehand_udp": _ONEHAND.format("hrnetv2-w18_udp-"),
    "onehand_mobilenet": _ONEHAND.format("mobilenetv2_"),
    "onehand_resnet": _ONEHAND.format("res50_").replace("8xb64", "8xb32"),
    "onehand_regression": f"{HANDS}/topdown_regression/onehand10k/td-reg_res50_8xb64-210e_onehand10k-256x256.py",
    "rhd_hrnet": _RHD.format("hrnetv2-w18_"),
    "rhd_dark": _RHD.format("hrnetv2-w18_dark-"),
    "rhd_udp": _RHD.format("hrnetv2-w18_udp-"),
    "rhd_mobilenet": _RHD.format("mobilenetv2_"),
    "rhd_resnet": _RHD.format("res50_"),
    "rhd_regression": f"{HANDS}/topdown_regression/rhd2d/td-reg_res50_8xb64-210e_rhd2d-256x256.py",
}
KEPT = (
    *("model", "train_cfg", "optim_wrapper", "param_scheduler", "auto_scale_lr", "default_hooks"),
    *("train_dataloader", "val_dataloader", "val_evaluator", "data", "evaluation", "runner"),
    *("optimizer", "optimizer_config", "lr_config", "custom_hooks"),
)


def main() -> None:
    new, old = map(Path, sys.argv[1:])
    made = {}
    for name, file in FILES.items():
        config = Config.fromfile(str((old if name == "detector_training" else new) / file)).to_dict()
        made[name] = {key: config[key] for key in KEPT if key in config}
    (HERE / "published_configs.json").write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
