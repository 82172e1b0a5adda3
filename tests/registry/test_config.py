from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handkit.errors import ConfigError
from handkit.registry.config import config_names, find_config, load_config, parse_options
from handkit.registry.keys import PIPELINE_KEYS
from handkit.registry.validate import fits, validate

HRNET = "pipelines/hand_2d_keypoints_hrnetv2_w18_dark"


@pytest.mark.parametrize("name", config_names())
def test_every_config_validates(name: str) -> None:
    assert validate(load_config(name), name) >= 3


def test_configs_are_found_by_name_and_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = find_config(HRNET)
    assert find_config(f"configs/{HRNET}.py") == find_config(str(path)) == path
    with pytest.raises(ConfigError, match=f"did you mean '{HRNET}'"):
        find_config("pipelines/hand_2d_keypoints_hrnet_w18_dark")


def test_an_option_names_no_helper() -> None:
    for key in ("_affine.padding", "_input_size"):
        with pytest.raises(ConfigError, match=rf"option {key}=1\.5: helpers are .*e\.g\. test_transforms\.1\.padding"):
            load_config(HRNET, {key: 1.5})


def test_bases_merge_and_helpers_vanish() -> None:
    config = load_config(HRNET)
    assert config["model"]["backbone"]["width"] == 18
    assert set(config) <= set(PIPELINE_KEYS)
    assert type(config["model"]) is dict


def test_lists_of_a_base_stand_in_a_list(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text("_looks = [dict(type='RandomBlur'), dict(type='RandomNoise')]\n")
    (tmp_path / "child.py").write_text(
        "_base_ = ['base.py']\n"
        "train_transforms = [dict(type='LoadImage'), {{_base_._looks}}, dict(type='MMToTensor')]\n"
    )
    steps = load_config(tmp_path / "child.py")["train_transforms"]
    assert [step["type"] for step in steps] == ["LoadImage", "RandomBlur", "RandomNoise", "MMToTensor"]


def test_options_change_lists_nodes_and_types() -> None:
    options = {
        "test_transforms.1.padding": 1.5,
        "codec.max_offset": None,
        "detector": dict(_delete_=True, type="FullImage"),
    }
    config = load_config(HRNET, options)
    assert config["test_transforms"][1]["padding"] == 1.5
    assert config["codec"]["max_offset"] is None
    assert config["detector"] == dict(type="FullImage")
    assert load_config(HRNET, options) == config
    assert load_config(HRNET)["test_transforms"][1]["padding"] == 1.25


def test_an_option_changes_the_weights_of_one_part() -> None:
    recipe = "hand_3d_keypoints/poseprior_joint_handsynth_256x256"
    plain = load_config(recipe)["init_cfg"]
    changed = load_config(recipe, {"init_cfg.aux_heads.handedness": "side.safetensors"})["init_cfg"]
    assert changed == {**plain, "aux_heads.handedness": "side.safetensors"} != plain
    tiny = "hand_2d_keypoints/hrnetv2_w18_dark_tiny"
    assert load_config(tiny, {"init_cfg.backbone": "a.pth"})["init_cfg"] == {"backbone": "a.pth"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_transforms.9.padding": 1}, "fits no place"),
        ({"detectr": 1}, "unknown key 'detectr'; did you mean 'detector'"),
        ({"model.backbone.witdh": 1}, r"model\.backbone: HRNet takes no argument 'witdh'; did you mean 'width'"),
        ({"model.head.type": "HRNetHead"}, r"model\.head: no component is registered as 'HRNetHead'"),
        ({"codec.kernel": "11"}, r"codec\.kernel: '11' is not int"),
        ({"test_transforms.1.padding": "much"}, r"test_transforms\.1\.padding: 'much' is not float"),
        ({"test_transforms.1.input_size": (128, 128)}, r"crops of \(128, 128\) do not fit codec\.input_size"),
        ({"test_transforms.1.border": "mirror"}, "is not Literal"),
        ({"model": dict(_delete_=True, type="MMToTensor")}, "no model is registered as 'MMToTensor'"),
        ({"codec": 3}, "codec: expected dict"),
        ({"model.head.softmax": True}, "softmax=True, but codec has probabilities=False: they must agree"),
        ({"codec.probabilities": True}, "softmax=False, but codec has probabilities=True: they must agree"),
    ],
)
def test_mistakes_are_found_before_anything_is_built(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validate(load_config(HRNET, options))


def test_an_unknown_config_is_no_reason_to_list_them_all() -> None:
    with pytest.raises(ConfigError, match="handkit's own; did you mean"):
        find_config("hand_2d_keypoints/hrnetv2_w18_dark_tinny")
    with pytest.raises(ConfigError, match=r"handkit's own; `handkit ls configs` lists those$"):
        find_config("/path/to/model.py")


def test_missing_keys_are_named() -> None:
    config = load_config(HRNET)
    del config["detector"]
    with pytest.raises(ConfigError, match="the key 'detector' is missing"):
        validate(config)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("task = (")
    with pytest.raises(ConfigError, match=r"broken\.py: cannot be read as a config"):
        load_config(path)


def test_options_are_literals_or_text() -> None:
    assert parse_options(["a.b=1", "c=['x']", "d=text", "e=none", "f=a=b", "g=true"]) == {
        "a.b": 1,
        "c": ["x"],
        "d": "text",
        "e": None,
        "f": "a=b",
        "g": True,
    }
    with pytest.raises(ConfigError, match="takes KEY=VALUE"):
        parse_options(["padding"])


def test_fits_follows_type_hints() -> None:
    assert fits(None, float | None)
    assert not fits(True, int)
    assert not fits((1, 2, 3), tuple[int, int])
    assert fits([dict(type="X")], list[int])
    assert fits(object(), object)
