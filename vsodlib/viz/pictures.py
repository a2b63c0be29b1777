"""Frames, masks and maps in, pictures out, for `viz.grid` and the widgets.

Frames and pictures are (H, W, 3) uint8, masks (H, W) bool, maps (H, W) float in [0, 1], colours
whatever matplotlib knows. Arrays that do not fit each other raise a ValueError.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from matplotlib.colors import to_rgb

from vsodlib.config import check_counts


def enlarge(cells: np.ndarray, stride: int, height: int, width: int) -> np.ndarray:
    """Every position as a square of `stride` pixels: (h, w, ...) -> (height, width, ...)."""
    grid = (-(-height // stride), -(-width // stride))
    if cells.shape[:2] != grid:
        raise ValueError(
            f"A {height}x{width} frame has {grid[0]}x{grid[1]} positions at stride {stride}, "
            f"got {cells.shape[0]}x{cells.shape[1]}."
        )
    return cells.repeat(stride, axis=0).repeat(stride, axis=1)[:height, :width]


def pale(frame: np.ndarray, darkest: int = 110) -> np.ndarray:
    """The frame in light grey, a ground for colours."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return np.repeat((grey // 2 + darkest)[:, :, None], 3, axis=2).astype(np.uint8)


COLORS = {
    "truth": "#56B4E9",  # sky blue: what is right
    "hit": "#56B4E9",
    "missed": "#F0E442",  # yellow
    "false alarm": "#D55E00",  # vermilion
    "foreground": "#0072B2",  # blue: regions of the object, what attracts
    "positives": "#0072B2",
    "background": "#CC79A7",  # pink: regions of the rest, what repels
    "negatives": "#CC79A7",
    "more": "#009E73",  # green: saliency, a weight above zero, what adds
    "less": "#8C510A",  # brown: a weight below zero, what subtracts
    "paper": "#E69F00",  # orange: what the paper reports
}
"""Colours with a fixed meaning, the same in every picture; series of a chart use none of them."""


def to_picture(array: np.ndarray) -> np.ndarray:
    """A frame as it is; a mask or a map in grey; anything else, as a map that leaves [0, 1], raises
    a ValueError.
    """
    array = np.asarray(array)
    if array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8:
        return array
    if array.ndim == 2 and array.dtype == bool:
        grey = array.astype(np.uint8) * 255
    elif array.ndim == 2 and np.issubdtype(array.dtype, np.floating):
        low, high = np.min(array), np.max(array)
        if not (low >= 0 and high <= 1):
            raise ValueError(f"A saliency map must lie in [0, 1], got {low:.3g} to {high:.3g}.")
        grey = np.round(array * 255).astype(np.uint8)
    else:
        raise ValueError(
            "A picture is a frame (H, W, 3) uint8, a mask (H, W) bool or a map (H, W) float, "
            f"got {array.shape} {array.dtype}."
        )
    return np.repeat(grey[:, :, None], 3, axis=2)


def tint(
    frame: np.ndarray, weight: np.ndarray, color: str = COLORS["more"], strength: float = 0.65
) -> np.ndarray:
    """The frame with `color` laid over it: (1 - a) frame + a color, where a = strength * weight,
    strength in [0, 1] and the weight a map or a mask.
    """
    _same_size(frame, weight)
    alpha = strength * np.asarray(weight, dtype=np.float32)[:, :, None]
    mixed = (1 - alpha) * frame + alpha * 255 * np.array(to_rgb(color), dtype=np.float32)
    return np.round(mixed).astype(np.uint8)


def outline(
    frame: np.ndarray, mask: np.ndarray, color: str = COLORS["truth"], thickness: int = 1
) -> np.ndarray:
    """The frame with the border of the mask drawn on it, `thickness` pixels to either side."""
    _same_size(frame, mask)
    side = 2 * thickness + 1
    square = np.ones((side, side), np.uint8)
    border = cv2.morphologyEx(np.asarray(mask, np.uint8), cv2.MORPH_GRADIENT, square)
    return tint(frame, border.astype(bool), color, strength=1)


def on_checkerboard(layer: np.ndarray, square: int = 12) -> np.ndarray:
    """A cut-out before a checkerboard, as picture editors show what is transparent.

    Per pixel a c + (1 - a) b: c and a are colour and opacity of `layer`, (H, W, 4) uint8, RGBA, not
    multiplied; b is the grey board, its squares `square` pixels wide.
    """
    if layer.ndim != 3 or layer.shape[2] != 4 or layer.dtype != np.uint8:
        raise ValueError(f"layer must be uint8 (H, W, 4), got {layer.dtype} {layer.shape}.")
    check_counts(square=square)
    i, j = np.indices(layer.shape[:2]) // square
    board = np.where((i + j) % 2, 200, 240)[:, :, None]
    alpha = layer[:, :, 3:] / np.float32(255)
    return np.rint(alpha * layer[:, :, :3] + (1 - alpha) * board).astype(np.uint8)


def comparison(frame: np.ndarray, prediction: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The frame in pale grey, with what the predicted mask hits, misses and adds in colour."""
    _same_size(frame, prediction)
    _same_size(frame, mask)
    if prediction.dtype != bool or mask.dtype != bool:
        kinds = f"{prediction.dtype} and {mask.dtype}"
        raise ValueError(f"Only masks of bool can be compared, got {kinds}; threshold them first.")
    picture = pale(frame, 100)
    picture = tint(picture, prediction & mask, COLORS["hit"], strength=0.7)
    picture = tint(picture, ~prediction & mask, COLORS["missed"], strength=0.7)
    return tint(picture, prediction & ~mask, COLORS["false alarm"], strength=0.7)


def same_length(layers: Mapping[str, np.ndarray]) -> int:
    """The number of frames that all layers of a clip share; a ValueError where they differ or there
    are none.
    """
    lengths = {name: len(layer) for name, layer in layers.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(
            f"The layers of a clip must be equally long, at least one frame: {lengths}."
        )
    return next(iter(lengths.values()))


def _same_size(frame: np.ndarray, other: np.ndarray) -> None:
    if np.shape(frame)[:2] != np.shape(other):
        raise ValueError(
            f"The frame is {np.shape(frame)[:2]} and what is drawn on it {np.shape(other)}; "
            "height and width must agree."
        )
