"""``handkit::NAME`` among the bases of a config that lies outside the checkout."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mmengine.config import Config

from handkit.errors import ConfigError
from handkit.registry import bases
from handkit.registry.config import config_root, find_config, load_config, translated
from handkit.registry.copying import copy_config
from handkit.registry.validate import validate

TINY = "hand_2d_keypoints/hrnetv2_w18_dark_tiny"


def config(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", [TINY, f"{TINY}.py", f"configs/{TINY}.py"])
def test_a_config_anywhere_is_based_on_one_of_handkits_own(name: str, tmp_path: Path) -> None:
    text = f"_base_ = ['handkit::{name}']\nmax_epochs = 3\ncodec = dict(dark=False)\n"
    resolved, own = load_config(config(tmp_path / "my.py", text)), load_config(TINY)
    assert own["codec"]["dark"]
    assert resolved == {**own, "max_epochs": 3, "codec": {**own["codec"], "dark": False}}
    assert validate(resolved) > 3
    assert find_config(f"handkit::{name}") == find_config(TINY)


def test_parts_are_named_too_and_bases_of_bases_lie_in_other_folders(tmp_path: Path) -> None:
    config(tmp_path / "shared" / "data.py", "_base_ = 'handkit::_base_/datasets/rhd'\nworkers = 7\n")
    mine = config(
        tmp_path / "a" / "my.py",
        "_base_ = ['../shared/data.py', 'handkit::_base_/schedules/adam_210e']\nval = {{_base_.val_dataset}}\n",
    )
    resolved = load_config(mine)
    assert resolved["workers"] == 7
    assert resolved["val"] == resolved["val_dataset"] == load_config("_base_/datasets/rhd")["val_dataset"]
    assert "_scope_" not in repr(resolved)


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (f"handkit::{TINY}y", rf"'handkit::{TINY}y' is none of handkit's configs; did you mean 'handkit::{TINY}'"),
        ("handkit::_base_/datasets/rdh", "did you mean 'handkit::_base_/datasets/rhd'"),
        ("handkit::zzz", r"none of handkit's configs; `handkit ls configs` lists them$"),
        ("handkit::../handkit/registry/keys", "none of handkit's configs"),
        (TINY, rf"'{TINY}' is no file, seen from the config's own folder; handkit's own is named 'handkit::{TINY}'$"),
        ("nomm::rtm/net.py", r"is of the package 'nomm', which is not installed; copy it, .* name it by its path$"),
        ("numpy::rtm/net.py", "is none of the configs that 'numpy' installed; copy it"),
        ("absent.py", r"its base 'absent\.py' is no file, seen from the config's own folder$"),
    ],
)
def test_a_base_that_is_not_there_is_one_error(base: str, message: str, tmp_path: Path) -> None:
    below = config(tmp_path / "below.py", f"_base_ = [{base!r}]\n")
    for path in (below, config(tmp_path / "my.py", "_base_ = ['below.py']\n")):
        with pytest.raises(ConfigError, match=message) as caught:
            load_config(path)
        assert str(caught.value).startswith(f"{below}: its base")


def test_a_base_of_an_installed_package_is_read_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "nomm"
    (package / ".mim" / "configs" / "rtm").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('imported')\n")
    config(package / ".mim" / "configs" / "rtm" / "net.py", "model = dict(type='Net', depth=5)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    merged = load_config(config(tmp_path / "my.py", "_base_ = 'nomm::rtm/net.py'\nmodel = dict(depth=7)\n"))
    assert merged["model"]["depth"] == 7
    assert merged["model"]["type"].removeprefix("nomm.") == "Net"


def test_what_is_based_on_handkit_is_no_config_of_another_toolkit(tmp_path: Path) -> None:
    config(tmp_path / "below.py", f"_base_ = ['handkit::{TINY}']\n")
    mine = config(tmp_path / "my.py", "_base_ = ['below.py']\ntotal_epochs = 3\n")
    assert translated(mine) is None
    with pytest.raises(ConfigError, match="unknown key 'total_epochs'"):
        validate(load_config(mine))


def test_a_copy_keeps_the_name_and_one_file_needs_none(tmp_path: Path) -> None:
    config(tmp_path / "below.py", f"_base_ = 'handkit::{TINY}'\n")
    mine = config(tmp_path / "my.py", "_base_ = ['below.py']\nmax_epochs = 3\n")
    written = copy_config(mine, tmp_path / "new")
    assert {path.relative_to(tmp_path / "new").as_posix() for path in written} == {"my.py", "below.py"}
    assert load_config(written[0]) == load_config(mine)
    (flat,) = copy_config(mine, tmp_path / "flat", flat=True)
    assert "handkit::" not in flat.read_text()
    assert load_config(flat) == load_config(mine)


def test_names_are_found_in_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = load_config(TINY)
    shutil.copytree(config_root(), tmp_path / "site-packages" / "handkit" / "configs")
    monkeypatch.setattr(bases, "_PACKAGE", tmp_path / "site-packages" / "handkit")
    assert find_config(TINY).is_relative_to(tmp_path)
    assert load_config(config(tmp_path / "my.py", f"_base_ = ['handkit::{TINY}']\n")) == own


def test_mmengine_is_left_as_it_was_and_threads_read_at_once(tmp_path: Path) -> None:
    mine, theirs = config(tmp_path / "my.py", f"_base_ = ['handkit::{TINY}']\n"), Config._get_cfg_path
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(load_config, [mine] * 8))
    assert all(one == read[0] for one in read)
    assert Config._get_cfg_path is theirs
    with pytest.raises(Exception, match="handkit"):
        Config.fromfile(str(mine), lazy_import=False)
