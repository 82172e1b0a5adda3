"""The learning rate over a training, as a pure function of the iteration: a resumed run needs no state of it.

Each schedule gives the factor by which the optimizer's learning rate is multiplied. Warm-up, where there is any, raises
the factor linearly from `warmup_ratio` to 1 in `warmup_iters` iterations, as mmengine's LinearLR does.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from handkit.errors import ConfigError
from handkit.registry import SCHEDULES


class Schedule(Protocol):
    """The course of the learning rate."""

    def factor(self, iteration: int, epoch_length: int, max_epochs: int) -> float:
        """What the optimizer's learning rate is multiplied by.

        Args:
            iteration: counted from 0 over the whole training.
            epoch_length: iterations per epoch.
            max_epochs: epochs of the training.
        """


@SCHEDULES.register_module()
class ConstantSchedule:
    """The same learning rate throughout, after a warm-up.

    Args:
        warmup_iters: iterations until the full learning rate.
        warmup_ratio: factor of the first iteration.
    """

    def __init__(self, warmup_iters: int = 0, warmup_ratio: float = 0.001) -> None:
        self._warmup = _Warmup(warmup_iters, warmup_ratio)

    def factor(self, iteration: int, epoch_length: int, max_epochs: int) -> float:
        """See `Schedule`."""
        return self._warmup.factor(iteration)


@SCHEDULES.register_module()
class MultiStepSchedule:
    """The learning rate falls by `gamma` at each milestone.

    Args:
        milestones: epochs, counted from 0, with which a lower learning rate begins; ascending.
        gamma: factor at each milestone.
        warmup_iters: iterations until the full learning rate.
        warmup_ratio: factor of the first iteration.

    Raises:
        ConfigError: milestones that do not ascend.
    """

    def __init__(
        self, milestones: Sequence[int], gamma: float = 0.1, warmup_iters: int = 0, warmup_ratio: float = 0.001
    ) -> None:
        if list(milestones) != sorted(milestones):
            raise ConfigError(f"MultiStepSchedule: the milestones {tuple(milestones)} must ascend")
        self.milestones = tuple(milestones)
        self.gamma = gamma
        self._warmup = _Warmup(warmup_iters, warmup_ratio)

    def factor(self, iteration: int, epoch_length: int, max_epochs: int) -> float:
        """See `Schedule`."""
        passed = bisect_right(self.milestones, iteration // epoch_length)
        return float(self._warmup.factor(iteration) * self.gamma**passed)


@SCHEDULES.register_module()
class CosineSchedule:
    """Half a cosine from 1 to `final_ratio` over all iterations (Loshchilov and Hutter, SGDR, ICLR 2017).

    Args:
        final_ratio: factor at the end.
        warmup_iters: iterations until the full learning rate; the cosine begins with the first iteration all the same.
        warmup_ratio: factor of the first iteration.
        flat_share: share of the training, from its beginning, before the cosine sets in.
        by_epoch: hold the cosine still within an epoch, as mmcv's and mmengine's schedules by epoch do.

    Raises:
        ConfigError: `flat_share` outside [0, 1).
    """

    def __init__(
        self,
        final_ratio: float = 0.0,
        warmup_iters: int = 0,
        warmup_ratio: float = 0.001,
        flat_share: float = 0.0,
        by_epoch: bool = False,
    ) -> None:
        if not 0 <= flat_share < 1:
            raise ConfigError(f"CosineSchedule: flat_share must be in [0, 1), not {flat_share}")
        self.final_ratio = final_ratio
        self.flat_share = flat_share
        self.by_epoch = by_epoch
        self._warmup = _Warmup(warmup_iters, warmup_ratio)

    def factor(self, iteration: int, epoch_length: int, max_epochs: int) -> float:
        """See `Schedule`."""
        place = iteration - iteration % epoch_length if self.by_epoch else iteration
        share = place / (epoch_length * max_epochs)
        share = max(share - self.flat_share, 0.0) / (1 - self.flat_share)
        wave = (1 + math.cos(math.pi * min(share, 1.0))) / 2
        return self._warmup.factor(iteration) * (self.final_ratio + (1 - self.final_ratio) * wave)


class _Warmup:
    def __init__(self, iters: int, ratio: float) -> None:
        if iters < 0 or not 0 < ratio <= 1:
            raise ConfigError(f"warmup_iters={iters} must be 0 or more, and warmup_ratio={ratio} in (0, 1]")
        self._iters = iters
        self._ratio = ratio

    def factor(self, iteration: int) -> float:
        # LinearLR reaches its end factor at iteration `end - 1`
        share = min(iteration / (self._iters - 1), 1.0) if self._iters > 1 else 1.0
        return self._ratio + (1 - self._ratio) * share
