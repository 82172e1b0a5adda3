"""Importing yapf, as mmengine does, beside other processes that import it for the first time.

yapf keeps a grammar in the user's cache and writes it in place: a process that starts meanwhile reads half of it, and
where the first one was stopped, every later one does (google/yapf issue 1204, open-mmlab/mmengine issue 1480). Whoever
starts two trainings on a new machine meets ``EOFError: Ran out of input``.
"""

from __future__ import annotations

import importlib
import pickle
from functools import partial
from typing import Any


def import_yapf() -> None:
    """Imports yapf, where mmengine brings it; a broken grammar in the cache is made anew, in memory and on disk."""
    try:
        importlib.import_module("yapf")
    except ModuleNotFoundError:
        return
    except (EOFError, pickle.UnpicklingError):
        driver: Any = importlib.import_module("yapf_third_party._ylib2to3.pgen2.driver")
        load = driver.load_grammar
        driver.load_grammar = partial(load, force=True)
        try:
            importlib.import_module("yapf")
        finally:
            driver.load_grammar = load
