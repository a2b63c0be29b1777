"""T and the consistency of soft maps: stages against loops, known contours, invariances."""

import math

import numpy as np
import pytest
import reference_metrics as loops

from vsodlib.metrics import temporal_instability
from vsodlib.metrics.contours import outline
from vsodlib.metrics.instability import contour_instability, matching_costs, shape_contexts, warp


def blob(seed, H=90, W=120, wobble=0.25):
    """A star-shaped object with a few random harmonics."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:H, :W]
    angle = np.arctan2(rows - H / 2, columns - W / 2)
    radius = 25 * np.ones((H, W))
    for k in range(2, 6):
        radius += 25 * wobble / k * np.cos(k * angle + rng.uniform(0, 7)) * rng.normal()
    return (np.hypot(rows - H / 2, columns - W / 2) < radius).astype(np.uint8)


def test_shape_contexts():
    points = outline(blob(0))[::4] + np.random.default_rng(0).normal(0, 0.01, (1, 2))
    found = shape_contexts(points)
    np.testing.assert_allclose(found, loops.shape_contexts(points.tolist()), atol=1e-12)
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_allclose(shape_contexts(points * 3 + 7), found, atol=1e-12)


def test_matching_costs():
    a, b = (shape_contexts(outline(blob(k))) for k in (1, 2))
    cost = matching_costs(a, b)
    assert cost.shape == (len(a), len(b))
    assert (cost >= 0).all()
    assert (cost <= 1).all()
    for i, j in ((0, 0), (3, 17), (11, 4)):
        assert cost[i, j] == pytest.approx(loops.chi_squared(a[i], b[j]), abs=1e-12)
    assert np.abs(np.diag(matching_costs(a, a))).max() < 1e-12


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 1), (5, 9), (12, 8)])
def test_warp(shape):
    cost = np.random.default_rng(sum(shape)).random(shape)
    path = warp(cost)[::-1]
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (shape[0] - 1, shape[1] - 1)
    steps = np.diff(path, axis=0)
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (steps.sum(1) >= 1).all()
    price = cost[tuple(path[1:].T)].sum()
    assert price == pytest.approx(loops.warping_price(cost))


def test_warp_by_hand():
    cost = np.array([[0, 9, 9], [9, 1, 9], [9, 1, 2]], float)
    np.testing.assert_array_equal(warp(cost), [[2, 2], [1, 1], [0, 0]])


def test_instability_of_the_same_shape_is_zero():
    mask = blob(0)
    assert temporal_instability(mask, mask) == pytest.approx(0, abs=1e-9)
    moved = np.roll(mask, (6, -9), (0, 1))
    assert temporal_instability(mask, moved) == pytest.approx(0, abs=1e-9)


def test_instability_grows_with_the_change():
    still = blob(0, wobble=0.0)
    little, much = (temporal_instability(still, blob(4, wobble=w)) for w in (0.1, 0.9))
    assert 0 < little < much < 5


def test_instability_of_missing_contours():
    mask, empty = blob(0), np.zeros((90, 120), bool)
    assert math.isnan(temporal_instability(empty, mask))
    assert math.isnan(temporal_instability(mask, empty))
    assert math.isnan(contour_instability(None, None))
    with pytest.raises(ValueError, match="first mask must be binary"):
        temporal_instability(mask * 0.5, mask)


def test_pairs_are_one_to_one():
    # Two contours of unlike length: points that were matched twice must count once.
    square = np.zeros((60, 60), np.uint8)
    square[10:50, 10:50] = 1
    a, b = outline(square), outline(square)[::2]
    cost = matching_costs(shape_contexts(a), shape_contexts(b))
    value = contour_instability(a, b)
    assert cost.min() <= value <= cost.max()
    assert value < cost[tuple(warp(cost).T)].mean() + 1e-9
