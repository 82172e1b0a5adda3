"""LargestHand: one hand per picture, the one with the largest box."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from handkit.datasets import RHD, CocoHands, HandShards, LargestHand, NegativePhotos
from handkit.datasets.reader import HandReader
from handkit.errors import DataError
from handkit.transforms.base import Sample

FILES = Path(__file__).parent / "files"


READERS = [HandShards(FILES / "shards"), RHD(FILES / "rhd" / "anno_training.pickle"), CocoHands(FILES / "coco.json")]


def area(sample: Sample) -> float:
    return float(np.prod(sample["box"][2:] - sample["box"][:2]))


def samples(chosen: LargestHand) -> list[Sample]:
    return [chosen[index] for index in range(len(chosen))]


@pytest.mark.parametrize("reader", READERS)
def test_one_hand_per_picture(reader: HandReader) -> None:
    chosen = LargestHand(reader)
    best: dict[str, float] = {}
    for index in range(len(reader)):
        sample = reader[index]
        best[sample["source"]] = max(area(sample), best.get(sample["source"], 0.0))
    assert {sample["source"]: area(sample) for sample in samples(chosen)} == best
    assert len(chosen) == len(best)
    again = pickle.loads(pickle.dumps(chosen))
    assert [one["sample_id"] for one in samples(again)] == [one["sample_id"] for one in samples(chosen)]
    np.testing.assert_allclose(chosen.hands(0).boxes[0], chosen[0]["box"], atol=1e-4)


def test_there_are_pictures_with_two_hands() -> None:
    reader = RHD(FILES / "rhd" / "anno_training.pickle")
    assert len(LargestHand(reader)) < len(reader)


def test_other_data_sets_and_places_are_refused() -> None:
    with pytest.raises(DataError, match="NegativePhotos is none"):
        LargestHand(NegativePhotos(FILES / "images"))  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="sample 99"):
        LargestHand(HandShards(FILES / "shards"))[99]
