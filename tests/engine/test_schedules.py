from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from mmengine.optim import CosineAnnealingLR, LinearLR, MultiStepLR

from handkit.engine.schedules import ConstantSchedule, CosineSchedule, MultiStepSchedule, Schedule
from handkit.errors import ConfigError

LENGTH, EPOCHS = 10, 20


def factors(schedule: Schedule) -> list[float]:
    return [schedule.factor(iteration, LENGTH, EPOCHS) for iteration in range(LENGTH * EPOCHS)]


def mmengine_factors(make: Callable[[Any], list[Any]]) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedulers, rates = make(optimizer), []
    for _ in range(LENGTH * EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def test_multi_step_is_mmengines() -> None:
    theirs = mmengine_factors(
        lambda optimizer: [
            LinearLR(optimizer, start_factor=0.001, begin=0, end=50, by_epoch=False),
            MultiStepLR(optimizer, milestones=[8 * LENGTH, 15 * LENGTH], gamma=0.1, by_epoch=False),
        ]
    )
    assert factors(MultiStepSchedule((8, 15), warmup_iters=50)) == pytest.approx(theirs, rel=1e-12)


def test_cosine_is_mmengines() -> None:
    theirs = mmengine_factors(
        lambda optimizer: [CosineAnnealingLR(optimizer, T_max=LENGTH * EPOCHS, eta_min=0.05, by_epoch=False)]
    )
    assert factors(CosineSchedule(final_ratio=0.05)) == pytest.approx(theirs, rel=1e-12)


def test_cosine_after_a_flat_part() -> None:
    rates = factors(CosineSchedule(flat_share=0.5, warmup_iters=3, warmup_ratio=0.5))
    assert rates[:4] == [0.5, 0.75, 1.0, 1.0]
    assert set(rates[3:101]) == {1.0}
    assert rates[150] == pytest.approx(0.5)


def test_cosine_by_epoch_after_the_warm_up_of_mmcv() -> None:
    """mmcv 1's CosineAnnealing with warmup='linear': warmup_iters=n there is n + 1 here."""
    n, ratio = 25, 0.001
    theirs = []
    for iteration in range(LENGTH * EPOCHS):
        regular = (1 + math.cos(math.pi * (iteration // LENGTH) / EPOCHS)) / 2
        short = (1 - iteration / n) * (1 - ratio) if iteration < n else 0.0
        theirs.append(regular * (1 - short))
    ours = factors(CosineSchedule(warmup_iters=n + 1, warmup_ratio=ratio, by_epoch=True))
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_constant() -> None:
    assert factors(ConstantSchedule())[:2] == [1.0, 1.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: MultiStepSchedule((9, 5)),
        lambda: CosineSchedule(flat_share=1.0),
        lambda: ConstantSchedule(warmup_iters=-1),
        lambda: ConstantSchedule(warmup_ratio=0.0),
    ],
)
def test_refuses_what_makes_no_sense(make: Callable[[], Schedule]) -> None:
    with pytest.raises(ConfigError):
        make()
