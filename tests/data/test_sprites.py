"""Shapes and grounds: what range they have, what the seed decides, and that all words are known."""

import colorsys

import numpy as np
import pytest

from vsodlib.data.sprites import GROUNDS, SHAPES, TEXTURES, draw_ground, draw_sprite, fractal, hsv

RED, GREEN = hsv(0, 1, 1), hsv(1 / 3, 1, 1)


def sprite(shape, texture="dots", seed=0, size=40):
    return draw_sprite(np.random.default_rng(seed), shape, texture, size, RED, GREEN)


def test_hues_wrap_around():
    np.testing.assert_allclose(hsv(1.25, 0.5, 0.8), colorsys.hsv_to_rgb(0.25, 0.5, 0.8), rtol=1e-6)
    np.testing.assert_array_equal(RED, [1, 0, 0])


def test_noise_covers_zero_to_one_and_is_smooth():
    noise = fractal(np.random.default_rng(0), 60, 90, 3)
    assert noise.shape == (60, 90) and noise.min() == 0 and noise.max() == 1
    assert abs(np.diff(noise, axis=1)).max() < 0.3


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sprite_is_colour_times_opacity(shape):
    drawn = sprite(shape)
    assert drawn.shape == (40, 40, 4) and drawn.dtype == np.float32
    colour, alpha = drawn[..., :3], drawn[..., 3:]
    assert (colour <= alpha + 1e-6).all() and (drawn >= 0).all()
    assert 0.1 < (alpha == 1).mean() < 0.9 and (alpha[[0, -1]] == 0).mean() > 0.5
    assert (alpha == drawn[::-1, :, 3:]).mean() > 0.9 or shape in ("blob", "star")


def test_shapes_textures_and_seeds_differ():
    alphas = {sprite(shape)[..., 3].tobytes() for shape in SHAPES}
    looks = {sprite("fish", texture).tobytes() for texture in TEXTURES}
    assert (len(alphas), len(looks)) == (len(SHAPES), len(TEXTURES))
    np.testing.assert_array_equal(sprite("blob"), sprite("blob"))
    assert (sprite("blob") != sprite("blob", seed=1)).any()


def test_grounds_differ_and_are_dull():
    drawn = [draw_ground(np.random.default_rng(0), g, 48, 80, 0.3, 0.9) for g in GROUNDS]
    assert len({ground.tobytes() for ground in drawn}) == len(GROUNDS)
    for ground in drawn:
        assert ground.shape == (48, 80, 3) and ground.min() >= 0 and ground.max() <= 1.25
        assert ground.std() > 0.02 and np.ptp(ground, axis=2).mean() < 0.4
