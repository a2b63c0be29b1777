"""Segmentation measures of the DAVIS 2016 benchmark: region similarity J, contour accuracy F.

Perazzi, Pont-Tuset, McWilliams, Van Gool, Gross, Sorkine-Hornung: "A benchmark dataset and
evaluation methodology for video object segmentation", CVPR 2016, Section 5. The third measure of
that paper, temporal instability T, is in `vsodlib.metrics.instability`. Measures take binary numpy
arrays (H, W), refuse others and different sizes by a ValueError, and return floats.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vsodlib.metrics.inputs import around, check_pair

TOLERANCE = 0.008
"""Contour tolerance of the benchmark, a share of the image diagonal."""


@dataclass(frozen=True)
class Statistics:
    """What the benchmark reports of one measure over the frames of a sequence."""

    mean: float
    recall: float
    """The share of frames above 0.5."""
    decay: float
    """Mean over the first quarter of the frames minus mean over the last; can be negative."""


def statistics(values: Sequence[float]) -> Statistics:
    """Mean, recall and decay of per-frame values in temporal order.

    The quarters are the benchmark's: edges at `round(linspace(1, n, 5))`, halves rounded up, both
    edge frames belonging to their quarter. Without values there are none: a ValueError.
    """
    series = np.asarray(values, np.float64)
    n = len(series)
    if n == 0:
        raise ValueError("A sequence without scored frames has no statistics.")
    edges = np.floor(np.linspace(1, n, 5) + 0.5).astype(int) - 1
    quarters = [series[edges[k] : edges[k + 1] + 1].mean() for k in (0, 3)]
    return Statistics(
        float(series.mean()), float((series > 0.5).mean()), float(quarters[0] - quarters[1])
    )


def region_similarity(prediction: np.ndarray, ground_truth: np.ndarray) -> float:
    """J = |p and g| / |p or g|, the Jaccard index; in [0, 1], 1 where both masks are empty."""
    p, g = check_pair(prediction, ground_truth, "mask")
    # Counting where the masks differ needs no third image: |p or g| = (|p| + |g| + differing) / 2.
    total, differing = cv2.countNonZero(p) + cv2.countNonZero(g), cv2.norm(p, g, cv2.NORM_HAMMING)
    return (total - differing) / (total + differing) if total else 1.0


def contour_accuracy(
    prediction: np.ndarray, ground_truth: np.ndarray, tolerance: float = TOLERANCE
) -> float:
    """F = 2 P R / (P + R) of the contours, matched within a disk of `tolerance`.

    P is the share of the mask's contour pixels with a contour pixel of the ground truth no further
    than ceil(`tolerance` x diagonal) pixels, R the reverse. Contours are one pixel wide, half a
    pixel towards the origin. In [0, 1]; 1 where neither mask has a contour (empty or full), 0 where
    only one has.
    """
    p, g = check_pair(prediction, ground_truth, "mask")
    radius = int(np.ceil(tolerance * np.hypot(*p.shape)))
    # Contour pixels lie in the box of both masks or just beside it.
    crop = around(cv2.boundingRect(cv2.bitwise_or(p, g)), 1, (0, 0, *p.shape[::-1]))
    ours, theirs = (pack(contour(mask[crop]), radius) for mask in (p, g))
    counts = _count(ours), _count(theirs)
    if not any(counts):
        return 1.0
    if not all(counts):
        return 0.0
    P = _count(ours & dilate(theirs, radius)) / counts[0]
    R = _count(theirs & dilate(ours, radius)) / counts[1]
    return 2 * P * R / (P + R) if P + R else 0.0


def contour(mask: np.ndarray) -> np.ndarray:
    """Contour pixels of a uint8 mask: those that differ from the pixel right, below or diagonal."""
    square = np.ones((2, 2), np.uint8)
    return cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, square, anchor=(0, 0))


def pack(mask: np.ndarray, gap: int) -> np.ndarray:
    """The pixels of a uint8 mask (H, W) as bits: (H, n) uint64, the leftmost pixel the lowest bit.

    Every row ends in at least `gap` empty bits.
    """
    H, W = mask.shape
    rows = np.zeros((H, -(-(W + gap) // 64) * 64), np.uint8)
    rows[:, :W] = mask
    return np.packbits(rows, axis=1, bitorder="little").view("<u8")


def dilate(packed: np.ndarray, radius: int) -> np.ndarray:
    """Dilation of a packed mask with the disk x^2 + y^2 <= radius^2; exact inside the image.

    A shift moves 64 pixels per machine operation. Gaps of `radius` between the rows keep pixels
    from reaching another row; what lies in the gaps afterwards means nothing.
    """
    words, stride = packed.ravel(), packed.shape[1]
    out, reach = np.zeros_like(words), 0
    for y in range(radius, -1, -1):  # the disk from its shortest rows to the longest
        half = math.isqrt(radius**2 - y**2)
        while reach < half:
            step = min(reach + 1, half - reach, 63)
            wider = words | words << step | words >> step
            wider[1:] |= words[:-1] >> 64 - step  # what a shift carries into the next word
            wider[:-1] |= words[1:] << 64 - step
            words, reach = wider, reach + step
        kept = max(len(words) - y * stride, 0)
        out[y * stride :] |= words[:kept]
        out[:kept] |= words[y * stride :]
    return out.reshape(packed.shape)


def _count(packed: np.ndarray) -> int:
    return int(cv2.norm(packed.view(np.uint8), cv2.NORM_HAMMING))
