from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handkit.errors import ConfigError, DataError
from handkit.pipelines.inputs import BadInput, answer_inputs, is_many


def load(index: int, item: Any) -> dict[str, Any]:
    if item == "bad":
        raise DataError("bad: is bad")
    return {"item": item, "index": index}


def answer(samples: list[dict[str, Any]]) -> list[tuple[Any, int]]:
    return [(sample["item"], len(samples)) for sample in samples]


def run(inputs: Any, size: int = 2, on_error: Any = "raise") -> Any:
    return answer_inputs(inputs, load, answer, size, on_error)


@pytest.mark.parametrize("one", ["x.png", b"x", np.zeros((2, 2, 3)), Image.new("L", (2, 2)), io.BytesIO()])
def test_one_input_is_one(one: Any) -> None:
    assert not is_many(one)


def test_one_gives_one_and_a_list_gives_a_list() -> None:
    assert run("a") == ("a", 1)
    assert run(["a", "b", "c"]) == [("a", 2), ("b", 2), ("c", 1)]
    assert run(("a",)) == [("a", 1)]
    assert run([]) == []


def test_bad_inputs_keep_their_place() -> None:
    assert run(["a", "bad", "c"], 3, "skip") == [("a", 2), BadInput("bad", "is bad"), ("c", 2)]
    assert run("bad", on_error="skip") == BadInput("bad", "is bad")
    assert run(["bad", "bad"], 2, "skip") == [BadInput("bad", "is bad")] * 2
    with pytest.raises(DataError, match="is bad"):
        run(["a", "bad"])


def test_a_generator_is_answered_as_it_comes() -> None:
    taken = []

    def endless() -> Iterator[int]:
        for number in itertools.count():
            taken.append(number)
            yield number

    results = run(endless(), 4)
    assert [next(results) for _ in range(6)] == [(i, 4) for i in range(6)]
    assert taken == list(range(8))


@pytest.mark.parametrize(("size", "on_error"), [(0, "raise"), (1, "ignore")])
def test_wrong_options_are_refused(size: int, on_error: str) -> None:
    with pytest.raises(ConfigError, match="batch_size must be 1 or more"):
        run(["a"], size, on_error)
