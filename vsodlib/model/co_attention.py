"""Cross-level co-attention (Section 3.2, Eq. 6).

Chen et al., WACV 2022. Features are (B, C, H, W) tensors; N = H * W positions, row by row.

Departure from the paper: W of Eq. 6 starts with standard deviation 1 / C, so that softmax(A) starts
neither flat nor spiked.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsodlib.model.positions import check_queries, to_map, to_positions


def attend(query: Tensor, x: Tensor) -> Tensor:
    """Attention of Eq. 6, softmax(query xᵀ) x, as scaled-dot-product attention with scale 1.

    The N x N matrix is never whole in memory, forward or backward. On the CPU, blocks of queries
    that are recomputed backward were measured too: slower than PyTorch's kernel.

    Args:
        query: v W, (B, H*W, C) float.
        x: (B, C, H, W) float.

    Returns:
        (B, C, H, W), same dtype.
    """
    _, _, H, W = x.shape
    # Of strided rows the CPU's kernel makes the N x N matrix after all.
    rows = to_positions(x).contiguous().unsqueeze(1)
    attended = F.scaled_dot_product_attention(query.unsqueeze(1), rows, rows, scale=1.0)
    return to_map(attended.squeeze(1), H, W)


def literal_attend(query: Tensor, x: Tensor) -> Tensor:
    """`attend` as Eq. 6 is written, through the N x N matrix softmax(A): to compare with."""
    _, _, H, W = x.shape
    rows = to_positions(x)
    return to_map((query @ rows.transpose(1, 2)).softmax(dim=-1) @ rows, H, W)


class CrossLevelCoAttention(nn.Module):
    """z_co = softmax(A) x with A = v W xᵀ (Eq. 6, Section 3.2).

    A first convolution brings the low-level feature to the channels of x; its grid is averaged
    down to that of x before.

    Args:
        low_channels: channels of the low-level feature.
        channels: C of x.
    """

    def __init__(self, low_channels: int, channels: int):
        super().__init__()
        self.to_v = nn.Conv2d(low_channels, channels, kernel_size=1)
        self.weight = nn.Parameter(torch.empty(channels, channels))
        nn.init.normal_(self.weight, std=1 / channels)

    def queries(self, low: Tensor, height: int, width: int) -> Tensor:
        """v W for every position of x's grid: (B, C_low, h, w) -> (B, height*width, C)."""
        v = self.to_v(F.adaptive_avg_pool2d(low, (height, width)))
        return to_positions(v) @ self.weight

    def forward(self, low: Tensor, x: Tensor) -> Tensor:
        """Low-level (B, C_low, h, w) and x (B, C, H, W), float, same B -> z_co (B, C, H, W)."""
        if len(low) != len(x):
            raise ValueError(
                f"low {tuple(low.shape)} and x {tuple(x.shape)} must be of the same images."
            )
        return attend(self.queries(low, *x.shape[2:]), x)

    def attention_rows(self, low: Tensor, x: Tensor, queries: Tensor) -> Tensor:
        """Rows of softmax(A): where each query position takes its feature from (Eq. 6).

        Args:
            low, x: as in `forward`.
            queries: (Q,) int64, positions numbered row by row, 0 <= q < H*W.

        Returns:
            (B, Q, H, W), each row non-negative with sum 1.

        Raises:
            ValueError: a query outside the grid of x.
        """
        _, _, H, W = x.shape
        check_queries(queries, H, W)
        affinity = self.queries(low, H, W)[:, queries] @ to_positions(x).transpose(1, 2)
        return affinity.softmax(dim=-1).unflatten(2, (H, W))
