"""The sections of a report's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from handkit.metrics.measurement import Measurement
from handkit.metrics.scores import lower_is_better
from handkit.reports.charts import Line, hand_map, line_chart
from handkit.reports.findings import Finding
from handkit.reports.page import Section, bar, escape, figure, gallery, page, table
from handkit.reports.pictures import hand_picture
from handkit.reports.statistics import CALIBRATED, THRESHOLDS, errors

Record = Mapping[str, Any]
#: So many of the worst hands are drawn, and of those that were missed.
WORST, MISSED = 50, 20
_CHANGED = 6
_NOTHING = "\N{EN DASH}"
_TAGS = {"labels": "labels or order", "definition": "definition", "weakness": "weakness"}
_PICTURE, _SMALL = 240, 150
_LEGEND = "Colours: the prediction. White rings: the labels, with a line to the prediction of the same joint."


def report_page(
    measured: Measurement, record: Record, findings: Sequence[Finding], against: Record | None, pairs: Record | None
) -> str:
    """The whole page.

    Args:
        measured: the hands.
        record: their numbers, from `handkit.reports.report.report_record`.
        findings: what stands out, ranked.
        against: the ``report.json`` of another run.
        pairs: the hands of both, from `handkit.reports.comparison.paired`.
    """
    sections = [_findings(measured, findings), _scores(record, against)]
    if against is not None:
        sections.append(_compared(measured, against, pairs))
    sections += [_curves(record, against), _joints(record, against), _groups(record), _handedness(record)]
    sections += [_calibration(record, against), *_worst(measured)]
    samples = measured.samples
    lines = [
        f"{len(samples)} labelled hands in {len(samples.unmatched)} images · handkit {record['handkit']} · "
        f"{record['created']}"
    ]
    lines += [f"{key}: {value}" for key, value in record["options"].items()]
    lines += [f"{part} sha256:{digest}" for part, digest in record["weights"].items()]
    return page(f"Report: {record['title']}", lines, sections)


def _findings(measured: Measurement, findings: Sequence[Finding]) -> Section:
    items = []
    for rank, finding in enumerate(findings, 1):
        gain = f' <span class="soft">{100 * finding.gain:.1f} % of the error</span>' if finding.gain else ""
        shown = (
            gallery([_hand(measured, row, _SMALL, "") for row in finding.hands]) if rank <= 8 and finding.hands else ""
        )
        tag = f'<span class="tag{" fault" if finding.kind == "labels" else ""}">{_TAGS[finding.kind]}</span>'
        items.append(
            f'<li><span class="rank">{rank}</span><div>{tag}<b>{escape(finding.title)}</b>{gain}'
            f"<p>{escape(finding.text)}</p>{shown}</div></li>"
        )
    note = (
        "What wrong labels or a wrong joint order would explain comes first, then joints that labels and model place "
        "differently, then what is worse than the rest; in each, by the share of the whole error that would go away."
    )
    return Section(
        "What stands out", f'<ol class="findings">{"".join(items)}</ol>' if items else "<p>Nothing.</p>", note
    )


def _scores(record: Record, against: Record | None) -> Section:
    intervals, guess = record.get("intervals", {}), record.get("mean_pose", {})
    head = ["metric", "value"]
    head += [title for title, shown in (("95 % interval", intervals), ("mean pose", guess)) if shown]
    head += ["other run", "difference"] if against is not None else []
    rows = []
    for name, value in record["metrics"].items():
        row = [escape(name), number(value)]
        if intervals:
            low, high = intervals.get(name, (None, None))
            row.append(f"{number(low)} to {number(high)}")
        if guess:
            row.append(number(guess.get(name)))
        if against is not None:
            before = against["metrics"].get(name)
            row += [number(before), _difference(value, before, lower=lower_is_better(name))]
        rows.append(row)
    return Section(
        "Scores", table(head, rows), "Rows as `handkit test` prints them; docs/testing.md says what each counts."
    )


def _compared(measured: Measurement, against: Record, pairs: Record | None) -> Section:
    note = f"Against {against['title']}, measured {against.get('created', 'before')}."
    if pairs is None:
        return Section("Two runs", "<p>No hand was measured in both runs.</p>", note)
    low, high = pairs["interval"]
    sure = "better" if high < 0 else "worse" if low > 0 else "not told apart"
    body = (
        f"<p>{pairs['hands']} hands are in both. Their mean error changes by <b>{pairs['difference']:+.4f}</b> of the "
        f"hand (95 % interval {low:+.4f} to {high:+.4f}): {sure}. {100 * pairs['better']:.1f} % are better, "
        f"{100 * pairs['worse']:.1f} % worse.</p>"
    )
    changes = pairs["changes"]
    order = np.argsort(changes, kind="stable").tolist()
    improved = [place for place in order[:_CHANGED] if changes[place] < 0]
    worsened = [place for place in order[::-1][:_CHANGED] if changes[place] > 0]
    for title, places in (("Most improved", improved), ("Most worsened", worsened)):
        if places:
            figures = [_hand(measured, int(pairs["rows"][p]), _SMALL, f"{changes[p]:+.3f}") for p in places]
            body += f"<h3>{title}</h3>{gallery(figures)}"
    return Section("Two runs", body, f"{note} Pictures show this run. {_LEGEND}")


def _curves(record: Record, against: Record | None) -> Section:
    curve = record["curve"]
    lines = [Line("this run, all labelled joints", curve["thresholds"], curve["labelled"])]
    if curve["matched"] != curve["labelled"]:
        lines.append(Line("this run, joints of found hands", curve["thresholds"], curve["matched"]))
    if against is not None:
        other = against["curve"]
        lines.append(
            Line(f"{against['title']}, all labelled joints", other["thresholds"], other["labelled"], dashed=True)
        )
    chart = line_chart(lines, "threshold, share of the hand's longer side", "joints within it", 0.3, steps=6)
    return Section("PCK curves", chart, "All joints pooled; the box of the hand is its joints' box x 1.15.")


def _joints(record: Record, against: Record | None) -> Section:
    rows = record["joints"]
    before = {} if against is None else {row["name"]: row["NME"] for row in against["joints"]}
    worst = max((row["NME"] or 0.0 for row in rows), default=0.0)
    body = [
        [
            escape(row["name"]),
            str(row["joints"]),
            *(number(row[f"PCK@{share:g}"], 3) for share in THRESHOLDS),
            _error(row["NME"], worst),
            *([_difference(row["NME"], before.get(row["name"]), lower=True)] if against is not None else []),
            number(row["hidden"], 2),
        ]
        for row in rows
    ]
    head = ["joint", "labels", *(f"PCK@{share:g}" for share in THRESHOLDS), "mean error"]
    head += [*(["difference"] if against is not None else []), "hidden"]
    shown = table(head, body)
    if len(rows) == 21:
        texts = [f"{row['name']}: {number(row['NME'])}" for row in rows]
        shown = f'<div class="side">{hand_map([row["NME"] for row in rows], texts, worst)}{shown}</div>'
    return Section(
        "Joints",
        shown,
        "Errors in shares of the hand's longer side; the largest is red and large. Mean errors are of found hands.",
    )


def _groups(record: Record) -> Section:
    body = ""
    for title, key in (
        ("Size of the hand in the image", "sizes"),
        ("Side", "sides"),
        ("Visible and hidden", "visibility"),
    ):
        rows = record[key]
        worst = max((row["NME"] or 0.0 for row in rows), default=0.0)
        cells = [
            [
                escape(row["name"]),
                str(row["hands"]),
                str(row["joints"]),
                number(row["found"], 3),
                *(number(row[f"PCK@{share:g}"], 3) for share in THRESHOLDS),
                _error(row["NME"], worst),
            ]
            for row in rows
        ]
        head = [
            "",
            "hands",
            "joints",
            "found",
            *(f"PCK@{share:g}" for share in THRESHOLDS),
            "mean error",
        ]
        body += f"<h3>{title}</h3>{table(head, cells)}"
    return Section(
        "Sizes, sides, visibility",
        body,
        "A missed hand's joints are wrong at every threshold; mean errors are of found hands.",
    )


def _handedness(record: Record) -> Section:
    counts = record["handedness"]
    columns = ("left", "right", "not told", "missed")
    rows = []
    for name, row in counts.items():
        total = max(sum(row.values()), 1)
        cells = []
        for column in columns:
            kind = "" if name == "unknown" or column == name else "bad"
            cells.append(bar(row[column] / total, f"{row[column]} ({100 * row[column] / total:.1f} %)", kind))
        rows.append([f"labelled {escape(name)}", *cells])
    head = ["", *(f"predicted {name}" if name in ("left", "right") else name for name in columns)]
    return Section("Handedness", table(head, rows), "Sides are the person's own, in pictures that are not mirrored.")


def _calibration(record: Record, against: Record | None) -> Section:
    told = record["calibration"]
    if told is None:
        return Section("Calibration of scores", "<p>The model gives no scores of joints.</p>")
    lines = [_reliability("this run", told), Line("as promised", [0, 1], [0, 1], dashed=True)]
    if against is not None and against.get("calibration"):
        lines.insert(1, _reliability(against["title"], against["calibration"]))
    chart = line_chart(lines, "score of the joint", f"share within {CALIBRATED:g} of the hand", 1.0)
    rows = [
        [f"{row['low']:.1f} to {row['high']:.1f}", str(row["count"]), number(row["score"], 3), number(row["share"], 3)]
        for row in told["bins"]
    ]
    body = f'<div class="pair"><div>{chart}</div>{table(["score", "joints", "mean score", "share within"], rows)}</div>'
    note = (
        f"Mean score {told['score']:.3f}, share within {told['threshold']:g} of the hand {told['share']:.3f}; expected "
        f"calibration error {told['ece']:.3f}. Larger dots hold more joints. Joints of found hands."
    )
    return Section("Calibration of scores", body, note)


def _reliability(name: str, told: Record) -> Line:
    bins = [row for row in told["bins"] if row["count"]]
    most = max(row["count"] for row in bins)
    dots = [2.5 + 6 * (row["count"] / most) ** 0.5 for row in bins]
    return Line(name, [row["score"] for row in bins], [row["share"] for row in bins], dots)


def _worst(measured: Measurement) -> list[Section]:
    error = errors(measured.samples)
    counted = ~np.isnan(error)
    means = np.nansum(error, -1) / np.maximum(counted.sum(-1), 1)
    found = measured.samples.found
    order = np.argsort(-means, kind="stable")
    worst = [row for row in order.tolist() if found[row] and counted[row].any()][:WORST]
    missed = [row for row in order.tolist() if not found[row]][:MISSED]
    figures = [_hand(measured, row, _PICTURE, f"error {means[row]:.3f}") for row in worst]
    sections = [Section(f"Worst {len(worst)} hands", gallery(figures), f"Among the found, by mean error. {_LEGEND}")]
    if missed:
        figures = [_hand(measured, row, _PICTURE, "missed") for row in missed]
        note = f"{int((~found).sum())} were missed; rings are their labels."
        sections.append(Section(f"Missed hands, {len(missed)} of them", gallery(figures), note))
    return sections


def _hand(measured: Measurement, row: int, side: int, text: str) -> str:
    name = measured.names[row]
    short = PurePath(name).name
    return figure(hand_picture(measured, row, side), f"{text} · {short}" if text else short, name)


def _error(value: float | None, worst: float) -> str:
    """A mean error with its bar, `worst` being the longest."""
    return bar(None if value is None or worst == 0 else value / worst, number(value))


def number(value: float | None, digits: int = 4) -> str:
    """A number of a table; a dash where nothing was measured."""
    return _NOTHING if value is None else f"{value:.{digits}f}"


def _difference(value: float | None, before: float | None, lower: bool) -> str:
    if value is None or before is None:
        return _NOTHING
    change = value - before
    kind = "soft" if abs(change) < 5e-5 else "good" if (change < 0) == lower else "bad"
    return f'<span class="{kind}">{change:+.4f}</span>'
