"""Makes published_configs.json: what mmengine reads in two configs that mmpose published, three files.

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
FILES = {
    "hrnet": "configs/hand_2d_keypoint/topdown_heatmap/coco_wholebody_hand/"
    "td-hm_hrnetv2-w18_dark-8xb32-210e_coco-wholebody-hand-256x256.py",
    "detector": DETECTOR,
    "detector_training": DETECTOR,
}
KEPT = (
    *("model", "train_cfg", "optim_wrapper", "param_scheduler", "auto_scale_lr", "default_hooks"),
    *("train_dataloader", "val_dataloader", "val_evaluator", "data", "evaluation", "runner"),
    *("optimizer", "optimizer_config", "lr_config"),
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
