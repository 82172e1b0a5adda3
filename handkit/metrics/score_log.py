"""A log of measurements: what a choice between weights was made by."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from handkit.errors import DataError
from handkit.metrics.scores import Scores


def append(path: str | os.PathLike[str], given: Mapping[str, str], settings: Mapping[str, Any], scores: Scores) -> None:
    """Adds a measurement as one line of JSON.

    Args:
        path: the log; it is made if it is not there.
        given: what was measured on what: config, checkpoint, data.
        settings: how, e.g. ``{'rotate': 90}``.
        scores: the numbers, with the sha256 of the weights.
    """
    entry = {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **given,
        "settings": dict(settings),
        **scores.to_dict(),
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def rows(path: str | os.PathLike[str]) -> list[str]:
    """The log as a Markdown table, one row per measurement.

    Raises:
        DataError: a line that is no measurement, or a file that is no text.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path}: is no log of `handkit test --log`: it is no text") from None
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            metrics = {name: value if value is None else float(value) for name, value in entry["metrics"].items()}
            entries.append((entry, dict(entry["weights"]), metrics, dict(entry["settings"])))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}, line {number}: is no measurement of `handkit test --log`: {error}") from None
    names = list(dict.fromkeys(name for _, _, metrics, _ in entries for name in metrics))
    lines = [f"| checkpoint | sha256 | data | settings | {' | '.join(names)} |", "| --- " * (4 + len(names)) + "|"]
    for entry, weights, metrics, settings in entries:
        cells = [
            entry.get("checkpoint", entry.get("config", "")),
            ", ".join(str(digest)[:12] for digest in weights.values()),
            Path(entry.get("data", "")).name,
            ", ".join(f"{key}={value}" for key, value in settings.items()),
            *("" if metrics.get(name) is None else f"{metrics[name]:.4f}" for name in names),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines
