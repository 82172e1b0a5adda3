"""docs/labelling.md names every option of `handkit label`, every field of a hand, and a command that is right."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from handkit.apps.cli.main import app
from handkit.hands import Hands
from handkit.pipelines.agreement import agree
from handkit.pipelines.labelling import _records
from handkit.registry.config import load_config, parse_options
from handkit.registry.validate import validate

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "labelling.md").read_text("utf-8")


def test_every_option_is_in_the_table() -> None:
    command = get_command(app).commands["label"]  # type: ignore[attr-defined]
    options = {parameter.opts[0] for parameter in command.params if parameter.param_type_name == "option"}
    assert set(re.findall(r"^\| `(--[a-z-]+)` \|", TEXT, re.MULTILINE)) == options - {"--help"}


def test_every_field_is_explained() -> None:
    points = np.random.default_rng(0).uniform(5, 40, (1, 21, 2))
    one = Hands(points, np.ones((1, 21)), np.zeros((1, 4)), [1], ("left",), [1], (64, 48))
    (record,) = _records(agree(one, one, [one]))
    standard = {"num_keypoints", "bbox", "area"}
    assert record.keys() - standard <= set(re.findall(r"`([a-z_]+)`", TEXT))


def test_the_students_command_is_right() -> None:
    (code,) = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    words = shlex.split(code.replace("\\\n", " ").splitlines()[-1])
    options = [after for word, after in pairwise(words) if word == "--cfg-options"]
    config = load_config(words[2], parse_options(options))
    assert config["train_dataset"] == {"type": "HandPhotos", "ann_file": "labels.json"}
    assert config["val_dataset"]["ann_file"] == "checked.json"
    assert validate(config, words[2], use="training") > 0


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!http)[^)#]+)", TEXT))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
