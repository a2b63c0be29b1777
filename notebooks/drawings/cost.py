"""Arrays in, Figure out: what networks cost, part by part, and how long they take for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, style

_MARKERS = ("o", "D", "^", "s")


@style()
def stacked(
    panels: Mapping[str, Mapping[str, Mapping[str, float]]],
    published: Mapping[str, Mapping[str, float]] | None = None,
) -> Figure:
    """Bars put together from parts, a panel for each quantity; a diamond for a published total.

    Args:
        panels: title, with the unit -> bar -> part -> value, at least 0. A part keeps its colour in
            all bars, a bar its place in all panels.
        published: title -> bar -> total.

    Raises:
        ValueError: no part, more parts than colours, a negative value, or a published total that
            has no bar.
    """
    bars = list(dict.fromkeys(bar for panel in panels.values() for bar in panel))
    parts = list(dict.fromkeys(p for panel in panels.values() for b in panel.values() for p in b))
    if not 1 <= len(parts) <= len(PALETTE):
        raise ValueError(f"stacked shows 1 to {len(PALETTE)} parts, got {len(parts)}.")
    published = published or {}
    for title, totals in published.items():
        if strangers := totals.keys() - panels.get(title, {}).keys():
            raise ValueError(f"stacked has no bar for {title}: {', '.join(sorted(strangers))}.")
    key_columns = 3
    key_lines = -(-(len(parts) + bool(published)) // key_columns)
    size = (WIDTH, 0.9 + 0.3 * key_lines + 0.5 * len(bars))
    figure = NotebookFigure(figsize=size, layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (title, panel) in zip(grid, panels.items(), strict=True):
        starts = np.zeros(len(bars))
        for part, color in zip(parts, PALETTE, strict=False):
            values = np.array([panel.get(bar, {}).get(part, 0.0) for bar in bars])
            if (values < 0).any():
                raise ValueError(f"A part cannot be negative: {title}, {part}, {values.min()}.")
            look = {"color": color, "edgecolor": "white", "linewidth": 0.6}
            axes.barh(range(len(bars)), values, 0.62, left=starts, **look)
            starts += values
        for bar, value in published.get(title, {}).items():
            axes.plot(value, bars.index(bar), "D", color="black", ms=9, mec="white")
        axes.set(title=title, ylim=(len(bars) - 0.5, -0.5), xlim=(0, None))
        axes.set_yticks(range(len(bars)), bars)
        axes.locator_params(axis="x", nbins=4)
        axes.grid(axis="y", visible=False)
    keys: list[Artist] = [Patch(color=c, label=p) for p, c in zip(parts, PALETTE, strict=False)]
    if published:
        key = Line2D([], [], marker="D", ls="", color="black", ms=9, mec="white", label="published")
        keys.append(key)
    figure.legend(handles=keys, loc="outside upper center", ncols=key_columns, handlelength=1.2)
    return figure


@style()
def work_and_time(
    machines: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]],
    rates: Mapping[str, float] | None = None,
) -> Figure:
    """Seconds against multiply-adds on logarithmic axes, a colour and a marker for each machine.

    Networks on a line that rises with slope 1 do equally many multiply-adds a second.

    Args:
        machines: machine -> network -> (multiply-adds in G, seconds), one pair for each frame size,
            joined by a line; the name stands at the last.
        rates: machine -> G multiply-adds a second of a plain matrix product, drawn as such a line.

    Raises:
        ValueError: no pair, more machines than markers, or the rate of a machine without networks.
    """
    pairs = [p for networks in machines.values() for points in networks.values() for p in points]
    if not pairs or len(machines) > len(_MARKERS):
        raise ValueError(
            f"work_and_time shows networks of 1 to {len(_MARKERS)} machines, got "
            f"{len(pairs)} pairs of {len(machines)}."
        )
    rates = rates or {}
    if strangers := [name for name in rates if not machines.get(name)]:
        raise ValueError(f"work_and_time has a rate but no network of {', '.join(strangers)}.")
    figure = NotebookFigure(figsize=(WIDTH, 4.4), layout="constrained")
    axes = figure.subplots()
    paper = {"fc": "white", "ec": "none", "alpha": 0.6, "pad": 0}
    names = _Names(pairs, WIDTH - 1, 3.4)
    for k, (machine, networks) in enumerate(machines.items()):
        look: dict[str, Any] = {"color": PALETTE[k], "marker": _MARKERS[k], "ms": 9, "mec": "white"}
        text: dict[str, Any] = {"fontsize": 11, "bbox": paper}
        axes.plot([], [], ls="", label=machine, **look)
        for name, points in networks.items():
            work, seconds = zip(*points, strict=True)
            axes.plot(work, seconds, lw=1.2, **look)
            corner = names.corner(name, points[-1])
            axes.annotate(name, points[-1], textcoords="offset points", **text, **corner)
        if machine in rates:
            done = [work for points in networks.values() for work, _ in points]
            ends = np.array([min(done), max(done)])
            label = "a plain matrix product"
            axes.plot(ends, ends / rates[machine], ":", color=PALETTE[k], lw=1.6, label=label)
    axes.set(xscale="log", yscale="log", xlabel="multiply-adds, G", ylabel="seconds per frame")
    axes.margins(x=0.12)
    figure.legend(loc="outside upper center", ncols=len(machines) + len(rates))
    return figure


_CORNERS: tuple[dict[str, Any], ...] = (
    {"xytext": (7, -3), "ha": "left", "va": "top"},
    {"xytext": (-7, 3), "ha": "right", "va": "bottom"},
    {"xytext": (7, 3), "ha": "left", "va": "bottom"},
    {"xytext": (-7, -3), "ha": "right", "va": "top"},
)


class _Names:
    """Finds each name the corner of its point where it covers least of what is there."""

    def __init__(self, pairs: Sequence[tuple[float, float]], width: float, height: float) -> None:
        logs = np.log10(pairs)
        spans = np.maximum(1.3 * np.ptp(logs, axis=0), 0.1)
        self._per_decade = 72 * np.array([width, height]) / spans  # points of the page
        self._boxes = [self._box(self._place(pair), -5, 10, -5, 10) for pair in pairs]

    def corner(self, name: str, point: tuple[float, float]) -> dict:
        """The corner for this name at this point; later names keep off it."""
        width, height = 6.2 * len(name), 13
        boxes = []
        for corner in _CORNERS:
            x, y = corner["xytext"]
            left = x if corner["ha"] == "left" else x - width
            bottom = y if corner["va"] == "bottom" else y - height
            boxes.append(self._box(self._place(point), left, width, bottom, height))
        covered = [sum(_overlap(box, other) for other in self._boxes) for box in boxes]
        best = int(np.argmin(covered))
        self._boxes.append(boxes[best])
        return _CORNERS[best]

    def _place(self, pair: tuple[float, float]) -> np.ndarray:
        return np.log10(pair) * self._per_decade

    @staticmethod
    def _box(
        place: np.ndarray, left: float, width: float, bottom: float, height: float
    ) -> np.ndarray:
        corner = place + np.array([left, bottom])
        return np.array([corner, corner + np.array([width, height])])


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """The area that two boxes, each its lower left and upper right corner, have in common."""
    return float(np.prod(np.clip(np.minimum(a[1], b[1]) - np.maximum(a[0], b[0]), 0, None)))
