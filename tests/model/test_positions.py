"""Feature maps as rows and back."""

import pytest
import torch

from vsodlib.model.positions import to_map, to_positions

B, C, H, W = 2, 4, 3, 5
N = H * W


@pytest.fixture
def x():
    return torch.randn(B, C, H, W, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_positions_round_trip(x):
    rows = to_positions(x)
    assert rows.shape == (B, N, C)
    assert torch.equal(rows[1, 1 * W + 3], x[1, :, 1, 3])
    assert torch.equal(to_map(rows, H, W), x)
