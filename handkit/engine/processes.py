"""Several processes that train or measure together, each on its share of the samples.

Every exchange begins by telling whether a process has failed. One that fails takes part in the others' next exchange,
so that all end there, with its message, instead of waiting for it; the death of a process breaks their connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from handkit.errors import DataError, HandkitError, ProcessError

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


class Processes:
    """One of the processes of a run, and its ways to the others; alone, nothing is exchanged.

    All processes must call the same exchanges in the same order.

    Args:
        rank: its number, 0 .. size - 1; number 0 writes the files and speaks.
        size: how many there are.
        device: the device of this process; None leaves it to the caller.
    """

    def __init__(self, rank: int = 0, size: int = 1, device: str | None = None) -> None:
        self.rank = rank
        self.size = size
        self.device = device

    @property
    def first(self) -> bool:
        """Whether this process writes the files and speaks."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.size == 1

    def shares(self, length: int, batch: int) -> list[tuple[int, range]]:
        """This process's batches among those of 0 .. length - 1, every `size`-th, with their numbers.

        They are the batches that one process alone would make, so that a network answers them bit for bit alike.
        """
        starts = enumerate(range(0, length, batch))
        every = [(number, range(start, min(start + batch, length))) for number, start in starts]
        return every[self.rank :: self.size]

    def largest(self, number: int = 0) -> int:
        """The largest of the processes' numbers; the simplest exchange.

        Raises:
            ProcessError: another process has failed, or is gone.
        """
        if self.alone:
            return number
        failed, number = self._maxima([0, number])
        if failed:
            raise self._verdict(None)
        return number

    def agree(self, word: str | None) -> str | None:
        """The word of the first process that has one."""
        winner = self.size - self.largest(0 if word is None else self.size - self.rank)
        if winner == self.size:
            return None
        words: list[str | None] = self._objects(word)
        return words[winner]

    def collect(self, value: T) -> list[T]:
        """The values of all processes in their order; none on any other than process 0."""
        self.largest()
        values = self._objects(value)
        return values if self.first else []

    def in_order(self, items: Sequence[tuple[int, T]]) -> list[T]:
        """What the processes have under the numbers 0, 1, 2 ..., on process 0; none on the others.

        Raises:
            DataError: a number is missing or there twice, since the processes see different data.
        """
        found = sorted((item for part in self.collect(items) for item in part), key=lambda item: item[0])
        if [number for number, _ in found] != list(range(len(found))):
            raise DataError(
                "the processes do not see the same data set: look whether its files are equal on all machines"
            )
        return [value for _, value in found]

    def from_first(self, value: T) -> T:
        """Process 0's value."""
        self.largest()
        if self.alone:
            return value
        from torch import distributed

        box = [value]
        with _connected():
            distributed.broadcast_object_list(box, src=0)
        return box[0]

    def spread_(self, tensors: Sequence[Tensor]) -> None:
        """Every tensor takes process 0's values."""
        self.largest()
        if self.alone:
            return
        from torch import distributed

        for tensor in tensors:
            with _connected():
                distributed.broadcast(values := tensor.detach().contiguous(), src=0)
            tensor.detach().copy_(values)

    def mean_(self, tensors: Sequence[Tensor], weight: float) -> None:
        """Every tensor becomes its mean over the processes, of which each weighs `weight`; equal bits on all."""
        self.largest()
        if self.alone:
            return
        import torch
        from torch import distributed

        flat = torch.cat([*(tensor.detach().reshape(-1) for tensor in tensors), tensors[0].new_ones(1)]) * weight
        with _connected():
            distributed.all_reduce(flat)
        parts = torch.split(flat[:-1] / flat[-1], [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.detach().copy_(part.view(tensor.shape))

    def any_of(self, flags: Sequence[bool]) -> list[bool]:
        """Per flag whether a process has it; all processes have as many."""
        self.largest()
        return list(flags) if self.alone else [value > 0 for value in self._maxima(list(map(int, flags)))]

    def fail(self, error: Exception) -> bool:
        """Ends the others at their next exchange, and waits for it; whether process 0 knows of it then."""
        if self.alone:
            return False
        if isinstance(error, ProcessError):
            return error.told
        with suppress(ProcessError):
            self._maxima([1, 0])
            text = str(error) if isinstance(error, (HandkitError, OSError)) else repr(error)
            self._verdict(text)
            return True
        return False

    def _maxima(self, numbers: list[int]) -> list[int]:
        import torch
        from torch import distributed

        found = torch.tensor(numbers)
        with _connected():
            distributed.all_reduce(found, op=distributed.ReduceOp.MAX)
        return [int(number) for number in found]

    def _objects(self, value: Any) -> list[Any]:
        if self.alone:
            return [value]
        from torch import distributed

        values: list[Any] = [None] * self.size
        with _connected():
            distributed.all_gather_object(values, value)
        return values

    def _verdict(self, own: str | None) -> ProcessError:
        """What the failed processes say; `own` is what this one says."""
        words = self._objects(own)
        said = "; ".join(f"process {rank}: {word}" for rank, word in enumerate(words) if word is not None)
        return ProcessError(said, told=True)


#: The only process of a run.
ALONE = Processes()


@contextmanager
def _connected() -> Iterator[None]:
    """torch's error of a broken connection as handkit's."""
    try:
        yield
    except RuntimeError as error:
        raise ProcessError("another process of this run is gone; its own output says why") from error
