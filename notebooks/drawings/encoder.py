"""The encoder's features and the reach of its dilated convolutions, as pictures and Figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vsodlib.viz.pictures import pale
from vsodlib.viz.style import PALETTE, WIDTH, NotebookFigure, check_some, style


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
    check_some(panels, "taps", "panel")
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
    check_some(panels, "aspp", "panel")
    H, W, _ = frame.shape
    margin = max(max(rates) * stride for rates, stride in panels.values())
    top, left = max(0, margin - pixel[0]), max(0, margin - pixel[1])
    bottom, right = max(0, pixel[0] + margin - H), max(0, pixel[1] + margin - W)
    pad = 0.05 * H
    figure = NotebookFigure(figsize=(WIDTH, 3.3), layout="constrained")
    for axes, (title, (rates, stride)) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        axes.imshow(pale(frame), extent=(0, W, H, 0))
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
