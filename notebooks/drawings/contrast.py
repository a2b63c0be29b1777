"""Regions on a grid, the pairs that Eq. 9 compares, its forces as arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from drawings.circle import ATTRACT, REPEL, draw_circle, pull_and_push
from vsodlib.viz.pictures import tint
from vsodlib.viz.style import WIDTH, NotebookFigure, check_some, style

_PALE = "#DDDDDD"


def on_grid(frame: np.ndarray, shares: np.ndarray, color: str = ATTRACT) -> np.ndarray:
    """The frame with the feature grid drawn on it, every cell coloured by its share.

    Args:
        frame: (H, W, 3) uint8.
        shares: (h, w) float in [0, 1], how much of a cell belongs to the region.
        color: any matplotlib colour.

    Returns:
        (H, W, 3) uint8.
    """
    (H, W), (h, w) = frame.shape[:2], shares.shape
    cells = cv2.resize(shares.astype(np.float32), (W, H), interpolation=cv2.INTER_NEAREST)
    rows, columns = np.arange(H) * h // H, np.arange(W) * w // W
    lines = np.zeros((H, W), bool)
    lines[1:] |= np.diff(rows)[:, None] > 0
    lines[:, 1:] |= np.diff(columns) > 0
    return tint(tint(frame, cells, color, strength=0.75), lines, "white", strength=0.35)


@style()
def pairs(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]],
    anchors: np.ndarray,
    names: Sequence[str],
    is_foreground: np.ndarray,
) -> Figure:
    """What every region is to every anchor: a positive, a negative, or nothing.

    Args:
        panels: title -> (positives, negatives), each (A, R) bool, as from `choose_samples`.
        anchors: (A,) int, their region numbers.
        names: of the R regions.
        is_foreground: (R,) bool, foregrounds first.

    Raises:
        ValueError: no panel.
    """
    check_some(panels, "pairs", "panel")
    R = len(names)
    cell = min(0.4, (WIDTH / len(panels) - 0.8) / R)
    height = 2.1 + cell * len(anchors)
    figure = NotebookFigure(figsize=(WIDTH, height), layout="constrained")
    colors = ListedColormap([_PALE, ATTRACT, REPEL])
    for axes, (title, (positives, negatives)) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        kind = np.where(positives, 1, np.where(negatives, 2, 0))
        axes.pcolormesh(kind, cmap=colors, vmin=0, vmax=2, edgecolors="white", linewidth=1.5)
        axes.plot(anchors + 0.5, np.arange(len(anchors)) + 0.5, "x", color="black", ms=6, mew=1.5)
        axes.axvline(is_foreground.sum(), color="black", lw=1.5)
        axes.set_xticks(np.arange(R) + 0.5, names, rotation=90, fontsize=10)
        axes.set_yticks(np.arange(len(anchors)) + 0.5, [names[a] for a in anchors], fontsize=10)
        axes.set(ylim=(len(anchors), 0), aspect="equal", title=title)
        axes.set_xlabel("foreground | background", fontsize=11)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.grid(visible=False)
    figure.axes[0].set_ylabel("anchor")
    labels = {"positive": ATTRACT, "negative": REPEL, "ignored": _PALE}
    keys: list[Artist] = [Patch(color=color, label=label) for label, color in labels.items()]
    keys.append(Line2D([], [], marker="x", color="black", ls="", mew=1.5, label="the anchor"))
    figure.legend(handles=keys, loc="outside lower center", ncols=4, fontsize=11)
    return figure


@style()
def gradients(
    points: np.ndarray,
    anchor: int,
    positives: np.ndarray,
    negatives: np.ndarray,
    values: Sequence[float],
) -> Figure:
    """The step that Eq. 9 asks of the anchor itself, -τ ∂L/∂u = q Σ p₊ u₊ - Σ p₋ u₋, as arrows.

    Drawn at the anchor: the pull and the push, their sum, and its part along the circle, which is
    all that is left once u is brought back to length 1.

    Args:
        points, anchor, positives, negatives, values: as in `circle.temperatures`.

    Raises:
        ValueError: as there.
    """
    check_some(values, "gradients", "temperature")
    size = (WIDTH, WIDTH / len(values) + 0.9)
    figure = NotebookFigure(figsize=size, layout="constrained")
    start = points[anchor]
    looks = {
        "pull, q Σ p₊ u₊": (ATTRACT, "-"),
        "push, −Σ p₋ u₋": (REPEL, "-"),
        "their sum": ("#888888", "--"),
        "along the circle": ("black", "-"),
    }
    for axes, temperature in zip(
        figure.subplots(1, len(values), squeeze=False)[0], values, strict=True
    ):
        force = pull_and_push(points @ start, positives, negatives, temperature)
        pull, push = force[positives] @ points[positives], force[negatives] @ points[negatives]
        total = pull + push
        along = total - (total @ start) * start
        draw_circle(axes)
        axes.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.9), title=f"τ = {temperature:.3g}")
        for shown, color in ((positives, ATTRACT), (negatives, REPEL)):
            axes.plot(*points[shown].T, "o", color=color, ms=10, mec="white")
        axes.plot(*start, "*", color="black", ms=17, mec="white")
        arrows = (pull, push, total, along)
        for arrow, (color, line) in zip(arrows, looks.values(), strict=True):
            look = {"arrowstyle": "-|>", "color": color, "lw": 2, "ls": line, "shrinkA": 0}
            axes.annotate("", start + arrow, start, arrowprops=look | {"shrinkB": 0})
    keys = [Line2D([], [], color=c, ls=line, label=name) for name, (c, line) in looks.items()]
    figure.legend(handles=keys, loc="outside lower center", ncols=4, fontsize=11)
    return figure


@style()
def arrows(vectors: Mapping[str, tuple[np.ndarray, str]]) -> Figure:
    """Vectors of length 1 in three dimensions, from the centre of a sphere to its surface.

    Args:
        vectors: name -> ((3,) float, any matplotlib colour).

    Raises:
        ValueError: no vector.
    """
    check_some(vectors, "arrows", "vector")
    figure = NotebookFigure(figsize=(6.0, 4.4))
    axes: Any = figure.add_axes((0, -0.05, 1, 1.1), projection="3d")
    lon, lat = np.mgrid[0 : np.pi / 2 : 10j, 0 : np.pi / 2 : 10j]
    sphere = np.sin(lat) * np.cos(lon), np.sin(lat) * np.sin(lon), np.cos(lat)
    axes.plot_wireframe(*sphere, color=_PALE, lw=0.6)
    for name, (vector, color) in vectors.items():
        axes.quiver(0, 0, 0, *vector, color=color, lw=2.5, arrow_length_ratio=0.1)
        axes.text(*(1.1 * np.asarray(vector)), name, color=color, fontsize=12, ha="center")
    ticks = {"xticks": [0, 1], "yticks": [0, 1], "zticks": [0, 1]}
    axes.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1), **ticks)
    axes.view_init(elev=28, azim=28)
    axes.set_box_aspect((1, 1, 1))
    return figure
