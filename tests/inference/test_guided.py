"""The guided filter against loops, and what it is for."""

import numpy as np
import pytest

from vsodlib.inference.guided import guided_upsampling


def looped(p: np.ndarray, frame: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """The definition at the frame's own size, window by window; borders mirrored."""
    image = frame / 255.0
    H, W = p.shape
    padded_p = np.pad(p, radius, mode="reflect")
    padded = np.pad(image, [(radius, radius), (radius, radius), (0, 0)], mode="reflect")
    side = 2 * radius + 1
    lines = np.zeros((H, W, 4))
    for y in range(H):
        for x in range(W):
            colours = padded[y : y + side, x : x + side].reshape(-1, 3)
            values = padded_p[y : y + side, x : x + side].ravel()
            spread = colours - colours.mean(0)
            cov = sum(np.outer(s, s) for s in spread) / len(spread)
            with_p = sum(s * v for s, v in zip(spread, values, strict=True)) / len(spread)
            a = np.linalg.inv(cov + eps * np.eye(3)) @ with_p
            lines[y, x] = [*a, values.mean() - a @ colours.mean(0)]
    padded_lines = np.pad(lines, [(radius, radius), (radius, radius), (0, 0)], mode="reflect")
    found = np.zeros((H, W))
    for y in range(H):
        for x in range(W):
            line = padded_lines[y : y + side, x : x + side].reshape(-1, 4).mean(0)
            found[y, x] = line[:3] @ image[y, x] + line[3]
    return found.clip(0, 1)


@pytest.mark.parametrize(("radius", "eps"), [(1, 1e-2), (2, 1e-3), (4, 1e-1)])
def test_equals_loops(radius, eps):
    rng = np.random.default_rng(radius)
    frame = rng.integers(0, 256, (13, 17, 3), np.uint8)
    p = rng.random((13, 17), np.float32)
    found = guided_upsampling(p, frame, radius, eps)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, looped(p, frame, radius, eps), atol=2e-4)


def test_a_coarse_map_snaps_to_the_edge_of_its_frame():
    frame = np.full((96, 96, 3), 40, np.uint8)
    frame[:, 41:] = (200, 120, 60)
    truth = np.zeros((96, 96), bool)
    truth[:, 41:] = True
    coarse = np.zeros((12, 12), np.float32)
    coarse[:, 6:] = 1  # the edge three pixels of the frame and more away
    found = guided_upsampling(coarse, frame, 2, 1e-4)
    assert ((found >= 0.5) == truth).all()


def test_flat_frames_only_blur_and_tiny_maps_work():
    flat = np.full((20, 30, 3), 90, np.uint8)
    step = np.zeros((20, 30), np.float32)
    step[:, 15:] = 1
    found = guided_upsampling(step, flat, 2)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[10, 13:17], [0.12, 0.32, 0.68, 0.88], atol=0.15)
    assert guided_upsampling(np.ones((2, 2)), flat).min() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("wrong", [{"radius": 0}, {"eps": 0.0}, {"eps": float("nan")}])
def test_bad_input(wrong):
    with pytest.raises(ValueError, match="radius of at least 1 and an eps above 0"):
        guided_upsampling(np.ones((4, 4)), np.zeros((8, 8, 3), np.uint8), **wrong)
