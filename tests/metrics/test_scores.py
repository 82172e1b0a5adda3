"""The rows of the table, and intervals that resample photographs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handkit.detections import Detections
from handkit.errors import ConfigError
from handkit.metrics import EPE, NME, PCK, DetectionRecall, FalseHandsPerImage, HandSamples, NMEEasyCV
from handkit.metrics.box_samples import BoxSamples
from handkit.metrics.gesture_samples import GestureSamples
from handkit.metrics.scores import Scores, bootstrap_intervals, names_of, score
from handkit.registry import METRICS, build, registered

EVERY_METRIC = [build({"type": name}, METRICS) for name in registered(METRICS)]
EVERY_METRIC += [build({"type": name, "over": "matched"}, METRICS) for name in ("PCK", "AUC", "EPE", "NME")]
EVERY_METRIC += [PCK(average="micro")]


def one_image(rng: np.random.Generator, hands: int, joints: int = 21) -> HandSamples:
    """An image in which some hands are missed and some joints are not labelled."""
    labels = rng.uniform(0, 200, (hands, joints, 2))
    found = rng.uniform(size=hands) < 0.8
    boxes = np.concatenate([labels.min(1), labels.max(1)], -1)
    sides = np.array(["left", "right", None], object)
    more = np.random.default_rng(hands)
    return HandSamples(
        labels=labels,
        visible=rng.uniform(size=(hands, joints)) < 0.8,
        boxes=boxes,
        sides=tuple(rng.choice(sides, hands)),
        predicted=np.where(found[:, None, None], labels + rng.normal(0, 15, labels.shape), np.nan),
        predicted_sides=tuple(rng.choice(sides[:2], hands)),
        found=found,
        images=np.zeros(hands, int),
        unmatched=rng.integers(0, 3, 1),
        detections=BoxSamples.of_image(
            boxes,
            np.zeros(hands, bool),
            boxes[found] + rng.normal(0, 10, (found.sum(), 4)),
            rng.uniform(size=found.sum()),
        ),
        masks=np.sort(more.integers(0, 99, (1, 2))),
        gestures=GestureSamples(*more.integers(0, 3, (2, hands)), ("a", "b", "c")),
    )


def images(count: int = 12, seed: int = 0) -> list[HandSamples]:
    rng = np.random.default_rng(seed)
    return [one_image(rng, int(rng.integers(0, 4))) for _ in range(count)]


def test_two_numbers_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two of them give the number 'NME'"):
        score([NME(), NME(joints=(0, 9))], HandSamples.concatenate(images()))


def test_names_are_told_without_samples() -> None:
    for metric in EVERY_METRIC:
        assert names_of([metric]) == list(metric.compute(HandSamples.concatenate(images())))


@pytest.mark.parametrize("metric", EVERY_METRIC, ids=lambda metric: f"{type(metric).__name__}{vars(metric)}")
def test_resampled_is_what_images_taken_so_often_give(metric: object) -> None:
    parts = images()
    times = np.random.default_rng(1).multinomial(len(parts), np.full(len(parts), 1 / len(parts)), size=4)
    got = metric.resampled(HandSamples.concatenate(parts), times.astype(float))  # type: ignore[attr-defined]
    for row, counts in enumerate(times):
        drawn = [part for part, count in zip(parts, counts, strict=True) for _ in range(count)]
        expected = metric.compute(HandSamples.concatenate(drawn))  # type: ignore[attr-defined]
        assert {name: values[row] for name, values in got.items()} == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_intervals_are_seeded_and_hold_the_value() -> None:
    samples = HandSamples.concatenate(images(60))
    metrics = [PCK(0.1), DetectionRecall(), FalseHandsPerImage()]
    first = score(metrics, samples, bootstrap=300)
    assert first == score(metrics, samples, bootstrap=300)
    assert first.intervals != score(metrics, samples, bootstrap=300, seed=1).intervals
    assert list(first.values) == list(first.intervals) == ["PCK@0.1", "recall", "false_hands_per_image"]
    for name, (low, high) in first.intervals.items():
        assert low < first[name] < high
    assert score(metrics, samples).intervals == {}


def test_the_interval_of_a_mean_is_near_the_normal_one() -> None:
    false = np.random.default_rng(0).poisson(2.0, 400)
    samples = HandSamples.of_negatives([Detections(np.zeros((n, 4)), np.zeros(n)) for n in false])
    low, high = bootstrap_intervals([FalseHandsPerImage()], samples, 2000)["false_hands_per_image"]
    error = 1.96 * false.std() / math.sqrt(400)
    assert (low, high) == pytest.approx((false.mean() - error, false.mean() + error), abs=0.03)


def test_hands_of_one_photograph_are_drawn_together() -> None:
    # Each photograph shows one hand ten times: as telling as one hand, not as ten.
    once = HandSamples.concatenate([one_image(np.random.default_rng(seed), 1) for seed in range(40)])
    often = HandSamples.concatenate([once] * 10)
    together = HandSamples(**{**vars_of(often), "detections": None, "masks": None}).grouped(np.tile(np.arange(40), 10))

    def width(samples: HandSamples) -> float:
        low, high = bootstrap_intervals([PCK(0.1)], samples, 400)["PCK@0.1"]
        return high - low

    assert width(together) == pytest.approx(width(once), rel=1e-6)
    assert width(often) < width(once) / 2
    assert together.unmatched.tolist() == (10 * once.unmatched).tolist()


def vars_of(samples: HandSamples) -> dict[str, object]:
    return {name: getattr(samples, name) for name in HandSamples.__dataclass_fields__}


def test_a_missed_hand_makes_some_sets_infinite() -> None:
    samples = HandSamples.concatenate([one_image(np.random.default_rng(seed), 2) for seed in range(30)])
    assert not samples.found.all()
    scores = score([EPE(), EPE("matched")], samples, bootstrap=200)
    assert scores["EPE"] == scores.intervals["EPE"][1] == math.inf
    assert np.isfinite(scores.intervals["EPE_matched"]).all()
    assert scores.to_dict()["metrics"]["EPE"] is None
    assert scores.to_dict()["intervals"]["EPE"][1] is None


def test_nothing_to_measure_gives_no_interval() -> None:
    nothing = HandSamples.concatenate([])
    scores = score([PCK(), FalseHandsPerImage()], nothing, bootstrap=10)
    assert scores.rows()[2:] == ["PCK@0.2 nan [nan, nan]", "false_hands_per_image nan [nan, nan]"]
    blank = HandSamples.of_negatives([Detections.empty()] * 3)
    assert math.isnan(score([PCK()], blank, bootstrap=10).intervals["PCK@0.2"][0])


def test_rows() -> None:
    scores = Scores({"PCK@0.2": 0.93124, "EPE": math.inf}, {"PCK@0.2": (0.9101, 0.95)}, {"images": 3})
    assert scores.rows() == ["images 3", "PCK@0.2 0.9312 [0.9101, 0.9500]", "EPE inf"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("PCK", {"threshold": 0}),
        ("PCK", {"threshold": math.nan}),
        ("PCK", {"average": "mean"}),
        ("PCK", {"over": "found"}),
        ("AUC", {"limit": -30.0}),
        ("AUC", {"steps": 0}),
        ("EPE", {"over": "all"}),
        ("NME", {"over": "all"}),
        ("EPE", {"treshold": 0.2}),
        ("PCKK", {}),
    ],
)
def test_unknown_options_are_refused(name: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build({"type": name, **arguments}, METRICS)


def test_easycvs_nme_is_told_to_be_pixels() -> None:
    samples = HandSamples.concatenate([image for image in images(6) if image.found.all()])
    scores = score([EPE(), NME(), NMEEasyCV()], samples)
    assert scores["NME_easycv"] == scores["EPE"] != scores["NME"]
    assert scores.rows()[-1].startswith("NME_easycv: ")
    assert score([EPE()], samples).rows()[-1].startswith("EPE ")


def test_a_negative_bootstrap_is_refused() -> None:
    with pytest.raises(ConfigError, match="not -1"):
        score([PCK()], HandSamples.concatenate([]), bootstrap=-1)
