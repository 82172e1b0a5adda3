"""Box AP and recall: pycocotools' values, and a few that are known by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.errors import DataError
from handkit.metrics import BoxAP, HandSamples
from handkit.metrics.box_samples import MAX_DETECTIONS, BoxSamples

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "boxes.npz")
CASES = sorted(name.removesuffix("_values") for name in GOLDEN if name.endswith("_values"))
COLUMNS = ("labels", "ignored", "label_images", "predicted", "scores", "predicted_images")
HAND = [10.0, 10.0, 50.0, 50.0]
SHIFTED = [15.0, 10.0, 55.0, 50.0]  # overlaps HAND by 35 / 45 = 0.78
FAR = [200.0, 200.0, 240.0, 240.0]


def golden(name: str) -> BoxSamples:
    return BoxSamples(**{key: GOLDEN[f"{name}_{key}"] for key in COLUMNS}, images=int(GOLDEN[f"{name}_images"]))


def image(labels: list[Any], predicted: list[Any], ignored: list[int] | None = None) -> BoxSamples:
    """One image; predictions come in descending order of score."""
    return BoxSamples.of_image(
        np.array(labels).reshape(-1, 4),
        np.zeros(len(labels), bool) if ignored is None else np.array(ignored, bool),
        np.array(predicted).reshape(-1, 4),
        np.linspace(0.9, 0.1, len(predicted)),
    )


def measured(*images: BoxSamples) -> list[float]:
    """AP, AP50 and recall at 0.5."""
    boxes = BoxSamples.concatenate(images)
    rows = {name: getattr(HandSamples.of_negatives([]), name) for name in HandSamples.__dataclass_fields__}
    samples = HandSamples(**{**rows, "unmatched": np.zeros(boxes.images, int), "detections": boxes})
    values = BoxAP().compute(samples)
    assert list(values) == ["box_AP", "box_AP50", "box_recall50"]
    return list(values.values())


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_pycocotools(name: str) -> None:
    expected = np.where(GOLDEN[f"{name}_values"] < 0, np.nan, GOLDEN[f"{name}_values"])
    np.testing.assert_allclose(measured(golden(name)), expected, atol=1e-9)


def test_the_golden_file_holds_the_edge_cases() -> None:
    assert {"no_predictions", "no_labels", "all_ignored", "ignored", "several_hands"} < set(CASES)


def test_by_hand() -> None:
    assert measured(image([HAND], [HAND])) == [1, 1, 1]
    assert measured(image([HAND], [SHIFTED])) == pytest.approx([0.6, 1, 1])  # right at 0.5, 0.55 .. 0.75
    assert measured(image([HAND], [])) == [0, 0, 0]
    assert measured(image([HAND], [FAR])) == [0, 0, 0]
    assert measured(image([HAND], [FAR, HAND])) == pytest.approx([0.5, 0.5, 1])
    assert measured(image([HAND], [HAND, HAND])) == [1, 1, 1]  # the second costs nothing behind the last label
    half = measured(image([HAND, FAR], [HAND]))
    assert half == pytest.approx([51 / 101, 51 / 101, 0.5])  # recalls 0 .. 0.50 of 0, 0.01 .. 1


def test_nothing_to_find_is_not_measured() -> None:
    assert np.isnan(measured(image([], [HAND]))).all()
    assert np.isnan(measured(image([HAND], [HAND], ignored=[1]))).all()
    assert np.isnan(list(BoxAP().compute(HandSamples.of_negatives([])).values())).all()


def test_predictions_in_an_ignored_box_are_neither_right_nor_false() -> None:
    inside = [20.0, 20.0, 30.0, 30.0]
    assert measured(image([HAND, FAR], [inside, inside, FAR], ignored=[1, 0])) == [1, 1, 1]
    assert measured(image([HAND, FAR], [inside, inside, FAR]))[1] < 0.5


def test_boxes_answer_labels_of_their_own_image_only() -> None:
    assert measured(image([HAND], []), image([FAR], [HAND])) == [0, 0, 0]
    assert measured(image([HAND], [HAND]), image([], []), image([FAR], [FAR])) == [1, 1, 1]


def test_of_one_image_the_best_hundred_count() -> None:
    crowded = [FAR] * (MAX_DETECTIONS - 1)
    assert measured(image([HAND], [*crowded, HAND]))[2] == 1
    assert measured(image([HAND], [*crowded, FAR, HAND]))[2] == 0


def test_columns_that_disagree_are_refused() -> None:
    one = image([HAND], [HAND])
    with pytest.raises(DataError, match="as many rows"):
        BoxSamples(**{**vars(one), "scores": np.zeros(2)})
