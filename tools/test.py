"""Measures a checkpoint; the same as `handkit test`.

python tools/test.py CONFIG CHECKPOINT
python tools/test.py CONFIG CHECKPOINT --out predictions.json
"""

from __future__ import annotations

import sys

from handkit.apps.cli.main import main

if __name__ == "__main__":
    sys.argv.insert(1, "test")
    main()
