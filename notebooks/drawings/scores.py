"""Scores in, Figure out: rankings, differences, one map at one threshold, ablations seed by seed.

In an ablation a row keeps its place and a seed its marker in every figure; the mean is a bar.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from vsodlib.analysis.seeds import Difference
from vsodlib.viz.pictures import COLORS, comparison, to_picture
from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, check_some, style

_PALE = "#8A8A8A"
_OURS, _PAPER = PALETTE[0], COLORS["paper"]
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@style()
def ranked(
    panels: Mapping[str, Mapping[str, float]],
    *,
    label: str,
    highlight: Collection[str] = (),
    own: Collection[str] = (),
    higher_is_better: bool = True,
    columns: int = 2,
) -> Figure:
    """Names ranked by their value, the best on top, one panel each.

    Args:
        panels: title -> name -> value; every panel is ranked by itself, NaN values are left out.
        label: what is measured, with the unit.
        highlight: names drawn in the colour of the paper, orange; the others are grey.
        own: names drawn in the colour of this library's own numbers, blue.
        columns: panels next to each other.
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
    columns = min(columns, len(known))
    lines = -(-len(known) // columns)
    colors = dict.fromkeys(own, _OURS) | dict.fromkeys(highlight, _PAPER)
    longest = max(map(len, known.values()))
    size = (WIDTH, lines * (0.9 + 0.29 * longest))
    figure = NotebookFigure(figsize=size, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, (title, panel) in zip(grid, known.items(), strict=False):
        order = sorted(panel, key=panel.__getitem__, reverse=higher_is_better)
        for y, name in enumerate(order):
            look = {"color": colors.get(name, _PALE), "ms": 9 if name in colors else 7}
            axes.plot(panel[name], y, "o", **look)
        axes.set_yticks(range(len(order)), order)
        for text in axes.get_yticklabels():
            if text.get_text() in colors:
                text.set(color=colors[text.get_text()], weight="bold")
        axes.set(ylim=(longest - 0.4, -0.6), title=title, xlabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.margins(x=0.08)
    for axes in grid[len(known) :]:
        axes.remove()
    return figure


@style()
def intervals(rows: Mapping[str, tuple[float, float, float]], *, label: str) -> Figure:
    """A dot and its interval for each row, and a line at zero; an interval across it is pale.

    Args:
        rows: row -> (low, measured, high), from top to bottom.
        label: what the axis shows, with the unit.

    Raises:
        ValueError: no row, or a row whose numbers do not rise.
    """
    check_some(rows, "intervals", "row")
    figure = NotebookFigure(figsize=(WIDTH, 1.0 + 0.36 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color="black", lw=1)
    for y, (name, (low, measured, high)) in enumerate(rows.items()):
        if not low <= measured <= high:
            raise ValueError(f"The interval of {name} must rise: {low}, {measured}, {high}.")
        color = _PALE if low <= 0 <= high else PALETTE[0]
        axes.hlines(y, low, high, color=color, lw=3)
        axes.plot(measured, y, "o", color=color, ms=9, mec="white")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel=label)
    axes.grid(axis="y", visible=False)
    return figure


@style()
def two_maxima(curves: Mapping[str, np.ndarray]) -> Figure:
    """F curves of a few frames, and two numbers called max F that they give.

    The highest point of their mean, and the mean of their own highest points, which is never less:
    every frame may then choose a threshold of its own.

    Args:
        curves: frame -> (256,), F at every level.

    Raises:
        ValueError: no curve.
    """
    check_some(curves, "two_maxima", "curve")
    figure = NotebookFigure(figsize=(WIDTH, 3.8), layout="constrained")
    axes = figure.subplots()
    for k, (name, values) in enumerate(curves.items()):
        axes.plot(values, ("-", "--", "-.", ":")[k % 4], color=_PALE, lw=1.5, label=name)
        axes.plot(np.argmax(values), np.max(values), "o", color=PALETTE[1], ms=8)
    mean = np.mean(list(curves.values()), axis=0)
    axes.plot(mean, color=PALETTE[0], lw=3, label="mean curve")
    axes.plot(np.argmax(mean), mean.max(), "o", color=PALETTE[0], ms=10)
    own = np.mean([np.max(values) for values in curves.values()])
    for value, color, name, ls in (
        (own, PALETTE[1], "mean of maxima", "--"),
        (mean.max(), PALETTE[0], "maximum of mean", "-"),
    ):
        axes.axhline(value, color=color, lw=1.2, ls=ls, label=f"{name} {value:.3f}")
    axes.set(xlabel="level", ylabel="F", xlim=(0, 255), ylim=(0, 1.04))
    figure.legend(loc="outside right upper", handlelength=2.4)
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
    check_some(curves, "at_level", "curve")
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
        color, dashes = PALETTE[k % len(PALETTE)], ("-", "--", "-.", ":")[k % 4]
        text = f"{name} {values[level]:.3f}"
        cells["curves"].plot(values, dashes, color=color, label=text)
        cells["curves"].plot(level, values[level], "o", color=color, ms=8)
    cells["curves"].axvline(level, color="black", lw=1)
    cells["curves"].set(xlabel="level", xlim=(0, 255), ylim=(-0.02, 1.04))
    figure.legend(loc="outside right upper", handlelength=2.4)
    return figure


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
    size = (WIDTH, lines * (0.55 + 0.42 * len(rows)) + (0.5 if len(seeds) < 4 else 0.8))
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
        axes.locator_params(axis="x", nbins=2)
        axes.tick_params(axis="x", labelsize=10)  # three of these fit below a quarter of the width
        axes.margins(x=0.12)
    for axes in grid[len(panels) :]:
        axes.remove()
    keys = [
        Line2D([], [], color=PALETTE[k], marker=_MARKERS[k], lw=1.3, label=f"seed {seed}")
        for k, seed in enumerate(seeds)
    ]
    keys.append(Line2D([], [], color="black", marker="|", ms=14, mew=3, ls="", label="mean"))
    figure.legend(handles=keys, loc="outside upper center", ncols=min(len(keys), 4))
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
        ours: title -> row -> a gain for every seed, one panel per title.
        published: title -> row -> the gain; titles without one show ours only.
        label: what the axis shows, with the unit.
        columns: panels side by side.
        one_scale: all panels on one axis, otherwise each on its own.

    Raises:
        ValueError: no row, or a published title that has no panel.
    """
    rows = list(dict.fromkeys(row for panel in ours.values() for row in panel))
    check_some(rows, "gains", "row")
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
        Line2D([], [], color=_OURS, marker="o", ls="", alpha=0.45, label="one of our seeds"),
        Line2D([], [], color=_OURS, marker="|", ms=14, mew=3, label="mean ± margin"),
    ]
    if published:
        keys.append(Line2D([], [], color=_PAPER, marker="D", ls="", ms=9, label="paper"))
    figure.legend(handles=keys, loc="outside upper center", ncols=3)
    return figure


def _seeds(axes: Axes, values: np.ndarray, y: float) -> None:
    """Dots, and with two values or more their mean's interval."""
    axes.plot(values, np.full(len(values), y), "o", color=_OURS, ms=7, alpha=0.45, mew=0)
    if not len(values):
        return
    mean = values.mean()
    axes.vlines(mean, y - 0.2, y + 0.2, color=_OURS, lw=3)
    if len(values) > 1:
        error = values.std(ddof=1) / len(values) ** 0.5
        reach = Difference(len(values), mean, error).margin()
        axes.hlines(y, mean - reach, mean + reach, color=_OURS, lw=1.8)


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
