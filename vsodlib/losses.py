"""The objective on the saliency map (Section 3.5, Eq. 10).

Departures from the paper: an optional soft-IoU term (weight 0 in the paper's objective). It counts
a small object as much as a large one, where cross-entropy counts pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_iou_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """1 - IoU with probabilities in place of labels, averaged over the batch.

    Σ min(p, g) becomes Σ p g, the union Σ (p + g - p g), each plus one pixel so that an empty mask
    asks for an empty map.

    Args:
        logits: (B, 1, H, W) float.
        masks: (B, 1, H, W) float in [0, 1].

    Returns:
        Scalar in [0, 1].
    """
    probabilities = logits.sigmoid()
    intersection = (probabilities * masks).sum(dim=(1, 2, 3))
    union = (probabilities + masks - probabilities * masks).sum(dim=(1, 2, 3))
    return (1 - (intersection + 1) / (union + 1)).mean()


def saliency_loss(logits: Tensor, masks: Tensor, iou_weight: float = 0.0) -> dict[str, Tensor]:
    """L_bce of Eq. 10, and the soft-IoU term when it has a weight.

    Args:
        logits: (B, 1, H, W) float.
        masks: (B, 1, H, W) float in [0, 1].
        iou_weight: weight of the soft-IoU term.

    Returns:
        `"loss"`, the sum to minimise, and its parts `"bce"` and, with a weight, `"iou"`; scalars.

    Raises:
        ValueError: shapes that differ.
    """
    if logits.shape != masks.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} and masks {tuple(masks.shape)} must have one shape."
        )
    logits, masks = logits.float(), masks.float()
    parts = {"bce": F.binary_cross_entropy_with_logits(logits, masks)}
    loss = parts["bce"]
    if iou_weight:
        parts["iou"] = soft_iou_loss(logits, masks)
        loss = loss + iou_weight * parts["iou"]
    return {"loss": loss, **{name: part.detach() for name, part in parts.items()}}


def is_finite(value: Tensor) -> bool:
    """Whether every entry is a number."""
    return bool(torch.isfinite(value).all())
