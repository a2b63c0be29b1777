"""Contours: walks along borders, polygons, samples."""

import itertools

import cv2
import numpy as np
import pytest
import reference_metrics as loops

from vsodlib.metrics.contours import douglas_peucker, outline, simplify, thin, upsample, walks


def mask_of(*rows):
    return np.array([[int(c) for c in row] for row in rows], np.uint8)


def turned(walk):
    """The corners of a walk with the object on the right."""
    return walk.corners if walk.object_on_right else walk.corners[::-1]


def test_border_of_one_pixel():
    (walk,) = walks(mask_of("000", "010", "000"))
    # Down its first vertical border, from the top: the object lies on the left.
    np.testing.assert_array_equal(walk.corners, [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]])
    assert not walk.object_on_right


def test_borders_of_a_ring():
    hole, outer = walks(mask_of("111", "101", "111"))
    assert len(outer.corners) == 13
    np.testing.assert_array_equal(hole.corners, [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]])
    assert hole.object_on_right
    # The object on the right: the ring is walked clockwise, its hole against the clock.
    for walk, sign in ((outer, 1), (hole, -1)):
        y, x = turned(walk)[:-1].T
        area = np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2
        assert np.sign(area) == sign


def test_one_junction():
    # Two pixels touch at corner (1, 1). From the junction the upper border is found first and is
    # walked around the right pixel's far side or the left one's: either way both loops start there.
    found = walks(mask_of("10", "01"))
    assert [len(w.corners) for w in found] == [5, 5]
    assert all((w.corners[0] == [1, 1]).all() for w in found)
    assert sorted(w.corners[2].tolist() for w in found) == [[0, 0], [2, 2]]


def test_pieces_that_touch_at_corners():
    # A diagonal of three pixels, and four pixels around a hole: every pixel closes by itself.
    found = walks(mask_of("100", "010", "001"))
    assert [len(w.corners) for w in found] == [5, 5, 5]
    found = walks(mask_of("0100", "1010", "0100", "0000"))
    assert [len(w.corners) for w in found] == [5, 5, 5, 5]
    # Here two pieces are walked as one loop, between the hole and the lone pixel.
    found = walks(mask_of("1101", "1010", "0100"))
    assert [len(w.corners) for w in found] == [5, 13, 5]


def test_empty_and_full_masks():
    assert walks(np.zeros((4, 5), np.uint8)) == []
    (walk,) = walks(np.ones((4, 5), np.uint8))
    assert len(walk.corners) == 19
    (walk,) = walks(np.ones((1, 1), np.uint8))
    assert len(walk.corners) == 5


@pytest.mark.parametrize("seed", range(6))
def test_walks_use_every_border_once(seed):
    rng = np.random.default_rng(seed)
    mask = (rng.random(rng.integers(2, 40, 2)) > rng.uniform(0.2, 0.8)).astype(np.uint8)
    padded = np.pad(mask, 1).astype(int)
    expected = np.abs(np.diff(padded, axis=0)).sum() + np.abs(np.diff(padded, axis=1)).sum()
    found = walks(mask)
    borders = set()
    for walk in found:
        corners = turned(walk)
        assert (corners[0] == corners[-1]).all()
        for (y, x), (b, a) in itertools.pairwise(corners.tolist()):
            assert abs(b - y) + abs(a - x) == 1
            borders.add((y, x, b, a))
            # The pixel on the right of the step, and the one on its left.
            dy, dx = b - y, a - x
            right = padded[1 + (y + b - 1 + dx) // 2, 1 + (x + a - 1 - dy) // 2]
            left = padded[1 + (y + b - 1 - dx) // 2, 1 + (x + a - 1 + dy) // 2]
            assert (right, left) == (1, 0)
    assert len(borders) == sum(len(w.corners) - 1 for w in found) == expected
    # A walk passes no corner twice, so that it cuts the plane in two.
    for walk in found:
        assert len(np.unique(walk.corners[:-1], axis=0)) == len(walk.corners) - 1


@pytest.mark.parametrize("tolerance", [0.1, 3.0])
def test_douglas_peucker(tolerance):
    rng = np.random.default_rng(1)
    for _ in range(40):
        points = np.cumsum(rng.integers(-2, 3, (rng.integers(2, 50), 2)), 0).astype(float)
        closed = np.concatenate([points, points[:1]])
        for line in (points, closed):
            np.testing.assert_array_equal(
                douglas_peucker(line, tolerance), loops.douglas_peucker(line, tolerance)
            )


def test_thin_by_hand():
    line = np.array([[0, 0], [0, 2], [2, 2], [3, 3], [3, 4], [9, 9]], float)
    # (0, 2) and (2, 2) lie within 3 of (0, 0); (3, 3) does not; (3, 4) lies within 3 of (3, 3).
    np.testing.assert_array_equal(thin(line, 3.0), [[0, 0], [3, 3], [9, 9]])
    np.testing.assert_array_equal(thin(line[:2], 3.0), line[:2])


def test_a_square_becomes_its_corners():
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 12:32] = 1
    polygon = simplify(walks(mask)[0])
    np.testing.assert_array_equal(polygon, [[10, 12], [10, 32], [30, 32], [30, 12], [10, 12]])
    samples = outline(mask)
    np.testing.assert_array_equal(samples[0], samples[-1])
    assert len(samples) == 4 * 7 + 1  # ceil(20 / 3) = 7 samples a side
    assert np.hypot(*np.diff(samples, axis=0).T).max() <= 3


def test_upsample_by_hand():
    polygon = np.array([[0, 0], [0, 6], [1, 6], [0, 0]], float)
    expected = [[0, 0], [0, 3], [0, 6], [1, 6], [2 / 3, 4], [1 / 3, 2], [0, 0]]
    np.testing.assert_allclose(upsample(polygon), expected)


def test_the_contour_with_most_corners_is_taken():
    mask = np.zeros((80, 120), np.uint8)
    mask[10:70, 5:65] = 1  # a large square has four corners
    cv2.circle(mask, (95, 40), 18, 1, -1)  # a smaller disc has more
    alone = np.zeros_like(mask)
    cv2.circle(alone, (95, 40), 18, 1, -1)
    np.testing.assert_array_equal(outline(mask), outline(alone))


@pytest.mark.parametrize("mask", [np.zeros((9, 9), np.uint8), mask_of("000", "010", "000")])
def test_no_outline(mask):
    assert outline(mask) is None
