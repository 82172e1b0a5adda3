"""Measures a network, or with --detector a whole pipeline; the same as `handkit test`.

python tools/test.py CONFIG CHECKPOINT --bootstrap 1000 --out predictions.json
python tools/test.py pipelines/hand_2d_keypoints_mediapipe --detector --data LABELS.json --negatives rooms/
"""

from __future__ import annotations

import sys

from handkit.apps.cli.main import main

if __name__ == "__main__":
    sys.argv.insert(1, "test")
    main()
