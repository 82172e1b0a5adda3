"""What a bundle says of itself: ``card.json`` for programs, ``README.md`` for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from handkit.errors import ConfigError
from handkit.hub.catalogue import read_score
from handkit.hub.fields import Fields
from handkit.hub.schema import Score

CARD = "card.json"
README = "README.md"


@dataclass(frozen=True)
class BundleFile:
    """One file of a bundle.

    Args:
        name: below the bundle's folder.
        sha256: of its bytes.
        size: in bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class BundleCard:
    """The written part of a bundle's card; files and thresholds follow from the bundle.

    Args:
        title: one line.
        licence: SPDX identifier of the weights.
        training_data: what they were trained on, with those data's licences.
        command: the commands that made them.
        scores: measured quality, each with its data and kind of labels.
        limits: what they are not good for, one sentence each.
    """

    title: str
    licence: str
    training_data: str
    command: str
    scores: tuple[Score, ...]
    limits: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> BundleCard:
        """Reads the written part from JSON; `files`, `base` and `thresholds` of an earlier bundle are passed over.

        Raises:
            ConfigError: not a JSON file, or a field is missing, unknown or of a wrong form.
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: cannot be read as JSON: {error}") from error
        follows = ("files", "base", "thresholds")
        written = {key: raw[key] for key in raw if key not in follows} if isinstance(raw, dict) else raw
        fields = Fields(written, str(path))
        made = cls(
            title=fields.take("title", str),
            licence=fields.take("licence", str),
            training_data=fields.take("training_data", str),
            command=fields.take("command", str),
            scores=tuple(read_score(item, place) for item, place in fields.items("scores")),
            limits=fields.texts("limits"),
        )
        fields.end()
        return made

    def write(
        self,
        folder: Path,
        files: Sequence[BundleFile],
        thresholds: Mapping[str, float],
        base: BundleFile | None = None,
    ) -> None:
        """Writes both files into a bundle's folder; `base` is outside of it, what its weights are read on top of."""
        content = {**asdict(self), "thresholds": dict(thresholds), "files": [asdict(file) for file in files]}
        if base is not None:
            content["base"] = asdict(base)
        (folder / CARD).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        (folder / README).write_text(self._text(files, thresholds, base), encoding="utf-8")

    def _text(self, files: Sequence[BundleFile], thresholds: Mapping[str, float], base: BundleFile | None) -> str:
        scores = [f"| {s.metric} | {s.value:g} | {s.data} | {s.labels} |" for s in self.scores]
        parts = [
            f"# {self.title}",
            f"Licence of the weights: {self.licence}.",
            f"## Trained on\n\n{self.training_data}\n\n```bash\n{self.command}\n```",
            "\n".join(["## Measured", "", "| metric | value | data | labels |", "| --- | --- | --- | --- |", *scores]),
            "## Limits\n\n" + "\n".join(f"- {limit}" for limit in self.limits),
            "## Thresholds\n\n" + "\n".join(f"- `{name}`: {value:g}" for name, value in thresholds.items()),
            "## Files\n\n" + "\n".join(f"- {_line(file)}" for file in files),
            *([] if base is None else [f"Read on top of {_line(base)}, which holds the rest of the network."]),
        ]
        return "\n\n".join(parts) + "\n"


def _line(file: BundleFile) -> str:
    return f"`{file.name}`, {file.size} bytes, sha256 `{file.sha256}`"
