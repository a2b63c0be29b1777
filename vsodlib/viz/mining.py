"""Arrays in, Figure out: the regions that mining chooses, and what they are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, style

_OTHERS = tuple(zip((PALETTE[2], PALETTE[3], PALETTE[5], PALETTE[6]), "os^D", strict=True))
"""Colours and markers of clips and of ways to choose: blue and vermilion have a meaning here."""
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
    panels: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]],
) -> Figure:
    """Pairs of an anchor and a candidate: how wrong the candidate is, how near to the anchor.

    A clip has a colour and a marker, and the line of least squares through its points: whether that
    rises or falls is the sign of the clip's correlation.

    Args:
        panels: title -> clip -> (error (N,) in [0, 1], similarity (N,) in [-1, 1], chosen (N,)
            bool), the errors not all equal.

    Raises:
        ValueError: no panel, or more than four clips.
    """
    clips = list(dict.fromkeys(clip for panel in panels.values() for clip in panel))
    if not panels or len(clips) > len(_OTHERS):
        raise ValueError(
            f"error_against_similarity draws at least one panel and up to {len(_OTHERS)} clips, "
            f"got {len(panels)} and {len(clips)}."
        )
    figure = NotebookFigure(figsize=(WIDTH, 3.6), layout="constrained")
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, panel) in zip(all_axes, panels.items(), strict=True):
        for clip, (error, similarity, chosen) in panel.items():
            color, marker = _OTHERS[clips.index(clip)]
            look = {"marker": marker, "ls": "", "color": color, "alpha": 0.5, "ms": 6}
            axes.plot(error[~chosen], similarity[~chosen], mfc="none", **look)
            axes.plot(error[chosen], similarity[chosen], **look | {"mew": 0})
            ends = np.array([error.min(), error.max()])
            axes.plot(ends, np.polyval(np.polyfit(error, similarity, 1), ends), color=color)
        axes.set(title=title, xlabel="error of the region (MAE)")
        axes.locator_params(axis="x", nbins=5)
    all_axes[0].set_ylabel("similarity to the anchor")
    keys = [
        Line2D([], [], marker=marker, color=color, label=clip)
        for clip, (color, marker) in zip(clips, _OTHERS, strict=False)
    ]
    keys += [
        Line2D([], [], marker="o", color=_GREY, mfc=fill, ls="", label=label)
        for label, fill in (("chosen", _GREY), ("left out", "none"))
    ]
    figure.legend(handles=keys, loc="outside right upper", handlelength=1.5)
    return figure


@style()
def push_against_similarity(similarity: np.ndarray, shares: Mapping[str, np.ndarray]) -> Figure:
    """Which share of all push each background gets, against its likeness to the anchors.

    Args:
        similarity: (B,) float, mean over the anchors; a background's number stands above its
            highest point.
        shares: way of choosing -> (B,) float in [0, 1].

    Raises:
        ValueError: no way, more than four, or another number of shares.
    """
    B = len(similarity)
    if not 1 <= len(shares) <= len(_OTHERS) or any(len(share) != B for share in shares.values()):
        raise ValueError(
            f"push_against_similarity draws 1 to {len(_OTHERS)} ways with {B} shares each, got "
            f"{ {way: len(share) for way, share in shares.items()} }."
        )
    figure = NotebookFigure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    for (way, share), (color, marker) in zip(shares.items(), _OTHERS, strict=False):
        axes.plot(similarity, 100 * share, marker, color=color, ms=8, mfc="none", mew=2, label=way)
    highest = 100 * np.max(list(shares.values()), axis=0)
    for b in range(B):
        place = (similarity[b], highest[b])
        axes.annotate(str(b), place, (0, 7), textcoords="offset points", ha="center", fontsize=11)
    axes.margins(y=0.14)
    axes.set(xlabel="mean cosine with the anchors", ylabel="share of all push, percent")
    figure.legend(loc="outside right upper", handletextpad=0.3)
    return figure
