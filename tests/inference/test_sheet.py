"""The moments on a contact sheet, told by their grey."""

import numpy as np
import pytest

from vsodlib.inference.sheet import COLUMNS, TILES, WIDTH, ContactSheet


def sheet_of(count, shape=(48, 64)):
    sheet = ContactSheet()
    for t in range(count):
        sheet.add(np.full((*shape, 3), t, np.uint8), np.full((*shape, 3), 255 - t, np.uint8))
    return sheet


@pytest.mark.parametrize("count", [1, 5, 12, 13, 100, 250])
def test_moments_are_spread_over_the_length(count):
    page = sheet_of(count).page()
    height = 2 * 48 * WIDTH // 64
    rows = -(-min(count, TILES) // COLUMNS)
    assert page.shape == (rows * height, COLUMNS * WIDTH, 3)
    tiles = page.reshape(rows, height, COLUMNS, WIDTH, 3).transpose(0, 2, 1, 3, 4)
    tiles = tiles.reshape(-1, height, WIDTH, 3)[: min(count, TILES)]
    moments = tiles[:, 0, 0, 0].astype(int)
    np.testing.assert_array_equal(tiles[:, -1, 0, 0], 255 - moments)
    assert moments[0] == 0 and (np.diff(moments) > 0).all()
    assert count - 1 - moments[-1] <= count // TILES
    assert np.ptp(np.diff(moments)) <= max(1, count // TILES) if count > 1 else True


def test_pictures_of_several_shapes_stand_on_white():
    sheet = ContactSheet()
    for shape in ((48, 64), (1300, 48), (48, 1300)):
        sheet.add(np.zeros((*shape, 3), np.uint8), np.zeros((*shape, 3), np.uint8))
    page = sheet.page()
    assert page.shape == (2 * WIDTH, COLUMNS * WIDTH, 3)
    assert page[-1, 0].tolist() == [255, 255, 255]  # below the first
    assert page[-1, WIDTH].tolist() == [0, 0, 0]  # the tall one reaches down
