"""Arrays in, pictures and Figures out: signed maps, what positions read, kernels, whole matrices of
weights, and attention against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from vsodlib.viz.attention import NEGATIVE, POSITIVE, SIGNED
from vsodlib.viz.pictures import pale, tint
from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, check_some, style

SHARES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", POSITIVE])
"""White at zero, green above."""


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
    out, dot = pale(frame), max(2, H // 80)
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


@style()
def kernels(groups: Mapping[str, np.ndarray], *, column_labels: Sequence[str] = ()) -> Figure:
    """3x3 filters as squares, one row per group, green positive and brown negative on one scale.

    Args:
        groups: name -> (K, 3, 3) float, the same K in each.
        column_labels: one text per filter, or none.

    Raises:
        ValueError: no group.
    """
    check_some(groups, "kernels", "group")
    columns = len(next(iter(groups.values())))
    largest = max(float(np.abs(filters).max()) for filters in groups.values())
    cell = min(0.75, (WIDTH - 2.4) / columns)
    size = (2.4 + cell * columns, 0.3 + cell * len(groups))
    figure = NotebookFigure(figsize=size, layout="constrained")
    # Names stick out to the left.
    figure.set_layout_engine("constrained", rect=(0.03, 0, 0.97, 1))
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

    Each has a scale of its own, written below it: green is its largest size of an entry, brown
    the negative of that, white zero.

    Args:
        panels: title -> (n, n) float.

    Raises:
        ValueError: no panel.
    """
    check_some(panels, "matrices", "panel")
    sizes = [len(matrix) for matrix in panels.values()]
    # In inches: every panel as high as the largest, at least wide enough for its title.
    side, top, gap = 3.3, 0.4, 0.7
    widths = [max(side * n / max(sizes), 2.9) for n in sizes]
    width, height = sum(widths) + gap * len(sizes) + 0.3, side + top + 0.65
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
        brown = f"brown −{limit:.2g}, " if matrix.min() < 0 else ""
        axes.set_xlabel(f"{brown}white 0, green {limit:.2g}", loc="left", fontsize=11)
        axes.grid(visible=False)
        left += room + gap
    return figure


Points = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Series -> (the object's share of the frame, the mass inside), one point each."""

_MARKERS = "os^D"


@style()
def mass_against_chance(panels: Mapping[str, Points]) -> Figure:
    """How much attention falls on the object, against the object's share of the frame.

    On the dashed line attention is as good as spread evenly; above it the object gets more than its
    area. Two panels stand side by side, further ones below; a series looks alike in all.

    Args:
        panels: title -> series -> points in [0, 1]; nan is left out.

    Raises:
        ValueError: no panel, or a series with more areas than masses, or fewer.
    """
    check_some(panels, "mass_against_chance", "panel")
    for title, series in panels.items():
        for name, (chance, inside) in series.items():
            if len(chance) != len(inside):
                raise ValueError(
                    f"{title!r}, {name!r}: {len(chance)} areas and {len(inside)} masses."
                )
    rows, names = -(-len(panels) // 2), list(dict.fromkeys(n for s in panels.values() for n in s))
    figure = NotebookFigure(figsize=(WIDTH, 0.8 + 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, 2, squeeze=False, sharex=True, sharey=True)
    for axes, (title, series) in zip(grid.flat, panels.items(), strict=False):
        axes.plot([0, 1], [0, 1], "--", color="#777777", lw=1.5)
        for name, (chance, inside) in series.items():
            k = names.index(name)
            look = {"color": PALETTE[k % len(PALETTE)], "marker": _MARKERS[k % len(_MARKERS)]}
            # Every second series is hollow, for points that lie on each other.
            fill = "none" if k % 2 else "full"
            axes.plot(chance, inside, ls="", ms=7, mew=1.4, fillstyle=fill, label=name, **look)
        axes.set(title=title, xlim=(-0.03, 1.03), ylim=(-0.05, 1.05))
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_axis_off()
    figure.supxlabel("the object's share of the frame", fontsize=13)
    figure.supylabel("mass on the object", fontsize=13)
    lines: dict[str, Artist] = {}
    for axes in grid.flat:
        lines |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(list(lines.values()), list(lines), loc="outside upper center", ncols=4)
    return figure
