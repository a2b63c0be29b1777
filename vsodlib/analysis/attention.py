"""Numbers that describe rows of attention: how spread they are, and how much falls on the object.

A row is one query's weights over the h x w positions of x; many make (..., h, w) float, of which
each is divided by its sum. A negative weight or a row of zeros raises a ValueError. Chen et al.,
WACV 2022, show none of either affinity map; these measures are our own.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsodlib.config import check_counts


def mask_on_grid(mask: np.ndarray, stride: int) -> Tensor:
    """The share of every position's square that the object covers.

    Squares of the last row and column may stick out of the frame; only pixels inside it count.

    Args:
        mask: (H, W) bool, at the size the network sees.
        stride: pixels per position.

    Returns:
        (ceil(H / stride), ceil(W / stride)) float32 in [0, 1].

    Raises:
        ValueError: a mask of another shape or type, or a stride below 1.
    """
    mask = _checked(mask)
    check_counts(stride=stride)
    pixels = torch.from_numpy(mask.astype(np.float32))[None]
    return F.avg_pool2d(pixels, stride, ceil_mode=True)[0]


def central_pixel(mask: np.ndarray) -> tuple[int, int]:
    """The object's pixel nearest to its centroid: a query that follows an object through a clip.

    (row, column) in a mask (H, W) bool; of several equally near the first, row by row. The centroid
    itself may lie outside, as that of a ring does. An empty mask or another type raises a
    ValueError.
    """
    pixels = np.argwhere(_checked(mask))
    if not len(pixels):
        raise ValueError("An empty mask has no central pixel; leave this frame out.")
    squared = ((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1)
    row, column = pixels[squared.argmin()]
    return int(row), int(column)


def _checked(mask: np.ndarray) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.dtype != bool or not mask.size:
        raise ValueError(f"mask must be bool (H, W), got {mask.dtype} {mask.shape}.")
    return mask


def effective_positions(rows: Tensor) -> Tensor:
    """How many positions a row of attention spreads over: exp(-Σ_j p_j log p_j), its perplexity.

    (...) float: 1 where all weight lies on one position, h*w where it is spread evenly.
    """
    return torch.special.entr(_shares(rows)).sum(dim=-1).exp()


def share_inside(rows: Tensor, mask: Tensor) -> Tensor:
    """The share of a row's weight that falls into a mask, (...) float in [0, 1].

    The mask is (h, w) bool, or float: the share of each position that the object covers; one of
    another size raises a ValueError.
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
