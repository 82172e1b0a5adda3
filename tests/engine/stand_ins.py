"""A network, a data set and a config small enough to train in a second, and a program that trains them.

``python stand_ins.py WORK_DIR [KEY=VALUE ...] [--resume] [--kill-at N]`` trains `config`; with --kill-at it kills
itself after iteration N, as SIGKILL from outside would.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from torch import Tensor, nn

from handkit.registry import DATASETS, MODELS
from handkit.registry.config import parse_options, with_options

SIZE, CELLS, SAMPLES = 32, 8, 48


class TinyNet(nn.Module):
    """Three convolutions with everything that has a state: a batch norm, and a dropout.

    Args:
        width: channels.
        poison: the value that turns the loss into NaN when an image has it as its first pixel's red.
    """

    def __init__(self, width: int = 6, poison: float = -1.0) -> None:
        super().__init__()
        self.poison = poison
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 4, 4), nn.BatchNorm2d(width), nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(width, 21, 3, 1, 1)
        )

    def forward(
        self, img: Tensor, mode: str = "predict", heatmaps: Tensor | None = None, target_weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Heat maps, or the mean over samples of their squared errors."""
        maps = self.body(img)
        if mode != "loss":
            return {"heatmaps": maps}
        assert heatmaps is not None
        assert target_weight is not None
        loss = ((maps - heatmaps) ** 2 * target_weight[..., None, None]).mean() * 100
        if (img[:, 0, 0, 0] == self.poison).any():
            loss = loss * float("nan")
        return {"loss_keypoints": loss, "loss": loss}


class PlainNet(TinyNet):
    """The same without batch norm and dropout: its loss is a mean over samples and nothing else.

    Args:
        width: channels.
    """

    def __init__(self, width: int = 6) -> None:
        super().__init__(width)
        self.body = nn.Sequential(nn.Conv2d(3, width, 4, 4), nn.ReLU(), nn.Conv2d(width, 21, 3, 1, 1))


class TinyHands:
    """Noise with 21 bright pixels.

    Args:
        length: samples.
        broken: the sample that cannot be read.
        white: the sample whose first pixel is 255.
    """

    def __init__(self, length: int = SAMPLES, broken: int | None = None, white: int | None = None) -> None:
        self.length = length
        self.broken = broken
        self.white = white

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        source = f"missing-{index}.png" if index == self.broken else self._picture(index)
        points = self._points(index)
        return {
            "source": source,
            "channel_order": "rgb",
            "box": np.array([0, 0, 2 * SIZE - 1, 2 * SIZE - 1], np.float32),
            "keypoints": points.astype(np.float32),
            "visible": np.full(21, 2, np.uint8),
            "right": np.float32(index % 2),
            "hand": np.float32(1),
            "sample_id": f"tiny {index}",
        }

    def _points(self, index: int) -> Any:
        return np.random.default_rng([7, index]).integers(8, 2 * SIZE - 8, (21, 2))

    def _picture(self, index: int) -> Any:
        picture = np.random.default_rng([8, index]).integers(0, 60, (2 * SIZE, 2 * SIZE, 3)).astype(np.uint8)
        x, y = self._points(index).T
        picture[y, x] = 255
        if index == self.white:
            picture[:] = 255
        return picture


_PARTS = ((MODELS, TinyNet), (MODELS, PlainNet), (DATASETS, TinyHands))


def register() -> None:
    """Makes the parts known to configs; not on import, since collecting doctests imports this file."""
    for registry, part in _PARTS:
        registry.register_module(module=part)


def forget() -> None:
    """Undoes `register`."""
    for registry, part in _PARTS:
        registry.module_dict.pop(part.__name__)


_CODEC = dict(type="GaussianHeatmap", input_size=(SIZE, SIZE), heatmap_size=(CELLS, CELLS), sigma=1.0)
_CROP = [dict(type="LoadImage"), dict(type="TopDownAffine", input_size=(SIZE, SIZE), padding=1.0)]


def config(**changes: Any) -> dict[str, Any]:
    """A training of 4 epochs of 6 iterations, measured every other epoch; changes by top-level key."""
    return {
        "model": dict(type="TinyNet"),
        "codec": _CODEC,
        "train_dataset": dict(type="TinyHands"),
        "train_transforms": [
            _CROP[0],
            dict(type="TopDownGetRandomScaleRotation"),
            _CROP[1],
            dict(type="MMToTensor"),
            dict(type="TopDownGenerateTarget", codec=_CODEC),
            dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
        ],
        "val_dataset": dict(type="TinyHands", length=12),
        "test_transforms": [*_CROP, dict(type="MMToTensor"), dict(type="PoseCollect")],
        "metrics": [dict(type="PCK"), dict(type="EPE")],
        "optimizer": dict(type="AdamW", lr=1e-3),
        "schedule": dict(type="CosineSchedule", warmup_iters=5),
        "batch_size": 8,
        "max_epochs": 4,
        "val_interval": 2,
        "workers": 0,
        "ema_decay": 0.99,
        "log_interval": 1,
        "save_interval": 2,
        **changes,
    }


class KillHook(Hook):
    """Kills the process after an iteration, before anything of it can be written.

    Args:
        iteration: counted from 1.
    """

    priority = "ABOVE_NORMAL"

    def __init__(self, iteration: int) -> None:
        self._iteration = iteration

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if runner.iter + 1 == self._iteration:
            os.kill(os.getpid(), signal.SIGKILL)


def losses_of(folder: Path) -> dict[int, float]:
    """The loss of every iteration, exactly, from metrics.jsonl."""
    rows = map(json.loads, (folder / "metrics.jsonl").read_text("utf-8").splitlines())
    return {row["iteration"]: row["loss"] for row in rows if row["kind"] == "train"}


def main() -> None:
    from handkit.engine import build_runner

    parser = argparse.ArgumentParser()
    parser.add_argument("work_dir", type=Path)
    parser.add_argument("options", nargs="*")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--kill-at", type=int)
    parser.add_argument("--max-minutes", type=float)
    args = parser.parse_args()
    torch.set_num_threads(1)
    register()
    hooks = [] if args.kill_at is None else [KillHook(args.kill_at)]
    chosen = with_options(config(), parse_options(args.options))
    runner = build_runner(chosen, args.work_dir, args.resume, args.max_minutes, hooks=hooks)
    print("ready", flush=True)
    runner.train()
    print("stopped", runner.train_loop.stopped, runner.state.progress.iteration)


if __name__ == "__main__":
    main()
