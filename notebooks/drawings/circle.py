"""Arrays in, Figure out: regions, pairs and forces of Eq. 9.

Blue attracts and pink repels, in every figure: foreground and background, positives and
negatives.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vsodlib.viz.pictures import COLORS
from vsodlib.viz.style import WIDTH, NotebookFigure, check_some, style

ATTRACT, REPEL = COLORS["foreground"], COLORS["background"]
_PALE = "#DDDDDD"
_MARKERS = ("o", "s", "^", "D")
_RINGS = (1.0, 0.72, 0.5, 0.3)


def pull_and_push(
    similarity: np.ndarray, positives: np.ndarray, negatives: np.ndarray, temperature: float = 0.1
) -> np.ndarray:
    """How strongly Eq. 9 draws an anchor to each sample (> 0) and away from it (< 0).

    -τ ∂L/∂(u·u_r) = q softmax₊(u·u_r / τ) at a positive, -softmax₊₋(u·u_r / τ) at a negative, where
    q = Σ₋ / (Σ₊ + Σ₋) = 1 - exp(-L). All pull together is q, and so is all push.

    Args:
        similarity: (..., R) float, u·u_r of every region.
        positives, negatives: (..., R) bool, the anchor's samples.
        temperature: τ.

    Returns:
        (..., R) float in [-1, 1]; 0 at regions that are no samples.

    Raises:
        ValueError: a temperature that is not positive, or an anchor without a positive or negative.
    """
    if temperature <= 0:
        raise ValueError(f"temperature must be positive, got {temperature!r}.")
    if not (positives.any(axis=-1) & negatives.any(axis=-1)).all():
        raise ValueError("Every anchor needs a positive and a negative.")
    push = negatives * _softmax(similarity / temperature, positives | negatives)
    pull = push.sum(axis=-1, keepdims=True) * _softmax(similarity / temperature, positives)
    return pull - push


def _softmax(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    largest = np.max(values, axis=-1, keepdims=True, where=where, initial=-np.inf)
    weights = np.exp(values - largest, where=where, out=np.zeros_like(values))
    return weights / weights.sum(axis=-1, keepdims=True)


@style()
def circle(
    panels: Mapping[str, np.ndarray],
    is_foreground: np.ndarray,
    video: np.ndarray,
    forces: Sequence[np.ndarray] | None = None,
    columns: int = 5,
) -> Figure:
    """Regions as points of the unit circle, a panel a moment.

    Each video has a shape and, since regions of different videos would hide each other, a ring of
    its own: all rings stand for the same circle.

    Args:
        panels: title -> (R, 2) float, rows of length 1.
        is_foreground: (R,) bool.
        video: (R,) int.
        forces: per panel (R, 2) float, drawn as arrows.
        columns: panels side by side.

    Raises:
        ValueError: no panel, or more than four videos.
    """
    videos = np.unique(video)
    if not panels or len(videos) > len(_MARKERS):
        raise ValueError(
            f"circle draws at least one panel and 1 to {len(_MARKERS)} videos, got {len(panels)} "
            f"and {len(videos)}."
        )
    columns = min(columns, len(panels))
    lines = -(-len(panels) // columns)
    side = min(3.6, WIDTH / columns)
    alone = len(panels) == 1
    size = (6.6, side) if alone else (WIDTH, lines * (side + 0.25) + 0.4)
    figure = NotebookFigure(figsize=size, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for k, (axes, (title, points)) in enumerate(zip(grid, panels.items(), strict=False)):
        axes.set_title(title, fontsize=12)
        for ring, v, marker in zip(_RINGS, videos, _MARKERS, strict=False):
            draw_circle(axes, ring)
            for shown, color in ((is_foreground, ATTRACT), (~is_foreground, REPEL)):
                x, y = ring * points[(video == v) & shown].T
                axes.plot(x, y, marker, color=color, ms=9, mec="white", alpha=0.85)
        if forces is not None:
            rings = np.array(_RINGS)[np.searchsorted(videos, video)]
            _arrows(axes, rings[:, None] * points, forces[k], is_foreground)
    for axes in grid[len(panels) :]:
        axes.remove()
    keys = [
        Line2D([], [], marker=marker, color=color, ls="", ms=9, label=f"{side}, video {v}")
        for v, marker in zip(videos, _MARKERS, strict=False)
        for side, color in (("foreground", ATTRACT), ("background", REPEL))
    ]
    if alone:
        figure.legend(handles=keys, fontsize=11, loc="outside right center")
    else:
        ncols = min(4, len(keys))
        figure.legend(handles=keys, ncols=ncols, fontsize=11, loc="outside lower center")
    return figure


def draw_circle(axes: Axes, radius: float = 1) -> None:
    """A pale circle about the middle, and room around it for what is drawn on it."""
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(radius * np.cos(angle), radius * np.sin(angle), color=_PALE, lw=1.5, zorder=0)
    axes.set(aspect="equal", xlim=(-1.25, 1.25), ylim=(-1.25, 1.25))
    axes.set_axis_off()


def _arrows(axes: Axes, points: np.ndarray, forces: np.ndarray, is_foreground: np.ndarray) -> None:
    """Arrows along the circle's tangent, at most a third of the radius long."""
    outward = points / np.linalg.norm(points, axis=1, keepdims=True)
    along = forces - (forces * outward).sum(axis=1, keepdims=True) * outward
    along = along / max(3 * np.linalg.norm(along, axis=1).max(), 1e-9)
    for point, arrow, front in zip(points, along, is_foreground, strict=True):
        if np.linalg.norm(arrow) > 0.03:
            look = {"arrowstyle": "-|>", "color": ATTRACT if front else REPEL, "lw": 2}
            axes.annotate("", point + arrow, point, arrowprops=look)


@style()
def temperatures(
    points: np.ndarray,
    anchor: int,
    positives: np.ndarray,
    negatives: np.ndarray,
    values: Sequence[float],
) -> Figure:
    """Who is pulled and who is pushed at each temperature: on the circle, and as bars.

    The bars are the forces of `pull_and_push`: those of either sign add up to q.

    Args:
        points: (R, 2) float, rows of length 1.
        anchor: which of them is u.
        positives, negatives: (R,) bool.
        values: temperatures, one column each.

    Raises:
        ValueError: no temperature, or what `pull_and_push` refuses.
    """
    check_some(values, "temperatures", "temperature")
    alone = len(values) == 1
    figure = NotebookFigure(figsize=(WIDTH, 3.2 if alone else 4.6), layout="constrained")
    if alone:
        top, below = figure.subplots(1, 2, width_ratios=(1, 1.5)).reshape(2, 1)
    else:
        top, below = figure.subplots(2, len(values), height_ratios=(1.7, 1))
    similarity = points @ points[anchor]
    samples = np.flatnonzero(positives | negatives)
    colors = np.where(positives, ATTRACT, REPEL)
    for circle_axes, bars, temperature in zip(top, below, values, strict=True):
        force = pull_and_push(similarity, positives, negatives, temperature)
        part = force / force[positives].sum()
        draw_circle(circle_axes)
        circle_axes.set_title(f"τ = {temperature:.3g}, q = {force[positives].sum():.2f}")
        for number, r in enumerate(samples, 1):
            ends = np.stack([points[anchor], points[r]]).T
            circle_axes.plot(*ends, color=colors[r], lw=0.5 + 6 * abs(part[r]), zorder=1)
            circle_axes.plot(*points[r], "o", color=colors[r], ms=10, mec="white")
            circle_axes.text(*(1.2 * points[r]), str(number), ha="center", va="center", fontsize=11)
        circle_axes.plot(*points[anchor], "*", color="black", ms=17, mec="white")
        bars.bar(range(1, len(samples) + 1), force[samples], color=colors[samples])
        bars.axhline(0, color="black", lw=1)
        bars.set(ylim=(-1.05, 1.05), xticks=range(1, len(samples) + 1), xlabel="sample")
    below[0].set_ylabel("push     pull")
    return figure
