"""Numbers that describe where attention goes."""

from __future__ import annotations

import torch
from torch import Tensor


def effective_positions(rows: Tensor) -> Tensor:
    """How many positions a row of attention spreads over: exp(-Σ_j p_j log p_j), its perplexity.

    1 where all weight lies on one position, h*w where it is spread evenly.

    Args:
        rows: (..., h, w) float, non-negative, e.g. of softmax(A). Each row is divided by its sum.

    Returns:
        (...) float.

    Raises:
        ValueError: a negative weight, or a row of zeros.
    """
    return torch.special.entr(_shares(rows)).sum(dim=-1).exp()


def share_inside(rows: Tensor, mask: Tensor) -> Tensor:
    """The share of a row's weight that falls into a mask.

    Args:
        rows: (..., h, w) float, non-negative.
        mask: (h, w) bool, or float: the share of each position that the object covers.

    Returns:
        (...) float in [0, 1].

    Raises:
        ValueError: a negative weight, a row of zeros, or a mask of another size.
    """
    if rows.shape[-2:] != mask.shape:
        raise ValueError(f"rows are {tuple(rows.shape[-2:])} and the mask {tuple(mask.shape)}.")
    return (_shares(rows) * mask.flatten()).sum(dim=-1)


def _shares(rows: Tensor) -> Tensor:
    flat = rows.flatten(-2)
    total = flat.sum(dim=-1, keepdim=True)
    if (flat < 0).any() or (total <= 0).any():
        raise ValueError("A row of attention must have non-negative weights, not all of them zero.")
    return flat / total
