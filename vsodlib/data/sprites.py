"""Shapes, textures and grounds of which synthetic clips are made: numpy arrays in, arrays out.

Colours are float32 RGB in [0, 1]; a sprite is (S, S, 4): colour premultiplied by opacity, opacity.
"""

import colorsys

import cv2
import numpy as np
from numpy.random import Generator

OVERSAMPLING = 4
"""Shapes are drawn this much larger and averaged down, for smooth edges."""

SHAPES = ("fish", "butterfly", "beetle", "star", "ring", "blob")
TEXTURES = ("stripes", "dots", "rings", "patches")
EYES = {"fish": (0.62, 0.2), "beetle": (0.78, 0.13)}
"""Shape -> where its eyes are: how far ahead, how far to each side."""
GROUNDS = ("meadow", "sand", "pebbles", "planks")


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """A colour; the hue wraps around."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32)


def fractal(rng: Generator, height: int, width: int, cells: int, octaves: int = 4) -> np.ndarray:
    """Smooth noise in [0, 1], float32 (height, width); `cells` bumps per height at its coarsest."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        rows = cells * 2**octave
        grid = rng.random((rows + 1, rows * width // height + 2), dtype=np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def draw_sprite(
    rng: Generator, shape: str, texture: str, size: int, colour: np.ndarray, accent: np.ndarray
) -> np.ndarray:
    """One lit, textured, outlined shape facing right, float32 (size, size, 4)."""
    S = size * OVERSAMPLING
    axis = np.linspace(-1, 1, S, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    inside = _shape(rng, shape, x, y)
    pattern = _texture(rng, texture, x, y)[..., None]
    picture = colour * (1 - pattern) + accent * pattern
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)[..., None] / S
    light = 1.05 - 0.22 * (x + y)[..., None]  # from the upper left
    picture = picture * light * (0.45 + 0.55 * np.clip(depth / 0.035, 0, 1))
    if shape in EYES:
        ahead, apart = EYES[shape]
        distance = np.hypot(x - ahead, np.abs(y) - apart)[..., None]
        picture = np.where(distance < 0.09, 0.97, picture)
        picture = np.where(distance < 0.05, 0.06, picture)
    alpha = inside[..., None].astype(np.float32)
    sprite = np.concatenate([np.clip(picture, 0, 1) * alpha, alpha], axis=2)
    return cv2.resize(sprite, (size, size), interpolation=cv2.INTER_AREA)


def draw_ground(
    rng: Generator, style: str, height: int, width: int, hue: float, value: float
) -> np.ndarray:
    """A dull, textured ground, float32 (height, width, 3)."""
    dark, light = hsv(hue, 0.38, 0.62 * value), hsv(hue + 0.04, 0.24, 1.25 * value)
    shade = fractal(rng, height, width, 3)
    if style == "meadow":
        blades = fractal(rng, height, width, 40, octaves=2)
        detail = cv2.blur(blades, (1, max(3, height // 24)))
        detail = (detail - detail.min()) / np.ptp(detail)
    elif style == "sand":
        rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        detail = 0.5 + 0.5 * np.sin(2 * np.pi * (16 * rows + 2.5 * shade))
    elif style == "pebbles":
        seeds = np.ones((height, width), np.uint8)
        count = 260 * width // height
        seeds[rng.integers(0, height, count), rng.integers(0, width, count)] = 0
        distance, cells = cv2.distanceTransformWithLabels(
            seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        tones = rng.random(cells.max() + 1, dtype=np.float32)
        detail = tones[cells] * 0.7 + 0.3 * np.exp(-distance / (height / 40))
    else:
        boards = np.linspace(0, 9, height, dtype=np.float32)[:, None] % 1
        grain = cv2.blur(fractal(rng, height, width, 60, octaves=1), (max(3, height // 5), 1))
        grain = (grain - grain.min()) / np.ptp(grain)
        detail = np.where(boards < 0.06, 0.0, 0.35 + 0.65 * grain).astype(np.float32)
    mixed = np.clip(0.45 * shade + 0.55 * detail, 0, 1)[..., None]
    return dark * (1 - mixed) + light * mixed


def _shape(rng: Generator, shape: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    side = np.abs(y)
    if shape == "fish":  # from above, as all that walks, flies or swims here
        body = ((x - 0.25) / 0.7) ** 2 + (y / 0.38) ** 2 < 1
        tail = (x > -0.95) & (x < -0.3) & (side < 0.05 - 0.75 * (x + 0.3)) & (x + 1.1 * side < -0.1)
        fins = (np.abs(x - 0.25 + 0.9 * (side - 0.3)) < 0.17) & (side < 0.68)
        return body | tail | fins
    if shape == "butterfly":
        front = ((x - 0.28) / 0.42) ** 2 + ((side - 0.5) / 0.45) ** 2 < 1
        back = ((x + 0.38) / 0.36) ** 2 + ((side - 0.38) / 0.34) ** 2 < 1
        return front | back | ((x / 0.75) ** 2 + (y / 0.11) ** 2 < 1)
    if shape == "beetle":
        shell = ((x + 0.12) / 0.75) ** 2 + (y / 0.56) ** 2 < 1
        return shell | (np.hypot(x - 0.68, y) < 0.28)
    if shape == "star":
        return radius < 0.62 + 0.27 * np.cos(5 * angle)
    if shape == "ring":
        return (radius > 0.38) & (radius < 0.9)
    waves = rng.uniform(-0.09, 0.09, 4)
    phases = rng.uniform(0, 2 * np.pi, 4)
    terms = zip(range(2, 6), waves, phases, strict=True)
    return radius < 0.7 + sum(a * np.cos(k * angle + p) for k, a, p in terms)


def _texture(rng: Generator, texture: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    turn = rng.uniform(-0.5, 0.5)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    if texture == "stripes":
        return (np.sin(13 * along) > 0).astype(np.float32)
    if texture == "dots":
        cell = np.hypot((along * 3.2) % 1 - 0.5, (across * 3.2) % 1 - 0.5)
        return (cell < 0.27).astype(np.float32)
    if texture == "rings":
        return (np.sin(19 * np.hypot(x + 0.2, y)) > 0).astype(np.float32)
    S = x.shape[0]
    return (fractal(rng, S, S, 5, octaves=2) > 0.55).astype(np.float32)
