"""Scores in, Figure out: many series in one lane per row."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from matplotlib.figure import Figure

from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, style

_MARKERS = ("o", "s", "D", "^", "v", "P", "X")
_PALE = "#8A8A8A"


@style()
def lanes(
    rows: Mapping[str, Mapping[str, float]],
    *,
    label: str,
    value_range: tuple[float, float] | None = None,
    band: tuple[float, float] | None = None,
    band_label: str = "",
    own: Collection[str] = (),
) -> Figure:
    """One lane per row, a marker per series in it, and a thin line from the least to the greatest.

    Args:
        rows: row -> series -> value, from top to bottom; NaN values are left out. A series keeps
            its colour and marker in all rows.
        label: what the axis shows, with the unit.
        value_range: of the axis; from the data if not given.
        band: a stretch of the axis that is shaded in all lanes.
        band_label: what the shade means.
        own: series in blues, this library's own; then all others are grey and differ by marker.

    Raises:
        ValueError: no row, or more series than there are markers.
    """
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    if not series or len(series) > len(_MARKERS):
        raise ValueError(f"lanes shows 1 to {len(_MARKERS)} series, got {len(series)}.")
    figure = NotebookFigure(figsize=(WIDTH, 1.0 + 0.32 * len(rows)), layout="constrained")
    axes = figure.subplots()
    if band is not None:
        axes.axvspan(*band, color="#DDDDDD", lw=0, label=band_label)
    colors = dict(zip(series, PALETTE, strict=False))
    if own:
        blues = dict(zip([name for name in series if name in own], PALETTE[::4], strict=False))
        colors = {name: blues.get(name, _PALE) for name in series}
    for k, name in enumerate(series):
        points = [(row.get(name, np.nan), y) for y, row in enumerate(rows.values())]
        x, y = np.array(points).T
        axes.plot(x, y, _MARKERS[k], color=colors[name], ms=8, alpha=0.85, label=name)
    for y, row in enumerate(rows.values()):
        if known := [value for value in row.values() if np.isfinite(value)]:
            axes.hlines(y, min(known), max(known), color=_PALE, lw=1.5, zorder=1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=value_range, xlabel=label)
    if len(series) > 1 or band_label:
        figure.legend(loc="outside right upper", handletextpad=0.3)
    return figure
