"""Arrays in, Figure out: rows of an ablation, every seed in sight.

A row keeps its place and a seed its marker in every figure; the mean is a bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.special import stdtrit

from vsodlib.figure import PALETTE, WIDTH, NotebookFigure, style

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_OURS, _PAPER, _PALE = PALETTE[0], PALETTE[1], "#8A8A8A"


@style()
def by_seed(panels: Mapping[str, Mapping[str, Mapping[int, float]]], columns: int = 3) -> Figure:
    """Scores of every row and seed, those of one seed joined by a line, the mean as a bar.

    Lines that run alike tell that seeds differ from each other more than rows do within a seed.

    Args:
        panels: title -> row -> seed -> score, each panel on an axis of its own; a row may lack
            seeds.
        columns: panels side by side.

    Raises:
        ValueError: no score, or more seeds than there are markers.
    """
    rows = list(dict.fromkeys(row for panel in panels.values() for row in panel))
    seeds = sorted({s for panel in panels.values() for by in panel.values() for s in by})
    if not 1 <= len(seeds) <= len(_MARKERS):
        raise ValueError(f"by_seed shows 1 to {len(_MARKERS)} seeds, got {len(seeds)}.")
    columns = min(columns, len(panels))
    lines = -(-len(panels) // columns)
    size = (WIDTH, lines * (0.55 + 0.42 * len(rows)) + 0.5)
    figure = NotebookFigure(figsize=size, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    for axes, (title, panel) in zip(grid, panels.items(), strict=False):
        for k, seed in enumerate(seeds):
            values = [panel.get(row, {}).get(seed, np.nan) for row in rows]
            look = {"color": PALETTE[k], "ls": ("-", "--", "-.", ":")[k % 4], "lw": 1.3}
            axes.plot(values, range(len(rows)), marker=_MARKERS[k], ms=7, alpha=0.85, **look)
        for y, row in enumerate(rows):
            if found := list(panel.get(row, {}).values()):
                axes.vlines(np.mean(found), y - 0.32, y + 0.32, color="black", lw=3)
        axes.set(title=title, ylim=(len(rows) - 0.4, -0.6))
        axes.set_yticks(range(len(rows)), rows)
        axes.locator_params(axis="x", nbins=3)
        axes.margins(x=0.12)
    for axes in grid[len(panels) :]:
        axes.remove()
    keys = [
        Line2D([], [], color=PALETTE[k], marker=_MARKERS[k], lw=1.3, label=f"seed {seed}")
        for k, seed in enumerate(seeds)
    ]
    keys.append(Line2D([], [], color="black", marker="|", ms=14, mew=3, ls="", label="mean"))
    figure.legend(handles=keys, loc="outside upper center", ncols=len(keys))
    return figure


@style()
def gains(
    ours: Mapping[str, Mapping[str, Sequence[float]]],
    published: Mapping[str, Mapping[str, float]],
    *,
    label: str,
    columns: int = 3,
    one_scale: bool = True,
) -> Figure:
    """What every row gained, ours above theirs in one lane: each seed, the mean with its margin
    (95 % confidence); a diamond for the published value.

    Args:
        ours: title -> row -> a gain for every seed, one panel a title.
        published: title -> row -> the gain; titles without one show ours only.
        label: what the axis shows, with the unit.
        columns: panels side by side.
        one_scale: all panels on one axis, otherwise each on its own.

    Raises:
        ValueError: no row, or a published title that has no panel.
    """
    rows = list(dict.fromkeys(row for panel in ours.values() for row in panel))
    if not rows:
        raise ValueError("gains needs at least one row.")
    if strangers := published.keys() - ours.keys():
        raise ValueError(f"gains has no panel for {', '.join(sorted(strangers))}.")
    columns = min(columns, len(ours))
    lines = -(-len(ours) // columns)
    size = (WIDTH, lines * (0.7 + 0.45 * len(rows)) + 0.6)
    figure = NotebookFigure(figsize=size, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False, sharex=one_scale, sharey=True).ravel()
    for axes, (title, panel) in zip(grid, ours.items(), strict=False):
        axes.axvline(0, color="black", lw=1)
        for y, row in enumerate(rows):
            _seeds(axes, np.asarray(panel.get(row, ()), dtype=float), y - 0.14)
            if row in published.get(title, {}):
                look = {"color": _PAPER, "ms": 9, "mec": "white"}
                axes.plot(published[title][row], y + 0.24, "D", **look)
        axes.set(title=title, ylim=(len(rows) - 0.4, -0.6))
        axes.set_yticks(range(len(rows)), rows)
    for axes in grid[len(ours) :]:
        axes.remove()
    figure.supxlabel(label, fontsize=13)
    keys = [
        Line2D([], [], color=_OURS, marker="o", ls="", alpha=0.45, label="ours, a seed"),
        Line2D([], [], color=_OURS, marker="|", ms=14, mew=3, label="mean ± margin"),
    ]
    if published:
        keys.append(Line2D([], [], color=_PAPER, marker="D", ls="", ms=9, label="paper"))
    figure.legend(handles=keys, loc="outside upper center", ncols=3)
    return figure


def _seeds(axes, values: np.ndarray, y: float) -> None:
    """Dots, and with two values or more their mean's interval."""
    axes.plot(values, np.full(len(values), y), "o", color=_OURS, ms=7, alpha=0.45, mew=0)
    if not len(values):
        return
    mean = values.mean()
    axes.vlines(mean, y - 0.2, y + 0.2, color=_OURS, lw=3)
    if len(values) > 1:
        error = values.std(ddof=1) / len(values) ** 0.5
        reach = stdtrit(len(values) - 1, 0.975) * error
        axes.hlines(y, mean - reach, mean + reach, color=_OURS, lw=1.8)
