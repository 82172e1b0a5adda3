"""Measures a pipeline, detector included, on labelled photographs, and prints one table.

python tools/evaluate_pipeline.py val.json --rooms rooms/ --model CONFIG --out results.json
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

import handkit
from handkit.datasets.labels import read_hand_labels
from handkit.errors import HandkitError
from handkit.files import write_json
from handkit.metrics.evaluate import (
    evaluate_images,
    evaluate_negatives,
    first_pictures,
    json_values,
    measured_images,
    summary,
    table,
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures a hand pipeline on labelled photographs.")
    parser.add_argument("photos", type=Path, help="COCO keypoint JSON of hands")
    parser.add_argument("--format", choices=("coco", "handphotos"), help="layout of the JSON; told by its fields")
    parser.add_argument("--rooms", type=Path, metavar="DIR", help="pictures without hands")
    parser.add_argument("--rooms-count", type=int, default=100, metavar="N", help="the first N of them by name (100)")
    parser.add_argument("--model", help="config, bundle or hub id; the default pipeline if not given")
    parser.add_argument("--good-only", action="store_true", help="measure only hands whose labels are good")
    parser.add_argument("--rotate", type=int, choices=(0, 90, 180, 270), default=0, help="turn clockwise first (0)")
    parser.add_argument("--limit", type=int, metavar="N", help="measure N photos, spread evenly")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the numbers as JSON")
    return parser.parse_args()


def main() -> None:
    """Parses, evaluates, prints."""
    args = _arguments()
    console, turns = Console(), args.rotate // 90
    photos = measured_images(read_hand_labels(args.photos, args.format), args.good_only, args.limit)
    predict: Any = handkit.pipeline("hand_2d_keypoints", model=args.model)
    samples = evaluate_images(photos, predict, args.good_only, turns, progress=True)
    negatives = None
    if args.rooms is not None:
        rooms = first_pictures(args.rooms, args.rooms_count)
        negatives = evaluate_negatives(rooms, predict, turns, progress=True)
    values = summary(samples, negatives)
    settings = (
        f"{args.model or 'default pipeline'}, {'good' if args.good_only else 'all'} labels, {args.rotate} degrees"
    )
    console.print(table(values, f"{args.photos.name}: {settings}"))
    if args.out is not None:
        options = {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()}
        write_json(args.out, {"options": options, "metrics": json_values(values)})


if __name__ == "__main__":
    try:
        main()
    except HandkitError as error:
        raise SystemExit(f"error: {error}") from None
