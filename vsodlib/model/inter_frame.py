"""Co-attention between frames, the temporal modelling that Table 4 compares with.

Lu, Wang, Ma, Shen, Shao, Porikli: "See More, Know More: Unsupervised Video Object Segmentation with
Co-Attention Siamese Networks", CVPR 2019 (COSNet). Its use as a rival: Chen et al., WACV 2022,
Section 4.5: one other frame of the video in training, five at test.

Departures from COSNet: dot products with scale 1 and the gate of Eq. 7, as in the cross-level
module, so that the two differ only in where they look; references are encoded once for a batch of
frames, where COSNet encodes five for every frame.
"""

import torch
from torch import Tensor, nn

from vsodlib.model.co_attention import attend
from vsodlib.model.gate import AttentionGate
from vsodlib.model.positions import to_positions

REFERENCES = 5
"""Frames that each frame is compared with at test (Section 4.5)."""


class InterFrameCoAttention(nn.Module):
    """z̃ = mean over references r of f_g(z_r) ⊙ z_r with z_r = softmax(x W x_rᵀ) x_r.

    Args:
        channels: C of x.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels))
        nn.init.normal_(self.weight, std=1 / channels)
        self.gate = AttentionGate(channels)

    def forward(self, x: Tensor, partners: Tensor) -> Tensor:
        """Gather from every frame's references what resembles the frame.

        Args:
            x: (B, C, H, W) float, features of B frames.
            partners: (A, K) int64 in 0 ... B - 1, the K references of each of the first A frames.

        Returns:
            (A, C, H, W) float.

        Raises:
            ValueError: partners of another shape.
        """
        B, C, H, W = x.shape
        if (
            partners.dtype != torch.int64
            or partners.ndim != 2
            or not 1 <= len(partners) <= B
            or partners.shape[1] < 1
        ):
            raise ValueError(
                f"partners must be int64 (A, K) with A at most {B} frames and K at least 1, got "
                f"{partners.dtype} {tuple(partners.shape)}."
            )
        A, K = partners.shape
        query = to_positions(x[:A]) @ self.weight
        z = attend(query.repeat_interleave(K, dim=0), x[partners.flatten()])
        return self.gate(z).view(A, K, C, H, W).mean(dim=1)


def training_partners(groups: Tensor) -> Tensor:
    """The next frame of the same video for every frame of a batch; a still image's is itself.

    Args:
        groups: (B,) int64, equal for frames of one video.

    Returns:
        (B, 1) int64, positions in the batch.
    """
    same = groups[:, None] == groups
    B = len(groups)
    place = torch.arange(B, device=groups.device)
    ahead = (place - place[:, None]) % B
    ahead = ahead.masked_fill(ahead == 0, B).masked_fill(~same, B + 1)
    return ahead.argmin(dim=1, keepdim=True)


def spread_out(frames: int, references: int = REFERENCES) -> list[int]:
    """Positions of reference frames, evenly over a video: the middles of equal stretches; a
    ValueError of a single frame, which has nothing to compare with.
    """
    if frames < 2:
        raise ValueError(f"Co-attention between frames needs at least two frames, got {frames}.")
    count = min(references, frames)
    return [(2 * k + 1) * frames // (2 * count) for k in range(count)]
