"""Measures of attention rows against loops and hand-worked numbers."""

import math

import numpy as np
import pytest
import torch

from vsodlib.analysis import attention as measures
from vsodlib.analysis.attention import effective_positions, share_inside


def test_mask_on_grid_counts_pixels():
    mask = np.random.default_rng(0).random((11, 18)) > 0.6
    grid = measures.mask_on_grid(mask, 4)
    assert grid.dtype == torch.float32 and grid.shape == (3, 5)
    for i in range(3):
        for j in range(5):
            square = mask[4 * i : 4 * i + 4, 4 * j : 4 * j + 4]  # smaller at the border
            assert grid[i, j].item() == pytest.approx(square.sum() / square.size)
    torch.testing.assert_close(measures.mask_on_grid(mask, 1), torch.from_numpy(mask).float())
    assert measures.mask_on_grid(np.ones((5, 7), bool), 3).eq(1).all()


@pytest.mark.parametrize(
    "mask", [np.ones((4, 4)), np.ones((1, 4, 4), bool), np.ones((0, 4), bool)], ids=str
)
def test_only_masks_go_on_a_grid(mask):
    with pytest.raises(ValueError, match=r"bool \(H, W\)"):
        measures.mask_on_grid(mask, 2)
    with pytest.raises(ValueError, match=r"bool \(H, W\)"):
        measures.central_pixel(mask)


def test_mask_on_grid_needs_a_stride():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        measures.mask_on_grid(np.ones((4, 4), bool), 0)


def test_central_pixel_is_on_the_object():
    square = np.zeros((9, 12), bool)
    square[2:5, 6:11] = True
    assert measures.central_pixel(square) == (3, 8)
    ring = np.ones((7, 7), bool)
    ring[1:6, 1:6] = False
    assert measures.central_pixel(ring) == (0, 3), "of four equally near ones the first"
    with pytest.raises(ValueError, match="empty mask"):
        measures.central_pixel(np.zeros((4, 4), bool))


def test_effective_positions_by_hand():
    rows = torch.zeros(3, 2, 4)
    rows[0, 1, 2] = 5  # one place, whatever its weight
    rows[1] = 0.125  # evenly over all
    rows[2, 0, :2] = torch.tensor([0.75, 0.25])
    by_hand = math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    torch.testing.assert_close(effective_positions(rows), torch.tensor([1.0, 8.0, by_hand]))


def test_share_inside_by_hand():
    rows = torch.tensor([[[1.0, 2.0, 0.0], [1.0, 0.0, 4.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    torch.testing.assert_close(share_inside(rows, mask), torch.tensor([3 / 8, 0.0]))
    half = torch.tensor([[0.0, 0.5, 0.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(share_inside(rows, half), torch.tensor([5 / 8, 1.0]))


def test_rows_must_be_weights():
    signed = torch.tensor([[1.0, -1.0]])
    for rows in (signed, torch.zeros(1, 2)):
        with pytest.raises(ValueError, match="non-negative"):
            effective_positions(rows)
        with pytest.raises(ValueError, match="non-negative"):
            share_inside(rows, torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"\(1, 2\) and the mask \(2, 1\)"):
        share_inside(torch.ones(1, 2), torch.ones(2, 1))
