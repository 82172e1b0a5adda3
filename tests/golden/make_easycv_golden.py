"""Makes easycv_configs.json: what mmengine reads in EasyCV's two configs for hands.

    python tests/golden/make_easycv_golden.py WHEEL

WHEEL is pai_easycv-0.11.7-py3-none-any.whl. Tuples become lists; nothing is left out.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

from mmengine.config import Config

FOLDER = "easycv/configs/pose/hand"
FILES = {
    "easycv_hrnet": f"{FOLDER}/hrnet_w18_coco_wholebody_hand_256x256_dark.py",
    "easycv_litehrnet": f"{FOLDER}/litehrnet_30_coco_wholebody_hand_256x256.py",
}


def main() -> None:
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        texts = {name: wheel.read(file).decode() for name, file in FILES.items()}
    made = {name: Config.fromstring(text, ".py").to_dict() for name, text in texts.items()}
    target = Path(__file__).with_name("easycv_configs.json")
    target.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
