"""docs/testing.md names every option of `handkit test` and every metric."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from handkit.apps.cli.main import app
from handkit.registry import METRICS, registered

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "testing.md").read_text("utf-8")


def test_every_option_is_in_the_table() -> None:
    command = get_command(app).commands["test"]  # type: ignore[attr-defined]
    options = {parameter.opts[0] for parameter in command.params if parameter.param_type_name == "option"}
    assert set(re.findall(r"^\| `(--[a-z-]+)` \|", TEXT, re.MULTILINE)) == options - {"--help"}


def test_every_metric_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `([A-Za-z0-9]+)` \|", TEXT, re.MULTILINE)) == set(registered(METRICS))


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!http)[^)]+)\)", TEXT))
def test_links_lead_somewhere(link: str) -> None:
    path, _, place = link.partition("#")
    page = ROOT / "docs" / (path or "testing.md")
    assert page.exists()
    headings = re.findall(r"^#+ (.+)", page.read_text("utf-8"), re.MULTILINE) if place else []
    assert not place or place in [heading.lower().replace(" ", "-") for heading in headings]
