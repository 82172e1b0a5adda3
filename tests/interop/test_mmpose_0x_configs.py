"""The 31 configs of mmpose 0.29.0 for 2D hands, out of its wheel; nothing of it is installed."""

from __future__ import annotations

import json
import runpy
import zipfile
from pathlib import Path

import pytest

from handkit.formats.fields import plain
from handkit.formats.foreign import translation
from handkit.formats.mmpose_0x import translate
from handkit.registry.config import load_config
from handkit.registry.validate import validate

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MAKER = runpy.run_path(str(GOLDEN / "make_mmpose_0x_golden.py"))


@pytest.fixture(scope="module")
def configs(mmpose_0x_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's configs."""
    folder = tmp_path_factory.mktemp("mmpose_0x")
    with zipfile.ZipFile(mmpose_0x_wheel) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(MAKER["CONFIGS"])])
    return folder


@pytest.mark.parametrize("name", MAKER["FILES"])
def test_the_text_says_what_the_golden_file_says(configs: Path, name: str) -> None:
    golden = json.loads((GOLDEN / "mmpose_0x_configs.json").read_text("utf-8"))[name]
    made = translation(configs / MAKER["FILES"][name])
    assert made is not None
    assert plain(made.config) == plain(translate(golden))


def test_every_config_for_2d_hands_is_one_of_handkits(configs: Path) -> None:
    paths = sorted((configs / MAKER["HANDS"]).rglob("*.py"))
    assert len(paths) == 31
    for path in paths:
        made = translation(path)
        assert made is not None, path.name
        assert made.toolkit == "mmpose 0.x"
        config = load_config(path)
        validate(config, use="training")
        validate(config, use="pipeline")
