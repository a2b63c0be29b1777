"""Counts and sums of one map against its ground truth: all that MAE, F, S and E need.

The saliency measures look at a map only through a few numbers: how many object and background
pixels reach each of 256 levels, and first and second moments of the map in the four quadrants
around the object's centroid. Gathering them takes one sweep of the map; the formulas
(`vsodlib.metrics.saliency`) then work on a few hundred numbers instead of 400 000 pixels and 256
thresholds.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from vsodlib.metrics.inputs import check_pair

LEVELS = 256
CentroidTies = Literal["even", "up"]
Corners = list[tuple[slice, slice]]
Gathered = tuple[np.ndarray, np.ndarray, np.ndarray]
"""The histogram, the adaptive counts, and (4, 5): what follows in `Tally` behind `foreground`."""


@dataclass(frozen=True)
class Tally:
    """Sufficient statistics of a map p in [0, 1] against a binary ground truth g, all float64.

    From `pixels` on they are (4,): top left, top right, bottom left, bottom right.
    """

    histogram: np.ndarray
    """(2, 256): background [0] and object [1] pixels at each level floor(255 p)."""
    adaptive: np.ndarray
    """(2,): pixels of either class with p >= min(1, 2 mean(p))."""
    pixels: np.ndarray
    foreground: np.ndarray  # sum of g
    total: np.ndarray  # sum of p
    square: np.ndarray  # sum of p squared
    product: np.ndarray  # sum of p g
    foreground_square: np.ndarray  # sum of p squared times g
    constant: np.ndarray
    """1 where p has one value in the quadrant (its variance is then exactly zero), else 0."""


def centroid(
    column_sums: np.ndarray, row_sums: np.ndarray, ties: CentroidTies = "even"
) -> tuple[int, int]:
    """Rows and columns above and left of the split, the centroid's own row and column included.

    `ties` says where a centroid half-way between two pixels goes: `"even"`, to the even index as
    numpy and pysodmetrics round, or `"up"`, away from zero as the authors' MATLAB code rounds.
    """
    H, W = len(row_sums), len(column_sums)
    count = row_sums.sum()
    if count == 0:
        return round(H / 2) + 1, round(W / 2) + 1
    y = float((row_sums * np.arange(H)).sum() / count)
    x = float((column_sums * np.arange(W)).sum() / count)
    if ties == "up":
        return int(np.floor(y + 0.5)) + 1, int(np.floor(x + 0.5)) + 1
    return round(y) + 1, round(x) + 1


def tally(
    prediction: np.ndarray,
    ground_truth: np.ndarray,
    stretch: bool = False,
    ties: CentroidTies = "even",
) -> Tally:
    """Gather the tally of one map (H, W), uint8 or float in [0, 1], against a binary (H, W).

    A float map that holds 8-bit levels (v/255 to rounding) gives what those levels give.

    Raises:
        ValueError: as `inputs.check_pair`.
    """
    p, g = check_pair(prediction, ground_truth)
    row_sums = cv2.reduce(g, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    column_sums = cv2.reduce(g, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    y, x = centroid(column_sums, row_sums, ties)
    corners = [np.s_[:y, :x], np.s_[:y, x:], np.s_[y:, :x], np.s_[y:, x:]]
    levels = p if p.dtype == np.uint8 else _as_levels(p)
    if levels is None:
        histogram, adaptive, moments = _gather_floats(p, g, corners, stretch)
    else:
        histogram, adaptive, moments = _gather_levels(levels, g, corners, stretch)
    pixels = np.array([g[c].size for c in corners], np.float64)
    foreground = [float(cv2.countNonZero(g[c])) if g[c].size else 0.0 for c in corners]
    return Tally(histogram, adaptive, pixels, np.array(foreground), *moments.T)


def _as_levels(p: np.ndarray) -> np.ndarray | None:
    """The uint8 levels v of a float map that is v/255 to float32's rounding; else None."""
    for part in (p.ravel()[:: max(1, p.size // 256)], p):  # most maps differ in the first few
        scaled = part * p.dtype.type(255)
        levels = np.rint(scaled)
        if np.abs(np.subtract(scaled, levels, out=scaled), out=scaled).max() > 5e-5:
            return None
    return levels.astype(np.uint8)


def _gather_levels(p: np.ndarray, g: np.ndarray, corners: Corners, stretch: bool) -> Gathered:
    """uint8 maps: counts by quadrant, class and level hold everything, without rounding."""
    counts = _level_counts(p, g, corners)
    by_class = counts.sum(0)
    present = np.flatnonzero(by_class.sum(0))
    low, high = (present[0], present[-1]) if stretch and len(present) > 1 else (0, 255)
    # Whole numbers decide what passes a level or the adaptive threshold, so that ties do.
    steps = np.clip(np.arange(LEVELS) - low, 0, high - low)
    values = steps / (high - low)
    stretched = steps * 255 // (high - low)
    histogram = np.stack([np.bincount(stretched, pixels, LEVELS) for pixels in by_class])
    total = int(by_class.sum(0) @ steps)
    reached = steps * p.size >= min((high - low) * p.size, 2 * total)
    by_quadrant = counts.sum(1)
    moments = np.stack(
        [
            by_quadrant @ values,
            by_quadrant @ values**2,
            counts[:, 1] @ values,
            counts[:, 1] @ values**2,
            np.count_nonzero(by_quadrant, axis=1) <= 1,
        ],
        axis=1,
    )
    return histogram, by_class[:, reached].sum(1), moments


def _level_counts(p: np.ndarray, g: np.ndarray, corners: Corners) -> np.ndarray:
    """(4, 2, 256): pixels of each quadrant and class at each level."""
    counts = np.zeros((4, 2, LEVELS))
    # The sum reaches 255 for every pixel that is not 0 only if all of these are 255: a mask.
    is_mask = cv2.sumElems(p)[0] == 255 * cv2.countNonZero(p)
    for count, corner in zip(counts, corners, strict=True):
        part, mask = p[corner], g[corner]
        if not part.size:
            continue
        if is_mask:
            passed, hits = cv2.countNonZero(part), cv2.countNonZero(cv2.bitwise_and(part, mask))
            objects = cv2.countNonZero(mask)
            count[1, [0, 255]] = objects - hits, hits
            count[0, [0, 255]] = part.size - objects - (passed - hits), passed - hits
            continue
        count[0] = cv2.calcHist([part], [0], None, [LEVELS], [0, LEVELS]).ravel()
        x, y, width, height = cv2.boundingRect(mask)
        box = np.s_[y : y + height, x : x + width]
        if width:
            found = cv2.calcHist([part[box]], [0], mask[box], [LEVELS], [0, LEVELS])
            count[1] = found.ravel()
            count[0] -= count[1]
    return counts


def _gather_floats(p: np.ndarray, g: np.ndarray, corners: Corners, stretch: bool) -> Gathered:
    """Float maps: a histogram of their levels, and moments straight from the values."""
    if stretch and (low := p.min()) < (high := p.max()):
        p = (p - low) / (high - low)
    levels = (p * 255).astype(np.uint8)
    everything = cv2.calcHist([levels], [0], None, [LEVELS], [0, LEVELS]).ravel()
    object_levels = cv2.calcHist([levels], [0], g, [LEVELS], [0, LEVELS]).ravel()
    moments = np.zeros((4, 5))
    for quadrant, corner in enumerate(corners):
        part, mask = p[corner], g[corner]
        if not part.size:
            moments[quadrant, 4] = 1
            continue
        moments[quadrant, :2] = _sums(part, None, part.size)
        moments[quadrant, 2:4] = _sums(part, mask, cv2.countNonZero(mask))
        moments[quadrant, 4] = part.min() == part.max()
    # A value that is twice the mean passes, whatever the rounding of the sum.
    threshold = min(1.0, 2 * moments[:, 0].sum() / p.size) * (1 - 1e-9)
    above = (p >= p.dtype.type(threshold)).view(np.uint8)
    reached = cv2.countNonZero(above)
    reached_object = cv2.countNonZero(cv2.bitwise_and(above, g))
    histogram = np.stack([everything - object_levels, object_levels]).astype(np.float64)
    return histogram, np.array([reached - reached_object, reached_object], np.float64), moments


def _sums(part: np.ndarray, mask: np.ndarray | None, count: int) -> tuple[float, float]:
    """Sum and sum of squares over `mask`, accumulated in float64."""
    means, deviations = cv2.meanStdDev(part, mask=mask)
    mean, variance = float(means[0, 0]), float(deviations[0, 0]) ** 2
    return mean * count, (variance + mean**2) * count
