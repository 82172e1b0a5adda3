"""LiteRTRuntime: rows in, named rows out, and what it refuses."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.codecs.regression import Regression
from handkit.errors import CheckpointError, ConfigError, HubError, MissingExtraError
from handkit.models.mediapipe import MediaPipeHandLandmarks, MediaPipePalm
from handkit.registry import RUNTIMES, build
from handkit.runtime.litert import LiteRTNet, LiteRTRuntime
from handkit.transforms import MMToTensor, PoseCollect

TRANSFORMS = [MMToTensor(), PoseCollect(("img", "rotation"))]


def batch(count: int, size: int = 224) -> dict[str, Any]:
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return {"img": images, "rotation": np.arange(count, dtype=np.float32), "box": np.zeros((count, 4))}


@pytest.fixture(scope="module")
def landmarks(mediapipe_files: dict[str, Path]) -> Path:
    return mediapipe_files["hand_landmark_lite.tflite"]


@pytest.fixture(scope="module")
def net(landmarks: Path) -> LiteRTNet:
    return LiteRTRuntime().prepare(MediaPipeHandLandmarks(), landmarks, TRANSFORMS, Regression((224, 224)))


def test_rows_do_not_depend_on_each_other(net: LiteRTNet) -> None:
    together = net(batch(3))
    assert {name: value.shape for name, value in together.items()} == {
        "keypoints": (3, 21, 2),
        "scores": (3, 21),
        "presence": (3,),
        "handedness": (3,),
        "xyz_root": (3, 21, 3),
        "rotation": (3,),
    }
    for index in range(3):
        alone = net({name: value[index : index + 1] for name, value in batch(3).items()})
        for name, value in alone.items():
            np.testing.assert_array_equal(value[0], together[name][index], err_msg=name)
    assert not np.array_equal(together["keypoints"][0], together["keypoints"][1])


def test_an_empty_batch_gives_no_rows(net: LiteRTNet) -> None:
    out = net(batch(0))
    assert out["keypoints"].shape == (0, 21, 2)
    assert out["presence"].shape == (0,)


def test_without_a_codec_the_outputs_stay_as_they_are(landmarks: Path, net: LiteRTNet) -> None:
    raw = LiteRTRuntime(threads=2).prepare(MediaPipeHandLandmarks(), landmarks, [MMToTensor()], None)(batch(1))
    assert "keypoints" not in raw
    np.testing.assert_allclose(raw["coordinates"] * 224, net(batch(1))["keypoints"], rtol=1e-5)


def test_the_input_is_rgb_in_the_order_of_its_channels(landmarks: Path, net: LiteRTNet) -> None:
    swapped = net({**batch(1), "img": batch(1)["img"][..., ::-1]})
    assert not np.allclose(swapped["keypoints"], net(batch(1))["keypoints"], atol=0.1)


def test_a_net_travels_to_other_processes(net: LiteRTNet) -> None:
    copy = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(copy(batch(1))["keypoints"], net(batch(1))["keypoints"])


def test_palms_have_one_row_per_anchor(mediapipe_files: dict[str, Path]) -> None:
    path = mediapipe_files["palm_detection_lite.tflite"]
    out = LiteRTRuntime().prepare(MediaPipePalm(), path, [MMToTensor()], None)(batch(1, 192))
    assert out["boxes"].shape == (1, 2016, 4)
    assert 0 <= out["scores"].min() <= out["scores"].max() <= 1


def test_inputs_of_another_shape_are_refused(landmarks: Path, net: LiteRTNet) -> None:
    with pytest.raises(ConfigError, match=r"\(N, 3, 224, 224\), but the transforms give \(1, 3, 192, 192\)"):
        net(batch(1, 192))
    channels_last = LiteRTRuntime().prepare(MediaPipeHandLandmarks(), landmarks, [], None)
    with pytest.raises(ConfigError, match="MMToTensor"):
        channels_last(batch(1))


@pytest.mark.parametrize("keep", [0, 3, 5000, -4096])
def test_a_broken_file_is_named(landmarks: Path, tmp_path: Path, keep: int) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(landmarks.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"broken\.tflite is not a \.tflite file"):
        LiteRTRuntime().prepare(MediaPipeHandLandmarks(), broken, TRANSFORMS, None)


def test_the_file_of_another_net_is_refused(mediapipe_files: dict[str, Path]) -> None:
    path = mediapipe_files["palm_detection_lite.tflite"]
    with pytest.raises(CheckpointError, match=r"palm_detection_lite\.tflite does not hold a MediaPipeHandLandmarks"):
        LiteRTRuntime().prepare(MediaPipeHandLandmarks(), path, TRANSFORMS, None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="nowhere"):
        LiteRTRuntime().prepare(MediaPipePalm(), tmp_path / "nowhere.tflite", TRANSFORMS, None)


def test_models_without_a_file_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot execute dict"):
        LiteRTRuntime().prepare({}, "some.tflite", TRANSFORMS, None)
    with pytest.raises(ConfigError, match="checkpoint="):
        LiteRTRuntime().prepare(MediaPipePalm(), None, TRANSFORMS, None)


@pytest.mark.parametrize("arguments", [{"device": "cuda"}, {"device": "cuda:0"}, {"threads": 0}])
def test_devices_and_threads_are_checked(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="LiteRTRuntime"):
        build(dict(type="LiteRTRuntime", **arguments), RUNTIMES)


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    file = tmp_path / "any.tflite"
    file.write_bytes(b"")
    with pytest.raises(MissingExtraError, match=r"pip install 'handkit\[mediapipe\]'"):
        LiteRTRuntime(device="cpu").prepare(MediaPipePalm(), file, TRANSFORMS, None)


def test_it_needs_no_torch(landmarks: Path, in_subprocess: Callable[..., str]) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from handkit.registry import build\n"
        "model, runtime = build(dict(type='MediaPipeHandLandmarks')), build(dict(type='LiteRTRuntime'))\n"
        "transforms, codec = [build(dict(type='MMToTensor'))], build(dict(type='Regression', input_size=(224, 224)))\n"
        f"net = runtime.prepare(model, {str(landmarks)!r}, transforms, codec)\n"
        "print(net({'img': np.zeros((1, 224, 224, 3), np.uint8)})['keypoints'].shape)"
    )
    assert in_subprocess(code).strip() == "(1, 21, 2)"
