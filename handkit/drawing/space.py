"""Hands in space: a picture of several views, and a page on which they can be turned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handkit.errors import DataError, MissingExtraError
from handkit.files import writing
from handkit.hands import Hands

Array = NDArray[Any]
#: The flat views: name, and the axes across and up of (right, away, up).
_VIEWS = (("front", 0, 2), ("side", 1, 2), ("above", 0, 1))
_OBLIQUE = (20, -60)  # elevation and turn of the view in perspective, degrees
_AXES = ("right", "away", "up")
_GREY = (0.75, 0.75, 0.75)
_SCRIPT = "plotly.min.js"


def draw_in_space(hands: Hands, side: int = 300) -> Array:
    """Draws `xyz_root`: a row for each hand, aslant in perspective, as the camera sees it, from the side, from above.

    Args:
        hands: with `xyz_root`, or none.
        side: pixels of each view.

    Returns:
        (N * side, 4 * side, 3) uint8 RGB, for no hand one empty row. A hand's views have one scale, in millimetres.

    Raises:
        DataError: hands without `xyz_root`, or a side below 1.
    """
    if side < 1:
        raise DataError(f"draw_in_space: side must be 1 pixel or more, not {side}")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points, columns, rows = _points(hands), 1 + len(_VIEWS), max(len(hands), 1)
    figure = Figure(figsize=(side * columns / 100, side * rows / 100), dpi=100, layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)
    for row in range(len(hands)):
        middle, reach = _frame(points[row])
        limits = np.stack([middle - reach, middle + reach], -1)
        title = hands.handedness[row] or "hand"
        aslant: Any = figure.add_subplot(rows, columns, row * columns + 1, projection="3d")
        aslant.view_init(*_OBLIQUE)
        aslant.set(xlim=limits[0], ylim=limits[1], zlim=limits[2], xticklabels=(), yticklabels=(), zticklabels=())
        _bones(aslant, hands, points[row], (0, 1, 2))
        for column, (name, across, up) in enumerate(_VIEWS, 2):
            axes: Any = figure.add_subplot(rows, columns, row * columns + column, aspect="equal")
            axes.set(xlim=limits[across], ylim=limits[up])
            axes.set_xlabel(_AXES[across], fontsize=7, labelpad=1)
            axes.set_ylabel(_AXES[up], fontsize=7, labelpad=1)
            axes.text(0.03, 0.93, f"{title}, {name}", fontsize=8, transform=axes.transAxes)
            axes.tick_params(labelsize=6)
            axes.grid(alpha=0.3)
            _bones(axes, hands, points[row], (across, up))
    canvas.draw()
    picture: Array = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return picture


def _bones(axes: Any, hands: Hands, points: Array, along: tuple[int, ...]) -> None:
    """One hand's bones, and its joints over them, along two or three axes."""
    for start, end in hands.skeleton.edges:
        axes.plot(*points[[start, end]][:, along].T, color=_rgb(hands, end), linewidth=2)
    axes.scatter(*points[:, along].T, color=[_rgb(hands, joint) for joint in range(len(points))], s=8, zorder=3)


def write_space_page(path: Path, hands: Hands) -> None:
    """Writes an HTML page on which the hands can be turned, and beside it the script that all such pages share.

    Args:
        path: of the page.
        hands: with `xyz_root`, or none; each is a group that the legend hides and shows. Joints tell
            their names and places.

    Raises:
        DataError: hands without `xyz_root`.
        MissingExtraError: plotly is not installed.
    """
    require_plotly()
    from plotly import graph_objects, offline

    points, traces = _points(hands), []
    for row in range(len(hands)):
        label = f"{row + 1}: {hands.handedness[row] or 'hand'}"
        shared: dict[str, Any] = {"legendgroup": label, "hoverinfo": "skip", "mode": "lines"}
        for start, end in hands.skeleton.edges:
            x, y, z = points[row, [start, end]].T.tolist()
            line = {"color": f"rgb{hands.skeleton.colors[end]}", "width": 6}
            traces.append(graph_objects.Scatter3d(x=x, y=y, z=z, line=line, showlegend=False, **shared))
        x, y, z = points[row].T.tolist()
        texts = [
            f"{name}<br>x {right:.0f}, y {down:.0f}, z {away:.0f} mm"
            for name, (right, down, away) in zip(hands.skeleton.joints, _millimetres(hands)[row], strict=True)
        ]
        marker = {"size": 4, "color": [f"rgb{color}" for color in hands.skeleton.colors]}
        marker["line"] = {"color": "rgb(80, 80, 80)", "width": 1}
        shared |= {"mode": "markers", "hoverinfo": "text"}
        traces.append(graph_objects.Scatter3d(x=x, y=y, z=z, text=texts, name=label, marker=marker, **shared))
    figure = graph_objects.Figure(traces)
    axes = {f"{axis}axis": {"title": title} for axis, title in zip("xyz", _AXES, strict=True)}
    eye = {"eye": {"x": 0.4, "y": -2.4, "z": 0.4}}
    figure.update_layout(scene={"aspectmode": "data", "camera": eye, **axes}, title=f"{path.stem} (millimetres)")
    script = path.with_name(_SCRIPT)
    if not script.exists():
        with writing(script) as file:
            file.write(offline.get_plotlyjs().encode())
    with writing(path) as file:
        file.write(figure.to_html(include_plotlyjs="directory").encode())


def require_plotly() -> None:
    """Tells before any work is done that `write_space_page` could not do its own.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    try:
        import plotly.graph_objects  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("plotly", "plot", "pages of hands in space") from error


def _millimetres(hands: Hands) -> Array:
    if not len(hands):
        return np.zeros((0, len(hands.skeleton), 3))
    if hands.xyz_root is None:
        raise DataError("these hands have no xyz_root: their model tells no joints in space")
    return hands.xyz_root.astype(np.float64) * 1000


def _points(hands: Hands) -> Array:
    """(N, K, 3) millimetres: right, away from the camera, up, as plots have their axes."""
    right, down, away = np.moveaxis(_millimetres(hands), -1, 0)
    return np.stack([right, away, -down], -1)


def _frame(points: Array) -> tuple[Array, float]:
    """The middle of a hand's box, and half its longest side with a margin."""
    low, high = points.min(0), points.max(0)
    return (low + high) / 2, float((high - low).max()) * 0.55 or 1.0


def _rgb(hands: Hands, joint: int) -> tuple[float, ...]:
    """A joint's colour for matplotlib; white ones are grey, as its paper is white."""
    color = tuple(value / 255 for value in hands.skeleton.colors[joint])
    return _GREY if min(color) > 0.9 else color
