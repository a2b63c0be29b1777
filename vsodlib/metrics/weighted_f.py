"""Weighted F (Margolin, Zelnik-Manor, Tal, "How to evaluate foreground maps?", CVPR 2014).

A pixel error counts less where its neighbours inside the object are right, and more the farther a
false alarm lies from the object.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from vsodlib.metrics.inputs import check_pair

EPS = np.spacing(1.0)
REACH = 3
"""Half the width of the 7 x 7 Gaussian (sigma 5) over which errors are averaged."""


def weighted_f(
    prediction: np.ndarray | torch.Tensor,
    ground_truth: np.ndarray | torch.Tensor,
    beta_squared: float = 1.0,
    stretch: bool = False,
) -> float | torch.Tensor:
    """F = (1 + b) P R / (R + b P) of weighted precision P and recall R; in [0, 1].

    Errors |p - g| inside the object are replaced by their Gaussian mean where that is smaller
    (background errors entering that mean are those of the nearest object pixel); errors outside are
    multiplied by 2 - 0.5^(d / 5), d the distance to the object. An empty ground truth scores 0.

    Args:
        prediction, ground_truth: (H, W) numpy; or (B, H, W) torch, which visits the CPU one map at
            a time (nearest object pixels have no fast batched form) and returns (B,).
        stretch: rescale each map to cover [0, 1] first.

    Raises:
        ValueError: as `checks.check_pair`.
    """
    if isinstance(prediction, torch.Tensor):
        maps, masks = prediction.detach().cpu(), torch.as_tensor(ground_truth).cpu()
        if maps.ndim == 2:
            return weighted_f(maps[None], masks[None], beta_squared, stretch)[0]
        if maps.shape != masks.shape:
            raise ValueError(f"Maps are {tuple(maps.shape)}, ground truths {tuple(masks.shape)}.")
        pairs = zip(maps.numpy(), masks.numpy(), strict=True)
        scores = [weighted_f(p, g, beta_squared, stretch) for p, g in pairs]
        kind = torch.float32 if prediction.device.type == "mps" else torch.float64
        return torch.tensor(scores, dtype=kind, device=prediction.device)
    p, g = check_pair(prediction, ground_truth)
    p = p / 255 if p.dtype == np.uint8 else p.astype(np.float64)
    if stretch and p.min() < p.max():
        p = (p - p.min()) / (p.max() - p.min())
    objects = cv2.countNonZero(g)
    if objects == 0:
        return 0.0
    inside = g.astype(bool)
    distance = cv2.distanceTransform(1 - g, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[~inside]
    # OpenCV's last digits vary from call to call; squared distances are integers.
    distance = np.sqrt(np.rint(distance.astype(np.float64) ** 2))
    false = float(p[~inside] @ (2 - np.exp(np.log(0.5) / 5 * distance)))
    missed = _softened_errors(p, inside)
    hits = objects - missed
    recall = 1 - missed / objects
    precision = hits / (hits + false + EPS)
    f = (1 + beta_squared) * recall * precision / (recall + beta_squared * precision + EPS)
    return float(f)


def _softened_errors(p: np.ndarray, inside: np.ndarray) -> float:
    """Sum over the object of min(|p - g|, its Gaussian mean)."""
    H, W = p.shape
    x, y, width, height = cv2.boundingRect(inside.view(np.uint8))
    # Only errors that the Gaussian can carry into the object matter.
    crop = np.s_[
        max(y - REACH, 0) : min(y + height + REACH, H),
        max(x - REACH, 0) : min(x + width + REACH, W),
    ]
    inside = inside[crop]
    error = 1 - p[crop]
    row, column = distance_transform_edt(~inside, return_distances=False, return_indices=True)
    steps = np.arange(-REACH, REACH + 1)
    weights = np.exp(-(steps**2) / 50)
    weights /= weights.sum()
    mean = cv2.sepFilter2D(
        error[row, column], cv2.CV_64F, weights, weights, borderType=cv2.BORDER_CONSTANT
    )
    return float(np.minimum(error, mean)[inside].sum())
