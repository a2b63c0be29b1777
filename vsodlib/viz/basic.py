"""Arrays in, Figure out: the figures of the notebooks, all in one style.

Text stays readable when a figure is shown at half its size; series differ by colour (Okabe and
Ito's palette, safe for colour-blind readers) and by dashes. Without anything to show a function
raises a ValueError.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize, to_rgb
from matplotlib.figure import Figure

from vsodlib.viz.pictures import same_length, to_picture
from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, check_some, series_colors, style

_DASHES = ("-", "--", "-.", ":")


@style()
def grid(
    rows: Sequence[Sequence[np.ndarray | None]],
    *,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    width: float = WIDTH,
    scale: tuple[str, str | Colormap, float, float] | None = None,
) -> Figure:
    """Pictures in rows and columns; the height follows from them.

    Args:
        rows: what `to_picture` takes; None leaves a cell empty.
        row_labels, column_labels: one text per row and column, or none at all.
        width: inches.
        scale: (what a colour means, colormap, least, largest value), drawn as a bar below.

    Raises:
        ValueError: the number of labels does not fit.
    """
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        raise ValueError("grid needs at least one row with one picture.")
    for kind, labels, count in (("row", row_labels, len(rows)), ("column", column_labels, columns)):
        if labels and len(labels) != count:
            raise ValueError(f"grid got {len(labels)} {kind} labels for {count} {kind}s.")
    pictures = [[None if array is None else to_picture(array) for array in row] for row in rows]

    # Everything in inches, from the top left corner; matplotlib counts from the bottom, in shares.
    left, top, gap = 0.3 if row_labels else 0.0, 0.3 if column_labels else 0.0, 0.05
    cell = (width - left - gap * (columns - 1)) / columns
    heights = [
        max((cell * p.shape[0] / p.shape[1] for p in row if p is not None), default=0.0)
        for row in pictures
    ]
    foot = 0.75 if scale else 0.0
    height = top + sum(heights) + gap * (len(rows) - 1) + foot
    figure = NotebookFigure(figsize=(width, height))
    for c, label in enumerate(column_labels):
        x = left + c * (cell + gap) + cell / 2
        figure.text(x / width, 1 - 0.05 / height, label, va="top", ha="center")
    y = top
    for r, row in enumerate(pictures):
        if row_labels:
            middle = 1 - (y + heights[r] / 2) / height
            figure.text(0.08 / width, middle, row_labels[r], rotation=90, va="center", ha="left")
        for c, picture in enumerate(row):
            if picture is not None:
                x, bottom = left + c * (cell + gap), height - y - heights[r]
                size = cell / width, heights[r] / height
                axes = figure.add_axes((x / width, bottom / height, *size))
                axes.imshow(picture)
                axes.set_axis_off()
        y += heights[r] + gap
    if scale:
        label, cmap, low, high = scale
        bar = figure.add_axes((0.3, 0.52 / height, 0.4, 0.14 / height))
        colors = ScalarMappable(Normalize(low, high), cmap)
        figure.colorbar(colors, bar, label=label, orientation="horizontal")
        bar.tick_params(labelsize=11)
    return figure


def strip(
    frames: np.ndarray,
    maps: np.ndarray | None = None,
    masks: np.ndarray | None = None,
    count: int = 5,
) -> Figure:
    """A clip as a strip of frames, evenly spaced in time, with maps and masks below them.

    Args:
        frames: (T, H, W, 3) uint8.
        maps: saliency, (T, H, W) float in [0, 1]; of another T they raise a ValueError.
        masks: ground truth, (T, H, W) bool; likewise.
        count: how many frames are shown, at most.
    """
    given = {"frame": frames, "saliency": maps, "mask": masks}
    layers = {name: layer for name, layer in given.items() if layer is not None}
    T = same_length(layers)
    shown = np.unique(np.linspace(0, T - 1, min(count, T)).round().astype(int))
    return grid(
        [[layer[t] for t in shown] for layer in layers.values()],
        row_labels=list(layers) if len(layers) > 1 else (),
        column_labels=[f"t = {t}" for t in shown],
    )


@style()
def curves(
    series: Mapping[str, Sequence[float]],
    *,
    x_label: str,
    y_label: str,
    x: Sequence[float] | None = None,
    y_range: tuple[float, float] | None = None,
) -> Figure:
    """One line per series.

    Args:
        series: name -> values; NaN interrupts the line.
        x_label, y_label: what the axes show, with the unit.
        x: where the values lie; their position in the series if not given.
        y_range: of the axis; from the data if not given.
    """
    check_some(series, "curves", "series")
    figure = NotebookFigure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    colors = series_colors(series)
    for i, (name, values) in enumerate(series.items()):
        # Seven colours and four dashes: 28 series before a pair comes again.
        places, dashes = range(len(values)) if x is None else x, _DASHES[i % len(_DASHES)]
        axes.plot(places, values, color=colors[i], linestyle=dashes, label=name)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.margins(x=0.01)
    if y_range:  # set to None, they would no longer follow the data
        axes.set_ylim(y_range)
    if len(series) > 1:
        figure.legend(loc="outside right upper", handlelength=2.6)
    return figure


@style()
def dots(
    groups: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    label: str,
    value_range: tuple[float, float] | None = None,
) -> Figure:
    """Every value as a dot, the mean as a bar, for each group and each kind within it.

    Args:
        groups: group -> kind -> values, e.g. clip -> method -> score of every frame. A kind keeps
            its colour in all groups; NaN values are left out.
        label: what is measured, with the unit.
        value_range: of the axis; from the data if not given.
    """
    check_some(groups, "dots", "group")
    kinds = list(dict.fromkeys(kind for group in groups.values() for kind in group))
    step = 0.8 / len(kinds)
    height = 1.1 + 0.32 * len(groups) * len(kinds)
    figure = NotebookFigure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    for k, (kind, color) in enumerate(zip(kinds, series_colors(kinds), strict=True)):
        axes.plot([], [], color=color, lw=4, label=kind)
        for g, group in enumerate(groups.values()):
            values = np.asarray(group.get(kind, ()), dtype=float)
            values = values[~np.isnan(values)]
            y = g + (k - (len(kinds) - 1) / 2) * step
            axes.plot(values, np.full(len(values), y), "o", color=color, ms=5, alpha=0.3, mew=0)
            if len(values):
                axes.vlines(values.mean(), y - step / 2.6, y + step / 2.6, color=color, lw=4)
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set(ylim=(len(groups) - 0.5, -0.5), xlim=value_range, xlabel=label)
    axes.grid(axis="y", visible=False)
    if len(kinds) > 1:
        figure.legend(loc="outside right upper", title="bar: mean")
    return figure


@style()
def heat(maps: Mapping[str, np.ndarray], *, label: str) -> Figure:
    """Maps (H, W) float, not negative, side by side on one colour scale that starts at zero and of
    which `label` says what it shows; the frame's centre is marked.
    """
    check_some(maps, "heat", "map")
    width = min(WIDTH, 1.5 + 4.5 * len(maps))
    figure = NotebookFigure(figsize=(width, 3.0), layout="constrained")
    all_axes = figure.subplots(1, len(maps), squeeze=False)[0]
    largest = max(float(np.max(values)) for values in maps.values())
    for axes, (name, values) in zip(all_axes, maps.items(), strict=True):
        H, W = values.shape
        mesh = axes.pcolormesh(values, cmap="cividis", vmin=0, vmax=largest, rasterized=True)
        axes.plot(W / 2, H / 2, "+", color="white", ms=14, mew=2)
        axes.set(title=name, aspect="equal", ylim=(H, 0), xticks=[], yticks=[])
    figure.colorbar(mesh, ax=all_axes, label=label, shrink=0.8)
    return figure


@style()
def batches(rows: Sequence[Sequence[tuple[str, str]]]) -> Figure:
    """Batches of samples (video, frame) as rows of boxes: the colour is the video, the text in the
    box the frame.
    """
    videos = sorted({video for row in rows for video, _ in row})
    check_some(videos, "batches", "sample")
    # Each further round through the palette is paler.
    colors = {
        video: 1 - 0.5 ** (i // len(PALETTE)) * (1 - np.array(to_rgb(PALETTE[i % len(PALETTE)])))
        for i, video in enumerate(videos)
    }
    figure = NotebookFigure(figsize=(WIDTH, 0.7 + 0.42 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for r, row in enumerate(rows):
        for c, (video, frame) in enumerate(row):
            color = colors[video]
            ink = "black" if np.dot(color, (0.3, 0.6, 0.1)) > 0.5 else "white"
            axes.barh(r, 0.94, left=c + 0.03, height=0.86, color=color)
            axes.text(c + 0.5, r, frame, color=ink, ha="center", va="center", weight="bold")
    for video, color in colors.items():
        axes.bar(0, 0, color=color, label=video)
    axes.set_yticks(range(len(rows)), [f"batch {r}" for r in range(len(rows))])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, max(map(len, rows))), xticks=[])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    figure.legend(loc="outside right upper")
    return figure
