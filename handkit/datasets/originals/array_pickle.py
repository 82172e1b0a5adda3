"""Pickles of NumPy arrays, read without running anything that they name.

A pickle is a program that may call whatever it can name. Here the few names that arrays need stand for functions of
this module that make arrays of numbers; every other name is an error, and so is whatever a pickle does besides.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError

#: Kinds of numbers, with their sizes in bytes.
_TYPES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})


class _Type:
    """What stands for a dtype."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any, *_: Any) -> None:
        if code not in _TYPES:
            raise pickle.UnpicklingError(f"arrays of {code!r} are not read, numbers are")
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        if state[1] not in ("<", ">", "=", "|") or any(field is not None for field in state[2:5]):
            raise pickle.UnpicklingError("arrays of records are not read, numbers are")
        self.order = state[1]

    def array(self, data: Any, shape: Any, fortran: bool) -> NDArray[Any]:
        dtype = np.dtype(self.order + self.code)
        data = data.encode("latin1") if isinstance(data, str) else bytes(data)
        if not all(type(size) is int and size >= 0 for size in shape) or prod(shape) * dtype.itemsize != len(data):
            raise pickle.UnpicklingError(f"an array of shape {shape} has {len(data)} bytes")
        array: NDArray[Any] = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
        return array


class _Array:
    """What stands for an array while it is read."""

    __slots__ = ("value",)

    def __init__(self, *_: Any) -> None:
        self.value = np.zeros(0)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        if not isinstance(dtype, _Type) or not isinstance(data, (bytes, str)):
            raise pickle.UnpicklingError("an array holds no numbers")
        self.value = dtype.array(data, shape, bool(fortran))


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    if not isinstance(dtype, _Type) or not isinstance(data, (bytes, bytearray)):
        raise pickle.UnpicklingError("an array holds no numbers")
    made = _Array()
    made.value = dtype.array(data, shape, order == "F")
    return made


def _bytes(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("bytes are spelt as latin1 text")
    return text.encode("latin1")


class _Name:
    """What stands for a name: it can be called, and that is all."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a function is given a state")


_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _bytes,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        make = _NAMES.get((module, name))
        if make is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no file of arrays needs; nothing was run")
        return _Name(make)


def load_arrays(data: bytes, where: str) -> Any:
    """What a pickle of dicts, lists, numbers, strings and arrays holds; pickles of Python 2 too.

    Args:
        data: the file's bytes.
        where: the file's name, for messages.

    Raises:
        DataError: it is no pickle, or names anything else; nothing of it has been run.
    """
    try:
        return _values(_Reader(io.BytesIO(data), encoding="latin1").load())
    except Exception as error:  # what a broken pickle raises is not documented
        raise DataError(f"{where}: not a pickle of arrays: {error or type(error).__name__}") from None


def _values(value: Any) -> Any:
    """`value` with arrays in place of what stood for them."""
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, dict):
        return {key: _values(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_values(part) for part in value]
    return value
