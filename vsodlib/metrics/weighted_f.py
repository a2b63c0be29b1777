"""Weighted F (Margolin, Zelnik-Manor, Tal, "How to evaluate foreground maps?", CVPR 2014).

A pixel error counts less where its neighbours inside the object are right, and more the farther a
false alarm lies from the object.
"""

import math
from itertools import product

import cv2
import numpy as np

from vsodlib.metrics.compiled import compiled
from vsodlib.metrics.inputs import around, check_pair

EPS = np.spacing(1.0)
REACH = 3
"""Half the width of the 7 x 7 Gaussian (sigma 5) over which errors are averaged."""
FAR = 150
"""Pixels from the object beyond which a false alarm weighs 2, to nine digits."""
MARGIN = REACH + 1
"""The farthest of `STEPS` in rows or columns."""
_SQUARE = product(range(-MARGIN, MARGIN + 1), repeat=2)
_NEAREST_FIRST = sorted((y**2 + x**2, x, y) for y, x in _SQUARE)
STEPS = np.array([(y, x) for squared, x, y in _NEAREST_FIRST if 0 < squared <= 2 * REACH**2])
"""The ways to a nearest object pixel that the Gaussian can meet; where two are as near the left one
counts, then the upper one, as in scipy and pysodmetrics."""


def weighted_f(
    prediction: np.ndarray,
    ground_truth: np.ndarray,
    beta_squared: float = 1.0,
    stretch: bool = False,
) -> float:
    """F = (1 + b) P R / (R + b P) of weighted precision P and recall R; in [0, 1].

    Errors |p - g| inside the object are replaced by their Gaussian mean where that is smaller
    (background errors entering that mean are those of the nearest object pixel); errors outside are
    multiplied by 2 - 0.5^(d / 5), d the distance to the object. An empty ground truth scores 0.

    Args:
        prediction, ground_truth: (H, W), as in `saliency_scores`.
        beta_squared: weight of recall.
        stretch: rescale the map to cover [0, 1] first.

    Raises:
        ValueError: as `inputs.check_pair`.
    """
    p, g = check_pair(prediction, ground_truth)
    objects = cv2.countNonZero(g)
    if objects == 0:
        return 0.0
    low, high = 0.0, 255.0 if p.dtype == np.uint8 else 1.0
    if stretch and p.min() < p.max():
        low, high = float(p.min()), float(p.max())
    false = _false_alarms(p, g, low) / (high - low)
    missed = _softened_errors(p, g, high) / (high - low)
    hits = objects - missed
    recall = 1 - missed / objects
    precision = hits / (hits + false + EPS)
    f = (1 + beta_squared) * recall * precision / (recall + beta_squared * precision + EPS)
    return float(f)


def _false_alarms(p: np.ndarray, g: np.ndarray, low: float) -> float:
    """Sum over the background of (p - low) (2 - 0.5^(d / 5)), d the distance to the object."""
    objects = cv2.countNonZero(g)
    inside = (cv2.mean(p, g)[0] - low) * objects
    outside = (cv2.mean(p)[0] - low) * p.size - inside
    # The weight falls short of 2 only near the object, and only where there is an alarm it matters.
    box = cv2.boundingRect(g)
    alarms = cv2.boundingRect(p if low == 0 and p.dtype == np.uint8 else (p > low).view(np.uint8))
    rows, columns = around(box, FAR, alarms)
    distance = cv2.distanceTransform(1 - g[rows, columns], cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # OpenCV's last digits vary from call to call; squared distances are integers.
    distance = np.sqrt(np.rint(np.square(distance, out=distance), out=distance), out=distance)
    fade = np.exp(np.multiply(distance, -math.log(2) / 5, out=distance), out=distance)
    level = np.subtract(p[rows, columns], low, dtype=np.float32)
    faded = cv2.sumElems(cv2.multiply(level, fade))[0] - inside  # inside the object d = 0
    return max(2 * outside - faded, 0.0)


def _softened_errors(p: np.ndarray, g: np.ndarray, high: float) -> float:
    """Sum over the object of min(|high - p|, its Gaussian mean)."""
    missed = np.zeros_like(g)
    whole = (0, 0, *g.shape[::-1])
    crop = around(cv2.boundingRect(g), 0, whole)
    missed[crop] = g[crop] & (p[crop] < p.dtype.type(high))
    box = cv2.boundingRect(missed)
    if box[2] == 0:
        return 0.0
    crop = around(box, REACH + MARGIN, whole)
    # Around the image nothing is object; the margin lets every step stay in the array.
    edge = (MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT)
    inside = cv2.copyMakeBorder(g[crop], *edge, value=0)
    error = cv2.copyMakeBorder(np.subtract(high, p[crop], dtype=np.float64), *edge, value=0)
    near = cv2.dilate(inside, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8))
    _spread(error, inside, near, STEPS)
    steps = np.arange(-REACH, REACH + 1)
    weights = np.exp(-(steps**2) / 50)
    weights /= weights.sum()
    mean = cv2.sepFilter2D(error, cv2.CV_64F, weights, weights, borderType=cv2.BORDER_CONSTANT)
    least = cv2.min(error, mean)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return cv2.mean(least, missed[crop])[0] * cv2.countNonZero(missed)


@compiled
def _spread(error: np.ndarray, inside: np.ndarray, near: np.ndarray, steps: np.ndarray) -> None:
    """Give background pixels within `REACH` of the object the error of the nearest object pixel.

    Background pixels further off get 0; the margin around the image has it already. `inside` and
    `near` (H, W) are nonzero on the object, and up to `REACH` around it; `error` changes in place.
    """
    for row in range(MARGIN, len(inside) - MARGIN):
        for column in range(MARGIN, inside.shape[1] - MARGIN):
            if inside[row, column]:
                continue
            error[row, column] = 0
            if near[row, column]:
                for y, x in steps:
                    if inside[row + y, column + x]:
                        error[row, column] = error[row + y, column + x]
                        break
