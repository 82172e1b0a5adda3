"""What a ModelScope user writes: this program never imports handkit. It saves what it got for the test to judge.

python modelscope_user.py FOLDER EASYCV_FOLDER PICTURE URL GUIDE.md README.md OUT.npz

It also runs the Python of the guide's first section and the README's for ModelScope, in a folder with a photo.jpg.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys

#: Every process started and every server called, by Python's own account.
started: list[str] = []
called: list[str] = []


def _note(event: str, arguments: tuple) -> None:
    if event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec"):
        started.append(repr(arguments[:2]))
    elif event == "socket.connect":
        called.append(repr(arguments[1]))


import modelscope
import numpy as np
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks
from PIL import Image

folder, easycv_folder, picture, url, guide, readme, out = sys.argv[1:]


class Model:
    """What is left of a model that the user loaded."""

    model_dir = folder


facts: dict = {"modelscope": modelscope.__version__, "handkit_before": "handkit" in sys.modules}
results: dict[str, dict[str, np.ndarray]] = {}
sys.addaudithook(_note)

hands = pipeline(Tasks.hand_2d_keypoints, model=folder)
facts["class"] = f"{type(hands).__module__}.{type(hands).__name__}"
results["path"] = hands(picture)
facts["keys"] = sorted(results["path"])
results["by_string"] = pipeline("hand-2d-keypoints", model=folder)(picture)
results["by_keyword"] = pipeline(task=Tasks.hand_2d_keypoints, model=folder, device="cpu")(picture)

results["by_object"] = pipeline("hand-2d-keypoints", model=Model())(picture)
results["easycv"] = pipeline("hand-2d-keypoints", model=easycv_folder, box_threshold=0.06)(picture)
parent, name = os.path.split(folder)
os.chdir(os.path.dirname(parent))  # so that the rest looks like owner/name
results["relative"] = pipeline("hand-2d-keypoints", model=os.path.join(os.path.basename(parent), name))(picture)

image = Image.open(picture).convert("RGB")
bgr = np.asarray(image)[..., ::-1]
both = np.concatenate([bgr, bgr[:, ::-1]], axis=1)
grey = np.full((240, 320, 3), 127, np.uint8)
results["pil"], results["array"], results["two"] = hands(image), hands(bgr), hands(both)
results["rgb"] = hands(bgr[..., ::-1], channel_order="rgb")
results["none"] = hands(grey)
for name, found in (("list", hands([picture, both, grey])), ("batch", hands([picture, both, grey], batch_size=2))):
    facts[name] = [len(one["boxes"]) for one in found]
    results |= {f"{name}_{index}": one for index, one in enumerate(found)}
results["one_of_two"] = pipeline("hand-2d-keypoints", model=folder, max_hands=1)(both)
facts["called_before_url"] = list(called)
results["url"] = hands(url)


def without_litert() -> None:
    """Builds the pipeline where handkit's extra `mediapipe` is not installed."""
    sys.modules["ai_edge_litert.interpreter"] = None  # type: ignore[assignment]
    try:
        pipeline("hand-2d-keypoints", model=folder)
    finally:
        del sys.modules["ai_edge_litert.interpreter"]


facts["errors"] = {}
for name, call in {
    "unknown argument": lambda: hands(picture, threshold=0.5),
    "unknown option": lambda: pipeline("hand-2d-keypoints", model=folder, treshold=0.5),
    "no model": lambda: pipeline("hand-2d-keypoints", model=os.path.dirname(picture)),
    "no extra": without_litert,
    "no file": lambda: hands("no_such_picture.jpg"),
    "not a picture": lambda: hands(f"{folder}/configuration.json"),
}.items():
    try:
        call()
    except Exception as error:
        facts["errors"][name] = f"{type(error).__name__}: {error}"

shutil.copy(picture, "photo.jpg")
with open(guide, encoding="utf-8") as file:
    section = file.read().split("\n## ")[1]
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        names: dict = {}
        exec(block.replace("/path/to/model", folder), names)
        if "result" in names:
            results["guide"] = names["result"]
with open(readme, encoding="utf-8") as file:
    (block,) = (code for code in re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL) if "modelscope" in code)
    names = {}
    exec(block.replace("/path/to/model", folder), names)
    results["readme"] = names["hands"]

np.savez(
    out,
    facts=json.dumps({**facts, "started": started}),
    **{f"{name}/{key}": value for name, result in results.items() for key, value in result.items()},
)
