"""Arrays in, Figure out: rankings, differences between scores, one map at one threshold."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vsodlib.figure import PALETTE, WIDTH, NotebookFigure, style
from vsodlib.pictures import comparison, to_picture

_MARKERS = ("o", "s", "D", "^", "v", "P", "X")
_PALE = "#8A8A8A"


@style()
def ranked(
    panels: Mapping[str, Mapping[str, float]],
    *,
    label: str,
    highlight: Collection[str] = (),
    higher_is_better: bool = True,
) -> Figure:
    """Names ranked by their value, the best on top, one panel each.

    Args:
        panels: title -> name -> value; every panel is ranked by itself, NaN values are left out.
        label: what is measured, with the unit.
        highlight: names that are drawn in colour, the others in grey.
        higher_is_better: otherwise the smallest value is on top.

    Raises:
        ValueError: no panel, or a panel without values.
    """
    known = {
        title: {name: value for name, value in panel.items() if np.isfinite(value)}
        for title, panel in panels.items()
    }
    if not known or not all(known.values()):
        raise ValueError("ranked needs at least one panel, and a value in each.")
    columns = min(2, len(known))
    lines = -(-len(known) // columns)
    longest = max(map(len, known.values()))
    size = (WIDTH, lines * (0.9 + 0.29 * longest))
    figure = NotebookFigure(figsize=size, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, (title, panel) in zip(grid, known.items(), strict=False):
        order = sorted(panel, key=panel.__getitem__, reverse=higher_is_better)
        for y, name in enumerate(order):
            color = PALETTE[1] if name in highlight else _PALE
            axes.plot(panel[name], y, "o", color=color, ms=9 if name in highlight else 7)
        axes.set_yticks(range(len(order)), order)
        for text in axes.get_yticklabels():
            if text.get_text() in highlight:
                text.set(color=PALETTE[1], weight="bold")
        axes.set(ylim=(longest - 0.4, -0.6), title=title, xlabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.margins(x=0.08)
    for axes in grid[len(known) :]:
        axes.remove()
    return figure


@style()
def lanes(
    rows: Mapping[str, Mapping[str, float]],
    *,
    label: str,
    value_range: tuple[float, float] | None = None,
    band: tuple[float, float] | None = None,
    band_label: str = "",
) -> Figure:
    """One lane per row, a marker per series in it, and a thin line from the least to the greatest.

    Args:
        rows: row -> series -> value, from top to bottom; NaN values are left out. A series keeps
            its colour and marker in all rows.
        label: what the axis shows, with the unit.
        value_range: of the axis; from the data if not given.
        band: a stretch of the axis that is shaded in all lanes.
        band_label: what the shade means.

    Raises:
        ValueError: no row, or more series than there are markers.
    """
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    if not series or len(series) > len(_MARKERS):
        raise ValueError(f"lanes shows 1 to {len(_MARKERS)} series, got {len(series)}.")
    figure = NotebookFigure(figsize=(WIDTH, 1.0 + 0.32 * len(rows)), layout="constrained")
    axes = figure.subplots()
    if band is not None:
        axes.axvspan(*band, color="#F0E442", alpha=0.45, lw=0, label=band_label)
    for k, name in enumerate(series):
        points = [(row.get(name, np.nan), y) for y, row in enumerate(rows.values())]
        x, y = np.array(points).T
        look = {"marker": _MARKERS[k], "color": PALETTE[k], "ms": 8, "alpha": 0.85, "ls": ""}
        axes.plot(x, y, label=name, **look)
    for y, row in enumerate(rows.values()):
        if known := [value for value in row.values() if np.isfinite(value)]:
            axes.hlines(y, min(known), max(known), color=_PALE, lw=1.5, zorder=1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=value_range, xlabel=label)
    if len(series) > 1 or band_label:
        figure.legend(loc="outside right upper", handletextpad=0.3)
    return figure


@style()
def at_level(
    saliency: np.ndarray,
    mask: np.ndarray,
    curves: Mapping[str, np.ndarray],
    level: int,
) -> Figure:
    """A map, what passes one of the 256 levels, and where that level lies on the curves.

    Args:
        saliency: (H, W) float in [0, 1].
        mask: (H, W) bool.
        curves: name -> (256,), values in [0, 1] at every level.
        level: 0 to 255; a pixel passes when floor(255 p) >= level.

    Raises:
        ValueError: a level outside 0 to 255, or no curve.
    """
    if not 0 <= level <= 255:
        raise ValueError(f"level must lie in 0 to 255, got {level}.")
    if not curves:
        raise ValueError("at_level needs at least one curve.")
    H, W = mask.shape
    found = np.floor(255 * saliency) >= level
    paper = np.full((H, W, 3), 255, np.uint8)
    figure = NotebookFigure(figsize=(WIDTH, 3.4), layout="constrained")
    # Two pictures above each other on the left, the curves on the right.
    cells = figure.subplot_mosaic([["map", "curves"], ["found", "curves"]], width_ratios=(1, 2.1))
    pictures = {"map": to_picture(saliency), "found": comparison(paper, found, mask)}
    titles = {"map": "map", "found": f"at level {level}"}
    for name, picture in pictures.items():
        cells[name].imshow(picture)
        cells[name].set_title(titles[name], fontsize=12)
        cells[name].set_axis_off()
    for k, (name, values) in enumerate(curves.items()):
        line = {"color": PALETTE[k % len(PALETTE)], "ls": ("-", "--", "-.", ":")[k % 4]}
        text = f"{name} {values[level]:.3f}"
        cells["curves"].plot(values, label=text, **line)
        cells["curves"].plot(level, values[level], "o", color=line["color"], ms=8)
    cells["curves"].axvline(level, color="black", lw=1)
    cells["curves"].set(xlabel="level", xlim=(0, 255), ylim=(-0.02, 1.04))
    figure.legend(loc="outside right upper", handlelength=2.4)
    return figure
