"""One step of training and of measuring, for mmengine's loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from handkit.codecs.base import Codec
from handkit.engine.loading import Failure, to_device
from handkit.engine.precision import Precision
from handkit.engine.processes import ALONE, Processes
from handkit.errors import ConfigError
from handkit.runtime.base import decode_outputs
from handkit.transforms.base import TensorTransform

if TYPE_CHECKING:
    from typing_extensions import Self


class NotFinite(Exception):
    """A loss or a gradient that is no number; the weights are those of before the step.

    Args:
        what: which number.
        batch: the batch it came from, ready for the model.
        sample_ids: of its samples.
    """

    def __init__(self, what: str, batch: dict[str, Tensor], sample_ids: Sequence[Any]) -> None:
        super().__init__(what)
        self.what = what
        self.batch = batch
        self.sample_ids = list(sample_ids)


class GradientSteps(OptimWrapper):
    """mmengine's wrapper of the optimizer with handkit's precision and the gradient's length.

    Args:
        optimizer: torch's.
        precision: of the forward pass.
        clip_grad_norm: longest gradient; None: any.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, precision: Precision, clip_grad_norm: float | None = None
    ) -> None:
        super().__init__(optimizer)
        self.precision = precision
        self._limit = float("inf") if clip_grad_norm is None else clip_grad_norm

    def optim_context(self, model: nn.Module) -> Any:
        """The context of a forward pass."""
        return self.precision.autocast()

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Adds the gradients of a part of the batch, times the loss scale where there is one."""
        scaler = self.precision.scaler
        super().backward(loss if scaler is None else scaler.scale(loss), **kwargs)

    def step(self, **kwargs: Any) -> float:
        """One step; returns the gradient's length before it was clipped.

        A length that is no number changes nothing; with a loss scale it lowers the scale.
        """
        scaler, optimizer = self.precision.scaler, self.optimizer
        if scaler is not None:
            scaler.unscale_(optimizer)
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        norm = float(nn.utils.clip_grad_norm_(parameters, self._limit))
        if scaler is not None:
            scaler.step(optimizer)
            scaler.update()
        elif norm - norm == 0:
            optimizer.step(**kwargs)
        return norm


class TrainingModule(nn.Module):
    """What mmengine's loops call: a batch of the loader in, losses, joints or boxes out.

    Args:
        model: the network, which becomes the attribute ``module``.
        train_transforms: tensor part of the config's ``train_transforms``; it runs on the model's device.
        test_transforms: likewise of ``test_transforms``.
        codec: decodes what is measured; None if nothing is, or if the model answers boxes.
        accumulate: parts of a batch that go through the network one after another. The loss is taken as a mean over
            samples, so that the gradient is that of the whole batch (batch norms see the parts).
        channels_last: lay images out as NHWC.
        processes: they go through a step together, see `_meet`.
        frozen: parts of the model that stay in evaluation while the others train.
    """

    def __init__(
        self,
        model: nn.Module,
        train_transforms: Sequence[TensorTransform],
        test_transforms: Sequence[TensorTransform] = (),
        codec: Codec | None = None,
        accumulate: int = 1,
        channels_last: bool = True,
        processes: Processes = ALONE,
        frozen: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.module = model
        self._train_transforms = tuple(train_transforms)
        self._test_transforms = tuple(test_transforms)
        self._codec = codec
        self._accumulate = accumulate
        self._processes = processes
        self._frozen = tuple(frozen)
        self._format = torch.channels_last if channels_last else torch.contiguous_format

    def train(self, mode: bool = True) -> Self:
        """Switches to training or evaluation; frozen parts keep to the latter."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    def prepare(self, data: Mapping[str, Any] | Failure, training: bool = True) -> dict[str, Tensor]:
        """A batch of the loader -> what the model takes, on its device.

        Raises:
            HandkitError: the batch could not be loaded, or a transform cannot work on it.
        """
        batch: dict[str, Any] = to_device(data, next(self.module.parameters()).device)
        for transform in self._train_transforms if training else self._test_transforms:
            batch = transform(batch)
        if "img" not in batch:
            raise ConfigError(f"the transforms leave {sorted(batch)}: PoseCollect(keys=...) must name 'img'")
        return {**batch, "img": batch["img"].contiguous(memory_format=self._format)}

    def train_step(self, data: Any, optim_wrapper: GradientSteps) -> dict[str, float]:
        """One step of the optimizer.

        Returns:
            The losses, means over the batch of all processes, and ``grad_norm``.

        Raises:
            NotFinite: a loss or the gradient is no number.
        """
        batch = self.prepare(data)
        size, totals = len(batch["img"]), dict[str, float]()
        optim_wrapper.zero_grad()
        for rows in torch.arange(size).chunk(self._accumulate):
            part = {key: value[rows[0] : rows[-1] + 1] for key, value in batch.items()}
            with optim_wrapper.optim_context(self):
                losses: dict[str, Tensor] = self.module(**part, mode="loss")
            share = len(rows) / size
            for name, loss in losses.items():
                totals[name] = totals.get(name, 0.0) + float(loss.detach()) * share
            if _not_finite(totals):
                break  # the others learn of it when they meet
            optim_wrapper.backward(losses["loss"] * share)
        totals = self._meet(totals, size)
        for name in _not_finite(totals):
            raise NotFinite(f"{name} is {totals[name]}", batch, data["sample_id"])
        norm = optim_wrapper.step()
        if norm - norm != 0 and optim_wrapper.precision.scaler is None:
            raise NotFinite(f"the gradient's length is {norm}", batch, data["sample_id"])
        return {**totals, "grad_norm": norm}

    def _meet(self, totals: dict[str, float], size: int) -> dict[str, float]:
        """Gradients, running statistics and losses become means over the samples of all processes.

        Batch norms normalise by the samples of their own process. That all meet once per step, after the backward
        pass, and not inside it as in DistributedDataParallel, lets a process that fails anywhere end the others, and
        leaves weights and statistics equal on all to the bit after every step.
        """
        if self._processes.alone:
            return totals
        parameters = [p for p in self.module.parameters() if p.requires_grad]
        for p, used in zip(parameters, self._processes.any_of([p.grad is not None for p in parameters]), strict=True):
            if used and p.grad is None:
                p.grad = torch.zeros_like(p)
        statistics = [buffer for buffer in self.module.buffers() if buffer.is_floating_point()]
        losses = torch.tensor(list(totals.values()), device=parameters[0].device)
        gradients = [p.grad for p in parameters if p.grad is not None]
        self._processes.mean_([*gradients, *statistics, losses], size)
        return dict(zip(totals, losses.tolist(), strict=True))

    @torch.no_grad()
    def val_step(self, data: Any) -> list[dict[str, Any]]:
        """Joints or boxes of a batch: one dict in a list, with the outputs and their ``img`` (N, 3, h, w)."""
        img = self.prepare(data, training=False)["img"]
        outputs = decode_outputs(self.module(img), self._codec)
        return [{name: value.float().cpu().numpy() for name, value in {**outputs, "img": img}.items()}]


def _not_finite(values: Mapping[str, float]) -> list[str]:
    """The names of the values that are no numbers, or infinite."""
    return [name for name, value in values.items() if value - value != 0]
