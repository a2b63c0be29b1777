"""Arrays in, Figure out: regions as points of a map, and all their similarities.

Foregrounds are blue dots and backgrounds vermilion crosses, as in `contrast_plots`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from vsodlib.figure import PALETTE, WIDTH, NotebookFigure, style

_FRONT, _BACK = PALETTE[:2]
_PALE = "#BBBBBB"


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
            look = {"color": color, "marker": marker, "ls": "", "ms": 5, "alpha": 0.6}
            axes.plot(*points[shown].T, **look)
    keys = [
        Line2D([], [], color=_FRONT, marker="o", ls="", label="foreground"),
        Line2D([], [], color=_BACK, marker="x", ls="", label="background"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=2)
    return figure


@style()
def paths(panels: Mapping[str, np.ndarray], is_foreground: np.ndarray, video: np.ndarray) -> Figure:
    """The foregrounds of every video joined along time, a ring around the first; backgrounds grey.

    Args:
        panels: title -> (R, 2) float, the same regions in each.
        is_foreground: (R,) bool.
        video: (R,) names; the regions of a video in temporal order. A video is shown by its number.

    Raises:
        ValueError: no panel.
    """
    figure, grid = _panels(panels, stacked=True)  # room for the numbers
    names = list(dict.fromkeys(video.tolist()))
    for axes, points in zip(grid, panels.values(), strict=True):
        axes.plot(*points[~is_foreground].T, "x", color=_PALE, ms=4, zorder=1)
        for number, name in enumerate(names, 1):
            path = points[is_foreground & (video == name)]
            if not len(path):
                continue
            color = PALETTE[(number - 1) % len(PALETTE)]
            axes.plot(*path.T, "-o", color=color, lw=1, ms=3.5, alpha=0.85, zorder=2)
            axes.plot(*path[0], "o", color=color, mfc="white", ms=8, mew=2, zorder=3)
            nearest = np.linalg.norm(path - np.median(path, axis=0), axis=1).argmin()
            halo = [withStroke(linewidth=3, foreground="white")]
            text = {"fontsize": 11, "weight": "bold", "path_effects": halo, "zorder": 4}
            axes.text(*path[nearest], str(number), color=color, ha="center", va="center", **text)
    lines = [f"{number} {name}" for number, name in enumerate(names, 1)]
    keys = [Line2D([], [], ls="", label=line) for line in lines]
    place = {"loc": "outside lower center", "ncols": 5, "fontsize": 10}
    figure.legend(handles=keys, handlelength=0, handletextpad=0, columnspacing=1.2, **place)
    return figure


def _panels(
    panels: Mapping[str, np.ndarray], stacked: bool = False
) -> tuple[Figure, Sequence[Axes]]:
    """Panels without ticks, since a map of this kind has no units: side by side, or stacked."""
    if not panels:
        raise ValueError("A figure needs at least one panel.")
    count = len(panels)
    height = 3.6 * count + 0.8 if stacked else min(WIDTH / count, 5) + 0.6
    figure = NotebookFigure(figsize=(WIDTH, height), layout="constrained")
    shape = (count, 1) if stacked else (1, count)
    grid = figure.subplots(*shape, squeeze=False).ravel()
    for axes, title in zip(grid, panels, strict=True):
        axes.set(title=title, xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.spines[:].set(visible=True, color=_PALE)
    return figure, grid


@style()
def similarities(
    panels: Mapping[str, np.ndarray], is_foreground: np.ndarray, video: np.ndarray
) -> Figure:
    """u·v of every pair of regions as a square: foregrounds first, each side video by video. The
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
    figure.colorbar(mesh, ax=list(grid), label="u·v", shrink=0.8)
    return figure
