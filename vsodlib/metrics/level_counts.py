"""Counts and sums of one map against its ground truth: all that MAE, F, S and E need.

The five saliency measures look at a map only through a few numbers: how many object and background
pixels reach each of 256 levels, and first and second moments of the map in the four quadrants
around the object's centroid. Gathering them takes one sweep of the map; the formulas
(`vsodlib.metrics.saliency`) then work on a few hundred numbers instead of 400 000 pixels and 256
thresholds. `tally_array` gathers with numpy and OpenCV, `tally_tensor` with torch on any device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch

from vsodlib.metrics.inputs import check_pair, check_tensors

LEVELS = 256
CentroidTies = Literal["even", "up"]


@dataclass(frozen=True)
class Tally:
    """Sufficient statistics of B maps p in [0, 1] against binary ground truths g.

    Quadrants are ordered top left, top right, bottom left, bottom right. All sums are float64.
    """

    histogram: np.ndarray
    """(B, 2, 256): background [0] and object [1] pixels at each level floor(255 p)."""
    adaptive: np.ndarray
    """(B, 2): pixels of either class with p >= min(1, 2 mean(p))."""
    pixels: np.ndarray
    """(B, 4): pixels of each quadrant."""
    foreground: np.ndarray
    """(B, 4): sum of g."""
    total: np.ndarray
    """(B, 4): sum of p."""
    square: np.ndarray
    """(B, 4): sum of p squared."""
    product: np.ndarray
    """(B, 4): sum of p g."""
    foreground_square: np.ndarray
    """(B, 4): sum of p squared times g."""
    constant: np.ndarray
    """(B, 4): whether p has one value in the quadrant (its variance is then exactly zero)."""


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


def tally_array(
    prediction: np.ndarray,
    ground_truth: np.ndarray,
    stretch: bool = False,
    ties: CentroidTies = "even",
) -> Tally:
    """Gather the tally of one map (H, W), uint8 or float in [0, 1], against a binary (H, W).

    Raises:
        ValueError: as `checks.check_pair`.
    """
    p, g = check_pair(prediction, ground_truth)
    H, W = p.shape
    row_sums = cv2.reduce(g, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    column_sums = cv2.reduce(g, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    y, x = centroid(column_sums, row_sums, ties)
    corners = [np.s_[:y, :x], np.s_[:y, x:], np.s_[y:, :x], np.s_[y:, x:]]
    gather = _gather_levels if p.dtype == np.uint8 else _gather_floats
    histogram, adaptive, moments = gather(p, g, corners, stretch)
    foreground = [int(cv2.countNonZero(g[corner])) if g[corner].size else 0 for corner in corners]
    return Tally(
        histogram=histogram[None],
        adaptive=adaptive[None],
        pixels=np.array([[y * x, y * (W - x), (H - y) * x, (H - y) * (W - x)]], np.float64),
        foreground=np.array([foreground], np.float64),
        total=moments[None, :, 0],
        square=moments[None, :, 1],
        product=moments[None, :, 2],
        foreground_square=moments[None, :, 3],
        constant=moments[None, :, 4] > 0,
    )


def _gather_levels(p, g, corners, stretch):
    """uint8 maps: eight histograms hold everything, moments included, without rounding."""
    counts = np.zeros((4, 2, LEVELS))  # quadrant, class, level
    for quadrant, corner in enumerate(corners):
        if p[corner].size:
            everything = cv2.calcHist([p[corner]], [0], None, [LEVELS], [0, LEVELS]).ravel()
            counts[quadrant, 1] = cv2.calcHist(
                [p[corner]], [0], g[corner], [LEVELS], [0, LEVELS]
            ).ravel()
            counts[quadrant, 0] = everything - counts[quadrant, 1]
    values = np.arange(LEVELS) / 255
    by_class = counts.sum(0)
    present = np.flatnonzero(by_class.sum(0))
    if stretch and len(present) > 1:
        low, high = values[present[0]], values[present[-1]]
        values = np.clip((values - low) / (high - low), 0, 1)
    histogram = np.zeros((2, LEVELS))
    levels = (values * 255).astype(np.uint8)
    for label in (0, 1):
        histogram[label] = np.bincount(levels, by_class[label], LEVELS)
    by_quadrant = counts.sum(1)
    threshold = min(1.0, 2 * float(by_class.sum(0) @ values) / p.size)
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
    return histogram, by_class[:, values >= threshold].sum(1), moments


def _gather_floats(p, g, corners, stretch):
    """Float maps: a histogram of their levels, and moments straight from the values."""
    if stretch:
        low, high = p.min(), p.max()
        if low < high:
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
    threshold = min(1.0, 2 * moments[:, 0].sum() / p.size)
    above = (p >= threshold).view(np.uint8)
    reached = cv2.countNonZero(above)
    reached_object = cv2.countNonZero(cv2.bitwise_and(above, g))
    histogram = np.stack([everything - object_levels, object_levels]).astype(np.float64)
    return histogram, np.array([reached - reached_object, reached_object], np.float64), moments


def _sums(part: np.ndarray, mask: np.ndarray | None, count: int) -> tuple[float, float]:
    """Sum and sum of squares over `mask`, accumulated in float64."""
    mean, deviation = cv2.meanStdDev(part, mask=mask)
    mean, variance = float(mean[0, 0]), float(deviation[0, 0]) ** 2
    return mean * count, (variance + mean**2) * count


def tally_tensor(
    prediction: torch.Tensor,
    ground_truth: torch.Tensor,
    stretch: bool = False,
    ties: CentroidTies = "even",
) -> Tally:
    """Gather the tallies of a batch (B, H, W) on its own device; only the sums reach the host.

    Raises:
        ValueError: as `checks.check_tensors`.
    """
    p, g = check_tensors(prediction, ground_truth)
    B, H, W = p.shape
    if stretch:
        low, high = p.amin((1, 2), keepdim=True), p.amax((1, 2), keepdim=True)
        p = torch.where(low < high, (p - low) / (high - low).clamp(min=1e-300), p)
    g_rows, g_columns = g.sum(2).cpu().numpy(), g.sum(1).cpu().numpy()
    splits = [centroid(g_columns[b], g_rows[b], ties) for b in range(B)]
    top, left = torch.tensor(splits, device=p.device).unbind(1)
    below = torch.arange(H, device=p.device) >= top[:, None]  # (B, H)
    right = torch.arange(W, device=p.device) >= left[:, None]  # (B, W)
    quadrant = 2 * below[:, :, None].long() + right[:, None, :].long()  # (B, H, W)
    cell = (quadrant + 4 * torch.arange(B, device=p.device)[:, None, None]).ravel()

    def by_quadrant(values: torch.Tensor) -> np.ndarray:
        sums = torch.zeros(4 * B, dtype=torch.float64, device=p.device)
        return sums.index_add_(0, cell, values.double().ravel()).view(B, 4).cpu().numpy()

    label = g.long() + 2 * torch.arange(B, device=p.device)[:, None, None]
    levels = (p * 255).long() + LEVELS * label
    histogram = torch.bincount(levels.ravel(), minlength=2 * LEVELS * B).view(B, 2, LEVELS)
    exact = p.double()
    threshold = (2 * exact.mean((1, 2))).clamp(max=1)
    above = (exact >= threshold[:, None, None]) & torch.ones_like(g)
    adaptive = torch.stack([(above & ~g).sum((1, 2)), (above & g).sum((1, 2))], 1)
    highest = torch.full((4 * B,), -1.0, dtype=torch.float64, device=p.device)
    highest = highest.scatter_reduce(0, cell, exact.ravel(), "amax")
    lowest = torch.full((4 * B,), 2.0, dtype=torch.float64, device=p.device)
    lowest = lowest.scatter_reduce(0, cell, exact.ravel(), "amin")
    return Tally(
        histogram=histogram.double().cpu().numpy(),
        adaptive=adaptive.double().cpu().numpy(),
        pixels=by_quadrant(torch.ones_like(p)),
        foreground=by_quadrant(g),
        total=by_quadrant(exact),
        square=by_quadrant(exact**2),
        product=by_quadrant(exact * g),
        foreground_square=by_quadrant(exact**2 * g),
        constant=(lowest >= highest).view(B, 4).cpu().numpy(),
    )
