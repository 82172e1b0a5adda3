"""Draws the numbers of trainings' results.csv over their epochs.

python tools/plot_results.py OUT.png METRIC[,METRIC...][/METRIC...] RESULTS.csv [RESULTS.csv ...]

A comma puts metrics into one panel, a slash begins the next: train_loss/PCK@0.2,PCK@0.1.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes


def main() -> None:
    """One panel per group of metrics."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    out, groups, files = sys.argv[1], sys.argv[2].split("/"), [Path(name) for name in sys.argv[3:]]
    figure, panels = pyplot.subplots(1, len(groups), squeeze=False, layout="constrained")
    figure.set_size_inches(6 * len(groups) + 1, 6)
    for axes, group in zip(panels[0], groups, strict=True):
        _draw(axes, group.split(","), files)
    lines = {line.get_label(): line for axes in panels[0] for line in axes.get_lines()}
    figure.legend(lines.values(), lines.keys(), fontsize=8, ncols=2, loc="outside lower center")
    figure.savefig(out, dpi=110)


def _draw(axes: Axes, metrics: list[str], files: list[Path]) -> None:
    """One line per file and metric."""
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for metric in metrics:
            shown = [(int(row["epoch"]), float(row[metric])) for row in rows if row.get(metric)]
            if not shown:
                sys.exit(f"{path}: has no column {metric!r}; it has {', '.join(rows[0]) if rows else 'no rows'}")
            axes.plot(
                *zip(*shown, strict=True),
                marker="o",
                label=path.stem if len(metrics) == 1 else f"{path.stem}: {metric}",
            )
    axes.set(xlabel="epoch", ylabel=", ".join(metrics))
    axes.grid(alpha=0.3)


if __name__ == "__main__":
    main()
