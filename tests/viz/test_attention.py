"""Pictures of attention."""

import numpy as np
import pytest

from vsodlib.viz import attention as attention_plots
from vsodlib.viz.pictures import enlarge

H, W = 33, 50
FRAME = np.random.default_rng(0).integers(0, 255, (H, W, 3), np.uint8)


def green(picture):
    """Where there is much more green than red."""
    return picture[..., 1].astype(int) - picture[..., 0] > 60


def brown(picture):
    """Where there is much more red than blue."""
    return picture[..., 0].astype(int) - picture[..., 2] > 60


def test_enlarge_makes_squares_and_cuts_at_the_border():
    cells = np.arange(6).reshape(2, 3)
    large = enlarge(cells, 4, 7, 10)
    assert large.shape == (7, 10)
    assert all(large[i, j] == cells[i // 4, j // 4] for i in range(7) for j in range(10))
    with pytest.raises(ValueError, match="33x50 frame has 3x4 positions at stride 16, got 2x4"):
        enlarge(np.zeros((2, 4)), 16, H, W)


def test_row_picture_colours_by_sign_and_strength():
    row = np.zeros((3, 4))
    row[0, 1], row[1, 2], row[0, 3] = 0.2, -0.2, 0.04
    picture = attention_plots.row_picture(FRAME, row, (30, 5), stride=16)
    assert picture.shape == (H, W, 3) and picture.dtype == np.uint8
    assert green(picture[:16, 16:32]).all() and brown(picture[16:32, 32:48]).all()
    assert not green(picture[:16, :16]).any() and not brown(picture[:16, :32]).any()
    excess = picture[..., 1].astype(int) - picture[..., 0]
    assert 0 < excess[:16, 48:].mean() < excess[:16, 16:32].mean() / 3, "a fifth of the weight"
    assert (picture[20:, :16] == 255).any() and (picture[20:, :16] == 0).any(), "the ring"
    bare = attention_plots.row_picture(FRAME, row, None, stride=16)
    np.testing.assert_array_equal(attention_plots.ring(bare, (30, 5)), picture)
    attention_plots.row_picture(FRAME, np.zeros((3, 4)), (0, 0), stride=16)  # no weight at all


def test_ring_leaves_its_ground_alone():
    before = FRAME.copy()
    picture = attention_plots.ring(FRAME, (16, 25))
    np.testing.assert_array_equal(FRAME, before)
    changed = np.argwhere((picture != FRAME).any(axis=2))
    np.testing.assert_allclose(changed.mean(axis=0), (16, 25), atol=0.5)
