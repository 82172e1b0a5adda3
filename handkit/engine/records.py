"""The numbers of a training: metrics.jsonl, results.csv, TensorBoard."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any

from handkit.engine.work_dir import WorkDir, strict_json
from handkit.errors import MissingExtraError
from handkit.files import writing


class Records:
    """Writes what was measured.

    ``metrics.jsonl`` has a line per `log_interval` iterations (``kind`` 'train': means since the line before) and one
    per epoch (``kind`` 'epoch': means over the epoch, and the measurement). ``results.csv`` is the table of the epochs.

    Args:
        work_dir: where.
        tensorboard: write the same numbers as TensorBoard's events.

    Raises:
        MissingExtraError: TensorBoard is asked for and not installed.
    """

    def __init__(self, work_dir: WorkDir, tensorboard: bool = False) -> None:
        self._work_dir = work_dir
        self._tensorboard = tensorboard
        self._writer: Any = None
        if tensorboard:
            _summary_writer()

    def begin(self, iteration: int, epoch: int) -> None:
        """Drops what was written beyond a state: a killed run may have been further than its last.pth.

        Args:
            iteration: iterations that are over.
            epoch: epochs that are over, measurement included; a later one's line is written again.
        """
        rows = [
            row
            for row in self._rows()
            if row["iteration"] <= iteration and (row["kind"] != "epoch" or row["epoch"] <= epoch)
        ]
        with self._work_dir.guard(self._work_dir.metrics), writing(self._work_dir.metrics, "w") as file:
            file.writelines(map(strict_json, rows))
        self._write_results()
        if self._tensorboard:
            self._writer = _summary_writer()(str(self._work_dir.tensorboard), purge_step=iteration + 1)

    def add(self, kind: str, epoch: int, iteration: int, values: Mapping[str, Any]) -> None:
        """Adds a line; an epoch's line renews results.csv.

        Args:
            kind: 'train' or 'epoch'.
            epoch: the epoch it belongs to, counted from 1.
            iteration: iterations that are over.
            values: numbers by name.
        """
        row = {"kind": kind, "epoch": epoch, "iteration": iteration, **values}
        with self._work_dir.guard(self._work_dir.metrics), open(self._work_dir.metrics, "a", encoding="utf-8") as file:
            file.write(strict_json(row))
        if kind == "epoch":
            self._write_results()
        if self._writer is not None:
            with self._work_dir.guard(self._work_dir.tensorboard):
                for name, value in values.items():
                    self._writer.add_scalar(f"{kind}/{name}", value, iteration)
                self._writer.flush()

    def close(self) -> None:
        """Ends TensorBoard's file."""
        if self._writer is not None:
            self._writer.close()

    def _rows(self) -> list[dict[str, Any]]:
        """The whole lines of metrics.jsonl; a line torn by a kill is left out."""
        if not self._work_dir.metrics.exists():
            return []
        rows = []
        for line in self._work_dir.metrics.read_text("utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        return rows

    def _write_results(self) -> None:
        rows = [row for row in self._rows() if row.pop("kind") == "epoch"]
        names = list(dict.fromkeys(name for row in rows for name in row))
        with self._work_dir.guard(self._work_dir.results), writing(self._work_dir.results, "w") as file:
            table = csv.DictWriter(file, names, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("tensorboard", "train", "tensorboard=True") from error
    return SummaryWriter
