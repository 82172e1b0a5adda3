"""Whether anything is left to learn after the transforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handkit.datasets.checking.findings import Finding, finding
from handkit.datasets.checking.leaves import spread
from handkit.datasets.view import HandDataset, TrainingView, set_epoch, set_seed
from handkit.errors import HandkitError
from handkit.transforms.base import Sample

_EPOCHS = 3
#: A share of crops above which the augmentation, not a single hand, is at fault.
_SHARE = 0.1


@dataclass
class _Tally:
    """How often a crop or view showed nothing of its hands, or its target weighed nothing."""

    crops: int = 0
    empty: int = 0
    weightless: int = 0

    def add(self, sample: Mapping[str, Any]) -> None:
        self.crops += 1
        if "boxes" in sample:
            self.empty += int(not len(sample["boxes"]))
        elif not (np.asarray(sample["visible"]) > 0).any():
            self.empty += 1
        elif "target_weight" in sample and not np.asarray(sample["target_weight"]).any():
            self.weightless += 1


def check_targets(
    where: str, dataset: HandDataset, transforms: Sequence[Any], seed: int, limit: int, known: set[str], bad: set[str]
) -> list[Finding]:
    """Takes samples through the transforms, in a training three times.

    Args:
        where: how findings call the data set.
        dataset: the raw samples.
        transforms: of the config, without PoseCollect.
        seed: of the training; 0 for what is measured.
        limit: at most so many samples, spread evenly.
        known: names (`sample_id`) of hands that something else is wrong with; they are left out.
        bad: paths of pictures that cannot be used, likewise.
    """
    source = _Once(dataset)
    view = TrainingView(source, transforms, seed)
    tallies: dict[str, _Tally] = {}
    for epoch in range(_EPOCHS if where.startswith("train") else 1):
        for index in spread(len(view), limit):
            view.set_epoch(epoch)
            try:
                raw = source[index]
            except HandkitError:  # found already, as a picture that cannot be read
                continue
            name = str(raw.get("sample_id", index))
            if (
                name in known
                or (isinstance(raw.get("source"), str) and raw["source"] in bad)
                or not (is_hand(raw) or len(raw.get("boxes", ())))
            ):
                continue
            try:
                sample = view[epoch, index]
            except HandkitError as error:
                return [Finding("failing_transforms", where, str(error))]
            if "visible" in sample or "boxes" in sample:
                tallies.setdefault(name, _Tally()).add(sample)
    return _judge(where, tallies)


class _Once:
    """A data set that makes a sample once where it is asked for twice in a row."""

    def __init__(self, dataset: HandDataset) -> None:
        self._dataset = dataset
        self._last: tuple[int, Sample] | None = None

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        if self._last is None or self._last[0] != index:
            self._last = (index, self._dataset[index])
        return self._last[1]

    def set_epoch(self, epoch: int) -> None:
        self._last = None
        set_epoch(self._dataset, epoch)

    def set_seed(self, seed: int) -> None:
        self._last = None
        set_seed(self._dataset, seed)


def is_hand(sample: Sample) -> bool:
    """Whether a raw sample shows a hand with joints."""
    labelled = "visible" in sample and bool((np.asarray(sample["visible"]) > 0).any())
    return labelled and float(sample.get("hand", 1)) > 0


def _judge(where: str, tallies: Mapping[str, _Tally]) -> list[Finding]:
    crops = sum(tally.crops for tally in tallies.values())
    found = []
    for kind, part, words in (
        ("crops_without_hand", "empty", "crops or views show no joint, or no box, of their hand"),
        ("zero_target_weights", "weightless", "crops show joints whose targets weigh nothing, so the loss is 0"),
    ):
        bad = sum(getattr(tally, part) for tally in tallies.values())
        never = [name for name, tally in tallies.items() if getattr(tally, part) == tally.crops]
        if never or bad > _SHARE * crops:
            some = [name for name, tally in tallies.items() if getattr(tally, part)]
            found.append(finding(kind, where, f"{bad} of {crops} {words}", never or some))
    return found
