"""The report of a measurement: ``report.html`` to look at, and ``report.json`` with its numbers for the next one."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from handkit import __version__
from handkit.errors import ConfigError, DataError
from handkit.files import write_json
from handkit.metrics.measurement import Measurement
from handkit.reports.comparison import FORMAT, paired, read_report
from handkit.reports.findings import find
from handkit.reports.page import write_page
from handkit.reports.statistics import errors, statistics
from handkit.reports.views import report_page

HTML, JSON = "report.html", "report.json"


class ReportWriter:
    """Writes a report of each measurement that it is called with; the last one stays.

    Args:
        folder: for ``report.html`` and ``report.json``; it is made if it is not there.
        against: the ``report.json``, or its folder, of the run that this one is compared with.

    Raises:
        ConfigError: the folder is a file.
        DataError: `against` is no report.
    """

    def __init__(self, folder: str | os.PathLike[str], against: str | os.PathLike[str] | None = None) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise ConfigError(f"--report {folder} is a file; name a folder")
        self.against = None if against is None else read_report(against)

    def __call__(self, measured: Measurement) -> None:
        """Writes the two files.

        Raises:
            DataError: nothing was labelled, or joints were not predicted.
        """
        if not len(measured.samples) or np.isnan(measured.samples.distances).all():
            raise DataError("a report is about labelled joints, and there are none among what was measured")
        findings = find(measured.samples)
        record = report_record(measured)
        record["findings"] = [
            {
                "kind": f.kind,
                "title": f.title,
                "text": f.text,
                "gain": f.gain,
                "hands": [measured.names[h] for h in f.hands],
            }
            for f in findings
        ]
        pairs = None
        if self.against is not None:
            error = _hand_errors(measured)
            pairs = paired(measured.names, error, measured.samples.images, self.against["hand_errors"])
        write_page(self.folder / HTML, report_page(measured, record, findings, self.against, pairs))
        write_json(self.folder / JSON, record)


def report_record(measured: Measurement) -> dict[str, Any]:
    """The numbers of a measurement as JSON can hold them, without findings."""
    error = _hand_errors(measured)
    return {
        "format": FORMAT,
        "handkit": __version__,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "title": _title(measured),
        "options": {key: value for key, value in measured.options.items() if value not in (None, False, 0, "")},
        **measured.scores.to_dict(),
        **statistics(measured.samples),
        "hand_errors": {
            name: float(value) if np.isfinite(value) else None
            for name, value in zip(measured.names, error, strict=True)
        },
    }


def _hand_errors(measured: Measurement) -> Any:
    """(N,) mean errors of the joints of each hand; NaN where none is labelled."""
    error = errors(measured.samples)
    counted = (~np.isnan(error)).sum(-1)
    return np.divide(np.nansum(error, -1), counted, out=np.full(len(error), np.nan), where=counted > 0)


def _title(measured: Measurement) -> str:
    name = measured.options.get("checkpoint") or measured.options.get("config") or "hands"
    return "/".join(Path(str(name)).parts[-2:])
