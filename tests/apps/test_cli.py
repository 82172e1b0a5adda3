"""The command line, in this process except where a fresh one matters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import handkit
from handkit.apps.cli.inputs import pictures
from handkit.datasets import HandScenes
from handkit.demo_image import demo_image
from handkit.errors import DataError


def test_version_and_help(cli: Any) -> None:
    import handkit

    assert cli("--version")[:2] == (0, f"{handkit.__version__}\n")
    code, out, _ = cli("--help")
    assert code == 0
    for verb in ("predict", "label", "compare", "thresholds", "validate", "ls", "download", "doctor", "data"):
        assert verb in out


def test_validate_answers_typos(cli: Any, tmp_path: Path) -> None:
    assert cli("validate", "--all")[0] == 0
    config = tmp_path / "mine.py"
    config.write_text("task = 'hand_2d_keypoints'\ndetecter = dict(type='FullImage')\ntest_transforms = []\n")
    code, _, err = cli("validate", config)
    assert code == 2
    assert "unknown key 'detecter'; did you mean 'detector'" in err
    code, out, _ = cli("validate", "pipelines/hand_2d_keypoints_mediapipe", "--cfg-options", "max_hands=2")
    assert (code, "no mistake" in out) == (0, True)


def test_ls_lists_everything(cli: Any) -> None:
    code, out, _ = cli("ls")
    assert code == 0
    names = ("HRNet", "GaussianHeatmap", "TopDownAffine", "HandSynth", "PCK", "OneHandDetector")
    for name in (*names, "mediapipe_hands", "hand_2d_keypoints"):
        assert name in out
    assert "TopDownAffine" not in cli("ls", "models")[1]
    code, _, err = cli("ls", "model")
    assert (code, "did you mean 'models'" in err) == (2, True)


def test_unknown_models_and_tasks_are_one_line(cli: Any) -> None:
    code, _, err = cli("predict", demo_image(), "--model", "pipelines/nothing")
    assert code == 2
    assert err.startswith("error: no config 'pipelines/nothing'")
    assert cli("predict", demo_image(), "--task", "hand_2d")[0] == 2


def test_predict_a_folder_with_two_broken_files_among_ten_good(cli: Any, tmp_path: Path) -> None:
    folder, out = tmp_path / "photos", tmp_path / "out"
    (folder / "more").mkdir(parents=True)
    picture = Image.open(demo_image()).convert("RGB").resize((320, 240))
    for index in range(10):
        picture.save(folder / ("more" if index % 2 else ".") / f"hand{index}.png")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "torn.png").write_bytes((folder / "hand0.png").read_bytes()[:2000])
    (folder / "notes.txt").write_text("no picture")
    code, shown, err = cli("predict", folder, "--out", out, "--json", tmp_path / "hands.json")
    assert code == 2
    assert err.count("error:") == 2
    assert "empty.jpg: zero bytes" in err
    assert "torn.png: broken or truncated image" in err
    assert "2 of 12 inputs could not be used" in err
    assert shown.count("->") == 10
    assert sorted(path.name for path in out.rglob("*.png")) == [f"hand{index}.png" for index in range(10)]
    records = json.loads((tmp_path / "hands.json").read_text("utf-8"))["images"]
    assert [("error" in record) for record in records].count(True) == 2
    assert all(len(record["keypoints"]) == 1 for record in records if "error" not in record)
    drawn = np.asarray(Image.open(out / "hand0.png").convert("RGB"))
    assert (drawn != np.asarray(picture)).any(-1).mean() > 0.01


def test_predict_prints_the_joints_of_one_picture(cli: Any, tmp_path: Path) -> None:
    code, out, _ = cli("predict", demo_image(), "--out", tmp_path)
    assert code == 0
    assert "forefinger4" in out
    assert (tmp_path / "hand.png").is_file()


def test_predict_replaces_no_picture_that_it_reads(cli: Any, tmp_path: Path) -> None:
    photo = tmp_path / "hand.png"
    photo.write_bytes(Path(demo_image()).read_bytes())
    for options, message in (
        (("--out", tmp_path), "would replace"),
        (("--out-3d", tmp_path, "--task", "hand_3d_keypoints"), "would replace"),
        (("--json", photo), "would replace"),
        (("--json", tmp_path), "is a folder"),
        (("--out", tmp_path / "a", "--out-3d", tmp_path / "a"), "name two folders"),
    ):
        code, _, err = cli("predict", photo, *options)
        assert (code, message in " ".join(err.split())) == (2, True), err
    assert photo.read_bytes() == Path(demo_image()).read_bytes()
    assert list(tmp_path.iterdir()) == [photo]


def test_predict_says_before_it_predicts_that_a_place_cannot_be_written(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "shut").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode, **_: not (mode & os.W_OK and Path(path).name == "shut"))
    monkeypatch.setattr("handkit.pipelines.pipeline", lambda *args, **kwargs: pytest.fail("it predicts"))
    for option, place, message in (
        ("--json", "file/a.json", "file is a file and no folder"),
        ("--out", "file", "file is a file and no folder"),
        ("--out-3d", "file/drawn", "file is a file and no folder"),
        ("--json", "shut/new/a.json", "nothing can be written into"),
        ("--out", "shut", "nothing can be written into"),
    ):
        code, _, err = cli("predict", demo_image(), option, tmp_path / place)
        assert (code, message in " ".join(err.split())) == (2, True), err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (("compare", "hand_2d_keypoints"), ("--out", "--json")),
        (("thresholds", "hand_2d_keypoints"), ("--json",)),
        (("test", "hand_2d_keypoints", "--detector"), ("--out", "--log", "--report")),
    ],
)
def test_who_measures_says_before_it_that_a_place_cannot_be_written(
    cli: Any, tmp_path: Path, command: tuple[str, ...], options: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("mine")
    for option in options:
        code, _, err = cli(*command, "--data", "absent.json", option, tmp_path / "file" / "a.json")
        assert (code, "file is a file and no folder" in err) == (2, True), err


def test_who_measures_replaces_no_file_that_is_read(cli: Any, tmp_path: Path) -> None:
    labels, config = tmp_path / "labels.json", tmp_path / "mine.py"
    for file in (labels, config):
        file.write_text("mine")
    for arguments in (
        ("compare", config, "--data", labels, "--json", labels),
        ("compare", config, "--data", labels, "--out", config),
        ("thresholds", config, "--data", labels, "--json", tmp_path / "." / "labels.json"),
        ("test", config, "--detector", "--data", labels, "--out", labels),
        ("data", "check", config, "--json", config),
        ("data", "browse", config, "--out", config),
    ):
        code, _, err = cli(*arguments)
        assert (code, "would replace a file that is read" in err) == (2, True), err
    assert [labels.read_text(), config.read_text()] == ["mine", "mine"]


@pytest.mark.parametrize("turns", ["²", "a", "-90", ""])
def test_turns_are_degrees(cli: Any, turns: str) -> None:
    code, _, err = cli("compare", "hand_2d_keypoints", "--data", "absent.json", f"--turns={turns}")
    assert (code, "--turns takes degrees" in err) == (2, True), err


def test_names_are_no_markup_and_need_not_be_text(cli: Any, tmp_path: Path) -> None:
    folder = tmp_path / "a["
    folder.mkdir()
    picture = Path(demo_image()).read_bytes()
    (folder / "b].png").write_bytes(picture)
    (folder / "bad[red].png").write_text("x")
    (tmp_path / "a[" / os.fsdecode(b"n\xe9e.png")).write_bytes(picture)
    code, out, err = cli("predict", folder)
    assert (code, "bad[red].png: " in err.replace("\n", ""), "b].png: " in out.replace("\n", "")) == (2, True, True)
    assert out.count(": right") + out.count(": left") == 2


def test_predict_in_space(cli: Any, tmp_path: Path, mediapipe_files: dict[str, Path]) -> None:
    pytest.importorskip("plotly", reason="the extra plot is not installed")
    model = ("--model", "pipelines/hand_2d_keypoints_mediapipe")
    assert cli("predict", demo_image(), *model, "--out-3d", tmp_path / "space")[0] == 0
    assert sorted(path.name for path in (tmp_path / "space").iterdir()) == ["hand.html", "hand.png", "plotly.min.js"]


def test_what_cannot_be_drawn_in_space_is_told_before_predicting(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(*_: Any, **__: Any) -> Any:
        raise AssertionError("a picture was looked at")

    monkeypatch.setattr("handkit.pipelines.keypoints.HandKeypoints.__call__", seen)
    out, message = ("--out-3d", tmp_path / "none"), "this model tells no joints in space: name --task hand_3d_keypoints"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "plotly", types.ModuleType("plotly"))
        patch.setitem(sys.modules, "plotly.graph_objects", types.ModuleType("plotly.graph_objects"))
        for options in ((), ("--model", "hand_2d_keypoints"), ("--task", "hand_detection")):
            code, _, err = cli("predict", demo_image(), *options, *out)
            assert (code, message in " ".join(err.split())) == (2, True), err
        code, _, err = cli("predict", demo_image(), "--task", "hand_3d_keypoints", "--model", "hand_2d_keypoints", *out)
        assert (code, "leave the model out for the package's own" in " ".join(err.split())) == (2, True), err
    monkeypatch.setitem(sys.modules, "plotly", None)
    code, _, err = cli("predict", demo_image(), "--task", "hand_3d_keypoints", *out)
    assert (code, "handkit[plot]" in err) == (2, True), err
    assert not (tmp_path / "none").exists()


def test_predict_boxes_only(cli: Any) -> None:
    code, out, _ = cli("predict", demo_image(), "--task", "hand-detection")
    assert (code, ": hand 0." in out) == (0, True)
    assert cli("predict", demo_image(), "--task", "hand_detection", "--mirrored")[0] == 2


def test_a_failed_run_leaves_the_old_json(cli: Any, tmp_path: Path) -> None:
    path = tmp_path / "hands.json"
    path.write_text("old")
    code, _, err = cli("predict", tmp_path / "nothing*.jpg", "--json", path)
    assert (code, "matches no file" in err, path.read_text()) == (2, True, "old")


def test_doctor(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    code, out, _ = cli("doctor")
    assert (code, "all well" in out) == (0, True)
    assert "detector: OneHandDetector with SSDLite with EfficientNetLite0 by TorchRuntime" in out
    assert "model: TopDownEstimator with HRNet (width 18) by TorchRuntime" in out
    assert out.count("sha256") == 2
    assert "ms warm" in out


def test_doctor_names_weights_that_are_missing(cli: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from handkit.pipelines import build

    monkeypatch.setenv("HANDKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(build.DEFAULTS, "hand_2d_keypoints", "pipelines/hand_2d_keypoints_mediapipe")
    code, out, _ = cli("doctor")
    assert code == 2
    assert "palm_detection_full.tflite is not downloaded; handkit download mediapipe_hands" in out
    monkeypatch.setitem(build.DEFAULTS, "hand_2d_keypoints", "pipelines/hand_2d_keypoints_hrnetv2_w18_dark")
    code, out, _ = cli("doctor")
    assert (code, "OneHandDetector with SSDLite with MobileNetV2 by TorchRuntime: no weights" in out) == (2, True)


def test_label_and_compare(cli: Any, tmp_path: Path, mediapipe_files: dict[str, Path]) -> None:
    (tmp_path / "photos").mkdir()
    Image.open(demo_image()).convert("RGB").resize((320, 240)).save(tmp_path / "photos" / "hand.png")
    (tmp_path / "photos" / "torn.png").write_bytes(b"")
    out = tmp_path / "labels.json"
    model = ("--model", "pipelines/hand_2d_keypoints_mediapipe")
    code, _, err = cli("label", tmp_path / "photos", "--out", out, *model)
    assert (code, "torn.png: zero bytes" in err) == (2, True)
    code, shown, err = cli("label", tmp_path / "photos", "--out", out, *model, "--on-error", "skip", "--turns", "90")
    assert (code, "with other turns" in err) == (2, True)
    code, shown, err = cli(
        "label", tmp_path / "photos", "--out", out, *model, "--on-error", "skip", "--turns", "90", "--overwrite"
    )
    assert (code, "skipped: " in err) == (0, True)
    assert "1 hands of quality 0.95 or better, 0 below, in 1 photographs; no hand found in 0, 1 skipped" in shown
    assert cli("label", tmp_path / "photos", "--out", out, "--turns", "x")[0] == 2
    table, numbers = tmp_path / "table.md", tmp_path / "numbers.json"
    arguments = ("compare", "pipelines/hand_2d_keypoints_mediapipe", "--data", out, "--turns", "0,90", "--timed", 1)
    code, shown, _ = cli(*arguments, "--out", table, "--json", numbers)
    assert (code, shown) == (0, table.read_text("utf-8"))
    assert "| 90° | pipelines/hand_2d_keypoints_mediapipe | 1.000 | 1.000 | 1.000 | 1.000 | 0.000 |" in shown
    assert json.loads(numbers.read_text("utf-8"))["pipelines"][0]["turned"]["0"]["hands"] == 1
    assert cli(*arguments, "--turns", "a")[0] == cli(*arguments, "--out", tmp_path)[0] == 2


def test_thresholds(cli: Any, tmp_path: Path) -> None:
    shutil.copy(demo_image(), tmp_path / "hand.png")
    out, numbers = tmp_path / "labels.json", tmp_path / "numbers.json"
    assert cli("label", tmp_path / "hand.png", "--out", out, "--model", "hand_2d_keypoints")[0] == 0
    arguments = ("thresholds", "hand_2d_keypoints", "--data", out)
    code, shown, _ = cli(*arguments, "--box", "0.25,0.5", "--presence", "0.5", "--json", numbers)
    assert code == 0
    assert [line.split(" | ")[:2] for line in shown.splitlines()[2:]] == [["| 0.25", "0.5"], ["| 0.5", "0.5"]]
    assert [one["box_threshold"] for one in json.loads(numbers.read_text("utf-8"))["choices"]] == [0.25, 0.5]
    code, _, err = cli(*arguments, "--box", "low")
    assert (code, "--box takes numbers" in err) == (2, True)
    assert cli(*arguments, "--json", tmp_path)[0] == 2


def test_download_to_a_folder(cli: Any, tmp_path: Path, mediapipe_files: dict[str, Path]) -> None:
    code, out, _ = cli("download", "mediapipe_hands", "--to", tmp_path)
    assert code == 0
    assert (tmp_path / "mediapipe_hands" / "hand_landmark_full.tflite").is_file()
    assert "mediapipe_hands/hand_landmark_full.tflite" in out
    assert cli("download", "mediapipe_hand")[0] == cli("download")[0] == 2


def test_inputs_expand_and_never_share_a_drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/x.jpg", "a/x.png", "b/x.jpg", "b/readme.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    found = pictures(["a", "b/*.jpg", "b/x.jpg", "http://host/x.jpg?size=2", "gone.jpg"])
    assert [picture.source for picture in found][:2] == ["a/x.jpg", "a/x.png"]
    targets = [str(picture.target) for picture in found]
    assert targets == ["x.png", "x_2.png", "x_3.png", "x_4.png", "x_5.png", "gone.png"]
    (tmp_path / "c").mkdir()
    with pytest.raises(DataError, match="no folder with pictures"):
        pictures(["c"])


def test_python_m_handkit_is_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "handkit", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == handkit.__version__


def test_importing_handkit_is_light(in_subprocess: Callable[..., str]) -> None:
    heavy = in_subprocess("import sys, handkit; print(sorted({'torch', 'cv2', 'numpy'} & set(sys.modules)))")
    assert heavy.strip() == "[]"


def test_the_demo_program(tmp_path: Path, mediapipe_files: dict[str, Path]) -> None:
    program = Path(__file__).resolve().parents[2] / "demo" / "image_demo.py"
    command = [sys.executable, str(program), str(demo_image()), str(tmp_path / "drawn.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["keypoints"]) == 1
    assert (tmp_path / "drawn.png").is_file()


def test_data_synth_renders_and_goes_on(cli: Any, tmp_path: Path) -> None:
    arguments = ("data", "synth", "--source", "capsule", "--count", 3, "--size", 32, "--out", tmp_path / "out")
    code, out, _ = cli(*arguments)
    assert (code, "3/3 pictures" in out, "contact_sheet.png" in out) == (0, True, True)
    assert cli(*arguments)[0] == 0
    code, _, err = cli(*arguments, "--seed", 1)
    assert code == 2
    assert "another generator" in err


def test_data_synth_renders_scenes_and_goes_on(
    cli: Any, makehuman_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = HandScenes._make
    monkeypatch.setattr(HandScenes, "_make", lambda self: made[0] if made else made.append(make(self)) or made[0])
    made: list[Any] = []
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (80, 60), (0, 200, 0)).save(rooms / name)
    out = tmp_path / "out"
    arguments: tuple[object, ...] = ("data", "synth", "--scenes", "--out", out, "--count", 2, "--size", "96x64")
    arguments += ("--shard-size", 1, "--assets", makehuman_assets, "--backgrounds", rooms, "--skip", 1)
    assert cli(*arguments)[0] == 0
    shutil.rmtree(out / "00000001-00000001")
    code, printed, _ = cli(*arguments)
    assert (code, "2/2 pictures" in printed, "1/2" in printed) == (0, True, False)
    picture = Image.open(out / "00000001-00000001/images/00000001.jpg")
    assert picture.size == (96, 64)
    code, _, err = cli(*arguments, "--skip", 0)
    assert (code, "another generator (skip 1 there, 0 here)" in err) == (2, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scenes", "--source", "capsule"), "makehuman alone, not capsule"),
        (("--backgrounds", "here"), "are of --scenes"),
        (("--size", "12by9"), "WIDTHxHEIGHT in pixels, not '12by9'"),
    ],
)
def test_data_synth_names_options_that_do_not_fit(cli: Any, tmp_path: Path, options: Any, message: str) -> None:
    code, _, err = cli("data", "synth", "--out", tmp_path / "out", *options)
    assert (code, message in err) == (2, True)
    assert not (tmp_path / "out").exists()


def test_a_config_of_another_toolkit_is_told(cli: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    golden = json.loads((Path(__file__).parents[1] / "golden" / "easycv_configs.json").read_text("utf-8"))
    theirs = tmp_path / "theirs.py"
    theirs.write_text("".join(f"{key} = {value!r}\n" for key, value in golden["easycv_hrnet"].items()), "utf-8")
    code, out, err = cli("validate", theirs)
    assert (code, out) == (0, f"{theirs}: 39 nodes, no mistake\n")
    assert err.startswith('"""theirs.py of EasyCV, as handkit reads it."""')
    assert "# theirs.py.data.imgs_per_gpu: batch_size=32, for 1 GPU\n" in err
    told = tmp_path / "told.py"
    told.write_text(err, "utf-8")
    assert cli("validate", told) == (0, f"{told}: 39 nodes, no mistake\n", "")
    theirs.write_text(theirs.read_text("utf-8") + "new_key = 1\n", "utf-8")
    code, _, err = cli("validate", theirs)
    assert (code, err) == (2, "error: theirs.py: new_key=1 is not known to handkit's reader of this format\n")


def test_gestures_are_learnt_from_rendered_joints(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from handkit.apps.cli.main import app
    from handkit.gestures import GestureClassifier

    out = tmp_path / "g.safetensors"
    arguments = ["gesture", "train", "--out", str(out), "--source", "capsule", "--count", "5", "--epochs", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "16 gestures, accuracy" in result.output
    assert len(GestureClassifier(str(out)).classes) == 16
    assert result.output.count(" of 1") == 16
    joints = Path(__file__).parents[1] / "datasets" / "files" / "gestures.json"
    few = CliRunner().invoke(app, ["gesture", "train", str(joints), "--out", str(tmp_path / "few.safetensors")])
    assert "5 hands or more to learn and to test: one has 1, two has 1" in str(few.exception)
    assert not (tmp_path / "few.safetensors").exists()
    refused = CliRunner().invoke(app, ["gesture", "train", str(tmp_path / "no")])
    assert "there is no such folder" in str(refused.exception)
    (tmp_path / "labels.json").write_text("mine")
    for name in ("g.safetensors", "labels.safetensors"):
        arguments = ["gesture", "train", str(tmp_path), "--out", str(tmp_path / name)]
        assert "is there already" in str(CliRunner().invoke(app, arguments).exception)
    assert (tmp_path / "labels.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mine.json", "--out", "mine.json", "--overwrite"], "must end in .safetensors"),
        (["photos", "--out", "mine.json"], "must end in .safetensors"),
        (["photos", "--out", "z.v1"], "must end in .safetensors"),
        (["mine.safetensors", "--out", "mine.safetensors", "--overwrite"], "is what is read"),
        (["photos", "--epochs", "1"], "at least 5 pictures"),
        (["photos", "--hidden", "0"], "'--hidden'"),
        (["photos", "--epochs", "0"], "'--epochs'"),
        (["photos", "--noise", "-1"], "'--noise'"),
        (["photos", "--seed", "-1"], "'--seed'"),
        (["mine.json", "--model", "default"], "--model finds hands in photographs"),
        (["--model", "default"], "--model finds hands in photographs"),
        (["photos", "--count", "9"], "--count: of rendered joints alone"),
        (["mine.json", "--source", "capsule"], "--source: of rendered joints alone"),
    ],
)
def test_gestures_that_cannot_be_learnt_leave_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    from typer.testing import CliRunner

    from handkit.apps.cli.main import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("handkit.pipelines.pipeline", lambda *_: pytest.fail("it looks for hands"))
    for name in ("one", "two"):
        Path("photos", name).mkdir(parents=True)
    for name in ("mine.json", "mine.safetensors"):
        Path(name).write_text("joints")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = CliRunner().invoke(app, ["gesture", "train", *arguments])
    assert result.exit_code
    assert words in result.output + str(result.exception)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_gestures_of_photographs_are_written_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np
    from PIL import Image
    from typer.testing import CliRunner

    from handkit.apps.cli.main import app
    from handkit.datasets.gesture_hands import read_gestures
    from handkit.hands import Hands
    from handkit.pipelines import BadInput

    rng, size = np.random.default_rng(0), (8, 8)
    points, box = rng.uniform(0, 8, (1, 21, 2)), np.array([[0, 0, 7, 7]])
    some = Hands(points, np.ones((1, 21)), box, np.ones(1), (None,), np.zeros(1), size)
    seen = {"0": Hands.empty(size), "1": BadInput("1.png", "is torn")}
    for name in ("one", "two"):
        Path(tmp_path, "photos", name).mkdir(parents=True)
        for number in range(7):
            Image.new("RGB", size).save(tmp_path / "photos" / name / f"{number}.png")

    def pipe(files: list[str], on_error: str) -> list[Hands | BadInput]:
        return [seen.get(Path(file).stem, some) for file in files]

    monkeypatch.setattr("handkit.pipelines.pipeline", lambda *_: pipe)
    arguments = ["gesture", "train", str(tmp_path / "photos"), "--epochs", "1"]
    seen["2"] = Hands.empty(size)
    failed = CliRunner().invoke(app, arguments)
    assert "5 hands or more" in str(failed.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]
    del seen["2"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "two: 5 hands in 7 photographs; 1 without a hand; 1 cannot be read" in result.output
    assert "left out: 1.png: is torn" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "photos.json", "photos.safetensors"]
    assert read_gestures(tmp_path / "photos.json")[2][0] == "photos/one/2.png"
