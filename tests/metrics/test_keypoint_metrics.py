"""PCK, AUC, EPE and NME: equal to mmpose's values, and right where mmpose's are not."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.errors import ConfigError, DataError
from handkit.geometry import mirror_points
from handkit.metrics import AUC, EPE, NME, PCK, HandSamples
from handkit.metrics.keypoints import auc, auc_closed, box_sides, distances, epe, nme, normalised, pck
from handkit.registry import METRICS, build

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "metrics.npz")
CASES = sorted(name.removesuffix("_predicted") for name in GOLDEN if name.endswith("_predicted"))
LABELLED_CASES = sorted(set(CASES) - {"nothing_labelled"})


def case(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Distances (N, K) and box sides (N,)."""
    read = {key: GOLDEN[f"{name}_{key}"] for key in ("predicted", "labelled", "visible", "boxes")}
    return distances(read["predicted"], read["labelled"], read["visible"]), box_sides(read["boxes"])


def samples(predicted: np.ndarray, labels: np.ndarray, found: np.ndarray | None = None) -> HandSamples:
    count = len(labels)
    found = np.ones(count, bool) if found is None else found
    return HandSamples(
        labels=labels,
        visible=np.ones(labels.shape[:2]),
        boxes=np.tile([0.0, 0.0, 100.0, 50.0], (count, 1)),
        sides=("left",) * count,
        predicted=np.where(found[:, None, None], predicted, np.nan),
        predicted_sides=("left",) * count,
        found=found,
        images=np.arange(count),
        unmatched=np.zeros(count, int),
    )


def test_the_golden_file_holds_the_edge_cases() -> None:
    assert {"empty_box", "nan_prediction", "nothing_labelled", "on_the_threshold", "unlabelled_joint"} < set(CASES)


@pytest.mark.parametrize("name", LABELLED_CASES)
@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.2])
def test_pck_equals_mmpose(name: str, threshold: float) -> None:
    assert pck(*case(name), threshold) == pytest.approx(float(GOLDEN[f"{name}_pck@{threshold}"]), abs=1e-6)


@pytest.mark.parametrize("name", LABELLED_CASES)
def test_auc_equals_mmpose(name: str) -> None:
    assert auc(case(name)[0]) == pytest.approx(float(GOLDEN[f"{name}_auc"]), abs=1e-6)


@pytest.mark.parametrize("name", sorted(set(LABELLED_CASES) - {"nan_prediction"}))
def test_epe_and_nme_equal_mmpose(name: str) -> None:
    # mmpose keeps distances in float32, hence relative.
    assert epe(case(name)[0]) == pytest.approx(float(GOLDEN[f"{name}_epe"]), rel=1e-6)
    assert nme(*case(name)) == pytest.approx(float(GOLDEN[f"{name}_nme"]), rel=1e-6)


def test_a_prediction_that_is_no_number_is_wrong_and_makes_the_mean_infinite() -> None:
    distance, sides = case("nan_prediction")
    assert np.isnan(GOLDEN["nan_prediction_epe"])
    assert epe(distance) == nme(distance, sides) == math.inf
    assert np.isinf(distance[3, 4])
    infinite = distances(np.full((1, 2, 2), np.inf), np.zeros((1, 2, 2)), np.ones((1, 2)))
    assert np.isinf(infinite).all()
    assert pck(infinite, 1.0, 1e9) == auc_closed(infinite) == 0


def test_nothing_labelled_is_not_a_number_where_mmpose_says_zero() -> None:
    distance, sides = case("nothing_labelled")
    assert GOLDEN["nothing_labelled_pck@0.2"] == GOLDEN["nothing_labelled_epe"] == 0
    numbers = [pck(distance, sides, 0.2), pck(distance, sides, 0.2, "micro"), auc(distance), auc_closed(distance)]
    numbers += [epe(distance), nme(distance, sides)]
    assert np.isnan(numbers).all()


def test_no_hands_at_all_is_not_a_number() -> None:
    distance = np.zeros((0, 21))
    assert np.isnan([pck(distance, np.zeros(0), 0.2), auc(distance), epe(distance)]).all()


@pytest.mark.parametrize("side", [0.0, -5.0, math.nan, math.inf])
def test_a_hand_without_a_proper_size_counts_nowhere(side: float) -> None:
    distance = np.array([[1.0, 1.0], [50.0, 50.0]])
    sides = np.array([10.0, side])
    assert pck(distance, sides, 0.2) == 1
    assert nme(distance, sides) == pytest.approx(0.1)
    assert np.isnan(normalised(distance, sides)[1]).all()


def test_pck_is_strict_and_macro_weighs_joints_alike() -> None:
    distance = np.array([[2.0, 1.0], [1.0, np.nan], [1.0, np.nan]])
    assert pck(distance, 10.0, 0.2) == pytest.approx((2 / 3 + 1) / 2)
    assert pck(distance, 10.0, 0.2, "micro") == pytest.approx(3 / 4)
    with pytest.raises(ValueError, match="'macro' or 'micro'"):
        pck(distance, 10.0, 0.2, "mean")  # type: ignore[arg-type]


def test_auc_by_hand() -> None:
    distance = np.array([[0.0, 1.5, 15.0, 30.0, 30.1]])
    mmpose = [19, 18, 9, 0, 0]
    closed = [20, 20, 11, 1, 0]
    assert auc(distance) == pytest.approx(sum(mmpose) / 100)
    assert auc_closed(distance) == pytest.approx(sum(closed) / 100)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 60))
def test_auc_is_the_mean_of_pck_over_the_thresholds(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    distance = np.where(rng.uniform(size=(17, 5)) < 0.2, np.nan, rng.exponential(scale, (17, 5)))
    for average in ("macro", "micro"):
        curve = [pck(distance, 1.0, 1.5 * step, average) for step in range(20)]  # type: ignore[arg-type]
        assert auc(distance, average=average) == pytest.approx(np.mean(curve))  # type: ignore[arg-type]
    assert auc(distance) <= auc_closed(distance) <= auc(distance) + 0.05 + 1e-12


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 2000))
def test_values_do_not_depend_on_order_or_mirroring(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    labels, visible = rng.uniform(0, 300, (9, 21, 2)), rng.uniform(size=(9, 21)) < 0.7
    predicted, sides = labels + rng.normal(0, 8, labels.shape), rng.uniform(50, 200, 9)

    def values(order: np.ndarray, mirror: bool) -> list[float]:
        shown = [mirror_points(points[order], width) if mirror else points[order] for points in (predicted, labels)]
        distance = distances(*shown, visible[order])
        lengths = sides[order]
        return [pck(distance, lengths, 0.1), auc(distance), auc_closed(distance), epe(distance), nme(distance, lengths)]

    straight = values(np.arange(9), False)
    assert values(rng.permutation(9), False) == pytest.approx(straight, rel=1e-9)
    assert values(np.arange(9), True) == pytest.approx(straight, rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_perfect_predictions(seed: int) -> None:
    labels = np.random.default_rng(seed).uniform(0, 500, (4, 21, 2))
    perfect = samples(labels, labels)
    got = {}
    for metric in (PCK(0.05), PCK(0.05, average="micro"), AUC(), EPE(), NME()):
        got |= metric.compute(perfect)
    expected = {"PCK@0.05": 1, "PCK_micro@0.05": 1, "AUC": 0.95, "AUC_closed": 1, "EPE": 0, "NME": 0}
    assert got == pytest.approx(expected)


def test_a_missed_hand_is_wrong_among_the_labelled_and_absent_among_the_matched() -> None:
    labels = np.random.default_rng(0).uniform(0, 500, (4, 21, 2))
    some = samples(labels + np.array([3.0, 4.0]), labels, np.array([True, True, True, False]))
    assert PCK(0.2).compute(some) == {"PCK@0.2": pytest.approx(0.75)}
    assert PCK(0.2, over="matched").compute(some) == {"PCK@0.2_matched": 1.0}
    assert EPE().compute(some) == {"EPE": math.inf}
    assert EPE("matched").compute(some) == {"EPE_matched": pytest.approx(5)}
    assert NME("matched").compute(some) == {"NME_matched": pytest.approx(0.05)}
    assert AUC(over="matched").compute(some)["AUC_closed_matched"] == pytest.approx(17 / 20)
    with pytest.raises(ValueError, match="'labelled' or 'matched'"):
        some.rows("found")  # type: ignore[arg-type]


def test_samples_concatenate_and_refuse_columns_that_disagree() -> None:
    labels = np.random.default_rng(0).uniform(0, 500, (4, 21, 2))
    one = samples(labels, labels)
    both = HandSamples.concatenate([one, samples(labels, labels, np.zeros(4, bool))])
    assert len(both) == 8
    assert len(both.unmatched) == 8
    assert PCK().compute(both) == {"PCK@0.2": pytest.approx(0.5)}
    assert len(HandSamples.concatenate([])) == 0
    with pytest.raises(DataError, match="one row per labelled hand"):
        HandSamples(**{**vars(one), "sides": ("left",)})
    with pytest.raises(DataError, match="same joints"):
        HandSamples(**{**vars(one), "visible": np.ones((4, 20))})


@pytest.mark.parametrize("name", ["PCK", "AUC", "EPE", "NME"])
def test_metrics_are_built_by_name(name: str) -> None:
    labels = np.zeros((1, 21, 2))
    metric = build({"type": name, "over": "matched"}, METRICS)
    assert all(key.endswith("_matched") for key in metric.compute(samples(labels, labels)))


def test_nme_over_two_labelled_joints() -> None:
    rng = np.random.default_rng(0)
    labels = rng.uniform(0, 100, (3, 5, 2))
    labels[:, 1] = labels[:, 0] + np.array([3, 4])  # 5 pixels apart
    moved = labels + np.array([0, 2])
    assert NME(joints=(0, 1)).compute(samples(moved, labels)) == {"NME": pytest.approx(0.4)}
    labels[1, 1] = labels[1, 0]
    moved[1] += 1000  # counts nowhere: its corners lie on one place
    assert NME(joints=(0, 1)).compute(samples(moved, labels)) == {"NME": pytest.approx(0.4)}
    unseen = replace(samples(moved, labels), visible=np.eye(5)[[4, 4, 4]])
    assert math.isnan(NME(joints=(0, 1)).compute(unseen)["NME"])
    with pytest.raises(ConfigError, match="two different ones"):
        NME(joints=(2, 2))
    with pytest.raises(ConfigError, match="labels that have 5 joints"):
        NME(joints=(0, 5)).compute(samples(moved, labels))
