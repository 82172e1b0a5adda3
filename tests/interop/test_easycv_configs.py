"""EasyCV's two configs for hands, out of its wheel: trained, measured and predicted with, EasyCV not installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from handkit.formats import parse_config
from handkit.formats.fields import plain
from handkit.registry.config import load_config

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "easycv_hrnet": "hrnet_w18_coco_wholebody_hand_256x256_dark.py",
    "easycv_litehrnet": "litehrnet_30_coco_wholebody_hand_256x256.py",
}
LABELS = ROOT / "tests" / "datasets" / "files" / "coco_wholebody.json"
SMALL = (
    *("batch_size=2", "val_batch_size=2", "max_epochs=1", "workers=0", "drop_last=False", "channels_last=False"),
    *(
        f"{split}_dataset.{key}={value}"
        for split in ("train", "val")
        for key, value in {"ann_file": LABELS, "image_root": LABELS.parent}.items()
    ),
)


@pytest.fixture(scope="module")
def configs(easycv_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two files as they are in the wheel."""
    folder = tmp_path_factory.mktemp("easycv")
    with zipfile.ZipFile(easycv_wheel) as wheel:
        for name in FILES.values():
            (folder / name).write_bytes(wheel.read(f"easycv/configs/pose/hand/{name}"))
    return folder


def tool(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("name", FILES)
def test_the_text_says_what_the_golden_file_says(configs: Path, name: str) -> None:
    golden = json.loads((ROOT / "tests" / "golden" / "easycv_configs.json").read_text("utf-8"))
    assert plain(parse_config((configs / FILES[name]).read_text("utf-8"))) == plain(golden[name])


@pytest.mark.parametrize("name", FILES)
def test_training_measuring_and_predicting(configs: Path, name: str, tmp_path: Path) -> None:
    assert importlib.util.find_spec("easycv") is None
    options = [word for option in SMALL for word in ("--cfg-options", option)]
    config, work = configs / FILES[name], tmp_path / "work"
    trained = tool(ROOT / "tools" / "train.py", config, "--work-dir", work, *options, cwd=tmp_path)
    (tmp_path / "told.py").write_text(trained.stderr, encoding="utf-8")
    assert "# " in trained.stderr
    assert plain(load_config(tmp_path / "told.py")) == plain(load_config(config))
    weights = work / "best.safetensors"
    measured = tool(ROOT / "tools" / "test.py", config, weights, *options, cwd=tmp_path)
    rows = dict(line.split(" ")[:2] for line in measured.stdout.splitlines())
    assert {"PCK@0.2", "AUC", "EPE", "NME", "NME_easycv"} <= set(rows)
    assert rows["NME_easycv"] == rows["EPE"] != rows["NME"]
    assert "NME_easycv: what EasyCV and ModelScope's card call NME" in measured.stdout
    given = ("--model", config, "--checkpoint", weights, "--json", tmp_path / "hands.json")
    predict = "from handkit.apps.cli.main import main; main()"
    tool("-c", predict, "predict", ROOT / "demo" / "hand.png", *given, cwd=tmp_path)
    (answer,) = json.loads((tmp_path / "hands.json").read_text("utf-8"))["images"]
    assert [len(hand) for hand in answer["keypoints"]] == [21]
