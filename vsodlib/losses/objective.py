"""The objective, L = L_bce + L_cl (Section 3.5, Eq. 10).

Departures from the paper: the weights of the terms can be set, and a soft-IoU term can be added.
"""

from collections.abc import Callable

from torch import Tensor

from vsodlib.config import TrainConfig
from vsodlib.losses.contrastive import contrastive_loss, pool_regions
from vsodlib.losses.saliency import saliency_loss


def objective(
    logits: Tensor,
    features: Tensor,
    masks: Tensor,
    groups: Tensor,
    config: TrainConfig,
    anchor_count: Callable[[Tensor], Tensor] = lambda count: count,
) -> dict[str, Tensor]:
    """L = L_bce + L_cl (Eq. 10), with the weights and the extra term of the configuration.

        >>> import torch
        >>> from vsodlib import TrainConfig, objective
        >>> logits, features = torch.zeros(8, 1, 64, 64), torch.randn(8, 48, 8, 8)
        >>> masks = torch.zeros(8, 1, 64, 64)
        >>> masks[..., 16:48, 16:48] = 1
        >>> losses = objective(logits, features, masks, torch.zeros(8).long(), TrainConfig.paper())
        >>> round(float(losses["bce"]), 3), losses["contrastive"] > 0
        (0.693, tensor(True))

    Args:
        logits: (B, 1, H, W) float, `Output.logits`.
        features: (B, C, h, w) float, `Output.features`.
        masks: (B, 1, H, W) float in [0, 1].
        groups: (B,) int64, equal for frames of one video.
        anchor_count: this process's number of anchors -> the average over all processes, so that
            every anchor weighs the same wherever it is.

    Returns:
        `"loss"` to minimise, and its parts by name; scalars.

    Raises:
        ValueError: shapes that do not belong together.
    """
    losses = saliency_loss(logits, masks, config.iou_weight, config.edge_weight)
    if config.contrastive_weight:
        saliency = logits.detach().float().sigmoid()
        regions = pool_regions(features, masks, saliency, groups, config.region_grid)
        terms = contrastive_loss(regions, config.samples, config.mining, config.temperature)
        count = anchor_count(terms.new_tensor(len(terms))).clamp(min=1e-6)
        contrastive = terms.sum() / count
        losses["loss"] = losses["loss"] + config.contrastive_weight * contrastive
        losses["contrastive"] = contrastive.detach()
    return losses
