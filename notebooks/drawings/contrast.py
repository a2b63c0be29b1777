"""Regions on a grid, and the table of pairs that Eq. 9 compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from vsodlib.viz.contrast import ATTRACT, REPEL
from vsodlib.viz.pictures import tint
from vsodlib.viz.style import WIDTH, NotebookFigure, style

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
    if not panels:
        raise ValueError("pairs needs at least one panel.")
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
