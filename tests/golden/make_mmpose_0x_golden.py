"""Makes mmpose_0x_configs.json: what mmengine reads in three of mmpose 0.x's configs for hands.

    python tests/golden/make_mmpose_0x_golden.py WHEEL

WHEEL is mmpose-0.29.0-py2.py3-none-any.whl. Tuples become lists; `kept` says what is left out.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

CONFIGS = "mmpose/.mim/configs"
HANDS = f"{CONFIGS}/hand/2d_kpt_sview_rgb_img"
FILES = {
    "mmpose_0x_dark": f"{HANDS}/topdown_heatmap/coco_wholebody_hand/hrnetv2_w18_coco_wholebody_hand_256x256_dark.py",
    "mmpose_0x_udp": f"{HANDS}/topdown_heatmap/onehand10k/hrnetv2_w18_onehand10k_256x256_udp.py",
    "mmpose_0x_regression": f"{HANDS}/deeppose/onehand10k/res50_onehand10k_256x256.py",
}
_KEYS = ("model", "data", "total_epochs", "evaluation", "optimizer", "optimizer_config", "lr_config")


def kept(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that say how to train and measure, without the test's data and the names of joints."""
    made = {key: config[key] for key in _KEYS}
    data = {key: value for key, value in made["data"].items() if key != "test"}
    for split in ("train", "val"):
        data[split] = {key: value for key, value in data[split].items() if key != "dataset_info"}
    return {**made, "data": data}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(sys.argv[1]) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(CONFIGS)])
        made = {name: kept(Config.fromfile(str(Path(folder) / file)).to_dict()) for name, file in FILES.items()}
    target = Path(__file__).with_name("mmpose_0x_configs.json")
    target.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
