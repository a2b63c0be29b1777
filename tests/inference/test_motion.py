"""Motion against loops, and what it is for."""

import numpy as np
import pytest

from vsodlib.inference import motion
from vsodlib.inference.motion import Motion, own_motion

RNG = np.random.default_rng(0)
SCENE = np.kron(RNG.integers(40, 216, (90, 110), np.uint8), np.ones((4, 4), np.uint8))
PATCH = np.kron(RNG.integers(0, 256, (20, 20), np.uint8), np.ones((3, 3), np.uint8))
STILL, MOVING = slice(20, 80), slice(110, 170)  # rows of two patches


def clip(frames: int = 6, pan: int = 2, speed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A camera that pans over a scene; the upper patch belongs to the scene, the lower one moves.

    Returns:
        (T, 192, 256, 3) uint8 frames, and (T, 192, 256) float32 maps in which both patches are 0.8.
    """
    pictures, maps = [], []
    for t in range(frames):
        picture, saliency = SCENE[:192, pan * t : pan * t + 256].copy(), np.full((192, 256), 0.1)
        for rows, left in ((STILL, 100 - pan * t), (MOVING, 60 + speed * t)):
            picture[rows, left : left + 60] = PATCH
            saliency[rows, left : left + 60] = 0.8
        pictures.append(np.repeat(picture[..., None], 3, -1))
        maps.append(saliency.astype(np.float32))
    return np.stack(pictures), np.stack(maps)


def sample(values: np.ndarray, x: float, y: float) -> float:
    """Bilinear, the border's value beyond it."""
    h, w = values.shape
    x, y = min(max(x, 0), w - 1), min(max(y, 0), h - 1)
    left, top = min(int(x), w - 2), min(int(y), h - 2)
    a, b = x - left, y - top
    upper = (1 - a) * values[top, left] + a * values[top, left + 1]
    lower = (1 - a) * values[top + 1, left] + a * values[top + 1, left + 1]
    return (1 - b) * upper + b * lower


def looped(
    frames: np.ndarray,
    maps: np.ndarray,
    favour: float,
    against: float,
    margin: float,
    blend: float,
) -> list[np.ndarray]:
    """The equations of `Motion`, pixel by pixel, of frames that have `ROWS` rows."""

    def logit(p: float) -> float:
        p = min(max(p, 1 / 512), 511 / 512)
        return np.log(p / (1 - p))

    results, m, q = [maps[0]], None, maps[0]
    for t in range(1, len(frames)):
        flow, own = own_motion(frames[t, ..., 0], frames[t - 1, ..., 0], q < 0.5)
        h, w = own.shape
        new_m, new_q = np.zeros((h, w)), np.zeros((h, w))
        for i in range(h):
            for j in range(w):
                x, y = j + flow[i, j, 0], i + flow[i, j, 1]
                new_m[i, j] = np.log(max(own[i, j], 0.15))
                if m is not None:
                    new_m[i, j] = 0.75 * sample(m, x, y) + 0.25 * new_m[i, j]
        level = max(np.percentile(new_m, 95) - margin, np.log(0.15))
        for i in range(h):
            for j in range(w):
                x, y = j + flow[i, j, 0], i + flow[i, j, 1]
                r = new_m[i, j] - level
                z = logit(maps[t, i, j]) + favour * max(r, 0) + against * min(r, 0)
                z = (1 - blend) * z + blend * logit(sample(q, x, y))
                new_q[i, j] = 1 / (1 + np.exp(-z))
        m, q = new_m, new_q
        results.append(q)
    return results


@pytest.mark.parametrize("way", [(1, 3, 1, 0.3), (2, 0, 0, 0), (0, 1, 2, 0.5), (0.5, 0.5, 9, 0)])
def test_equals_loops(way):
    frames, maps = clip(3)
    weigh = Motion(*way)
    expected = looped(frames, maps, *way)
    for frame, saliency, other in zip(frames, maps, expected, strict=True):
        found = weigh(frame, saliency)
        assert found.dtype == np.float32
        # OpenCV samples at 32nds of a pixel, and what is kept is rounded to 255ths.
        assert np.abs(found - other).mean() < 0.003
        np.testing.assert_allclose(found, other, atol=0.06)


def test_own_motion_is_what_the_camera_does_not_explain():
    frames, maps = clip(2, pan=2, speed=3)
    flow, own = own_motion(frames[1, ..., 0], frames[0, ..., 0], maps[0] < 0.5)
    inside = (slice(MOVING.start + 6, MOVING.stop - 6), slice(63 + 6, 63 + 54))
    assert np.median(flow[STILL, 105:130, 0]) == pytest.approx(2, abs=0.1)  # back to where it was
    assert np.median(flow[inside][..., 0]) == pytest.approx(-3, abs=0.2)
    assert np.median(own[inside]) == pytest.approx(5, abs=0.3)
    assert np.median(own[STILL, 105:130]) < motion.STILL


def test_the_camera_is_looked_for_in_the_background():
    """An object that fills most of the grid would be taken for the scene."""
    frames, _ = clip(2, pan=0, speed=0)
    filled = np.zeros((2, 192, 256), np.uint8)
    texture = np.kron(RNG.integers(0, 256, (40, 60), np.uint8), np.ones((4, 4), np.uint8))
    background = np.ones((192, 256), bool)
    background[20:172, 8:210] = False
    for t in range(2):
        filled[t] = frames[t, ..., 0]
        filled[t, 20:172, 8 + 4 * t : 208 + 4 * t] = texture[:152, :200]
    _, own = own_motion(filled[1], filled[0], background)
    assert np.median(own[40:150, 40:180]) == pytest.approx(4, abs=0.3)
    assert np.median(own[:10]) < 0.3


def test_what_belongs_to_the_scene_is_dimmed_and_what_moves_stays():
    frames, maps = clip(6)
    weigh = Motion()
    for frame, saliency in zip(frames, maps, strict=True):
        found = weigh(frame, saliency)
    still, moving = found[STILL, 90:150], found[MOVING, 75:135]
    assert np.median(still) < 0.3 < 0.8 < np.median(moving)


def test_what_is_small_and_moves_gains():
    frames, maps = clip(6, pan=0, speed=0)
    for t, frame in enumerate(frames):
        frame[82:106, 10 + 3 * t : 34 + 3 * t] = PATCH[:24, :24, None]  # 1 % of the frame
        maps[t, 82:106, 10 + 3 * t : 34 + 3 * t] = 0.3
    weigh = Motion()
    for frame, saliency in zip(frames, maps, strict=True):
        found = weigh(frame, saliency)
    assert np.median(found[82:106, 25:49]) > 0.6
    assert np.median(found[STILL, 100:160]) == pytest.approx(0.8, abs=0.02)


def test_where_nothing_moves_maps_stay():
    frames, _ = clip(3, pan=0, speed=0)
    saliency = np.repeat(np.arange(256, dtype=np.float32) / 255, 192).reshape(256, 192).T
    weigh = Motion()
    for frame in frames:
        np.testing.assert_allclose(weigh(frame, saliency), saliency, atol=1e-6)


def test_a_cut_begins_anew():
    frames, maps = clip(4)
    other = np.random.default_rng(1).integers(0, 256, frames[0].shape, np.uint8)
    weigh = Motion()
    for frame, saliency in zip(frames, maps, strict=True):
        weigh(frame, saliency)
    np.testing.assert_allclose(weigh(other, maps[0]), maps[0], atol=1 / 255)
    fresh = Motion()
    fresh(other, maps[0])
    for frame, saliency in zip(frames[:2], maps[:2], strict=True):
        np.testing.assert_array_equal(weigh(frame, saliency), fresh(frame, saliency))


def test_frames_of_another_size_begin_anew():
    frames, maps = clip(2)
    weigh = Motion()
    weigh(frames[0], maps[0])
    np.testing.assert_allclose(
        weigh(frames[1, :, :200], maps[1, :, :200]), maps[1, :, :200], atol=1 / 255
    )


@pytest.mark.parametrize("size", [(1, 1), (2, 480), (480, 2), (16, 16), (1300, 48)])
@pytest.mark.parametrize("kind", ["noise", "black", "same"])
def test_odd_frames_do_no_harm(size, kind):
    frames = np.random.default_rng(0).integers(0, 256, (3, *size, 3), np.uint8)
    frames = {"noise": frames, "black": 0 * frames, "same": frames[:1].repeat(3, 0)}[kind]
    weigh = Motion()
    for frame in frames:
        found = weigh(frame, np.full(size, 0.6, np.float32))
        assert found.shape == size and found.dtype == np.float32
        np.testing.assert_allclose(found, 0.6, atol=0.3 if kind == "noise" else 0.01)


def test_maps_that_were_made_before_serve_as_well():
    frames, maps = clip(5)
    whole, resumed = Motion(), Motion()
    made = [whole(frame, saliency) for frame, saliency in zip(frames, maps, strict=True)]
    for frame, saliency in zip(frames[:3], made[:3], strict=True):
        resumed.skip(frame, np.rint(saliency * 255).astype(np.uint8) / np.float32(255))
    for t in (3, 4):
        np.testing.assert_array_equal(resumed(frames[t], maps[t]), made[t])


def test_bad_arguments_are_refused():
    for name in ("favour", "against", "margin", "blend"):
        for value in (-0.1, np.nan, np.inf):
            with pytest.raises(ValueError, match="margin must be at least 0 and blend in"):
                Motion(**{name: value})
    with pytest.raises(ValueError, match=r"blend in \[0, 1\), got 1.0, 3.0, 1.0, 1"):
        Motion(blend=1)
    frames, maps = clip(1)
    for weigh in (Motion(), Motion().skip):
        for saliency in (maps[0, :, 1:], 2 * maps[0], np.nan * maps[0], maps[0][None]):
            with pytest.raises(ValueError, match=r"does not fit a frame|saliency map must"):
                weigh(frames[0], saliency)
        with pytest.raises(ValueError, match="a frame is uint8"):
            weigh(maps[0], maps[0])


@pytest.mark.parametrize("kind", [np.float64, np.uint8])
def test_maps_of_any_kind_are_the_same(kind):
    frames, maps = clip(3)
    levels = np.rint(maps * 255).astype(np.uint8)
    one, other = Motion(), Motion()
    for frame, value in zip(frames, levels, strict=True):
        found = one(frame, value if kind == np.uint8 else value / 255)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, other(frame, value / np.float32(255)))
