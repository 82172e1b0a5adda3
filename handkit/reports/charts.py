"""Curves and the hand's map as SVG that follows the page's colours, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handkit.reports.page import escape
from handkit.skeleton import HAND

#: Colours of the page by their place in a chart.
COLORS = ("var(--blue)", "var(--orange)", "var(--green)", "var(--red)")
_WIDTH, _HEIGHT = 560, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 12, 46


@dataclass(frozen=True)
class Line:
    """One curve.

    Args:
        name: for the legend.
        x: its places; as many as `y`.
        y: its values; None leaves a gap.
        dots: radii of dots at its points, in pixels, or none.
        dashed: draw it dashed.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    dots: Sequence[float] = ()
    dashed: bool = False


def line_chart(lines: Sequence[Line], x_label: str, y_label: str, x_end: float, steps: int = 5) -> str:
    """Curves of shares over 0 .. x_end, of which `steps` parts are marked, with a grid, axes and a legend."""

    def place(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + min(max(x / x_end, 0), 1) * (_WIDTH - _LEFT - _RIGHT)
        return across, _HEIGHT - _BOTTOM - min(max(y, 0), 1) * (_HEIGHT - _TOP - _BOTTOM)

    parts = []
    for y in (0, 0.2, 0.4, 0.6, 0.8, 1):
        (x1, y1), (x2, y2) = place(0, y), place(x_end, y)
        parts.append(f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y1 + 4:.1f}" text-anchor="end">{y:g}</text>')
    for step in range(steps + 1):
        across, bottom = place(x_end * step / steps, 0)
        text = f"{x_end * step / steps:.3g}"
        parts.append(f'<text x="{across:.1f}" y="{bottom + 18:.1f}" text-anchor="middle">{text}</text>')
    middle = (_HEIGHT - _BOTTOM + _TOP) / 2
    parts.append(f'<text x="{(_WIDTH + _LEFT) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(y_label)}</text>'
    )
    for color, line in zip(_colors(len(lines)), lines, strict=True):
        dash = ' stroke-dasharray="6 5"' if line.dashed else ""
        for points in _pieces(line):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
            parts.append(f'<polyline points="{path}" fill="none" style="stroke:{color}" stroke-width="2"{dash}/>')
        for x_value, y_value, radius in zip(line.x, line.y, line.dots, strict=False):
            if y_value is not None:
                x, y = place(x_value, y_value)
                parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" style="fill:{color}"/>')
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(y_label)} over {escape(x_label)}">'
        f"{''.join(parts)}</svg>{_legend(lines)}"
    )


def hand_map(values: Sequence[float | None], texts: Sequence[str], full: float) -> str:
    """A hand whose joints are the redder and larger, the larger their value; `full` is wholly red."""
    bones = "".join(
        f'<line x1="{_HAND[a][0]}" y1="{_HAND[a][1]}" x2="{_HAND[b][0]}" y2="{_HAND[b][1]}" class="grid" '
        'stroke-width="5" stroke-linecap="round"/>'
        for a, b in HAND.edges
    )
    dots = []
    for (x, y), value, text in zip(_HAND, values, texts, strict=True):
        share = 0.0 if value is None or full <= 0 else min(value / full, 1.0)
        color = f"color-mix(in srgb, var(--red) {100 * share:.0f}%, var(--blue))"
        dots.append(
            f'<circle cx="{x}" cy="{y}" r="{5 + 9 * share:.1f}" style="fill:{color}">'
            f"<title>{escape(text)}</title></circle>"
        )
    return f'<svg viewBox="0 0 300 320" style="max-width:300px" role="img">{bones}{"".join(dots)}</svg>'


def _pieces(line: Line) -> list[list[tuple[float, float]]]:
    """The parts of a curve between its gaps."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(line.x, line.y, strict=True):
        if y is None:
            pieces.append([])
        else:
            pieces[-1].append((x, y))
    return [piece for piece in pieces if len(piece) > 1]


def _legend(lines: Sequence[Line]) -> str:
    items = "".join(
        f'<span><i style="border-color:{color}{";border-top-style:dashed" if line.dashed else ""}"></i>'
        f"{escape(line.name)}</span>"
        for color, line in zip(_colors(len(lines)), lines, strict=True)
    )
    return f'<div class="legend">{items}</div>'


def _colors(count: int) -> list[str]:
    return [COLORS[index % len(COLORS)] for index in range(count)]


#: A right hand's back with its fingers up, joint by joint, in a picture of 300 x 320.
_HAND = (
    *((150, 295), (105, 268), (70, 232), (45, 198), (24, 168)),
    *((110, 172), (98, 120), (92, 86), (87, 54)),
    *((146, 164), (144, 106), (143, 68), (142, 32)),
    *((181, 172), (188, 118), (192, 82), (195, 50)),
    *((212, 190), (230, 150), (240, 124), (250, 98)),
)
