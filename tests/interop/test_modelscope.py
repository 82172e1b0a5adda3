"""ModelScope's own pipelines, with handkit behind them, in an environment with the real package."""

from __future__ import annotations

import functools
import http.server
import json
import runpy
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import handkit
from handkit.demo_image import demo_image
from handkit.pipelines.build import resolve_config
from handkit.registry import MODELS, build

ROOT = Path(__file__).resolve().parents[2]
USER = Path(__file__).parent / "programs/modelscope_user.py"
#: pipeline.type, as ModelScope names it.
PIPELINE = "hrnetv2w18_hand-2d-keypoints_image"


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory, mediapipe_files: dict[str, Path]) -> Path:
    """A model's folder whose configuration also names the package that answered it in 2022."""
    folder = tmp_path_factory.mktemp("model")
    configuration = {
        "framework": "pytorch",
        "task": "hand-2d-keypoints",
        "model": {"type": "HRNet-Hand2D-Keypoints", "__easycv_arch__": {"type": "TopDown"}},
        "pipeline": {"type": PIPELINE, "predictor_config": {"type": "HandKeypointsPredictor"}},
        "plugins": ["pai-easycv"],
        "handkit": resolve_config("hand_2d_keypoints", "pipelines/hand_2d_keypoints_mediapipe"),
    }
    (folder / "configuration.json").write_text(json.dumps(configuration), "utf-8")
    return folder


@pytest.fixture(scope="session")
def easycv_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it lies on ModelScope's hub, with weights made up by a rule."""
    rule = runpy.run_path(str(ROOT / "tests/golden/easycv_folder_rule.py"))
    backbone: Any = build({"type": "HRNet"}, MODELS, "backbone")
    shapes = {key: tuple(value.shape) for key, value in backbone.state_dict().items()}
    folder: Path = rule["write"](tmp_path_factory.mktemp("hub") / "hand", shapes)
    return folder


@pytest.fixture(scope="module")
def photo_url() -> Iterator[str]:
    """The demo picture from a server on this machine."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=demo_image().parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{demo_image().name}"
        server.shutdown()


@pytest.fixture(scope="module")
def wheel(modelscope_python: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """handkit as a user gets it."""
    folder = tmp_path_factory.mktemp("dist")
    modelscope_python.run("-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
    return next(folder.glob("*.whl"))


class UserEnvironment:
    """ModelScope's packages, and handkit installed from its wheel.

    Args:
        packages: the interpreter of the environment that has the packages.
        wheel: handkit's.
        folder: where the environment is made.
    """

    def __init__(self, packages: Any, wheel: Path, folder: Path) -> None:
        packages.run("-m", "venv", "--without-pip", folder)
        self.packages = packages
        self.python = type(packages)(folder / "bin/python")
        self.site = site_packages(self.python)
        (self.site / "packages_beside.pth").write_text(f"{site_packages(packages)}\n", "utf-8")
        self.pip("install", "-q", "--no-deps", "--ignore-installed", wheel)

    def pip(self, *arguments: str | Path) -> None:
        self.packages.run("-m", "pip", "--python", self.python.path, *arguments, cwd=self.site, PYTHONPATH="")

    def run(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs ``python ARGUMENTS`` in the environment's folder, without the checkout on the path."""
        done = self.python.attempt(*arguments, cwd=self.site, PYTHONPATH="", **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def handkit(self, *arguments: str) -> str:
        return self.run(self.python.path.with_name("handkit"), *arguments).stdout


def site_packages(python: Any) -> Path:
    return Path(python.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())


@pytest.fixture(scope="module")
def answers(
    modelscope_python: Any,
    wheel: Path,
    model_folder: Path,
    easycv_folder: Path,
    photo_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the program of a ModelScope user gets: facts, and arrays by ``name/key``."""
    folder = tmp_path_factory.mktemp("user")
    user = UserEnvironment(modelscope_python, wheel, folder / "venv")
    user.handkit("modelscope", "enable")
    out = folder / "out.npz"
    readme = ROOT / "README.md"
    guide = ROOT / "docs/modelscope.md"
    inputs = (model_folder, easycv_folder, demo_image(), photo_url, guide, readme)
    user.run(USER, *inputs, out, HANDKIT_OFFLINE="0", MODELSCOPE_CACHE=str(folder))
    with np.load(out) as arrays:
        return json.loads(str(arrays["facts"])), {name: arrays[name] for name in arrays.files if name != "facts"}


def test_the_documented_code_runs_without_an_import_of_handkit(answers: Any) -> None:
    facts, arrays = answers
    assert facts["modelscope"] == "1.40.2"
    assert not facts["handkit_before"]
    assert facts["class"] == "handkit.interop.modelscope.pipeline.HandKeypointsPipeline"
    assert facts["keys"] == ["boxes", "keypoints"]
    documented = ("path", "by_string", "by_keyword", "by_object", "relative", "guide", "readme")
    for name in (*documented, "pil", "array", "rgb", "url"):
        assert arrays[f"{name}/keypoints"].shape == (1, 21, 3), name
        assert arrays[f"{name}/boxes"].shape == (1, 4), name
        assert arrays[f"{name}/keypoints"].dtype == np.float32
        np.testing.assert_allclose(arrays[f"{name}/keypoints"], arrays["path/keypoints"], atol=1e-4, err_msg=name)


def test_no_program_is_started_and_no_server_called(answers: Any) -> None:
    facts, _ = answers
    assert facts["started"] == []
    assert facts["called_before_url"] == []


def test_the_joints_are_those_of_handkit(answers: Any, model_folder: Path) -> None:
    _, arrays = answers
    image = cv2.imread(str(demo_image()))
    both = np.concatenate([image, image[:, ::-1]], axis=1)
    find = handkit.pipeline("hand_2d_keypoints", model=model_folder)
    for name, source in (("path", demo_image()), ("two", both)):
        hands = find(source)
        np.testing.assert_allclose(arrays[f"{name}/keypoints"], hands["keypoints"], atol=1e-3)
        np.testing.assert_allclose(arrays[f"{name}/boxes"], hands["boxes"], atol=1e-3)


def test_the_folder_of_easycv_opens_in_modelscope(answers: Any, easycv_folder: Path) -> None:
    _, arrays = answers
    assert json.loads((easycv_folder / "configuration.json").read_text("utf-8"))["plugins"] == ["pai-easycv"]
    hands = handkit.pipeline("hand_2d_keypoints", model=easycv_folder, box_threshold=0.06)(demo_image())
    assert arrays["easycv/keypoints"].shape == (2, 21, 3)
    np.testing.assert_allclose(arrays["easycv/keypoints"], hands["keypoints"], atol=1e-3)
    np.testing.assert_allclose(arrays["easycv/boxes"], hands["boxes"], atol=1e-3)


def test_all_hands_are_returned_and_none_is_invented(answers: Any) -> None:
    facts, arrays = answers
    assert arrays["two/keypoints"].shape == (2, 21, 3)
    assert arrays["one_of_two/keypoints"].shape == (1, 21, 3)
    assert arrays["none/keypoints"].shape == (0, 21, 3)
    assert arrays["none/boxes"].shape == (0, 4)
    assert facts["list"] == facts["batch"] == [1, 2, 0]
    for index in range(3):
        for key in ("keypoints", "boxes"):
            np.testing.assert_allclose(arrays[f"batch_{index}/{key}"], arrays[f"list_{index}/{key}"], atol=1e-4)


def test_mistakes_are_named(answers: Any) -> None:
    errors = answers[0]["errors"]
    assert "threshold" in errors["unknown argument"]
    assert "treshold" in errors["unknown option"]
    assert errors["no model"].endswith("not the folder of a model: it holds no configuration.json")
    assert errors["no extra"].startswith("ImportError: HandKeypointsPipeline: ai-edge-litert is needed")
    assert errors["no file"] == "ImageError: no_such_picture.jpg: no such file"
    assert errors["not a picture"].startswith("ImageError: ")


#: Fails as ModelScope alone does, then with handkit imported by hand.
BY_HAND = """
import sys
from modelscope.pipelines import pipeline
try:
    pipeline("hand-2d-keypoints", model=sys.argv[1])
except KeyError as error:
    print(type(error).__name__, "handkit" in sys.modules)
import handkit.interop.modelscope
print(pipeline("hand-2d-keypoints", model=sys.argv[2])(sys.argv[3])["keypoints"].shape)
"""
#: ModelScope, where the line is left behind and handkit is gone.
GONE = """
import sys
from modelscope.pipelines import pipeline
try:
    pipeline("hand-2d-keypoints", pipeline_name="hrnetv2w18_hand-2d-keypoints_image", model=sys.argv[1])
except KeyError as error:
    print("not in the pipelines registry" in str(error))
"""


def test_enable_and_disable(modelscope_python: Any, wheel: Path, model_folder: Path, tmp_path: Path) -> None:
    user = UserEnvironment(modelscope_python, wheel, tmp_path / "venv")
    pth = user.site / "handkit_modelscope.pth"
    plain = json.loads((model_folder / "configuration.json").read_text("utf-8")) | {"plugins": None}
    (tmp_path / "configuration.json").write_text(json.dumps(plain), "utf-8")
    assert user.run("-c", BY_HAND, tmp_path, model_folder, demo_image()).stdout == "KeyError False\n(1, 21, 3)\n"
    assert user.handkit("modelscope", "disable") == "it was not enabled\n"
    assert user.handkit("modelscope", "enable") == user.handkit("modelscope", "enable") == f"written: {pth}\n"
    assert user.handkit("modelscope", "disable") == f"removed: {pth}\n"
    assert not pth.exists()
    user.handkit("modelscope", "enable")
    user.pip("uninstall", "-q", "-y", "handkit")
    assert pth.exists()
    done = user.run("-c", "import sys; print([name for name in sys.modules if 'handkit' in name])")
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert user.run("-c", GONE, tmp_path).stdout == "True\n"
