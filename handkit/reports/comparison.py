"""One run's report beside another's: the numbers of both, and the hands that both measured, pair by pair."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError

Array = NDArray[Any]
#: Of the layout of ``report.json``; another number is not read.
FORMAT = 1
_KEYS = ("title", "metrics", "curve", "joints", "hand_errors")
_SETS = 1000


def read_report(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A ``report.json``, or that of the folder.

    Raises:
        DataError: the file is missing, or is no report of this layout.
    """
    path = Path(path) / "report.json" if Path(path).is_dir() else Path(path)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise DataError(f"{path}: is no report.json of `handkit test --report`: {error}") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT or any(key not in record for key in _KEYS):
        raise DataError(
            f"{path}: is no report.json of this version's `handkit test --report` (format {FORMAT}); "
            "measure that run anew"
        )
    return record


def paired(
    names: Sequence[str], error: Array, images: Array, other: Mapping[str, float | None]
) -> dict[str, Any] | None:
    """The hands that both runs measured.

    Args:
        names: of N hands.
        error: (N,) mean errors of their joints, NaN without one.
        images: (N,) the image of each.
        other: names and mean errors of the other run.

    Returns:
        ``hands`` in both, ``difference``: mean error of this run minus that of the other, its 95 % ``interval`` over
        1000 resampled sets of images, ``better`` and ``worse``: shares of hands, and ``rows`` and ``changes``: the
        hands and their differences. None if no hand is in both.
    """
    before = np.array([np.nan if (value := other.get(name)) is None else value for name in names], np.float64)
    rows = np.flatnonzero(np.isfinite(before) & np.isfinite(error))
    if not len(rows):
        return None
    change = error[rows] - before[rows]
    of = np.unique(images[rows], return_inverse=True)[1]
    sums, counts = np.bincount(of, change), np.bincount(of)
    drawn = np.random.default_rng(0).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=_SETS)
    means = (drawn @ sums) / (drawn @ counts)
    return {
        "hands": len(rows),
        "difference": float(change.mean()),
        "interval": [float(value) for value in np.quantile(means, [0.025, 0.975])],
        "better": float((change < 0).mean()),
        "worse": float((change > 0).mean()),
        "rows": rows,
        "changes": change,
    }
