"""Saliency measures: MAE, precision, recall and F, S-measure, E-measure.

Every function takes a map (H, W) with its ground truth and returns floats or curves. Maps are uint8
(read as v/255) or float in [0, 1]; nothing is rescaled unless `stretch=True` asks for the min-max
stretch that the field's MATLAB tools apply. Thresholds are the 256 levels k/255: a pixel passes
level k when floor(255 p) >= k, which is p >= k/255 without its rounding (MATLAB rounds 14 of the
thresholds 1:-1/255:0 above k/255, so that level k fails them; `tests/metrics/test_matlab.py`).

- F: Achanta et al., "Frequency-tuned salient region detection", CVPR 2009.
- MAE: Perazzi et al., "Saliency filters", CVPR 2012.
- S: Fan et al., "Structure-measure: a new way to evaluate foreground maps", ICCV 2017.
- E: Fan et al., "Enhanced-alignment measure for binary foreground map evaluation", IJCAI 2018.
"""

from dataclasses import dataclass

import numpy as np

from vsodlib.metrics.level_counts import CentroidTies, Tally, tally

EPS = np.spacing(1.0)


@dataclass(frozen=True)
class SaliencyScores:
    """All measures of one map: of F and E the curve over the 256 levels, its maximum and mean, and
    the value at the adaptive threshold; the curves are (256,) float64, ascending in the level.
    """

    mae: float
    s_measure: float
    precision: np.ndarray
    recall: np.ndarray
    f_curve: np.ndarray
    max_f: float
    mean_f: float
    adaptive_f: float
    e_curve: np.ndarray
    max_e: float
    mean_e: float
    adaptive_e: float


def saliency_scores(
    prediction: np.ndarray,
    ground_truth: np.ndarray,
    beta_squared: float = 0.3,
    alpha: float = 0.5,
    stretch: bool = False,
    ties: CentroidTies = "even",
) -> SaliencyScores:
    """MAE, F, S and E of a map in one sweep over its pixels.

    Args:
        prediction: (H, W) uint8, or float in [0, 1].
        ground_truth: the same shape, binary.
        beta_squared: weight of recall in F, see `f_measure`.
        alpha: weight of the object part in S, see `s_measure`.
        stretch: rescale the map to cover [0, 1] first (a constant map stays as it is).
        ties: rounding of a centroid between two pixels, see `s_measure`.

    Raises:
        ValueError: sizes that differ, values outside [0, 1], NaN, a ground truth not binary.
    """
    found = tally(prediction, ground_truth, stretch, ties)
    precision, recall, f_curve, adaptive_f = _f_measure(found, beta_squared)
    e_curve, adaptive_e = _e_measure(found)
    return SaliencyScores(
        mae=_mae(found),
        s_measure=_s_measure(found, alpha),
        precision=precision,
        recall=recall,
        f_curve=f_curve,
        max_f=float(f_curve.max()),
        mean_f=float(f_curve.mean()),
        adaptive_f=float(adaptive_f),
        e_curve=e_curve,
        max_e=float(e_curve.max()),
        mean_e=float(e_curve.mean()),
        adaptive_e=float(adaptive_e),
    )


def mae(prediction: np.ndarray, ground_truth: np.ndarray, stretch: bool = False) -> float:
    """Mean absolute error, mean |p - g|; 0 is perfect, 1 is the inverted mask.

    Against an empty ground truth it is mean(p). Arguments, errors: `saliency_scores`.
    """
    return saliency_scores(prediction, ground_truth, stretch=stretch).mae


def f_measure(
    prediction: np.ndarray,
    ground_truth: np.ndarray,
    beta_squared: float = 0.3,
    stretch: bool = False,
) -> SaliencyScores:
    """Precision, recall and F = (1 + b) P R / (b P + R), b = `beta_squared`, at every level.

    `adaptive_f` uses the one threshold min(1, 2 mean(p)). All lie in [0, 1]; where no object pixel
    passes (an empty ground truth always), P, R and F are 0. Arguments, errors: `saliency_scores`.
    """
    return saliency_scores(prediction, ground_truth, beta_squared, stretch=stretch)


def s_measure(
    prediction: np.ndarray,
    ground_truth: np.ndarray,
    alpha: float = 0.5,
    stretch: bool = False,
    ties: CentroidTies = "even",
) -> float:
    """S = alpha S_object + (1 - alpha) S_region, clipped at 0; in [0, 1], 1 for a perfect map.

    S_object compares means and spreads of p inside and outside the object; S_region is an SSIM in
    the four quadrants around the object's centroid, weighted by their areas. An empty ground truth
    scores 1 - mean(p), a full one mean(p). A centroid half-way between two pixels is rounded to the
    even index (numpy, pysodmetrics) or, with `ties="up"`, away from zero (the authors' MATLAB).
    """
    return saliency_scores(prediction, ground_truth, 0.3, alpha, stretch, ties).s_measure


def e_measure(
    prediction: np.ndarray, ground_truth: np.ndarray, stretch: bool = False
) -> SaliencyScores:
    """E at every level: the mean over pixels of (1 + a)^2 / 4, a = 2 x y / (x^2 + y^2).

    x and y are the thresholded map and the mask minus their means; the sum is divided by N - 1, so
    that a perfect map reaches N / (N - 1); of a single pixel it is divided by 1. An empty ground
    truth scores the share of pixels below the level, a full one the share that passes. Arguments,
    errors: `saliency_scores`.
    """
    return saliency_scores(prediction, ground_truth, stretch=stretch)


def _mae(tally: Tally) -> float:
    hits = tally.product.sum()
    return float((tally.total.sum() - hits + tally.foreground.sum() - hits) / tally.pixels.sum())


def _counts(tally: Tally) -> tuple[np.ndarray, np.ndarray]:
    """(257,) background and object pixels that pass each level and, last, the adaptive one."""
    reached = tally.histogram[:, ::-1].cumsum(1)[:, ::-1]
    return tuple(np.concatenate([reached, tally.adaptive[:, None]], axis=1))


def _f_measure(
    tally: Tally, beta_squared: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    false, hits = _counts(tally)
    precision = hits / np.maximum(false + hits, 1)
    recall = hits / max(tally.foreground.sum(), 1)
    product = (1 + beta_squared) * precision * recall
    f = product / np.where(product == 0, 1, beta_squared * precision + recall)
    return precision[:-1], recall[:-1], f[:-1], f[-1]


def _s_measure(tally: Tally, alpha: float) -> float:
    N = tally.pixels.sum()
    n = tally.foreground.sum()
    mean = tally.total.sum() / N
    if n == 0:
        return float(1 - mean)
    if n == N:
        return float(mean)
    inside, inside_square = tally.product.sum(), tally.foreground_square.sum()
    outside, outside_square = tally.total.sum() - inside, tally.square.sum() - inside_square
    # The background part is that of 1 - p.
    missing, missing_square = N - n - outside, N - n - 2 * outside + outside_square
    of_object = n / N * _object_score(n, inside, inside_square)
    of_background = (1 - n / N) * _object_score(N - n, missing, missing_square)
    score = alpha * (of_object + of_background) + (1 - alpha) * _region_score(tally)
    return float(max(score, 0))


def _object_score(count: float, total: float, square: float) -> float:
    """2 m / (m^2 + 1 + s): mean m and sample standard deviation s of `count` values."""
    m = total / count
    variance = max(square - total * m, 0) / max(count - 1, 1)
    return 2 * m / (m**2 + 1 + np.sqrt(variance) + EPS)


def _region_score(tally: Tally) -> float:
    n = np.maximum(tally.pixels, 1)
    x, y = tally.total / n, tally.foreground / n
    one_label = (tally.foreground == 0) | (tally.foreground == tally.pixels)
    unbiased = tally.pixels - 1 + EPS
    constant = tally.constant > 0
    var_x = np.where(constant, 0, np.maximum(tally.square - tally.total * x, 0) / unbiased)
    var_y = np.where(one_label, 0, (tally.foreground - tally.foreground * y) / unbiased)
    covariance = (tally.product - tally.total * y) / unbiased
    numerator = 4 * x * y * np.where(constant | one_label, 0, covariance)
    denominator = (x**2 + y**2) * (var_x + var_y)
    ssim = np.where(numerator != 0, numerator / (denominator + EPS), denominator == 0)
    return float(tally.pixels @ ssim / tally.pixels.sum())


def _e_measure(tally: Tally) -> tuple[np.ndarray, float]:
    false, hits = _counts(tally)
    N = tally.pixels.sum()
    n = tally.foreground.sum()
    passed = false + hits
    if n == 0:
        total = N - passed
    elif n == N:
        total = passed
    else:
        # Map and mask each take two values, so four kinds of pixel make up the whole sum.
        total = np.zeros_like(passed)
        for count, p, g in ((hits, 1, 1), (false, 1, 0), (n - hits, 0, 1), (N - n - false, 0, 0)):
            x, y = p - passed / N, g - n / N
            alignment = 2 * x * y / (x**2 + y**2 + EPS)
            total += count * (1 + alignment) ** 2 / 4
    e = total / max(N - 1, 1)
    return e[:-1], e[-1]
