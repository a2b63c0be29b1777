"""Arrays in, Figure out: the regions that mining chooses, and what they are like."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, check_some, series_colors, style

_OTHERS = tuple(zip(PALETTE[:4], "os^D", strict=True))
"""Colours and markers of ways to choose."""
_GREY = "#777777"


@style()
def framed(rows: Mapping[str, Sequence[tuple[np.ndarray, str, str | None]]]) -> Figure:
    """Rows of small pictures with a caption under each, some of them in a coloured frame.

    Args:
        rows: label -> (picture (H, W, 3) uint8, caption, colour of the frame or None) of each.

    Raises:
        ValueError: no picture.
    """
    columns = max(map(len, rows.values()), default=0)
    check_some(columns, "framed", "picture")
    H, W, _ = next(row[0][0] for row in rows.values() if row).shape
    height = len(rows) * (WIDTH / columns * H / W + 0.36)
    figure = NotebookFigure(figsize=(WIDTH, height), layout="constrained")
    figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)
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
    panels: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]],
) -> Figure:
    """Pairs of an anchor and a candidate: how wrong the candidate is, how near to the anchor.

    A row per side, a column per clip, each panel with an axis of its own for the errors, in
    hundredths, and with the line of least squares through its points: whether that rises or falls
    is the sign of the clip's correlation.

    Args:
        panels: side -> clip -> (error (N,) in [0, 1], similarity (N,) in [-1, 1], chosen (N,)
            bool), the errors not all equal; each side with the same clips.

    Raises:
        ValueError: nothing to draw.
    """
    clips = list(dict.fromkeys(clip for panel in panels.values() for clip in panel))
    if not clips:
        raise ValueError("error_against_similarity needs at least one side with a clip.")
    size = (WIDTH, 0.7 + 2.2 * len(panels))
    figure = NotebookFigure(figsize=size, layout="constrained")
    grid = figure.subplots(len(panels), len(clips), squeeze=False, sharey="row")
    for line, (side, panel) in zip(grid, panels.items(), strict=True):
        for axes, clip, color in zip(line, clips, series_colors(clips), strict=True):
            error, similarity, chosen = panel[clip]
            error = 100 * error
            look = {"marker": "o", "ls": "", "color": color, "alpha": 0.5, "ms": 5}
            axes.plot(error[~chosen], similarity[~chosen], mfc="none", **look)
            axes.plot(error[chosen], similarity[chosen], **look | {"mew": 0})
            ends = np.array([error.min(), error.max()])
            axes.plot(ends, np.polyval(np.polyfit(error, similarity, 1), ends), color="black")
            axes.locator_params(axis="y", nbins=4)
            axes.locator_params(axis="x", nbins=2)
            axes.tick_params(labelsize=11)
        line[0].set_ylabel(f"{side}\nsimilarity", fontsize=12)
    for axes, clip in zip(grid[0], clips, strict=True):
        axes.set_title(clip)
    figure.supxlabel("error of the region (MAE), hundredths", fontsize=12)
    keys = [
        Line2D([], [], marker="o", color=_GREY, mfc=fill, ls="", label=label)
        for label, fill in (("chosen", _GREY), ("left out", "none"))
    ]
    figure.legend(handles=keys, loc="outside upper right", ncols=2, handlelength=1.5)
    return figure


@style()
def push_by_background(similarity: np.ndarray, shares: Mapping[str, np.ndarray]) -> Figure:
    """Which share of all push each background gets, the one most like the anchors to the right.

    Args:
        similarity: (B,) float, mean over the anchors; named under each background's number.
        shares: way of choosing -> (B,) float in [0, 1].

    Raises:
        ValueError: no way, more than four, or another number of shares.
    """
    B = len(similarity)
    if not 1 <= len(shares) <= len(_OTHERS) or any(len(share) != B for share in shares.values()):
        raise ValueError(
            f"push_by_background draws 1 to {len(_OTHERS)} ways with {B} shares each, got "
            f"{ {way: len(share) for way, share in shares.items()} }."
        )
    figure = NotebookFigure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    order = np.argsort(similarity)
    for k, ((way, share), (color, marker)) in enumerate(zip(shares.items(), _OTHERS, strict=False)):
        place = np.arange(B) + 0.12 * (k - (len(shares) - 1) / 2)
        points = place, 100 * share[order]
        axes.plot(*points, marker, color=color, ms=8, mfc="none", mew=2, label=way)
    axes.set_xticks(range(B), [f"{b}\n{similarity[b]:.3f}" for b in order])
    axes.set(ylabel="share of all push, percent", ylim=(-3, None))
    axes.set_xlabel("background of frame, and below it its mean cosine with the anchors")
    axes.grid(axis="x", visible=False)
    figure.legend(loc="outside right upper", handletextpad=0.3)
    return figure
