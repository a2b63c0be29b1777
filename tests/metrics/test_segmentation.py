"""J, F and their statistics against loops, hand-worked numbers and symmetries."""

import math

import numpy as np
import pytest
import reference_metrics as loops
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodlib.metrics import contour_accuracy, region_similarity, statistics
from vsodlib.metrics.segmentation import contour, dilate, pack


def disc(H, W, y, x, radius):
    rows, columns = np.mgrid[:H, :W]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def pairs():
    H, W = 30, 41
    rng = np.random.default_rng(0)
    g, empty = disc(H, W, 14, 20, 7), np.zeros((H, W), bool)
    one = empty.copy()
    one[3, 4] = True
    yield "shifted", disc(H, W, 15, 23, 7), g
    yield "far", disc(H, W, 4, 4, 3), disc(H, W, 24, 35, 3)
    yield "same", g, g
    yield "noise", rng.random((H, W)) > 0.7, g
    yield "both empty", empty, empty
    yield "mask empty", empty, g
    yield "truth empty", g, empty
    yield "full", ~empty, g
    yield "both full", ~empty, ~empty
    yield "one pixel", one, g
    yield "at the border", disc(H, W, 0, 0, 6), disc(H, W, 1, 2, 7)
    yield "last row", disc(H, W, H - 1, W - 1, 6), disc(H, W, H - 1, W - 3, 6)
    yield "a row", np.ones((1, 9), bool), np.arange(9)[None] > 4


PAIRS = list(pairs())


@pytest.mark.parametrize(("name", "p", "g"), PAIRS, ids=[p[0] for p in PAIRS])
@pytest.mark.parametrize("tolerance", [0.008, 0.05, 0.2])
def test_loops(name, p, g, tolerance):
    assert region_similarity(p, g) == pytest.approx(loops.jaccard(p, g), abs=1e-12)
    expected = loops.contour_f(p, g, tolerance)
    assert contour_accuracy(p, g, tolerance) == pytest.approx(expected, abs=1e-12)


def test_hand_worked_4x4():
    p, g = np.zeros((2, 4, 4), bool)
    g[1:3, 1:3] = True
    p[1:3, 2:4] = True
    assert region_similarity(p, g) == pytest.approx(2 / 6)
    # Contours are drawn half a pixel towards the origin: eight pixels around g's square.
    assert loops.contour(g) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)]
    # p's: rows 0-2, columns 1-3, without the inside (1, 2) and without column 3 between its rows
    assert loops.contour(p) == [(0, 1), (0, 2), (0, 3), (1, 1), (2, 1), (2, 2), (2, 3)]
    # Within one pixel (ceil(0.008 x diagonal) = 1): all but (0, 0), (1, 0), (2, 0) of g's touch
    # p's (they lie next to (0, 1), (1, 1), (2, 1): distance 1, so they touch too).
    assert contour_accuracy(p, g) == 1
    far = np.zeros((4, 4), bool)
    far[3, 3] = True
    assert loops.contour(far) == [(2, 2), (2, 3), (3, 2)]
    # far -> g: (2, 2) matches, (2, 3) and (3, 2) are one away; g -> far: (2, 2), (1, 2), (2, 1).
    P, R = 3 / 3, 3 / 8
    assert contour_accuracy(far, g) == pytest.approx(2 * P * R / (P + R))


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 5, 8, 13, 70, 150])
@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1), (9, 15), (9, 63), (9, 64)])
def test_dilation_with_a_disk(radius, corner):
    mask = np.zeros((19, 131), np.uint8)
    mask[corner] = 1
    expected = disc(*mask.shape, corner[0] % 19, corner[1] % 131, radius)
    inside = pack(np.ones_like(mask), radius)
    wide = dilate(pack(mask, radius), radius)
    assert np.array_equal(wide & inside, pack(expected.astype(np.uint8), radius))


def test_pack_by_hand():
    mask = np.array([[1, 0, 1], [0, 1, 0]], np.uint8)
    assert pack(mask, 0).tolist() == [[0b101], [0b010]]  # the first pixel is the lowest bit
    assert pack(mask, 62).tolist() == [[0b101, 0], [0b010, 0]]
    assert pack(np.eye(1, 66, 65, dtype=np.uint8), 0).tolist() == [[0, 0b10]]


def test_contour_of_every_2x2():
    for code in range(16):
        mask = np.array([[code & 1, code >> 1 & 1], [code >> 2 & 1, code >> 3]], np.uint8)
        expected = np.zeros((2, 2), np.uint8)
        for pixel in loops.contour(mask):
            expected[pixel] = 1
        np.testing.assert_array_equal(contour(mask), expected)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 38, 48, 78, 102])
def test_statistics(n):
    values = np.random.default_rng(n).random(n)
    found = statistics(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.recall == pytest.approx((values > 0.5).mean())
    assert found.decay == pytest.approx(loops.decay(values.tolist()), abs=1e-12)


def test_statistics_by_hand():
    # Nine values: edges 1, 3, 5, 7, 9; the first quarter holds three values, and so does the last.
    found = statistics([1, 0.8, 0.6, 0.5, 0.5, 0.5, 0.4, 0.2, 0])
    assert found.recall == pytest.approx(3 / 9)  # 0.5 itself does not count
    assert found.decay == pytest.approx(0.8 - 0.2)
    with pytest.raises(ValueError, match="no statistics"):
        statistics([])


@pytest.mark.parametrize(
    ("p", "g", "sentence"),
    [
        (np.full((4, 5), 0.5), np.zeros((4, 5), bool), "mask must be binary"),
        (np.zeros((4, 5), bool), np.full((4, 5), 7), "ground truth must be binary"),
        (np.zeros((4, 5), bool), np.full((4, 5), np.nan), "ground truth must be binary"),
        (np.zeros((4, 5), bool), np.zeros((5, 4), bool), "resize"),
        (np.zeros((4, 5, 3), bool), np.zeros((4, 5), bool), "shape"),
    ],
)
def test_bad_masks(p, g, sentence):
    for measure in (region_similarity, contour_accuracy):
        with pytest.raises(ValueError, match=sentence):
            measure(p, g)


@st.composite
def masks(draw):
    H, W = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.random((H, W)) < draw(st.floats(0, 1)), rng.random((H, W)) < draw(st.floats(0, 1))


@settings(max_examples=80, deadline=None)
@given(masks())
def test_properties(pair):
    p, g = pair
    for measure in (region_similarity, contour_accuracy):
        value = measure(p, g)
        assert 0 <= value <= 1
        assert measure(g, p) == pytest.approx(value)
        assert measure(p, p) == 1
    assert region_similarity(p[::-1], g[::-1]) == region_similarity(p, g)
    assert region_similarity(p.T, g.T) == region_similarity(p, g)
    assert contour_accuracy(p.T, g.T) == pytest.approx(contour_accuracy(p, g))
    # A wider tolerance never matches fewer contour pixels.
    wide = contour_accuracy(p, g, 0.3)
    assert wide >= contour_accuracy(p, g, 0.008) - 1e-12
    assert math.isfinite(wide)
