"""Saliency measures: MAE, precision, recall and F, S-measure, E-measure, weighted F.

Every function takes a numpy map (H, W) with its ground truth and returns floats or curves, or a
torch batch (B, H, W) on any device and returns tensors with a leading B. Maps are uint8 (read as
v/255) or float in [0, 1]; nothing is rescaled unless `stretch=True` asks for the min-max stretch
that the field's MATLAB tools apply. Thresholds are the 256 levels k/255: a pixel passes level k
when floor(255 p) >= k, which is p >= k/255 without its rounding (MATLAB rounds 14 of the thresholds
1:-1/255:0 above k/255, so that level k fails them; `tests/test_metrics_matlab.py`).

- F: Achanta et al., "Frequency-tuned salient region detection", CVPR 2009.
- MAE: Perazzi et al., "Saliency filters", CVPR 2012.
- S: Fan et al., "Structure-measure: a new way to evaluate foreground maps", ICCV 2017.
- E: Fan et al., "Enhanced-alignment measure for binary foreground map evaluation", IJCAI 2018.
- Weighted F: Margolin et al., "How to evaluate foreground maps?", CVPR 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vsodlib.metrics.level_counts import CentroidTies, Tally, tally_array, tally_tensor

EPS = np.spacing(1.0)
Array = np.ndarray | torch.Tensor


@dataclass(frozen=True)
class SaliencyScores:
    """All measures of one map (floats, curves (256,)) or of B maps (leading axis B)."""

    mae: Array | float
    s_measure: Array | float
    precision: Array
    recall: Array
    f_curve: Array
    """F at each of the 256 levels, ascending."""
    adaptive_f: Array | float
    e_curve: Array
    adaptive_e: Array | float

    @property
    def max_f(self) -> Array | float:
        """The largest F over all levels."""
        return _last(self.f_curve, "max")

    @property
    def mean_f(self) -> Array | float:
        """The mean of F over all levels."""
        return _last(self.f_curve, "mean")

    @property
    def max_e(self) -> Array | float:
        """The largest E over all levels."""
        return _last(self.e_curve, "max")

    @property
    def mean_e(self) -> Array | float:
        """The mean of E over all levels."""
        return _last(self.e_curve, "mean")


def _last(curve: Array, reduction: str) -> Array | float:
    if isinstance(curve, torch.Tensor):
        return curve.amax(-1) if reduction == "max" else curve.mean(-1)
    value = getattr(curve, reduction)(-1)
    return float(value) if curve.ndim == 1 else value


def saliency_scores(
    prediction: Array,
    ground_truth: Array,
    beta_squared: float = 0.3,
    alpha: float = 0.5,
    stretch: bool = False,
    ties: CentroidTies = "even",
) -> SaliencyScores:
    """MAE, F, S and E of a map in one sweep over its pixels.

    Args:
        prediction: (H, W) numpy or (B, H, W) torch; uint8, or float in [0, 1].
        ground_truth: the same shape, binary.
        beta_squared: weight of recall in F, see `f_measure`.
        alpha: weight of the object part in S, see `s_measure`.
        stretch: rescale each map to cover [0, 1] first (constant maps stay as they are).
        ties: rounding of a centroid between two pixels, see `s_measure`.

    Raises:
        ValueError: sizes that differ, values outside [0, 1], NaN, a ground truth not binary.
    """
    batched = isinstance(prediction, torch.Tensor)
    gather = tally_tensor if batched else tally_array
    tally = gather(prediction, ground_truth, stretch, ties)
    precision, recall, f_curve, adaptive_f = _f_measure(tally, beta_squared)
    e_curve, adaptive_e = _e_measure(tally)
    values = {
        "mae": _mae(tally),
        "s_measure": _s_measure(tally, alpha),
        "precision": precision,
        "recall": recall,
        "f_curve": f_curve,
        "adaptive_f": adaptive_f,
        "e_curve": e_curve,
        "adaptive_e": adaptive_e,
    }
    if batched:
        # MPS has no float64; everywhere else results keep the precision they were summed in.
        kind = torch.float32 if prediction.device.type == "mps" else torch.float64
        as_tensor = {k: torch.as_tensor(v, dtype=kind) for k, v in values.items()}
        if prediction.ndim == 2:
            as_tensor = {k: v[0] for k, v in as_tensor.items()}
        return SaliencyScores(**{k: v.to(prediction.device) for k, v in as_tensor.items()})
    first = {k: v[0] for k, v in values.items()}
    return SaliencyScores(**{k: float(v) if v.ndim == 0 else v for k, v in first.items()})


def mae(prediction: Array, ground_truth: Array, stretch: bool = False) -> Array | float:
    """Mean absolute error, mean |p - g|; 0 is perfect, 1 is the inverted mask.

    Against an empty ground truth it is mean(p). Arguments, errors: `saliency_scores`.
    """
    return saliency_scores(prediction, ground_truth, stretch=stretch).mae


def f_measure(
    prediction: Array, ground_truth: Array, beta_squared: float = 0.3, stretch: bool = False
) -> SaliencyScores:
    """Precision, recall and F = (1 + b) P R / (b P + R), b = `beta_squared`, at every level.

    `adaptive_f` uses the one threshold min(1, 2 mean(p)). All lie in [0, 1]; where no object pixel
    passes (an empty ground truth always), P, R and F are 0. Arguments, errors: `saliency_scores`.
    """
    return saliency_scores(prediction, ground_truth, beta_squared, stretch=stretch)


def s_measure(
    prediction: Array,
    ground_truth: Array,
    alpha: float = 0.5,
    stretch: bool = False,
    ties: CentroidTies = "even",
) -> Array | float:
    """S = alpha S_object + (1 - alpha) S_region, clipped at 0; in [0, 1], 1 for a perfect map.

    S_object compares means and spreads of p inside and outside the object; S_region is an SSIM in
    the four quadrants around the object's centroid, weighted by their areas. An empty ground truth
    scores 1 - mean(p), a full one mean(p). A centroid half-way between two pixels is rounded to the
    even index (numpy, pysodmetrics) or, with `ties="up"`, away from zero (the authors' MATLAB).
    """
    return saliency_scores(prediction, ground_truth, 0.3, alpha, stretch, ties).s_measure


def e_measure(prediction: Array, ground_truth: Array, stretch: bool = False) -> SaliencyScores:
    """E at every level: the mean over pixels of (1 + a)^2 / 4, a = 2 x y / (x^2 + y^2).

    x and y are the thresholded map and the mask minus their means; the sum is divided by N - 1, so
    that a perfect map reaches N / (N - 1). An empty ground truth scores the share of pixels below
    the level, a full one the share that passes. Arguments, errors: `saliency_scores`.
    """
    return saliency_scores(prediction, ground_truth, stretch=stretch)


def _mae(tally: Tally) -> np.ndarray:
    background = tally.total.sum(1) - tally.product.sum(1)
    return (background + tally.foreground.sum(1) - tally.product.sum(1)) / tally.pixels.sum(1)


def _f_measure(tally: Tally, beta_squared: float):
    reached = tally.histogram[..., ::-1].cumsum(-1)[..., ::-1]  # (B, 2, 256), p >= level
    size = np.maximum(tally.foreground.sum(1), 1)

    def rates(background: np.ndarray, hits: np.ndarray, size: np.ndarray):
        precision = hits / np.maximum(background + hits, 1)
        recall = hits / size
        product = (1 + beta_squared) * precision * recall
        return (
            precision,
            recall,
            product / np.where(product == 0, 1, beta_squared * precision + recall),
        )

    precision, recall, curve = rates(reached[:, 0], reached[:, 1], size[:, None])
    adaptive = rates(tally.adaptive[:, 0], tally.adaptive[:, 1], size)[2]
    return precision, recall, curve, adaptive


def _s_measure(tally: Tally, alpha: float) -> np.ndarray:
    N = tally.pixels.sum(1)
    n = tally.foreground.sum(1)
    mean = tally.total.sum(1) / N
    inside, inside_square = tally.product.sum(1), tally.foreground_square.sum(1)
    outside, outside_square = tally.total.sum(1) - inside, tally.square.sum(1) - inside_square
    # The background part is that of 1 - p.
    missing, missing_square = N - n - outside, N - n - 2 * outside + outside_square
    of_object = n / N * _object_score(n, inside, inside_square)
    of_background = (1 - n / N) * _object_score(N - n, missing, missing_square)
    score = alpha * (of_object + of_background) + (1 - alpha) * _region_score(tally)
    return np.where(n == 0, 1 - mean, np.where(n == N, mean, np.maximum(score, 0)))


def _object_score(count: np.ndarray, total: np.ndarray, square: np.ndarray) -> np.ndarray:
    """2 m / (m^2 + 1 + s): mean m and sample standard deviation s of `count` values."""
    m = total / np.maximum(count, 1)
    variance = np.maximum(square - total * m, 0) / np.maximum(count - 1, 1)
    return 2 * m / (m**2 + 1 + np.sqrt(variance) + EPS)


def _region_score(tally: Tally) -> np.ndarray:
    n = np.maximum(tally.pixels, 1)
    x, y = tally.total / n, tally.foreground / n
    one_label = (tally.foreground == 0) | (tally.foreground == tally.pixels)
    unbiased = tally.pixels - 1 + EPS
    var_x = np.where(tally.constant, 0, np.maximum(tally.square - tally.total * x, 0) / unbiased)
    var_y = np.where(one_label, 0, (tally.foreground - tally.foreground * y) / unbiased)
    covariance = (tally.product - tally.total * y) / unbiased
    numerator = 4 * x * y * np.where(tally.constant | one_label, 0, covariance)
    denominator = (x**2 + y**2) * (var_x + var_y)
    ssim = np.where(numerator != 0, numerator / (denominator + EPS), denominator == 0)
    return (tally.pixels / tally.pixels.sum(1, keepdims=True) * ssim).sum(1)


def _e_measure(tally: Tally) -> tuple[np.ndarray, np.ndarray]:
    reached = tally.histogram[..., ::-1].cumsum(-1)[..., ::-1]
    counts = np.concatenate([reached, tally.adaptive[..., None]], -1)  # the adaptive level last
    N = tally.pixels.sum(1)[:, None]
    n = tally.foreground.sum(1)[:, None]
    false, hits = counts[:, 0], counts[:, 1]
    passed = false + hits
    total = np.zeros_like(passed)
    # Map and mask each take two values, so four kinds of pixel make up the whole sum.
    for count, p, g in (
        (hits, 1, 1),
        (false, 1, 0),
        (n - hits, 0, 1),
        (N - n - false, 0, 0),
    ):
        x, y = p - passed / N, g - n / N
        alignment = 2 * x * y / (x**2 + y**2 + EPS)
        total += count * (1 + alignment) ** 2 / 4
    total = np.where(n == 0, N - passed, np.where(n == N, passed, total))
    e = total / (N - 1 + EPS)
    return e[:, :-1], e[:, -1]
