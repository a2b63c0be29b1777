"""Losses between the map and its mask: L_bce of Eq. 10 (Section 3.5), and an optional soft IoU.

Logits, masks and weights of pixels are (B, 1, H, W) float, masks in [0, 1].

Departures from the paper: the soft-IoU term (weight 0 in the paper) counts a small object as much
as a large one, where cross-entropy counts pixels; pixels near the outline may count more.
"""

import torch.nn.functional as F
from torch import Tensor

EDGE_WINDOW = 31
"""Pixels per side of the window in which `edge_weights` looks for the other label (F3Net)."""


def edge_weights(masks: Tensor, strength: float) -> Tensor:
    """Weights of pixels that grow towards the outline: 1 + strength |mean of m around - m|.

    Wei, Wang, Huang: "F³Net: Fusion, Feedback and Focus for Salient Object Detection", AAAI 2020,
    Section 3.4, with strength 5 and a window of 31 pixels, zeros beyond the frame.
    """
    k, reach = EDGE_WINDOW, EDGE_WINDOW // 2  # k columns first, then k rows: 2 k sums, not k * k
    around = F.avg_pool2d(masks, (1, k), stride=1, padding=(0, reach))
    around = F.avg_pool2d(around, (k, 1), stride=1, padding=(reach, 0))
    return 1 + strength * (around - masks).abs()


def soft_iou_loss(logits: Tensor, masks: Tensor, weights: Tensor | None = None) -> Tensor:
    """1 - IoU with probabilities in place of labels, averaged over the batch.

    Σ min(p, g) becomes Σ p g, the union Σ (p + g - p g), each plus one pixel so that an empty mask
    asks for an empty map. With weights w both sums are of w times that. A scalar in [0, 1].
    """
    probabilities, w = logits.sigmoid(), 1.0 if weights is None else weights
    intersection = (w * probabilities * masks).sum(dim=(1, 2, 3))
    union = (w * (probabilities + masks - probabilities * masks)).sum(dim=(1, 2, 3))
    return (1 - (intersection + 1) / (union + 1)).mean()


def saliency_loss(
    logits: Tensor, masks: Tensor, iou_weight: float = 0.0, edge_weight: float = 0.0
) -> dict[str, Tensor]:
    """L_bce of Eq. 10, and the soft-IoU term when it has a weight.

    Args:
        iou_weight: weight of the soft-IoU term.
        edge_weight: strength of `edge_weights` in both terms; the cross-entropy is then divided by
            the sum of the weights, frame by frame.

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
    if edge_weight:
        weights = edge_weights(masks, edge_weight)
        errors = F.binary_cross_entropy_with_logits(logits, masks, reduction="none")
        bce = (weights * errors).sum(dim=(1, 2, 3)) / weights.sum(dim=(1, 2, 3))
        parts = {"bce": bce.mean()}
    else:
        weights = None
        parts = {"bce": F.binary_cross_entropy_with_logits(logits, masks)}
    loss = parts["bce"]
    if iou_weight:
        parts["iou"] = soft_iou_loss(logits, masks, weights)
        loss = loss + iou_weight * parts["iou"]
    return {"loss": loss, **{name: part.detach() for name, part in parts.items()}}
