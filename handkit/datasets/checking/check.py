"""One pass over the data of a config."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handkit.datasets.checking.findings import Finding, finding
from handkit.datasets.checking.labels import check_labels
from handkit.datasets.checking.leaves import leaves
from handkit.datasets.checking.looking import SideJudge, judge_hands, look
from handkit.datasets.checking.pictures import Array, Pictures
from handkit.datasets.checking.targets import check_targets
from handkit.datasets.reader import HandReader
from handkit.datasets.view import HandDataset
from handkit.errors import ConfigError, HandkitError
from handkit.registry import DATASETS, TRANSFORMS, build
from handkit.registry.build import is_node, resolve
from handkit.registry.pairing import is_bottom_up
from handkit.registry.validate import measures_boxes

_ROLES = {"train_dataset": "train_transforms", "val_dataset": "test_transforms"}


@dataclass
class Report:
    """What a check saw.

    Args:
        findings: the faults.
        looked: per data set, how many samples and pictures were looked at.
        notes: what could not be judged, and why.
    """

    findings: list[Finding] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"findings": [one.to_dict() for one in self.findings], "looked": self.looked, "notes": self.notes}


@dataclass(frozen=True)
class _Scope:
    """How much is looked at."""

    limit: int
    augmented: int
    judge: SideJudge | None


def check_data(
    config: Mapping[str, Any], limit: int = 5000, augmented: int = 200, judge: SideJudge | None = None
) -> Report:
    """Looks for faults in the data sets of a config.

    A hand that one fault is found in is not looked at for faults that follow from it.

    Args:
        config: resolved, e.g. from `handkit.registry.config.load_config`.
        limit: at most so many samples of each data set are opened, spread evenly.
        augmented: at most so many of them are taken through the transforms, in a training three times.
        judge: tells the side of hands whose labels have no 3D joints to tell it by.

    Raises:
        ConfigError: the config names no data set, or its transforms, batch_size or seed are none.
    """
    _check_config(config)
    roles = [role for role in _ROLES if config.get(role)]
    if not roles:
        raise ConfigError("the config names neither train_dataset nor val_dataset, so there is no data to check")
    if limit < 1 or augmented < 1:
        raise ConfigError(f"a check needs at least one sample, not limit={limit}, augmented={augmented}")
    report = Report()
    pictures: dict[str, Pictures] = {}
    for role in roles:
        try:
            dataset: Any = build(_lenient(config[role], role), DATASETS, role)
        except HandkitError as error:
            report.findings.append(Finding("unusable_dataset", role, str(error)))
            continue
        pictures[role] = _check_role(config, role, dataset, _Scope(limit, augmented, judge), report)
    if len(pictures) == 2 and (shared := pictures["val_dataset"].shared(pictures["train_dataset"])):
        message = f"{len(shared)} pictures, or seeds of rendered ones, are trained on and measured"
        report.findings.append(finding("shared_pictures", "val_dataset and train_dataset", message, shared))
    return report


def _check_config(config: Mapping[str, Any]) -> None:
    """Raises a ConfigError where what is read here is of another kind than a config has it."""
    for key in ("batch_size", "seed"):
        value = config.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ConfigError(f"{key}: expected a whole number, got {value!r}")
    for key in _ROLES.values():
        steps = config.get(key) or ()
        if not isinstance(steps, (list, tuple)):
            raise ConfigError(f"{key}: expected a list of dict(type=..., ...), got {steps!r}")
        for place, step in enumerate(steps):
            if not is_node(step):
                raise ConfigError(f"{key}.{place}: expected dict(type=..., ...), got {step!r}")
            if not isinstance(step.get("keys", ()), (list, tuple)):
                raise ConfigError(f"{key}.{place}.keys: expected a list, got {step['keys']!r}")


def _lenient(node: Any, where: str) -> Any:
    """The node, with readers that leave unusable hands out: the check tells each of them, where a reader stops."""
    if isinstance(node, Mapping):
        made = {key: _lenient(value, f"{where}.{key}") for key, value in node.items()}
        takes = inspect.signature(resolve(node["type"], where=where)).parameters if is_node(node) else ()
        return {**made, "unlabelled": "skip"} if "unlabelled" in takes else made
    return [_lenient(item, where) for item in node] if isinstance(node, (list, tuple)) else node


def _check_role(config: Mapping[str, Any], role: str, dataset: HandDataset, scope: _Scope, report: Report) -> Pictures:
    """Checks one of the config's two data sets; returns its pictures."""
    pictures, known = Pictures(), set[str]()
    hands = sides = 0
    failures: list[str] = []
    for leaf in leaves(role, dataset):
        if leaf.reader is not None:
            found, faulty = check_labels(leaf.reader, leaf.where)
            report.findings += found
            known |= _names(leaf.reader, faulty)
        if (recipe := getattr(leaf.dataset, "recipe", None)) is not None:
            of = recipe()
            pictures.rendered.add(f"{type(leaf.dataset).__name__} {of.get('source', '')} of seed {of['seed']}")
        seen = look(leaf, scope.limit, pictures, known, scope.judge)
        report.findings += judge_hands(leaf.where, seen)
        report.looked.append(f"{leaf.where}: {seen.samples} of {leaf.count} samples")
        hands, sides, failures = hands + seen.hands, sides + seen.sided, failures + seen.failures
        if seen.sided and not seen.sides:
            report.notes.append(f"{leaf.where}: without 3D joints only --model can tell whether sides are swapped")
    if failures:
        report.findings.append(finding("unreadable_pictures", role, f"{len(failures)} samples fail", failures))
    report.findings += pictures.findings(role, measures_boxes(config) or is_bottom_up(config))
    report.findings += _check_learning(config, role, dataset, hands, sides)
    bad = set(pictures.unreadable) | set(pictures.sizes)
    report.findings += _check_transforms(config, role, dataset, scope.augmented, known, bad)
    return pictures


def _names(reader: HandReader, faulty: Array) -> set[str]:
    """The `sample_id` of hands of a reader's index."""
    index = reader.index
    return {f"{index.path.name}: {index.place(row)}" for row in np.flatnonzero(faulty).tolist()}


def _check_learning(
    config: Mapping[str, Any], role: str, dataset: HandDataset, hands: int, sides: int
) -> list[Finding]:
    """Whether there are enough samples, hands and sides for what the config trains."""
    if role != "train_dataset":
        return []
    found = []
    size = int(config.get("batch_size") or 1)
    if len(dataset) < size and config.get("drop_last", True):
        message = f"{len(dataset)} samples are fewer than a batch of {size}, so that an epoch has no iteration"
        found.append(Finding("too_few_samples", role, message))
    if "codec" in config and not hands:
        found.append(Finding("no_hands", role, "no sample has a labelled joint, so that the loss of joints is 0"))
    keys = [key for step in config.get("train_transforms") or () for key in step.get("keys", ())]
    if "right" in keys and hands and not sides:
        message = "no hand has a side, so that the loss of handedness, which takes 'right', is 0"
        found.append(Finding("no_sides", role, message))
    return found


def _check_transforms(
    config: Mapping[str, Any], role: str, dataset: HandDataset, augmented: int, known: set[str], bad: set[str]
) -> list[Finding]:
    key = _ROLES[role]
    try:
        nodes = [node for node in config.get(key) or () if node.get("type") != "PoseCollect"]
        steps = [build(node, TRANSFORMS, f"{key}.{place}") for place, node in enumerate(nodes)]
    except HandkitError as error:
        return [Finding("failing_transforms", key, str(error))]
    seed = int(config.get("seed") or 0) if role.startswith("train") else 0
    return check_targets(role, dataset, steps, seed, augmented, known, bad)
