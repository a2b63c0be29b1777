"""The gates on attended features (Section 3.3, Eq. 7 and 8). Chen et al., WACV 2022.

Departures from the paper: none.
"""

import torch
from torch import Tensor, nn


class AttentionGate(nn.Module):
    """z̃ = f_g ⊙ z with f_g = σ(W_g z + b_g), one weight per position (Eq. 7 and 8, Section 3.3)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, kernel_size=1)

    def gate(self, z: Tensor) -> Tensor:
        """The share f_g that remains: (B, C, H, W) -> (B, 1, H, W) in [0, 1]."""
        return torch.sigmoid(self.conv(z))  # Eq. 7

    def forward(self, z: Tensor) -> Tensor:
        """(B, C, H, W) float -> the weighted feature, same shape."""
        return self.gate(z) * z  # Eq. 8
