"""Consistency of soft maps."""

import cv2
import numpy as np
import pytest

from vsodlib.metrics import temporal_consistency, temporal_instability


def blob(seed, H=90, W=120, wobble=0.25):
    """A star-shaped object with a few random harmonics."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:H, :W]
    angle = np.arctan2(rows - H / 2, columns - W / 2)
    radius = 25 * np.ones((H, W))
    for k in range(2, 6):
        radius += 25 * wobble / k * np.cos(k * angle + rng.uniform(0, 7)) * rng.normal()
    return (np.hypot(rows - H / 2, columns - W / 2) < radius).astype(np.uint8)


def test_consistency_of_equal_and_moved_maps():
    p = cv2.GaussianBlur(blob(0).astype(np.float32), (0, 0), 3)
    assert temporal_consistency(p, p) == pytest.approx(1)
    moved = np.roll(p, (7, -11), (0, 1))
    assert temporal_consistency(p, moved) == pytest.approx(1, abs=1e-6)
    assert temporal_consistency(p, p * 0.5) == pytest.approx(0.5, abs=1e-6)
    levels = np.round(p * 255).astype(np.uint8)
    assert temporal_consistency(levels, levels // 2) == pytest.approx(0.5, abs=0.01)
    assert temporal_consistency(levels, p) == pytest.approx(1, abs=0.01)


def test_consistency_by_hand():
    p = np.array([[0, 0.5, 1.0, 0.5, 0]])
    q = np.array([[0, 1.0, 1.0, 1.0, 0]])
    assert temporal_consistency(p, q) == pytest.approx(2 / 3)
    # Moved by one: the centres coincide after the move, and the overlap is compared.
    assert temporal_consistency(p[:, ::-1], np.roll(q, 1)) == pytest.approx(2 / 3)
    empty = np.zeros_like(p)
    assert temporal_consistency(empty, empty) == 1
    assert temporal_consistency(empty, q) == temporal_consistency(q, empty) == 0


def test_consistency_sees_what_t_does_not():
    mask = blob(0)
    flicker = mask * 0.6
    assert temporal_instability(mask, flicker > 0.5) == pytest.approx(0, abs=1e-9)
    assert temporal_consistency(mask.astype(float), flicker) == pytest.approx(0.6, abs=1e-6)


def test_consistency_refuses():
    with pytest.raises(ValueError, match="differ in size"):
        temporal_consistency(np.zeros((4, 5)), np.zeros((5, 4)))
    with pytest.raises(ValueError, match="RGB"):
        temporal_consistency(np.zeros((4, 5, 3)), np.zeros((4, 5)))
