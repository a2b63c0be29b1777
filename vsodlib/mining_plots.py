"""Arrays in, Figure out: the regions that mining chooses, and what they are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vsodlib.contrast_plots import ATTRACT, REPEL
from vsodlib.figure import WIDTH, NotebookFigure, style


@style()
def framed(rows: Mapping[str, Sequence[tuple[np.ndarray, str, str | None]]]) -> Figure:
    """Rows of small pictures with a caption under each, some of them in a coloured frame.

    Args:
        rows: label -> (picture (H, W, 3) uint8, caption, colour of the frame or None) of each.

    Raises:
        ValueError: no picture.
    """
    columns = max(map(len, rows.values()), default=0)
    if not columns:
        raise ValueError("framed needs at least one picture.")
    H, W, _ = next(row[0][0] for row in rows.values() if row).shape
    height = len(rows) * (WIDTH / columns * H / W + 0.36)
    figure = NotebookFigure(figsize=(WIDTH, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (label, row) in zip(grid, rows.items(), strict=True):
        line[0].set_ylabel(label, fontsize=11)
        for axes in line:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for axes, (picture, caption, color) in zip(line, row, strict=False):
            axes.imshow(picture)
            axes.set_xlabel(caption, fontsize=11, labelpad=3)
            if color:
                axes.spines[:].set(visible=True, color=color, linewidth=4)
                axes.xaxis.label.set(color=color, weight="bold")
    return figure


@style()
def error_against_similarity(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> Figure:
    """Pairs of an anchor and a candidate: how wrong the candidate is, how near to the anchor.

    Args:
        panels: title -> (error (N,) in [0, 1], similarity (N,) in [-1, 1], chosen (N,) bool); the
            first panel attracts, the others repel.

    Raises:
        ValueError: no panel.
    """
    if not panels:
        raise ValueError("error_against_similarity needs at least one panel.")
    figure = NotebookFigure(figsize=(WIDTH, 3.4), layout="constrained")
    all_axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for k, (axes, (title, (error, similarity, chosen))) in enumerate(
        zip(all_axes, panels.items(), strict=True)
    ):
        color = ATTRACT if k == 0 else REPEL
        axes.plot(error[~chosen], similarity[~chosen], "o", mfc="none", mec=color, alpha=0.6)
        axes.plot(error[chosen], similarity[chosen], "o", color=color, alpha=0.6, mew=0)
        axes.set(title=title, xlabel="error of the region (MAE)")
    all_axes[0].set_ylabel("similarity to the anchor")
    labels = {"chosen": "black", "left out": "none"}
    keys = [
        Line2D([], [], marker="o", color="black", mfc=fill, ls="", label=label)
        for label, fill in labels.items()
    ]
    figure.legend(handles=keys, loc="outside right upper", handletextpad=0.1)
    return figure
