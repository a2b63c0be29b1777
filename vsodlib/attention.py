"""The attention modules of Sections 3.1-3.3: Eq. 1-8.

Chen et al., "Video Salient Object Detection via Contrastive Features and Attention Modules",
WACV 2022. Features are (B, C, H, W) tensors; N = H * W positions, row by row. Neither N x N
affinity map is formed: Eq. 4 is linear in its first factor, so (x xᵀ) x = x (xᵀ x), and Eq. 6 is
scaled-dot-product attention with scale 1.

Departures from the paper:
- The generated filters W_d of Eq. 5 are divided by C, a constant that the generator could learn:
  y of Eq. 4 grows with the squared length of x, that is with C, and training is calm only when
  W_d y starts on the scale of x. The generator starts at zero, so z_self = x at first.
- W of Eq. 6 starts with standard deviation 1 / C: softmax(A) starts neither flat nor spiked.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def to_positions(features: Tensor) -> Tensor:
    """Lay a feature map out as the rows of the paper's matrices: (B, C, H, W) -> (B, H*W, C)."""
    return features.flatten(2).transpose(1, 2)


def to_map(positions: Tensor, height: int, width: int) -> Tensor:
    """Undo `to_positions`: (B, H*W, C) -> (B, C, H, W)."""
    return positions.transpose(1, 2).unflatten(2, (height, width))


class _NonLocal(torch.autograd.Function):
    """x (B, C, N) -> (x xᵀ / N) x, in the layout that needs no copy before the convolution.

    By hand, since autograd would compute four products backward and hold two maps more: with
    G = x xᵀ / N, S = g xᵀ / N and the incoming gradient g, the gradient is G g + (S + Sᵀ) x.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        gram = _mean_product(x, x)
        y = gram @ x
        ctx.save_for_backward(x.to(y.dtype), gram)  # autocast may have made y less precise than x
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x, gram = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative needs to know what gram is made of
            gram = _mean_product(x, x)
        mixed = _mean_product(gradient, x)
        return (gram @ gradient).baddbmm_(mixed + mixed.transpose(1, 2), x)


def _mean_product(a: Tensor, b: Tensor) -> Tensor:
    """a bᵀ / N, divided before it is rounded: the sum may leave the range of float16."""
    return torch.baddbmm(a.new_zeros(1, 1, 1), a, b.transpose(1, 2), beta=0, alpha=1 / a.shape[2])


def non_local(x: Tensor) -> Tensor:
    """Non-local operation without a softmax, y = x xᵀ x / N (Eq. 4), as x (xᵀ x) / N.

    2 N C² multiply-adds instead of 2 N² C, and no N x N matrix.

    Args:
        x: (B, C, H, W) float.

    Returns:
        y: (B, C, H, W), same dtype.
    """
    return _NonLocal.apply(x.flatten(2)).view(x.shape)


def literal_non_local(x: Tensor) -> Tensor:
    """`non_local` as Eq. 4 is written, (x xᵀ / N) x, through the N x N matrix: to compare with."""
    _, _, H, W = x.shape
    rows = to_positions(x)
    return to_map((rows @ rows.transpose(1, 2) / (H * W)) @ rows, H, W)


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


def _check_queries(queries: Tensor, height: int, width: int) -> None:
    N = height * width
    for position in queries.tolist():
        if not 0 <= position < N:
            raise ValueError(
                f"position {position} lies outside x of {height}x{width} (0 to {N - 1})."
            )


class DynamicDepthwiseConv(nn.Module):
    """Depthwise 3x3 convolution with filters W_d generated from the input (Eq. 5, Section 3.1).

    One 1x1 convolution on the pooled feature x gives nine weights per channel and sample.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.filter_generator = nn.Conv2d(channels, 9 * channels, kernel_size=1)
        nn.init.zeros_(self.filter_generator.weight)
        nn.init.zeros_(self.filter_generator.bias)

    def filters(self, x: Tensor) -> Tensor:
        """The filters W_d of every sample: (B, C, H, W) -> (B, C, 3, 3)."""
        B, C, _, _ = x.shape
        pooled = x.mean(dim=(2, 3), keepdim=True)
        return self.filter_generator(pooled).view(B, C, 3, 3) / C  # W_d, Eq. 5

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        """Convolve y (B, C, H, W) with the filters generated from x (B, C, H, W).

        Raises:
            ValueError: y and x differ in shape.
        """
        if y.shape != x.shape:
            raise ValueError(f"y {tuple(y.shape)} must have the shape of x {tuple(x.shape)}.")
        B, C, H, W = y.shape
        # Samples become groups, so that one grouped convolution serves the whole batch.
        filters = self.filters(x).to(y.dtype).reshape(B * C, 1, 3, 3)
        return F.conv2d(y.reshape(1, B * C, H, W), filters, padding=1, groups=B * C).view_as(y)


class NonLocalSelfAttention(nn.Module):
    """z_self = DepthwiseConv(y, W_d) + x with y = x xᵀ x / N (Eq. 4 and 5, Figure 3).

    Args:
        channels: C of x.
        dynamic: generate W_d from x as the paper does; False learns one filter for all inputs.
    """

    def __init__(self, channels: int, dynamic: bool = True):
        super().__init__()
        self.dynamic = dynamic
        if dynamic:
            self.depthwise = DynamicDepthwiseConv(channels)
        else:
            self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
            nn.init.zeros_(self.depthwise.weight)
            nn.init.zeros_(self.depthwise.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) float -> z_self, same shape."""
        y = non_local(x)
        return (self.depthwise(y, x) if self.dynamic else self.depthwise(y)) + x

    def attention_rows(self, x: Tensor, queries: Tensor) -> Tensor:
        """Rows of x xᵀ / N: how strongly each query position draws on every position (Eq. 4).

        Args:
            x: (B, C, H, W) float.
            queries: (Q,) int64, positions numbered row by row, 0 <= q < H*W.

        Returns:
            (B, Q, H, W), signed, not normalised: Eq. 4 has no softmax.

        Raises:
            ValueError: a query outside the grid of x.
        """
        _, _, H, W = x.shape
        _check_queries(queries, H, W)
        rows = to_positions(x)
        return (rows[:, queries] @ rows.transpose(1, 2) / (H * W)).unflatten(2, (H, W))


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
        """Low-level (B, C_low, h, w) and x (B, C, H, W), float -> z_co (B, C, H, W).

        Raises:
            ValueError: batches of different sizes.
        """
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
        _check_queries(queries, H, W)
        affinity = self.queries(low, H, W)[:, queries] @ to_positions(x).transpose(1, 2)
        return affinity.softmax(dim=-1).unflatten(2, (H, W))


class AttentionGate(nn.Module):
    """z̃ = f_g ⊙ z with f_g = σ(W_g z + b_g), one weight a position (Eq. 7 and 8, Section 3.3)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, kernel_size=1)

    def gate(self, z: Tensor) -> Tensor:
        """The share f_g that remains: (B, C, H, W) -> (B, 1, H, W) in [0, 1]."""
        return torch.sigmoid(self.conv(z))  # Eq. 7

    def forward(self, z: Tensor) -> Tensor:
        """(B, C, H, W) float -> the weighted feature, same shape."""
        return self.gate(z) * z  # Eq. 8
