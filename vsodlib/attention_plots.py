"""Features, kernels and attention in, pictures and Figures out.

Pictures are arrays (H, W, 3) uint8, for `viz.grid` and the widgets. A position of x covers a square
of `stride` pixels; it is drawn as that square, not blurred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from vsodlib.figure import PALETTE, WIDTH, NotebookFigure, style
from vsodlib.pictures import COLORS, tint

POSITIVE, NEGATIVE = COLORS["more"], COLORS["less"]
"""Colours of positive and negative weights."""

SIGNED = LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#FFFFFF", POSITIVE])
"""Brown below zero, white at zero, green above."""

SHARES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", POSITIVE])
"""White at zero, green above."""


def pca_pictures(features: np.ndarray) -> np.ndarray:
    """Feature maps as colours: the first three principal components as red, green and blue.

    All maps share one basis and one scale, so equal colours mean equal features. A component's sign
    is arbitrary; here most of its weight is positive.

    Args:
        features: (T, C, h, w) float, C at least 3.

    Returns:
        (T, h, w, 3) uint8.

    Raises:
        ValueError: another shape, or fewer than three channels.
    """
    if features.ndim != 4 or features.shape[1] < 3:
        raise ValueError(f"features must be (T, C >= 3, h, w), got {features.shape}.")
    T, C, h, w = features.shape
    rows = features.transpose(0, 2, 3, 1).reshape(-1, C).astype(np.float64)
    rows = rows - rows.mean(axis=0)
    _, vectors = np.linalg.eigh(rows.T @ rows)
    first = vectors[:, :-4:-1]  # eigh sorts upwards
    components = rows @ (first * np.where(first.sum(axis=0) < 0, -1, 1))
    low, high = np.percentile(components, (1, 99), axis=0)
    scaled = (components - low) / np.maximum(high - low, 1e-12)
    return np.rint(255 * scaled.clip(0, 1)).astype(np.uint8).reshape(T, h, w, 3)


def enlarge(cells: np.ndarray, stride: int, height: int, width: int) -> np.ndarray:
    """Every position as a square of `stride` pixels: (h, w, ...) -> (height, width, ...).

    Raises:
        ValueError: the grid is not the one that a frame of this size has at this stride.
    """
    grid = (-(-height // stride), -(-width // stride))
    if cells.shape[:2] != grid:
        raise ValueError(
            f"A {height}x{width} frame has {grid[0]}x{grid[1]} positions at stride {stride}, "
            f"got {cells.shape[0]}x{cells.shape[1]}."
        )
    return cells.repeat(stride, axis=0).repeat(stride, axis=1)[:height, :width]


def row_picture(
    frame: np.ndarray, row: np.ndarray, pixel: tuple[int, int] | None, stride: int
) -> np.ndarray:
    """Where a pixel looks: the frame in pale grey, weights in colour, a ring around the pixel.

    Positive weights are green, negative ones brown, each as strong as its share of the largest.

    Args:
        frame: (H, W, 3) uint8.
        row: its row of the affinity, (h, w) float.
        pixel: (row, column) of the query; None where it lies in another frame.
        stride: pixels per position.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: the row does not fit the frame.
    """
    H, W, _ = frame.shape
    weights = enlarge(np.asarray(row, dtype=np.float32), stride, H, W)
    weights = weights / max(float(np.abs(weights).max()), 1e-12)
    picture = tint(_pale(frame), weights.clip(min=0), POSITIVE, strength=0.9)
    picture = tint(picture, (-weights).clip(min=0), NEGATIVE, strength=0.9)
    return ring(picture, pixel) if pixel else picture


def signed_picture(values: np.ndarray, largest: float | None = None) -> np.ndarray:
    """Values with a sign as colours: white is zero, green positive, brown negative.

    Args:
        values: (h, w) float.
        largest: the size shown in full colour; None: of the values themselves.

    Returns:
        (h, w, 3) uint8.
    """
    limit = max(largest or float(np.abs(values).max()), 1e-12)
    shares = np.clip(np.asarray(values, dtype=np.float32) / limit, -1, 1)
    white = np.full((*shares.shape, 3), 255, np.uint8)
    picture = tint(white, shares.clip(min=0), POSITIVE, strength=1)
    return tint(picture, (-shares).clip(min=0), NEGATIVE, strength=1)


def ring(picture: np.ndarray, pixel: tuple[int, int]) -> np.ndarray:
    """The picture with a ring around (row, column), visible on any ground."""
    out, centre = np.ascontiguousarray(picture).copy(), (int(pixel[1]), int(pixel[0]))
    radius = max(4, picture.shape[0] // 30)
    for color, thickness in (((0, 0, 0), 5), ((255, 255, 255), 2)):
        cv2.circle(out, centre, radius, color, thickness, cv2.LINE_AA)
    return out


def reading_picture(
    frame: np.ndarray, pixels: Sequence[tuple[int, int]], rows: np.ndarray, stride: int
) -> np.ndarray:
    """Where several pixels read from: a line from each to the position of its largest weight.

    Args:
        frame: (H, W, 3) uint8.
        pixels: (row, column) of each query.
        rows: (Q, h, w) float, one row of attention per pixel.
        stride: pixels per position.

    Returns:
        (H, W, 3) uint8: dots are queries, circles what is read.

    Raises:
        ValueError: as many rows as pixels are needed.
    """
    if len(pixels) != len(rows):
        raise ValueError(f"reading_picture got {len(pixels)} pixels and {len(rows)} rows.")
    H, W, _ = frame.shape
    out, dot = _pale(frame), max(2, H // 80)
    color = (70, 70, 70)
    goal = [int(POSITIVE[i : i + 2], 16) for i in (1, 3, 5)]
    ends = []
    for (i, j), row in zip(pixels, rows, strict=True):
        a, b = np.unravel_index(int(np.argmax(row)), row.shape)
        # The middle of its square, which may stick out of the frame.
        ends.append((min(int((b + 0.5) * stride), W - 1), min(int((a + 0.5) * stride), H - 1)))
        cv2.line(out, (int(j), int(i)), ends[-1], color, 1, cv2.LINE_AA)
        cv2.circle(out, (int(j), int(i)), dot, color, -1, cv2.LINE_AA)
    for end in ends:
        cv2.circle(out, end, 2 * dot, goal, -1, cv2.LINE_AA)
    return out


def tap_counts(dilations: Sequence[int]) -> np.ndarray:
    """By how many paths each input pixel reaches one output of a stack of 3x3 convolutions.

    Args:
        dilations: of each convolution, stride 1; the order does not matter.

    Returns:
        (n, n) int64, n = 1 + 2 * sum(dilations), centred; 0: never touched.

    Raises:
        ValueError: a dilation below 1.
    """
    if any(dilation < 1 for dilation in dilations):
        raise ValueError(f"dilations must be at least 1, got {list(dilations)}.")
    line = np.ones(1, np.int64)
    for dilation in dilations:
        kernel = np.zeros(2 * dilation + 1, np.int64)
        kernel[::dilation] = 1
        line = np.convolve(line, kernel)
    return np.outer(line, line)


@style()
def taps(panels: Mapping[str, Sequence[int]]) -> Figure:
    """Which input pixels reach one output, for stacks of dilated 3x3 convolutions side by side.

    Args:
        panels: title -> dilations. Darker: reached by more paths; white: never touched.

    Raises:
        ValueError: no panel.
    """
    if not panels:
        raise ValueError("taps needs at least one panel.")
    counts = {title: tap_counts(dilations) for title, dilations in panels.items()}
    size = max(len(c) for c in counts.values())
    figure = NotebookFigure(figsize=(WIDTH, 0.5 + WIDTH / len(panels)), layout="constrained")
    for axes, (title, count) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], counts.items(), strict=True
    ):
        half = len(count) / 2
        shade = np.where(count > 0, 0.25 + 0.75 * count / count.max(), 0)
        edges = np.linspace(-half, half, len(count) + 1)
        axes.pcolormesh(edges, edges, shade, cmap="Greens", vmin=0, vmax=1.15, ec="#CCCCCC", lw=0.4)
        axes.plot(0, 0, ".", color="black", ms=8)
        limit = size / 2 + 0.5
        reached = np.count_nonzero(count)
        axes.set(title=title, aspect="equal", xlim=(-limit, limit), ylim=(limit, -limit))
        axes.set(xticks=[], yticks=[], xlabel=f"{len(count)}×{len(count)}, {reached} touched")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
    return figure


@style()
def aspp(
    frame: np.ndarray, pixel: tuple[int, int], panels: Mapping[str, tuple[Sequence[int], int]]
) -> Figure:
    """Where the 3x3 kernels of ASPP touch a frame; open squares fall on the padding outside.

    Args:
        frame: (H, W, 3) uint8.
        pixel: (row, column) of the output whose inputs are drawn.
        panels: title -> (rates, pixels per position).

    Raises:
        ValueError: no panel.
    """
    if not panels:
        raise ValueError("aspp needs at least one panel.")
    H, W, _ = frame.shape
    margin = max(max(rates) * stride for rates, stride in panels.values())
    top, left = max(0, margin - pixel[0]), max(0, margin - pixel[1])
    bottom, right = max(0, pixel[0] + margin - H), max(0, pixel[1] + margin - W)
    pad = 0.05 * H
    figure = NotebookFigure(figsize=(WIDTH, 3.3), layout="constrained")
    for axes, (title, (rates, stride)) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        axes.imshow(_pale(frame), extent=(0, W, H, 0))
        for k, rate in enumerate(rates):
            steps = rate * stride * np.array([-1, 0, 1])
            y, x = (a.ravel() for a in np.meshgrid(pixel[0] + steps, pixel[1] + steps))
            inside = (y >= 0) & (y < H) & (x >= 0) & (x < W)
            look = {"marker": "s", "ls": "", "ms": 6, "color": PALETTE[k]}
            axes.plot(
                x[inside], y[inside], **look, label=f"rate {rate}: {2 * rate * stride + 1} px wide"
            )
            axes.plot(x[~inside], y[~inside], **look, fillstyle="none")
        axes.set(title=title, aspect="equal", xticks=[], yticks=[])
        axes.set(xlim=(-left - pad, W + right + pad), ylim=(H + bottom + pad, -top - pad))
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), fontsize=11, handletextpad=0.1)
    return figure


@style()
def kernels(groups: Mapping[str, np.ndarray], *, column_labels: Sequence[str] = ()) -> Figure:
    """3x3 filters as squares, one row per group, green positive and brown negative on one scale.

    Args:
        groups: name -> (K, 3, 3) float, the same K in each.
        column_labels: one text per filter, or none.

    Raises:
        ValueError: no group.
    """
    if not groups:
        raise ValueError("kernels needs at least one group.")
    columns = len(next(iter(groups.values())))
    largest = max(float(np.abs(filters).max()) for filters in groups.values())
    cell = min(0.75, (WIDTH - 2.4) / columns)
    size = (2.4 + cell * columns, 0.3 + cell * len(groups))
    figure = NotebookFigure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(rect=(0.03, 0, 0.97, 1))  # names stick out to the left
    grid = figure.subplots(len(groups), columns, squeeze=False)
    for r, (name, filters) in enumerate(groups.items()):
        for c, (axes, weights) in enumerate(zip(grid[r], filters, strict=True)):
            look = {"cmap": SIGNED, "vmin": -largest, "vmax": largest, "ec": "white", "lw": 0.5}
            mesh = axes.pcolormesh(weights, **look)
            axes.set(aspect="equal", xticks=[], yticks=[], ylim=(3, 0))
            axes.spines[:].set_visible(False)
            if r == 0 and column_labels:
                axes.set_title(column_labels[c], fontsize=10)
        grid[r][0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.colorbar(mesh, ax=grid, label="weight")
    return figure


@style()
def matrices(panels: Mapping[str, np.ndarray]) -> Figure:
    """Square matrices side by side, as large as they are: an entry has the same size in all.

    Each has a scale of its own: green is its largest entry, brown its negative, white zero.

    Args:
        panels: title -> (n, n) float.

    Raises:
        ValueError: no panel.
    """
    if not panels:
        raise ValueError("matrices needs at least one panel.")
    sizes = [len(matrix) for matrix in panels.values()]
    # In inches: every panel as high as the largest, at least wide enough for its title.
    side, top, gap = 3.3, 0.4, 0.7
    widths = [max(side * n / max(sizes), 2.4) for n in sizes]
    width, height = sum(widths) + gap * len(sizes) + 0.3, side + top + 0.4
    figure, left = NotebookFigure(figsize=(width, height)), gap
    for (title, matrix), room in zip(panels.items(), widths, strict=True):
        n, limit = len(matrix), np.abs(matrix).max()
        box = side * n / max(sizes)
        place = (left / width, 1 - (top + box) / height, box / width, box / height)
        axes = figure.add_axes(place)
        look = {"cmap": SIGNED, "vmin": -limit, "vmax": limit, "rasterized": True}
        axes.pcolormesh(np.asarray(matrix), **look)
        axes.set(xlim=(0, n), ylim=(n, 0), xticks=[0, n], yticks=[0, n])
        axes.set_title(title, loc="left", fontsize=12)
        axes.grid(visible=False)
        left += room + gap
    return figure


def _pale(frame: np.ndarray) -> np.ndarray:
    """The frame in light grey, a ground for colours."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return np.repeat((grey // 2 + 110)[:, :, None], 3, axis=2).astype(np.uint8)
