"""The keys of a training, checked before anything is built."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from handkit.errors import ConfigError
from handkit.registry.config import load_config
from handkit.registry.keys import CONFIG_KEYS, NEUTRAL_KEYS, PIPELINE_KEYS, TRAINING_KEYS, TrainingSettings
from handkit.registry.validate import validate

HRNET = load_config("pipelines/hand_2d_keypoints_hrnetv2_w18_dark")
PLAIN = {"batch_size": 8, "max_epochs": 2}


def training(**changes: Any) -> dict[str, Any]:
    crop = dict(type="TopDownAffine", input_size=(256, 256))
    return {
        "model": HRNET["model"],
        "codec": HRNET["codec"],
        "train_dataset": dict(type="CocoHands", ann_file="train.json"),
        "train_transforms": [
            crop,
            dict(type="MMToTensor"),
            dict(type="TopDownGenerateTarget", codec=HRNET["codec"]),
            dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
        ],
        "optimizer": dict(type="AdamW", lr=1e-3),
        "schedule": dict(type="MultiStepSchedule", milestones=(1,)),
        **PLAIN,
        **changes,
    }


def measured(**changes: Any) -> dict[str, Any]:
    more = {"val_dataset": dict(type="CocoHands", ann_file="val.json"), "metrics": [dict(type="PCK")]}
    return training(**{**more, "test_transforms": HRNET["test_transforms"], **changes})


def test_one_config_serves_all_uses() -> None:
    config = {**HRNET, **measured()}
    for use in (None, "training", "pipeline"):
        assert validate(config, use=use) > 10  # type: ignore[arg-type]
    assert validate(measured()) == validate(measured(), use="training")
    with pytest.raises(ConfigError, match="'task' is missing"):
        validate(measured(), use="pipeline")
    with pytest.raises(ConfigError, match="'train_dataset' is missing"):
        validate(HRNET, use="training")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batchsize": 4}, "unknown key 'batchsize'; did you mean 'batch_size'"),
        ({"batch_size": "32"}, "batch_size='32' is not int; it is samples per iteration"),
        ({"batch_size": 0}, "batch_size: 0 is less than 1"),
        ({"workers": -1}, "workers: -1 is less than 0"),
        ({"precision": "half"}, "precision='half' is not Literal"),
        ({"ema_decay": 1.0}, r"ema_decay: 1\.0 is not in \[0, 1\)"),
        ({"clip_grad_norm": 0.0}, "clip_grad_norm"),
        ({"init_cfg": {"aux_heads": {"handedness": "a.pth"}}}, "init_cfg: 'aux_heads' must name a file of weights"),
        ({"accumulate": 9}, "a batch of 8 cannot be parted into 9"),
        ({"optimizer": dict(type="AdamWW")}, "registered as 'AdamWW'; did you mean 'AdamW'"),
        ({"optimizer": dict(type="AdamW", learning_rate=1)}, "AdamW takes no argument 'learning_rate'"),
        ({"optimizer": dict(type="AdamW", lr="1e-3")}, r"optimizer\.lr: '1e-3' is not float"),
        ({"schedule": dict(type="AdamW")}, "no schedule is registered as 'AdamW'"),
        ({"train_dataset": dict(type="CocoHand")}, "registered as 'CocoHand'; did you mean 'CocoHands'"),
        ({"train_transforms": dict(type="MMToTensor")}, "train_transforms: expected a list"),
        ({"train_transforms": [dict(type="PCK")]}, r"train_transforms\.0: no transform is registered as 'PCK'"),
        (
            {"val_dataset": dict(type="CocoHands", ann_file="val.json")},
            "measured through 'test_transforms', which is missing",
        ),
        (
            {"train_transforms": [dict(type="TopDownAffine", input_size=(64, 64))]},
            r"train_transforms\.0: crops of \(64, 64\) do not fit codec\.input_size \(256, 256\)",
        ),
        (
            {"train_transforms": [dict(type="TopDownGenerateTarget", codec={**HRNET["codec"], "sigma": 3.0})]},
            r"train_transforms\.0\.codec makes other targets than the config's codec reads",
        ),
    ],
)
def test_mistakes_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validate(training(**changes), use="training")


def test_a_test_may_decode_otherwise_than_the_training() -> None:
    codec = {**HRNET["codec"], "dark": False, "blur": 2.0}
    validate(training(train_transforms=[dict(type="TopDownGenerateTarget", codec=codec)]), use="training")


@pytest.mark.parametrize("key", ["batch_size", "max_epochs", "optimizer", "train_transforms"])
def test_what_a_training_must_have(key: str) -> None:
    config = training()
    del config[key]
    with pytest.raises(ConfigError, match=f"'{key}' is missing"):
        validate(config, use="training")


def test_the_docs_list_every_key() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text("utf-8")
    rows = [line.split("|")[1:4] for line in text.partition("## Keys")[2].splitlines() if line.startswith("| `")]
    shown = {key.strip(" `"): (default.strip(" `"), meaning.strip()) for key, default, meaning in rows}
    defaults = {field.name: repr(field.default) for field in dataclasses.fields(TrainingSettings)}
    defaults |= {"batch_size": "", "max_epochs": ""}
    assert shown == {key: (defaults.get(key, ""), meaning) for key, meaning in TRAINING_KEYS.items()}


def test_every_key_has_its_meaning() -> None:
    assert not set(PIPELINE_KEYS) & set(TRAINING_KEYS)
    assert set(CONFIG_KEYS) >= NEUTRAL_KEYS
    assert all(len(meaning) > 10 for meaning in CONFIG_KEYS.values())
    assert TrainingSettings.of(PLAIN) == TrainingSettings(8, 2)
