"""One input, a list or a generator: loaded, batched, answered in order, bad ones reported in their place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from PIL import Image

from handkit.errors import ConfigError, HandkitError
from handkit.images import SupportsRead, source_name
from handkit.transforms import Sample

OnError = Literal["raise", "skip"]
Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(frozen=True)
class BadInput:
    """Stands in a list of results where an input could not be used and ``on_error='skip'`` was asked for.

    Args:
        name: the input's path, URL, or kind and place.
        reason: what is wrong with it.
    """

    name: str
    reason: str


Answer: TypeAlias = "Result | BadInput"


def is_many(inputs: object) -> bool:
    """True for a list, tuple, generator or other iterable of inputs; False for one input, as an open file is."""
    single = (str, bytes, bytearray, memoryview, np.ndarray, Image.Image, dict)
    return isinstance(inputs, Iterable) and not isinstance(inputs, (*single, SupportsRead))


def check_answering(batch_size: int, on_error: str) -> None:
    """Raises a ConfigError for options of `answer_inputs` that are out of their range."""
    if batch_size < 1 or on_error not in ("raise", "skip"):
        raise ConfigError(f"batch_size must be 1 or more and on_error 'raise' or 'skip': {batch_size}, {on_error!r}")


def answer_inputs(
    inputs: Any,
    load: Callable[[int, Any], Sample],
    answer: Callable[[list[Sample]], list[Result]],
    batch_size: int,
    on_error: OnError,
) -> Any:
    """Answers inputs in order, holding at most `batch_size` images at a time.

    Args:
        inputs: one input, a sequence, or another iterable.
        load: (place, input) -> sample; a `HandkitError` it raises makes the input a bad one.
        answer: samples -> as many results.
        batch_size: inputs that are loaded and answered together.
        on_error: 'raise' the first bad input's error, or 'skip' it and put a `BadInput` in its place.

    Returns:
        One result, a list, or a generator, after the kind of `inputs`.
    """
    check_answering(batch_size, on_error)
    many = is_many(inputs)
    results = _stream(inputs if many else [inputs], load, answer, batch_size, on_error)
    if not many:
        return next(results)
    return list(results) if isinstance(inputs, Sequence) else results


def _stream(
    items: Iterable[Any],
    load: Callable[[int, Any], Sample],
    answer: Callable[[list[Sample]], list[Result]],
    batch_size: int,
    on_error: OnError,
) -> Iterator[Answer[Result]]:
    for chunk in batches(enumerate(items), batch_size):
        loaded = [_load(load, index, item, on_error) for index, item in chunk]
        answers = iter(answer([sample for sample in loaded if not isinstance(sample, BadInput)]))
        for sample in loaded:
            yield sample if isinstance(sample, BadInput) else next(answers)


def _load(load: Callable[[int, Any], Sample], index: int, item: Any, on_error: OnError) -> Sample | BadInput:
    try:
        return load(index, item)
    except HandkitError as error:
        if on_error == "raise":
            raise
        name = source_name(item, index)
        return BadInput(name, str(error).removeprefix(f"{name}: "))


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of at most `size` consecutive items."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
