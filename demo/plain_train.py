"""Trains HRNetV2-W18 on rendered hands in plain torch, from the data to the score, with nothing around it.

    python demo/plain_train.py --out hand.safetensors
    python demo/plain_train.py --count 64 --val-count 16 --batch-size 8     # seconds, to see it run

It is what ``handkit train hand_2d_keypoints/hrnetv2_w18_dark_tiny`` does, without configs, registries and mmengine: the
same parts with the same numbers, and bit for bit the same losses, which a test compares. Left out is what a long
training needs: stopping and going on, records, pictures, the best weights of several epochs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from handkit.checkpoints import save_weights
from handkit.codecs.gaussian_heatmap import GaussianHeatmap
from handkit.datasets import HandSynth
from handkit.datasets.view import TrainingView
from handkit.geometry import inverse_crops
from handkit.metrics import PCK, HandSamples
from handkit.metrics.baseline import mean_pose_samples
from handkit.models.backbones import HRNet
from handkit.models.estimators import TopDownEstimator
from handkit.models.heads import HRNetV2Head
from handkit.models.losses import SpatialCrossEntropyLoss
from handkit.transforms import (
    LoadImage,
    MMToTensor,
    NormalizeTensor,
    PoseCollect,
    TopDownAffine,
    TopDownGenerateTarget,
    TopDownGetRandomScaleRotation,
    TopDownRandomFlip,
)
from handkit.transforms.base import ImageTransform

# 1. The steps from a picture to what the network takes. The first ones work on one hand, as numpy; the others on a
#    whole batch, as torch. The codec turns joints into heat maps to learn from, and the network's maps into joints.
CODEC = GaussianHeatmap(input_size=(64, 64), heatmap_size=(16, 16), sigma=1.5, dark=True, probabilities=True)
CUT = TopDownAffine(input_size=(64, 64), padding=1.25)
AUGMENT = TopDownGetRandomScaleRotation((0.85, 1.15), rotate_factor=15.0, distribution="uniform")
TRAIN_IMAGE_STEPS: list[ImageTransform] = [LoadImage(), AUGMENT, TopDownRandomFlip(), CUT]
TEST_IMAGE_STEPS: list[ImageTransform] = [LoadImage(), CUT]
TEST_TENSOR_STEPS = [MMToTensor(), NormalizeTensor(), PoseCollect(("img",))]
TRAIN_TENSOR_STEPS = [
    *TEST_TENSOR_STEPS[:2],
    TopDownGenerateTarget(CODEC),
    PoseCollect(("img", "heatmaps", "target_weight")),
]


@dataclass(frozen=True)
class Recipe:
    """The numbers that may be changed from outside.

    Args:
        count: hands to learn from in an epoch; each epoch shows new ones.
        val_count: other hands, to measure on.
        width: channels of HRNet's branch at stride 4.
        batch_size: hands per step.
        epochs: passes over the hands.
        lr: highest learning rate.
        warmup_iters: steps until it is reached.
        final_ratio: share of it that is left at the end.
        bf16: run the network's forward pass in bfloat16.
        seed: of the weights, the order of hands and their augmentation.
        workers: processes that render and cut hands.
    """

    count: int = 2048
    val_count: int = 500
    width: int = 18
    batch_size: int = 16
    epochs: int = 5
    lr: float = 2e-3
    warmup_iters: int = 100
    final_ratio: float = 0.0
    bf16: bool = True
    seed: int = 0
    workers: int = 2


def datasets(recipe: Recipe) -> tuple[HandSynth, HandSynth]:
    """2. Hands to learn from, and hands of another seed to measure on; both are rendered when they are asked for."""
    options: dict[str, Any] = {"image_size": (96, 96), "views": "front"}
    train = HandSynth("capsule", seed=0, count=recipe.count, endless=True, **options)
    return train, HandSynth("capsule", seed=1, count=recipe.val_count, **options)


def batches(hands: HandSynth, recipe: Recipe, epoch: int) -> Iterator[dict[str, Tensor]]:
    """3. An epoch's batches: each hand once, in an order that depends on (seed, epoch) alone; a rest is left out."""
    order = np.random.default_rng([recipe.seed, epoch]).permutation(len(hands))
    order = order[: len(order) // recipe.batch_size * recipe.batch_size]
    view = TrainingView(hands, TRAIN_IMAGE_STEPS, recipe.seed)
    places = [[(epoch, int(index)) for index in row] for row in order.reshape(-1, recipe.batch_size)]
    options: dict[str, Any] = {"batch_sampler": places, "num_workers": recipe.workers, "collate_fn": stacked}
    for batch in DataLoader(view, **options):  # type: ignore[arg-type]  # it is indexed by pairs
        yield through(TRAIN_TENSOR_STEPS, batch)


def stacked(samples: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    """Single hands -> a batch."""
    return {key: torch.from_numpy(np.stack([s[key] for s in samples])) for key in ("img", "keypoints", "visible")}


def through(steps: Sequence[Any], sample: dict[str, Any]) -> dict[str, Any]:
    """A sample or a batch after some steps."""
    for step in steps:
        sample = step(sample)
    return sample


def network(recipe: Recipe) -> nn.Module:
    """4. The backbone, a head that gives a distribution over the cells of each map, and the loss that judges it."""
    torch.manual_seed(recipe.seed)
    backbone = HRNet(width=recipe.width)
    head = HRNetV2Head(in_channels=backbone.out_channels, out_channels=21, softmax=True)
    model: nn.Module = TopDownEstimator(backbone, head, losses=[SpatialCrossEntropyLoss()])
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """5. AdamW, whose decay takes hold of the weights of convolutions, not of biases and norms."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": 0.01},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.lr)


def rate(recipe: Recipe, step: int, steps: int) -> float:
    """6. The share of the learning rate at a step: up in a line, down in half a cosine."""
    last = recipe.warmup_iters - 1
    ramp = 1.0 if step >= last else step / last
    wave = (1 + math.cos(math.pi * (step / steps))) / 2
    return (0.001 + (1 - 0.001) * ramp) * (recipe.final_ratio + (1 - recipe.final_ratio) * wave)


def train(model: nn.Module, hands: HandSynth, recipe: Recipe) -> Iterator[float]:
    """7. The loop: one loss per step."""
    optimizer = make_optimizer(model, recipe)
    steps = recipe.epochs * (len(hands) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(recipe, step, steps))
    for epoch in range(recipe.epochs):
        model.train()
        for batch in batches(hands, recipe, epoch):
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
                losses = model(**batch, mode="loss")
            optimizer.zero_grad()
            losses["loss"].backward()
            optimizer.step()
            schedule.step()
            yield losses["loss"].item()


@torch.no_grad()
def measure(model: nn.Module, hands: HandSynth, recipe: Recipe) -> float:
    """8. The share of joints that are nearer to their label than a fifth of the hand, in pixels of the picture."""
    model.eval()
    parts = []
    for first in range(0, len(hands), recipe.batch_size):
        labels = [hands[index] for index in range(first, min(first + recipe.batch_size, len(hands)))]
        crops = [through(TEST_IMAGE_STEPS, sample) for sample in labels]
        img = through(TEST_TENSOR_STEPS, stacked(crops))["img"].contiguous(memory_format=torch.channels_last)
        points, _ = CODEC.decode(model(img))
        parts.append(samples(labels, inverse_crops([crop["crop"] for crop in crops], points.double().numpy())))
    return PCK(threshold=0.2).compute(HandSamples.concatenate(parts))["PCK@0.2"]


def samples(labels: Sequence[dict[str, Any]], predicted: np.ndarray[Any, Any]) -> HandSamples:
    """Labels and their answers as the metrics take them: every hand is found, its box being given."""
    columns = {key: np.stack([row[key] for row in labels]).astype(float) for key in ("keypoints", "visible", "box")}
    return HandSamples(
        labels=columns["keypoints"],
        visible=columns["visible"],
        boxes=columns["box"],
        sides=(None,) * len(labels),
        predicted=predicted,
        predicted_sides=(None,) * len(labels),
        found=np.ones(len(labels), bool),
        images=np.arange(len(labels)),
        unmatched=np.zeros(len(labels), int),
    )


def main(
    count: Annotated[int, typer.Option(min=1, help="hands to learn from")] = Recipe.count,
    val_count: Annotated[int, typer.Option(min=1, help="hands to measure on")] = Recipe.val_count,
    batch_size: Annotated[int, typer.Option(min=1, help="hands per step")] = Recipe.batch_size,
    epochs: Annotated[int, typer.Option(min=1, help="passes over the hands")] = Recipe.epochs,
    lr: Annotated[float, typer.Option(help="highest learning rate")] = Recipe.lr,
    bf16: Annotated[bool, typer.Option(help="forward pass in bfloat16")] = Recipe.bf16,
    seed: Annotated[int, typer.Option(min=0, help="of weights, order and augmentation")] = Recipe.seed,
    workers: Annotated[int, typer.Option(min=0, help="processes that render")] = Recipe.workers,
    out: Annotated[Path | None, typer.Option(help="where the weights go, as safetensors")] = None,
) -> None:
    """Trains, measures, and prints both beside the score of a guess that never looks: the mean pose in each box."""
    cv2.setNumThreads(0)  # processes are forked from this one
    torch.set_flush_denormal(True)  # such numbers stand in the tails of every heat map and slow a CPU threefold
    recipe = Recipe(count, val_count, 18, batch_size, epochs, lr, bf16=bf16, seed=seed, workers=workers)
    train_hands, val_hands = datasets(recipe)
    model = network(recipe)
    for step, loss in enumerate(train(model, train_hands, recipe), 1):
        if step % 20 == 0 or step == 1:
            print(f"step {step}: loss {loss:.4f}", flush=True)
    guess = PCK(threshold=0.2).compute(mean_pose_samples(train_hands, val_hands))["PCK@0.2"]
    print(f"PCK@0.2 {measure(model, val_hands, recipe):.4f}, mean pose {guess:.4f}")
    if out is not None:
        save_weights(model, out)


if __name__ == "__main__":
    typer.run(main)
