"""Draws the numbers of trainings' results.csv over their epochs.

python tools/plot_results.py OUT.png METRIC[,METRIC...] RESULTS.csv [RESULTS.csv ...]
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot


def main() -> None:
    """One line per file and metric."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    out, metrics, files = sys.argv[1], sys.argv[2].split(","), [Path(name) for name in sys.argv[3:]]
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for metric in metrics:
            shown = [(int(row["epoch"]), float(row[metric])) for row in rows if row.get(metric)]
            if not shown:
                sys.exit(f"{path}: has no column {metric!r}; it has {', '.join(rows[0]) if rows else 'no rows'}")
            axes.plot(*zip(*shown, strict=True), marker="o", label=f"{path.stem}: {metric}")
    axes.set(xlabel="epoch", ylabel=", ".join(metrics))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
