"""Pickles of arrays: read as NumPy wrote them, and nothing that they name is run."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.datasets.originals.array_pickle import load_arrays
from handkit.errors import DataError

ARRAYS = {
    3: {"uv_vis": np.arange(126, dtype=np.float32).reshape(42, 3), "K": np.eye(3), "n": 7, "name": "é", "none": None},
    5: [np.array([[True, False]]), np.arange(6, dtype=">i2").reshape(2, 3), np.asfortranarray(np.ones((2, 3), "f2"))],
}


class Call:
    """Pickles as the call of a function."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.call = (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_back_as_they_were(protocol: int) -> None:
    data = pickle.dumps(ARRAYS, protocol)
    old = data.replace(b"cnumpy._core.", b"cnumpy.core.")  # NumPy 1 wrote so
    for read in (load_arrays(data, "a.pickle"), load_arrays(old, "a.pickle")):
        np.testing.assert_equal(read, ARRAYS)
        assert [array.dtype for array in read[5]] == [array.dtype for array in ARRAYS[5]]


def test_pickles_of_python_2_are_read() -> None:
    data = (
        b"\x80\x02}q\x00U\x01Kcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x08\x00\x00\x80?\x00\x00\x00\xc0tbs."
    )
    np.testing.assert_equal(load_arrays(data, "a.pickle"), {"K": np.array([1, -2], np.float32)})


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("function", [os.mkdir, os.system, eval], ids=lambda function: function.__name__)
def test_nothing_that_a_pickle_names_is_run(tmp_path: Path, function: Callable[..., Any], protocol: int) -> None:
    made = tmp_path / "made"
    python = f"__import__('os').mkdir({str(made)!r})"
    command = {os.mkdir: str(made), os.system: f"mkdir {made}", eval: python}[function]
    data = pickle.dumps({0: {"K": Call(function, command)}}, protocol)
    with pytest.raises(DataError, match=rf"anno\.pickle: .*names .*\.{function.__name__}, .* nothing was run"):
        load_arrays(data, "anno.pickle")
    assert not made.exists()
    pickle.loads(data)  # the trap works
    assert made.exists()


def held(dtype: Any, data: Any, shape: Any = (1,)) -> Any:
    """What pickles as an array with a state of one's own."""
    return Call(np.zeros(0).__reduce__()[0], np.ndarray, (0,), b"b", state=(1, shape, dtype, False, data))


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "Ran out of input"),
    "text": (b"hello", "not a pickle of arrays"),
    "cut": (pickle.dumps(ARRAYS)[:-40], "not a pickle of arrays"),
    "objects": (pickle.dumps(np.array([{}], object)), "arrays of 'O8' are not read"),
    "records": (pickle.dumps(np.zeros(2, [("x", "f4")])), "arrays of 'V4' are not read"),
    "dates": (pickle.dumps(np.zeros(2, "M8[s]")), "arrays of 'M8' are not read"),
    "a class": (pickle.dumps(Path), "which no file of arrays needs"),
    "getattr": (pickle.dumps(Call(getattr, "", "join")), "it names builtins.getattr"),
    "too few bytes": (pickle.dumps(held(np.dtype("f4"), b"12")), r"an array of shape \(1,\) has 2 bytes"),
    "huge": (pickle.dumps(held(np.dtype("f4"), b"1234", (2**40, 2**40))), "has 4 bytes"),
    "negative": (pickle.dumps(held(np.dtype("f4"), b"1234", (-1, -1))), "has 4 bytes"),
    "list of data": (pickle.dumps(held(np.dtype("f4"), [1.0])), "an array holds no numbers"),
    "no dtype": (pickle.dumps(held("f4", b"1234")), "an array holds no numbers"),
    "state for a function": (b"\x80\x02cnumpy\ndtype\n}U\x01aK\x01sb.", "a function is given a state"),
    "slots of a function": (b"\x80\x02c_codecs\nencode\nN}U\x05_makeK\x01s\x86b.", "a function is given a state"),
    "an instance": (b"\x80\x02cnumpy\nndarray\n)\x81.", "not a pickle of arrays"),
    "an id": (b"\x80\x02K\x01Q.", "persistent"),
    "an extension": (b"\x80\x02\x82\x01.", "not a pickle of arrays"),
    "itself": (b"\x80\x02]q\x00h\x00a.", "recursion"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_whatever_is_no_pickle_of_arrays_is_refused(name: str) -> None:
    data, message = BROKEN[name]
    with pytest.raises(DataError, match=rf"anno\.pickle: not a pickle of arrays: (?s:.*){message}|{message}"):
        load_arrays(data, "anno.pickle")
