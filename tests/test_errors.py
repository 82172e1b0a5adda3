from __future__ import annotations

import pytest

from handkit import errors
from handkit.errors import HandkitError, MissingExtraError, did_you_mean


def test_every_error_is_a_handkit_error() -> None:
    found = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, Exception)]
    assert len(found) >= 8
    assert all(issubclass(error, HandkitError) for error in found)


def test_missing_extra_names_the_mend_and_is_an_import_error() -> None:
    with pytest.raises(ImportError, match=r"ai-edge-litert is needed for nets: pip install 'handkit\[mediapipe\]'"):
        raise MissingExtraError("ai-edge-litert", "mediapipe", "nets")


def test_did_you_mean_lists_all_when_nothing_is_near() -> None:
    assert did_you_mean("padd", ["padding", "border"]) == "did you mean 'padding'?"
    assert did_you_mean("zzz", []) == "known: none"
