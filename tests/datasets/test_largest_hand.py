"""LargestHand: one hand per picture, the one with the largest box."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from handkit.datasets import RHD, CocoHands, HandShards, LargestHand, NegativePhotos
from handkit.datasets.labels import read_hand_labels
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


@pytest.mark.parametrize("reader", READERS)
def test_whole_photographs_measure_the_largest_hand_alone(reader: HandReader) -> None:
    chosen = LargestHand(reader)
    images = chosen.image_labels()
    assert len(images) == reader.index.images
    boxes = [box for image in images for box in image.boxes[image.measured(good_only=True)]]
    np.testing.assert_allclose(boxes, [sample["box"] for sample in samples(chosen)], atol=1e-4)
    assert sum(len(image) for image in images) == len(reader.index)


def test_shards_are_labelled_in_space_by_their_file_too() -> None:
    shards = HandShards(FILES / "shards")
    by_file = read_hand_labels(FILES / "shards" / "hands.json")
    expected = [sample["xyz_cam"] for sample in shards]
    for images in (by_file, LargestHand(shards).image_labels(), shards.image_labels()):
        xyz = np.concatenate([image.xyz_cam[image.measured()] for image in images if image.xyz_cam is not None])
        np.testing.assert_array_equal(xyz, expected)
    assert [sample["xyz_cam"][0, 2] for sample in HandReader.of_file(FILES / "shards" / "hands.json")] == [
        xyz[0, 2] for xyz in expected
    ]
    assert read_hand_labels(FILES / "coco.json")[0].xyz_cam is None


def test_other_data_sets_and_places_are_refused() -> None:
    with pytest.raises(DataError, match="NegativePhotos is none"):
        LargestHand(NegativePhotos(FILES / "images"))  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="sample 99"):
        LargestHand(HandShards(FILES / "shards"))[99]
