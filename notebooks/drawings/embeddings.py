"""Arrays in, Figure out: regions as points of a map, and all their similarities.

Foregrounds are blue dots and backgrounds pink crosses.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vsodlib.viz.pictures import COLORS
from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, check_some, style

_FRONT, _BACK = COLORS["foreground"], COLORS["background"]
_PALE = "#BBBBBB"
_TOGETHER = 5  # videos a panel: as many colours as an eye keeps apart


@style()
def sides(panels: Mapping[str, np.ndarray], is_foreground: np.ndarray) -> Figure:
    """Regions as points, coloured by their side.

    Args:
        panels: title -> (R, 2) float, the same regions in each.
        is_foreground: (R,) bool.

    Raises:
        ValueError: no panel.
    """
    figure, grid = _panels(panels)
    for axes, points in zip(grid, panels.values(), strict=True):
        for shown, color, marker in ((~is_foreground, _BACK, "x"), (is_foreground, _FRONT, "o")):
            axes.plot(*points[shown].T, marker, color=color, ms=5, alpha=0.6)
    keys = [
        Line2D([], [], color=_FRONT, marker="o", ls="", label="foreground"),
        Line2D([], [], color=_BACK, marker="x", ls="", label="background"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=2)
    return figure


@style()
def paths(panels: Mapping[str, np.ndarray], is_foreground: np.ndarray, video: np.ndarray) -> Figure:
    """The foregrounds of every video joined along time, a ring around the first.

    A row of panels for each map, five videos a panel; the regions of all other videos stay grey,
    dots for foregrounds and crosses for backgrounds. Only the part with foregrounds is shown.

    Args:
        panels: title -> (R, 2) float, the same regions in each.
        is_foreground: (R,) bool.
        video: (R,) names; the regions of a video in temporal order.

    Raises:
        ValueError: no panel.
    """
    names = list(dict.fromkeys(video.tolist()))
    groups = [names[i : i + _TOGETHER] for i in range(0, len(names), _TOGETHER)]
    check_some(panels, "A figure", "panel")
    figure = NotebookFigure(figsize=(WIDTH, 2.6 * len(panels) + 1.3), layout="constrained")
    grid = figure.subplots(len(panels), len(groups), squeeze=False)
    for row, (title, points) in zip(grid, panels.items(), strict=True):
        row[0].set_ylabel(title, fontsize=13)
        fronts = points[is_foreground]
        pad = 0.08 * np.ptp(fronts, axis=0) + 1e-3
        window = np.stack([fronts.min(axis=0) - pad, fronts.max(axis=0) + pad], axis=1)
        for axes, group in zip(row, groups, strict=True):
            _bare(axes)
            axes.set(xlim=window[0], ylim=window[1])
            axes.plot(*points[~is_foreground].T, "x", color=_PALE, ms=3, zorder=1)
            axes.plot(*points[is_foreground].T, ".", color=_PALE, ms=3, zorder=1)
            for color, name in zip(PALETTE, group, strict=False):
                path = points[is_foreground & (video == name)]
                axes.plot(*path.T, "-o", color=color, lw=1, ms=3, zorder=2, label=name)
                axes.plot(*path[:1].T, "o", color=color, mfc="white", ms=7, mew=2, zorder=3)
    for axes in grid[-1]:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), fontsize=10, frameon=False)
    return figure


def _panels(panels: Mapping[str, np.ndarray]) -> tuple[Figure, Sequence[Axes]]:
    """Panels side by side."""
    check_some(panels, "A figure", "panel")
    count = len(panels)
    height = min(WIDTH / count, 5) + 0.6
    figure = NotebookFigure(figsize=(WIDTH, height), layout="constrained")
    grid = figure.subplots(1, count, squeeze=False)[0]
    for axes, title in zip(grid, panels, strict=True):
        axes.set_title(title)
        _bare(axes)
    return figure, grid


def _bare(axes: Axes) -> None:
    """No ticks: a map of this kind has no units."""
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color=_PALE)


@style()
def similarities(
    panels: Mapping[str, np.ndarray], is_foreground: np.ndarray, video: np.ndarray
) -> Figure:
    """u·u′ of every pair of regions as a square: foregrounds first, each side video by video. The
    colours run from the smallest value in any panel to 1.

    Args:
        panels: title -> (R, C) float, rows of length 1, the same regions in each.
        is_foreground: (R,) bool.
        video: (R,) names.

    Raises:
        ValueError: no panel.
    """
    figure, grid = _panels(panels)
    names = list(dict.fromkeys(video.tolist()))
    rank = np.array([names.index(name) for name in video.tolist()])
    order = np.lexsort((rank, ~is_foreground))
    half = int(is_foreground.sum())
    blocks = {half, *(np.flatnonzero(np.diff(rank[order])) + 1).tolist()}
    cosines = [vectors[order] @ vectors[order].T for vectors in panels.values()]
    least = min(float(cosine.min()) for cosine in cosines)
    for axes, cosine in zip(grid, cosines, strict=True):
        mesh = axes.pcolormesh(cosine, cmap="cividis", vmin=least, vmax=1, rasterized=True)
        for edge in blocks:
            thick = 2.5 if edge == half else 0.5
            axes.axhline(edge, color="white", lw=thick)
            axes.axvline(edge, color="white", lw=thick)
        ends = ((0, half), (half, len(order)))
        middle = [(low + high) / 2 for low, high in ends]
        axes.set(aspect="equal", xlim=(0, len(order)), ylim=(len(order), 0))
        axes.set_xticks(middle, ["foreground", "background"])
        axes.set_yticks(middle, ["foreground", "background"], rotation=90, va="center")
        axes.tick_params(length=0)
    figure.colorbar(mesh, ax=list(grid), label="u·u′", shrink=0.8)
    return figure
