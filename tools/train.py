"""Trains the model of a config; the same as `handkit train`.

python tools/train.py CONFIG --work-dir work_dirs/mine
python tools/train.py CONFIG --work-dir work_dirs/mine --resume --max-minutes 30 --cfg-options optimizer.lr=1e-4
"""

from __future__ import annotations

import sys

from handkit.apps.cli.main import main

if __name__ == "__main__":
    sys.argv.insert(1, "train")
    main()
