"""Rows of attention, gates and kernels in, pictures and Figures out.

Pictures are arrays (H, W, 3) uint8, for `viz.grid` and the widgets. A position of x covers a square
of `stride` pixels; it is drawn as that square, not blurred.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from vsodlib.viz.pictures import COLORS, enlarge, pale, tint

POSITIVE, NEGATIVE = COLORS["more"], COLORS["less"]
"""Colours of positive and negative weights."""

SIGNED = LinearSegmentedColormap.from_list("signed", [NEGATIVE, "#FFFFFF", POSITIVE])
"""Brown below zero, white at zero, green above."""

SHARES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", POSITIVE])
"""White at zero, green above."""


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
    picture = tint(pale(frame), weights.clip(min=0), POSITIVE, strength=0.9)
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
