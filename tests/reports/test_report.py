"""A report of made hands: its numbers, what stands out in it when a fault is planted, its page and its comparison."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handkit.errors import ConfigError, DataError
from handkit.geometry import hand_box
from handkit.metrics import EPE, PCK, HandSamples
from handkit.metrics.measurement import Measurement
from handkit.metrics.scores import score
from handkit.reports import ReportWriter
from handkit.reports.findings import find
from handkit.reports.statistics import calibration, confusion, ratios, statistics
from handkit.skeleton import HAND

SIZE = (320, 240)
#: A right hand's back with its fingers up, in shares of its size.
POSE = np.array(
    [
        *((0.50, 1.00), (0.34, 0.90), (0.22, 0.78), (0.12, 0.66), (0.05, 0.55)),
        *((0.36, 0.55), (0.32, 0.38), (0.30, 0.26), (0.28, 0.15)),
        *((0.48, 0.52), (0.47, 0.32), (0.47, 0.18), (0.46, 0.05)),
        *((0.60, 0.55), (0.62, 0.36), (0.64, 0.23), (0.65, 0.12)),
        *((0.71, 0.61), (0.77, 0.47), (0.80, 0.38), (0.84, 0.29)),
    ]
)


def measurement(count: int = 120, seed: int = 0, noise: float = 0.03) -> Measurement:
    """Hands of 30 to 200 pixels, turned anyhow, found with some pixels of error; two of a photograph."""
    rng = np.random.default_rng(seed)
    angles, sizes = rng.uniform(-np.pi, np.pi, count), rng.uniform(30, 200, count)
    cos, sin = np.cos(angles), np.sin(angles)
    turns = np.stack([cos, sin, -sin, cos], -1).reshape(-1, 2, 2)
    labels = (POSE - 0.5 + rng.normal(0, 0.02, (count, 21, 2))) @ turns * sizes[:, None, None] + np.array(SIZE) / 2
    sides = tuple(rng.choice(["left", "right"], count).tolist())
    samples = HandSamples(
        labels=labels,
        visible=np.where(rng.uniform(size=(count, 21)) < 0.2, 1, 2),
        boxes=hand_box(labels, (1000, 1000)),
        sides=sides,
        predicted=labels + rng.normal(0, noise, labels.shape) * sizes[:, None, None],
        predicted_sides=sides,
        found=np.ones(count, bool),
        images=np.arange(count) // 2,
        unmatched=np.zeros((count + 1) // 2, int),
        joint_scores=rng.uniform(0.9, 1, (count, 21)),
    )
    return measured(samples)


def measured(samples: HandSamples) -> Measurement:
    picture = np.random.default_rng(1).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    names = tuple(f"photos/{row // 2}.jpg#{row % 2}" for row in range(len(samples)))
    scores = score([PCK(0.2), EPE("matched")], samples, 10)
    return Measurement(scores, samples, names, lambda hand: picture, {"config": "made/hands", "limit": None})


def with_labels(made: Measurement, labels: np.ndarray) -> Measurement:
    return measured(replace(made.samples, labels=labels, boxes=hand_box(labels, (1000, 1000))))


def exchanged(made: Measurement, one: int, two: int, every: int = 10) -> Measurement:
    """Two joints change places in the labels of a tenth of the hands."""
    labels = made.samples.labels.copy()
    labels[::every, [one, two]] = labels[::every, [two, one]]
    return with_labels(made, labels)


@pytest.mark.parametrize(("one", "two"), [(8, 12), (3, 4), (5, 17), (16, 20)])
@pytest.mark.parametrize("noise", [0.01, 0.04])
def test_two_joints_exchanged_in_a_tenth_of_the_labels_rank_first(one: int, two: int, noise: float) -> None:
    made = measurement(200, noise=noise)
    assert not [finding for finding in find(made.samples) if finding.kind == "labels"]
    first, *others = find(exchanged(made, one, two).samples)
    assert first.kind == "labels"
    assert first.title.startswith(f"{HAND.joints[one]} and {HAND.joints[two]} are exchanged in ")
    share = float(re.search(r"([\d.]+) %", first.title)[1])  # type: ignore[index]
    assert 6 < share <= 10
    assert {row % 10 for row in first.hands} == {0}
    assert not [finding for finding in others if finding.kind == "labels"]


def test_the_fault_ranks_first_among_larger_errors() -> None:
    made = exchanged(measurement(200), 8, 12)
    predicted, found = made.samples.predicted.copy(), made.samples.found.copy()
    predicted[made.samples.box_sides < 64] += 20  # small hands are far off
    predicted[:, 0] += 0.1 * made.samples.box_sides[:, None] * POSE[0]
    found[150:170] = False
    predicted[~found] = np.nan
    findings = find(replace(made.samples, predicted=predicted, found=found))
    assert "forefinger4 and middle_finger4" in findings[0].title
    titles = [finding.title for finding in findings]
    assert any("are missed" in title for title in titles)
    assert any(title.startswith(("below 32 px", "32 to 64 px")) for title in titles)
    assert max(finding.gain for finding in findings[1:]) > findings[0].gain


def test_whole_fingers_are_one_finding() -> None:
    made = measurement(200)
    labels = made.samples.labels.copy()
    labels[::10, 5:13] = labels[::10][:, [9, 10, 11, 12, 5, 6, 7, 8]]
    faults = [finding for finding in find(with_labels(made, labels).samples) if finding.kind == "labels"]
    assert [finding.title.split(" are ")[0] for finding in faults] == ["forefinger and middle_finger"]


def test_the_points_of_a_face_are_no_joints_of_a_hand() -> None:
    made = measurement(200)
    twice = {name: np.concatenate([getattr(made.samples, name)] * 2, 1) for name in ("labels", "visible", "predicted")}
    twice["labels"][:, 21:] += made.samples.box_sides[:, None, None]
    twice["predicted"][:, 21:] += made.samples.box_sides[:, None, None]
    swapped = twice["labels"].copy()
    swapped[::10, 5:13] = swapped[::10][:, [9, 10, 11, 12, 5, 6, 7, 8]]
    samples = replace(made.samples, **{**twice, "labels": swapped}, joint_scores=None)
    assert [row["name"] for row in statistics(samples)["joints"]] == [f"point {number}" for number in range(42)]
    assert not any(name in finding.title for finding in find(samples) for name in ("finger", "wrist", "joint "))


def test_other_things_that_stand_out() -> None:
    made = measurement(200)
    turned = replace(
        made.samples, predicted_sides=tuple("left" if s == "right" else "right" for s in made.samples.sides)
    )
    assert find(turned)[0].title == "left and right are the other way round"
    up = made.samples.labels[:, 9] - made.samples.labels[:, 0]
    predicted = made.samples.predicted.copy()
    predicted[:, 0] += 0.3 * up
    shifted = find(replace(made.samples, predicted=predicted))[0]
    assert (shifted.kind, shifted.title) == ("definition", "wrist is found beside its label")
    assert "toward the fingertips" in shifted.text
    predicted = made.samples.predicted.copy()
    hidden = made.samples.visible == 1
    predicted[hidden] += np.random.default_rng(0).normal(0, 25, (int(hidden.sum()), 2))
    assert find(replace(made.samples, predicted=predicted))[0].title.startswith("hidden joints: ")
    overdone = replace(made.samples, joint_scores=np.full((200, 21), 0.3))
    assert find(overdone)[-1].title == "scores promise less than they keep"


def test_nothing_stands_out_where_all_is_right() -> None:
    made = measurement(200)
    assert find(made.samples) == []
    assert find(replace(made.samples, predicted=made.samples.labels)) == []


def test_groups_are_counted() -> None:
    made = measurement(80)
    found = np.arange(80) % 4 > 0
    samples = replace(
        made.samples, found=found, predicted=np.where(found[:, None, None], made.samples.predicted, np.nan)
    )
    numbers = statistics(samples)
    assert sum(row["hands"] for row in numbers["sizes"]) == sum(row["hands"] for row in numbers["sides"]) == 80
    assert sum(row["joints"] for row in numbers["visibility"]) == 80 * 21
    assert [row["name"] for row in numbers["joints"]] == list(HAND.joints)
    assert {row["found"] for row in numbers["joints"]} == {0.75}
    expected = PCK(0.1).compute(samples)["PCK@0.1"]
    assert np.mean([row["PCK@0.1"] for row in numbers["joints"]]) == pytest.approx(expected)
    curve = numbers["curve"]
    at = curve["thresholds"].index(0.1)
    assert curve["labelled"][at] == pytest.approx(expected)
    assert curve["matched"][at] == pytest.approx(expected / 0.75)
    hidden = next(row for row in numbers["visibility"] if row["name"] == "hidden joints")
    assert hidden["joints"] == int((samples.visible == 1).sum())


def test_sides_are_counted() -> None:
    labelled = ("left", "left", "right", "right", None)
    predicted = ("left", "right", None, None, "left")
    table = confusion(labelled, predicted, np.array([True, True, True, False, True]))
    assert table["left"] == {"left": 1, "right": 1, "not told": 0, "missed": 0}
    assert table["right"] == {"left": 0, "right": 0, "not told": 1, "missed": 1}
    assert table["unknown"]["left"] == 1


def test_scores_are_held_against_what_they_promise() -> None:
    made = measurement(400)
    rng = np.random.default_rng(5)
    scores = rng.uniform(size=(400, 21))
    right = rng.uniform(size=(400, 21)) < scores
    size = made.samples.box_sides[:, None]
    predicted = made.samples.labels + np.where(right, 0.0, 0.5 * size)[..., None]
    samples = replace(made.samples, predicted=predicted, joint_scores=scores)
    told = calibration(samples, ratios(samples))
    assert told is not None
    assert told["ece"] < 0.03
    assert told["bins"][2]["share"] == pytest.approx(0.25, abs=0.06)
    boasting = replace(samples, joint_scores=np.ones((400, 21)))
    told = calibration(boasting, ratios(boasting))
    assert told is not None
    assert told["ece"] == pytest.approx(1 - right.mean())
    assert told["bins"][9]["count"] == 400 * 21
    assert calibration(replace(samples, joint_scores=None), ratios(samples)) is None


def test_the_page_is_whole_in_itself(tmp_path: Path) -> None:
    made = exchanged(measurement(120), 8, 12)
    ReportWriter(tmp_path / "made")(made)
    text = (tmp_path / "made" / "report.html").read_text("utf-8")
    for title in ("What stands out", "PCK curves", "Joints", "Handedness", "Calibration of scores", "Worst 50 hands"):
        assert f">{title}</h2>" in text
    assert text.index("forefinger4 and middle_finger4 are exchanged") < text.index("<h2>Scores")
    worst = text[text.index("Worst 50 hands</h2>") :]
    assert worst.count("data:image/jpeg;base64,") == 50
    outside = re.findall(r"""(?:src|href|url\()\s*=?\s*["']?([^"'\s>)]+)""", text)
    assert outside
    assert all(link.startswith(("data:", "#")) for link in outside)
    assert not re.search(r"https?://|<script|<link|@import", text)
    record = json.loads((tmp_path / "made" / "report.json").read_text("utf-8"))
    assert record["findings"][0]["title"].startswith("forefinger4 and middle_finger4")
    assert record["metrics"]["PCK@0.2"] == pytest.approx(made.scores["PCK@0.2"])
    assert len(record["hand_errors"]) == 120


def test_names_are_escaped(tmp_path: Path) -> None:
    made = measurement(4)
    bad = replace(made, names=tuple(f'<b>"{row}"&' for row in range(4)), options={"config": "<i>x"})
    ReportWriter(tmp_path)(bad)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "&lt;i&gt;x" in text
    assert "<i>x" not in text
    assert '<b>"' not in text


def test_missed_hands_are_drawn_by_their_labels(tmp_path: Path) -> None:
    made = measurement(30)
    found = np.arange(30) > 4
    predicted = np.where(found[:, None, None], made.samples.predicted, np.nan)
    ReportWriter(tmp_path)(measured(replace(made.samples, found=found, predicted=predicted)))
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "Missed hands, 5 of them</h2>" in text
    assert "joints of found hands" in text


def test_two_runs_are_compared(tmp_path: Path) -> None:
    before, after = measurement(100, noise=0.06), measurement(100, noise=0.02)
    ReportWriter(tmp_path / "before")(before)
    ReportWriter(tmp_path / "after", tmp_path / "before" / "report.json")(after)
    text = (tmp_path / "after" / "report.html").read_text("utf-8")
    said = re.search(r"(\d+) hands are in both.*?<b>([-+.\d]+)</b>.*?\): (better|worse|not told apart)", text)
    assert said is not None
    assert said[1] == "100"
    expected = np.mean([ratios(made.samples).mean() * sign for made, sign in ((after, 2), (before, -2))])
    assert float(said[2]) == pytest.approx(expected, abs=1e-3)
    assert said[3] == "better"
    assert "Most improved" in text
    ReportWriter(tmp_path / "back", tmp_path / "after")(before)  # a folder is taken for its report.json
    assert "): worse." in (tmp_path / "back" / "report.html").read_text("utf-8")
    other = replace(before, names=tuple(f"other {row}" for row in range(100)))
    ReportWriter(tmp_path / "other", tmp_path / "after")(other)
    assert "No hand was measured in both runs" in (tmp_path / "other" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"report\.json: cannot be read"),
        ("[", r"report\.json: is no report\.json"),
        ("{}", r"is no report\.json of this version"),
        ('{"format": 99}', "measure that run anew"),
    ],
)
def test_other_files_are_refused(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "report.json").write_text(text)
    with pytest.raises(DataError, match=message):
        ReportWriter(tmp_path / "new", tmp_path)
    assert not (tmp_path / "new").exists()


def test_mistakes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file; name a folder"):
        ReportWriter(tmp_path / "file")
    nothing: Any = measured(replace(measurement(4).samples, visible=np.zeros((4, 21), int)))
    with pytest.raises(DataError, match="about labelled joints"):
        ReportWriter(tmp_path / "new")(nothing)
    with pytest.raises(DataError, match="as many names"):
        replace(nothing, names=("one",))
