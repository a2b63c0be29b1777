import math

import pytest
import torch

from vsodlib.inside import effective_positions, share_inside


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
