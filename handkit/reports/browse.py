"""A contact sheet of a config's samples after their transforms, as one HTML file: what the network sees."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.datasets.view import TrainingView
from handkit.drawing import crop_picture, draw_boxes
from handkit.errors import ConfigError, HandkitError
from handkit.registry import DATASETS, TRANSFORMS, build
from handkit.reports.page import Section, escape, image_uri, page, write_page
from handkit.transforms.base import Sample, split_stages
from handkit.transforms.targets import TopDownGenerateTarget

Array = NDArray[Any]
Split = Literal["train", "val"]

_LEAST = 192
#: What a mask's numbers are tinted with, RGB.
_TINTS = {1: (0, 220, 90), 2: (70, 120, 255)}
_IGNORED = (255, 160, 0)

_SWITCH = '<input type="checkbox" id="masks"><label for="masks"> masks: hand green, other things blue</label>'


def browse(
    config: Mapping[str, Any],
    out: str | os.PathLike[str],
    split: Split = "train",
    count: int = 48,
    epoch: int = 0,
    title: str = "samples",
) -> int:
    """Writes the sheet.

    Samples are drawn with the config's seed, as a training of that epoch sees them; `val` samples as they are measured.

    Args:
        config: resolved, e.g. from `handkit.registry.config.load_config`.
        out: the HTML file.
        split: ``train``: train_dataset through train_transforms, ``val``: val_dataset through test_transforms.
        count: at most so many samples, spread evenly.
        epoch: which one.
        title: of the page.

    Returns:
        How many samples could not be drawn; their tiles say why.

    Raises:
        ConfigError: the config has no such data set or transforms, or an argument is out of its range.
        DataError: the data set cannot be read.
    """
    if split not in ("train", "val") or count < 1 or epoch < 0:
        raise ConfigError(f"browse takes train or val, a count >= 1 and an epoch >= 0, not {split!r}, {count}, {epoch}")
    role, key = ("train_dataset", "train_transforms") if split == "train" else ("val_dataset", "test_transforms")
    for name in (role, key):
        if not config.get(name):
            raise ConfigError(f"the config has no {name!r}, so there is nothing to look at in {split}")
    seed = int(config.get("seed") or 0) if split == "train" else 0
    dataset: Any = build(config[role], DATASETS, role)
    steps = [build(node, TRANSFORMS, f"{key}.{place}") for place, node in enumerate(config[key])]
    image_part, tensor_part = split_stages(steps)
    targets = [step for step in tensor_part if isinstance(step, TopDownGenerateTarget)]
    view = TrainingView(dataset, [*image_part, *targets], seed)
    places = np.unique(np.linspace(0, len(view) - 1, min(len(view), count)).astype(int)).tolist()
    figures, bad = [], 0
    for index in places:
        origin = f"seed {seed}, epoch {epoch}, index {index}"
        try:
            figures.append(_figure(view[epoch, index], origin))
        except HandkitError as error:
            bad += 1
            figures.append(_tile("", _LEAST, [("bad", str(error)), ("", origin)]))
    summary = f"{len(places)} of {len(view)} samples of {role} after {', '.join(type(step).__name__ for step in steps)}"
    sheet = f'<div class="sheet">{"".join(figures)}</div>'
    switch = _SWITCH if 'class="mask"' in sheet else ""
    write_page(out, page(f"{title}: {split}", [summary], [Section("Samples", switch + sheet)]))
    return bad


def _figure(sample: Sample, origin: str) -> str:
    picture = np.ascontiguousarray(np.clip(sample["img"], 0, 255).astype(np.uint8))
    factor = max(1, -(-_LEAST // min(picture.shape[:2])))
    if "boxes" in sample:
        drawn = picture.copy()
        draw_boxes(drawn, sample["boxes"], sample.get("box_points"))
        for x1, y1, x2, y2 in np.rint(sample.get("ignored_boxes", np.zeros((0, 4)))).astype(int).tolist():
            cv2.rectangle(drawn, (x1, y1), (x2, y2), _IGNORED, 1)
        drawn = drawn.repeat(factor, 0).repeat(factor, 1)
    else:
        points = np.asarray(sample.get("keypoints", np.zeros((21, 2))), np.float64)
        shown = np.asarray(sample.get("visible", np.zeros(len(points)))) > 0
        drawn = crop_picture(picture, points, shown, least=_LEAST)
    pictures = f'<img alt="" src="{image_uri(drawn, 88)}">'
    if "mask" in sample:
        pictures += f'<img class="mask" alt="" src="{image_uri(_overlay(np.asarray(sample["mask"]), factor))}">'
    return _tile(pictures, drawn.shape[1], _facts(sample, origin))


def _tile(pictures: str, width: int, facts: list[tuple[str, str]]) -> str:
    lines = "<br>".join(f'<span class="{css}">{escape(text)}</span>' for css, text in facts)
    caption = f'<figcaption style="width:{width}px">{lines}</figcaption>'
    return f'<figure><div class="stack">{pictures}</div>{caption}</figure>'


def _overlay(mask: Array, factor: int) -> Array:
    """The mask as a transparent picture, (H, W, 4) RGBA."""
    tinted = np.zeros((*mask.shape, 4), np.uint8)
    for number, colour in _TINTS.items():
        tinted[mask == number] = (*colour, 120)
    return tinted.repeat(factor, 0).repeat(factor, 1)


def _facts(sample: Sample, origin: str) -> list[tuple[str, str]]:
    """(CSS class, text) of every line below a picture."""
    facts = []
    if "boxes" in sample:
        ignored = len(sample.get("ignored_boxes", ()))
        count = len(sample["boxes"])
        facts.append(("", f"{count} hand{'s' * (count != 1)}" + (f", {ignored} ignored" if ignored else "")))
    else:
        hand = float(sample.get("hand", 1)) > 0
        right = float(sample.get("right", math.nan))
        side = "side unknown" if math.isnan(right) else "right" if right > 0.5 else "left"
        facts.append(("", side if hand else "no hand"))
        if "visible" in sample:
            visible = np.asarray(sample["visible"])
            facts.append(("", f"joints: {(visible == 2).sum()} visible, {(visible == 1).sum()} hidden"))
            if hand and not (visible > 0).any():
                facts.append(("bad", "no joint in the crop"))
    if "target_weight" in sample:
        weight = np.asarray(sample["target_weight"], np.float64)
        facts.append(("", f"target weight {weight.sum():g} of {weight.size}"))
    if "mask" in sample:
        facts.append(("", f"mask: the hand covers {100 * float((np.asarray(sample['mask']) == 1).mean()):.0f} %"))
    if "crop" in sample:
        crop = sample["crop"]
        turned = f"turned {math.degrees(crop.rotation):.0f} deg" + (", mirrored" if crop.flip else "")
        facts.append(("", f"{turned}, cut {crop.size[0]:.0f} x {crop.size[1]:.0f}"))
    return [*facts, ("", origin), ("soft", str(sample.get("sample_id", "")))]
