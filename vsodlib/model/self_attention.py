"""Non-local self-attention with dynamic filters (Section 3.1, Eq. 4 and 5, Figure 3).

Chen et al., "Video Salient Object Detection via Contrastive Features and Attention Modules",
WACV 2022. Features are (B, C, H, W) tensors; N = H * W positions, row by row.

Departure from the paper: the generated filters W_d of Eq. 5 are divided by C, a constant that the
generator could learn: y of Eq. 4 grows with the squared length of x, that is with C, and training
is calm only when W_d y starts on the scale of x. The generator starts at zero, so z_self = x at
first.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsodlib.model.positions import check_queries, to_map, to_positions


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

    Linear in its first factor, it takes 2 N C² multiply-adds, not 2 N² C, and no N x N matrix.

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


class DynamicDepthwiseConv(nn.Module):
    """Depthwise 3x3 convolution with filters W_d generated from the input (Eq. 5, Section 3.1).

    One 1x1 convolution on the pooled feature x gives nine weights per channel and sample.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.filter_generator = nn.Conv2d(channels, 9 * channels, kernel_size=1)
        for parameter in self.filter_generator.parameters():
            nn.init.zeros_(parameter)

    def filters(self, x: Tensor) -> Tensor:
        """The filters W_d of every sample: (B, C, H, W) -> (B, C, 3, 3)."""
        B, C, _, _ = x.shape
        pooled = x.mean(dim=(2, 3), keepdim=True)
        return self.filter_generator(pooled).view(B, C, 3, 3) / C  # W_d, Eq. 5

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        """Convolve y (B, C, H, W) with the filters generated from x, of the same shape."""
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
        self.depthwise: DynamicDepthwiseConv | nn.Conv2d
        if dynamic:
            self.depthwise = DynamicDepthwiseConv(channels)
        else:
            self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
            for parameter in self.depthwise.parameters():
                nn.init.zeros_(parameter)

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
        check_queries(queries, H, W)
        rows = to_positions(x)
        return (rows[:, queries] @ rows.transpose(1, 2) / (H * W)).unflatten(2, (H, W))
