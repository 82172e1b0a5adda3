"""docs/serving.md says what handkit.apps.web does."""

from __future__ import annotations

import re
from pathlib import Path

from handkit.apps import web

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "serving.md").read_text("utf-8")


def test_limits_are_the_programs() -> None:
    for limit in (web.MAX_BYTES, web.MAX_PIXELS):
        assert f"{limit:,}" in TEXT
    assert f"within {web.RECEIVE_SECONDS:g} seconds" in TEXT
    assert f"more than {web.MAX_SCANS} scans" in TEXT
    assert f"more than {web.CONNECTIONS} open connections" in TEXT


def test_every_refusal_is_listed() -> None:
    listed = {int(status) for status in re.findall(r"^\| (\d{3}) \|", TEXT, re.MULTILINE)}
    assert listed == {*web.ANSWERS, 503} - {200}
