"""Rows of attention in, pictures out, all as in `pictures`.

A position of x covers a square of `stride` pixels; it is drawn as that square, not blurred.
"""

import cv2
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from vsodlib.viz.pictures import COLORS, enlarge, pale, tint

POSITIVE, NEGATIVE = COLORS["more"], COLORS["less"]
"""Colours of positive and negative weights."""

SIGNED = LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#FFFFFF", POSITIVE])
"""Brown below zero, white at zero, green above."""


def row_picture(
    frame: np.ndarray, row: np.ndarray, pixel: tuple[int, int] | None, stride: int
) -> np.ndarray:
    """Where a pixel looks: the frame in pale grey, weights in colour, a ring around the pixel.

    Positive weights are green, negative ones brown, each as strong as its share of the largest.

    Args:
        row: its row of the affinity, (h, w) float.
        pixel: (row, column) of the query; None where it lies in another frame.
        stride: pixels per position.
    """
    H, W, _ = frame.shape
    weights = enlarge(np.asarray(row, dtype=np.float32), stride, H, W)
    weights = weights / max(float(np.abs(weights).max()), 1e-12)
    picture = tint(pale(frame), weights.clip(min=0), POSITIVE, strength=0.9)
    picture = tint(picture, (-weights).clip(min=0), NEGATIVE, strength=0.9)
    return ring(picture, pixel) if pixel else picture


def ring(picture: np.ndarray, pixel: tuple[int, int]) -> np.ndarray:
    """The picture with a ring around (row, column), visible on any ground."""
    out, centre = np.ascontiguousarray(picture).copy(), (int(pixel[1]), int(pixel[0]))
    radius = max(4, picture.shape[0] // 30)
    for color, thickness in (((0, 0, 0), 5), ((255, 255, 255), 2)):
        cv2.circle(out, centre, radius, color, thickness, cv2.LINE_AA)
    return out
