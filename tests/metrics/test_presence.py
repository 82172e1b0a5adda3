"""PresenceAUC: by hand, pair by pair on random numbers, over photographs drawn several times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handkit.engine.measuring import crop_samples
from handkit.geometry import Crop
from handkit.metrics import HandSamples, PresenceAUC
from handkit.metrics.presence_samples import PresenceSamples


def crops(hands: list[bool], probabilities: list[float]) -> HandSamples:
    """Crops of one image each."""
    presence = PresenceSamples(np.array(hands, bool), np.array(probabilities), np.arange(len(hands)))
    return HandSamples(**{**HandSamples.of_negatives([()] * len(hands)).__dict__, "presence": presence})


def area(samples: HandSamples) -> float:
    return PresenceAUC().compute(samples)["presence_auc"]


def test_by_hand() -> None:
    assert area(crops([True, True, False, False], [0.9, 0.4, 0.4, 0.1])) == 3.5 / 4
    assert area(crops([True, False], [0.2, 0.8])) == 0
    assert np.isnan(area(crops([True, True], [0.2, 0.8])))
    assert np.isnan(area(crops([False], [0.2])))
    assert np.isnan(area(crops([], [])))
    assert np.isnan(area(HandSamples.of_negatives([()])))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=30))
def test_as_counted_pair_by_pair(rows: list[tuple[bool, int, int]]) -> None:
    samples = crops([row[0] for row in rows], [row[1] / 6 for row in rows])
    times = np.array([[row[2] for row in rows]], float)
    won = pairs = 0.0
    for hand, mine, often in rows:
        for other, theirs, as_often in rows:
            if hand and not other:
                pairs += often * as_often
                won += often * as_often * ((mine > theirs) + (mine == theirs) / 2)
    found = PresenceAUC().resampled(samples, times)["presence_auc"]
    assert found == pytest.approx([won / pairs if pairs else np.nan], nan_ok=True)


def test_crops_of_one_photograph_are_drawn_together() -> None:
    parts = [crops([True, False], [0.9, 0.1]), crops([True, False], [0.3, 0.5])]
    joined = HandSamples.concatenate(parts)
    assert area(joined) == 3 / 4
    grouped = joined.grouped(np.array([0, 0, 1, 1]))
    drawn = PresenceAUC().resampled(grouped, np.array([[1.0, 0], [0, 2], [1, 1]]))["presence_auc"]
    assert drawn.tolist() == [1, 0, 3 / 4]


def test_negatives_among_crops_count() -> None:
    labels = [{"keypoints": np.zeros((21, 2)), "visible": np.ones(21), "box": np.arange(4.0)}]
    labels = [{**labels[0], "hand": hand} for hand in (1.0, 0.0, 1.0)]
    outputs = {"keypoints": np.zeros((3, 21, 2)), "presence": np.array([0.8, 0.5, 0.2])}
    places = [Crop.from_box(np.array([0.0, 0, 9, 9]), (8, 8))] * 3
    samples = crop_samples(outputs, places, labels)
    assert len(samples) == 2
    assert area(samples) == 0.5
    del outputs["presence"]
    assert np.isnan(area(crop_samples(outputs, places, labels)))
