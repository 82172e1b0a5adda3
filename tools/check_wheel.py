"""Builds the wheel, installs it into an empty environment outside the checkout, and runs it there.

    python tools/check_wheel.py

Shows that configs, cards, the demo picture and the web page travel with the package: `handkit predict` on that picture
must find one hand, and `handkit validate --all` must find no mistake in any installed config.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Where the wheel puts the demo picture.
DEMO = "import handkit.demo_image as d; print(d.demo_image())"
#: Ends with an error where the web page is missing.
PAGE = "import handkit.apps.web as web; print(len(web.PAGE.read_text('utf-8')), 'characters of page')"


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Runs a command and returns its output; its failure ends the check."""
    print("+", *command, flush=True)
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nfailed with exit code {done.returncode}")
    return done.stdout


def main() -> None:
    """Builds, installs, predicts, validates."""
    with tempfile.TemporaryDirectory(prefix="handkit-wheel-") as folder:
        work = Path(folder)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", work / "dist", ROOT, cwd=work)
        (wheel,) = (work / "dist").glob("*.whl")
        run(sys.executable, "-m", "venv", work / "venv", cwd=work)
        python = work / "venv/bin/python"
        run(python, "-m", "pip", "install", "-q", "torch==2.13.0", cwd=work)
        run(python, "-m", "pip", "install", "-q", f"handkit[mediapipe] @ {wheel.as_uri()}", cwd=work)
        image = run(python, "-c", DEMO, cwd=work).strip()
        if not Path(image).is_relative_to(work):
            sys.exit(f"the demo picture is read from {image}, not from the installed package")
        handkit = work / "venv/bin/handkit"
        command = (handkit, "predict", image, "--out", work / "out", "--json", work / "hands.json")
        print(run(*command, cwd=work, HANDKIT_OFFLINE="1"))
        (result,) = json.loads((work / "hands.json").read_text("utf-8"))["images"]
        if len(result["keypoints"]) != 1 or len(result["keypoints"][0]) != 21:
            sys.exit(f"expected one hand of 21 joints in the demo picture, got {result}")
        print(run(python, "-c", PAGE, cwd=work), run(handkit, "validate", "--all", cwd=work))


if __name__ == "__main__":
    main()
