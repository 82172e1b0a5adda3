"""A model of the hub through ModelScope itself: its download, its cache, its pipeline, and handkit beside them."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

import handkit
from handkit.demo_image import demo_image
from handkit.registry import build
from handkit.registry.bundles import load_bundle
from handkit.registry.config import load_config

TESTS = Path(__file__).resolve().parents[1]
RULE = SimpleNamespace(**runpy.run_path(str(TESTS / "golden" / "easycv_folder_rule.py")))
SERVER = SimpleNamespace(**runpy.run_path(str(TESTS / "hub" / "hub_server.py")))
ID = "damo/cv_hrnetw18_hand-pose-keypoints_coco-wholebody"
DOWNLOAD = "import sys; from modelscope import snapshot_download; print(snapshot_download(sys.argv[1]))"
#: As docs/modelscope.md shows it to a user without a network.
USE = """
import sys
import numpy as np
import handkit.interop.modelscope
from modelscope import snapshot_download
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks

folder = snapshot_download(sys.argv[1], local_files_only=True)
np.savez(sys.argv[3], **pipeline(Tasks.hand_2d_keypoints, model=folder)(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-written folder, its detector's threshold set so that it finds two things in the demo picture."""
    backbone: Any = build(load_config("pipelines/hand_2d_keypoints_hrnetv2_w18_dark")["model"]["backbone"])
    shapes = {key: tuple(value.shape) for key, value in backbone.state_dict().items()}
    made: Path = RULE.write(tmp_path_factory.mktemp("hub") / "hand", shapes)
    image = cv2.imread(str(demo_image()))
    assert image is not None
    detector = build({**load_bundle(made)["detector"], "score_threshold": 0.02})
    scores = detector.detect([np.ascontiguousarray(image[..., ::-1])])[0].scores
    path = made / "configuration.json"
    content = json.loads(path.read_text("utf-8"))
    content["DETECTION"]["score_threshold"] = float(scores[1:3].mean())
    path.write_text(json.dumps(content), "utf-8")
    return made


@pytest.mark.network
def test_a_download_of_modelscopes_is_found_and_answers_the_same(
    modelscope_python: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """snapshot_download from a server, then without it: the same photo, the same joints to 1e-3 px."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    server = SERVER.Server(ID, files)
    cache = {"MODELSCOPE_CACHE": str(tmp_path / "cache"), "MODELSCOPE_HOME": str(tmp_path / "home")}
    try:
        printed = modelscope_python.run("-c", DOWNLOAD, ID, MODELSCOPE_ENDPOINT=server.url, **cache)
    finally:
        server.close()
    place = Path(printed.splitlines()[-1])
    arguments = ("-c", USE, ID, demo_image(), tmp_path / "out.npz")
    modelscope_python.run(*arguments, PYTHONPATH=str(TESTS.parent), HANDKIT_OFFLINE="1", **cache)
    theirs = np.load(tmp_path / "out.npz")
    monkeypatch.setenv("HANDKIT_OFFLINE", "1")
    for name, value in cache.items():
        monkeypatch.setenv(name, value)
    assert load_bundle(place)["checkpoint"] == str(place / "pytorch_model.pt")
    for model in (f"modelscope://{ID}@master", ID):
        pipeline = handkit.pipeline("hand-2d-keypoints", model=model)
        assert pipeline.config["checkpoint"] == str(place / "pytorch_model.pt")
    hands = pipeline(demo_image())
    assert theirs["keypoints"].shape == (2, 21, 3)
    np.testing.assert_allclose(theirs["keypoints"], hands["keypoints"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(theirs["boxes"], hands["boxes"], rtol=0, atol=1e-3)
    shutil.rmtree(tmp_path / "cache")
