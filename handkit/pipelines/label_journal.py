"""What is already labelled: a line per photograph beside the file that is to come, so that a stopped run goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handkit.errors import DataError
from handkit.files import writing


class Journal:
    """Answers by photograph. A photograph that has changed since, by its size or time, counts as new.

    Args:
        path: the file; its first line holds `settings`.
        settings: what the answers depend on, as JSON can hold it.

    Raises:
        DataError: the file was written with other settings.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self._done = self._read(settings)
        with writing(path, "w") as file:
            file.write(_line(settings))
            file.writelines(_line([*key, answer]) for key, answer in self._done.items())

    def get(self, photo: Path) -> Any:
        """The answer to a photograph, or None."""
        return self._done.get(_key(photo))

    def add(self, photo: Path, answer: dict[str, Any]) -> None:
        """Keeps an answer."""
        key = _key(photo)
        self._done[key] = answer
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(_line([*key, answer]))
        except OSError as error:
            error.filename = error.filename or str(self.path)
            raise

    def _read(self, settings: dict[str, Any]) -> dict[tuple[str, int, int], Any]:
        """The answers; a line torn by a kill and what follows it are left out."""
        if not self.path.exists():
            return {}
        rows: list[Any] = []
        for line in self.path.read_text("utf-8", errors="replace").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        if rows and rows[0] != json.loads(_line(settings)):
            raise DataError(
                f"{self.path}: holds photographs labelled by another model or with other turns; delete it, or begin "
                "anew with overwrite"
            )
        return {(name, size, time): answer for name, size, time, answer in rows[1:]}


def _key(photo: Path) -> tuple[str, int, int]:
    state = photo.stat()
    return str(photo.absolute()), state.st_size, state.st_mtime_ns


def _line(value: Any) -> str:
    return json.dumps(value) + "\n"
