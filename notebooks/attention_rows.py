"""The measures of notebook 10: whole maps of attention against the object.

Chen et al., WACV 2022, show no row of either affinity map; these measures are our own. Rows of
softmax(A) (Eq. 6) are shares already. Rows of x xᵀ / N (Eq. 4) have a sign and any sum, so what
counts here is the size of each weight,

    p_j = |a_j| / Σ_k |a_k|,

because a negative weight moves y as much as a positive one. Where x comes out of a ReLU, as in this
network, no weight is negative, and |a| is the positive part.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodlib.analysis.attention import effective_positions, share_inside


def row_entropy(rows: Tensor) -> Tensor:
    """How evenly a row spreads over the frame: -Σ_j p_j log p_j / log N.

    0 where all weight lies on one position, 1 where it is even; N to this power is the number of
    positions in use, `effective_positions`.

    Args:
        rows: (..., h, w) float, signed or not, N = h * w at least 2.

    Returns:
        (...) float in [0, 1].

    Raises:
        ValueError: a row of zeros, or a single position.
    """
    N = rows.shape[-2] * rows.shape[-1]
    if N < 2:
        raise ValueError(f"Entropy needs at least two positions, got rows {tuple(rows.shape)}.")
    return effective_positions(rows.abs()).log() / math.log(N)


def mass_inside(rows: Tensor, mask: Tensor) -> Tensor:
    """The share of a row's weight that falls on the object: Σ_j p_j m_j; outside: 1 minus this.

    Args:
        rows: (..., h, w) float, signed or not.
        mask: m, (h, w) in [0, 1], from `mask_on_grid`.

    Returns:
        (...) float in [0, 1].

    Raises:
        ValueError: a row of zeros, a mask of another size, or a mask that leaves [0, 1].
    """
    _check_mask(mask)
    return share_inside(rows.abs(), mask)


def chance_level(mask: Tensor) -> float:
    """The mass inside of a row that is spread evenly: the object's share of the frame, Σ_j m_j / N.

    Args:
        mask: (h, w) in [0, 1].

    Raises:
        ValueError: a mask that leaves [0, 1].
    """
    _check_mask(mask)
    return mask.float().mean().item()


def mean_within(values: Tensor, weights: Tensor) -> float:
    """The mean of values over the object, or over the ground: Σ_j m_j v_j / Σ_j m_j.

    Args:
        values: one per position, (h, w) float, e.g. a gate f_g (Eq. 7).
        weights: m or 1 - m, (h, w) in [0, 1].

    Returns:
        nan where all weights are zero.

    Raises:
        ValueError: values and weights differ in size, or weights leave [0, 1].
    """
    _check_mask(weights)
    if values.shape != weights.shape:
        raise ValueError(f"values {tuple(values.shape)} and weights {tuple(weights.shape)} differ.")
    total = weights.sum()
    return ((values * weights).sum() / total).item() if total > 0 else float("nan")


@dataclass(frozen=True)
class RowMeasures:
    """What all queries of one frame do, summed up; every number lies in [0, 1].

    `chance`: the object's share of the frame. `inside_from_object`, `inside_from_ground`: the mean
    mass inside the object, of queries on it and of queries off it. `entropy_from_object`,
    `entropy_from_ground`: their mean entropy. `overlap`: Σ_j min(p_j, q_j) of the mean row of
    object queries and that of ground queries; 1 where a query's place makes no difference to where
    it looks, 0 where the two have nothing in common.

    A number about queries that do not exist (no object, no ground) is nan.
    """

    chance: float
    inside_from_object: float
    inside_from_ground: float
    entropy_from_object: float
    entropy_from_ground: float
    overlap: float


def measure_rows(rows: Tensor, mask: Tensor) -> RowMeasures:
    """The measures of a whole affinity map against the object.

    A position that the object covers in part counts in part to either side.

    Args:
        rows: (h*w, h, w) float, the rows of every position: `net(image, return_attention=True)`.
        mask: (h, w) in [0, 1], from `mask_on_grid`.

    Raises:
        ValueError: not one row per position, a row of zeros, a mask of another size or range.
    """
    h, w = mask.shape
    if rows.shape != (h * w, h, w):
        raise ValueError(
            f"rows must be ({h * w}, {h}, {w}), one per position of the mask, "
            f"got {tuple(rows.shape)}; ask the network for return_attention=True."
        )
    inside, entropy = mass_inside(rows, mask).view(h, w), row_entropy(rows).view(h, w)
    shares = rows.abs().flatten(1)
    shares = shares / shares.sum(dim=1, keepdim=True)
    means = [m.flatten() @ shares / m.sum() for m in (mask, 1 - mask)]  # nan without a query
    return RowMeasures(
        chance=chance_level(mask),
        inside_from_object=mean_within(inside, mask),
        inside_from_ground=mean_within(inside, 1 - mask),
        entropy_from_object=mean_within(entropy, mask),
        entropy_from_ground=mean_within(entropy, 1 - mask),
        overlap=torch.minimum(*means).sum().item(),
    )


def _check_mask(mask: Tensor) -> None:
    if not ((mask >= 0) & (mask <= 1)).all():
        raise ValueError("The mask must hold shares between 0 and 1; see mask_on_grid.")
