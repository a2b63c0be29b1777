"""Checks of the exercises of notebook 15, your own video."""

from collections.abc import Callable
from typing import Any

import numpy as np
from checks import call, check, expect_close


@check
def check_1(opaque: Any) -> None:
    """The opacity of a pixel whose saliency is 0.3."""
    expect_close(
        opaque,
        0.25,
        "the opacity",
        {
            "that is the saliency itself, but the ramp starts at 0.1, not at 0.": 0.3,
            "the ramp is 0.8 wide: divide by that.": 0.2,
            "that is how much of the background shows.": 0.75,
        },
        atol=0.001,
    )


@check
def check_2(over: Callable[..., Any]) -> None:
    """layer (H, W, 4) uint8, behind (H, W, 3) uint8 -> the layer before it, (H, W, 3)."""
    random = np.random.default_rng(0)
    layer = random.integers(0, 256, (4, 5, 4), dtype=np.uint8)
    behind = random.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    colour, alpha = layer[..., :3].astype(float), layer[..., 3:] / 255
    expect_close(
        call(over, layer, behind),
        alpha * colour + (1 - alpha) * behind,
        "the picture",
        {
            "layer and background are exchanged.": (1 - alpha) * colour + alpha * behind,
            "the opacity runs from 0 to 255; divide it by 255.": (
                255 * alpha * colour + (1 - 255 * alpha) * behind
            ),
            "the background is missing.": alpha * colour,
            "the layer's colours are not multiplied by its opacity yet.": (
                colour + (1 - alpha) * behind
            ),
            "a pixel is not all or nothing: mix by the opacity.": np.where(
                alpha >= 0.5, colour, behind
            ),
        },
        atol=1.01,  # rounded or cut to whole numbers
    )


@check
def check_3(flicker: Callable[..., Any]) -> None:
    """maps (T, H, W) -> (T - 1) mean absolute changes between neighbours."""
    maps = np.random.default_rng(1).random((5, 6, 7))
    change = np.diff(maps, axis=0)
    expect_close(
        call(flicker, maps),
        np.abs(change).mean(axis=(1, 2)),
        "the list of changes",
        {
            "growth in one place hides loss in another: take the size before the mean.": (
                np.abs(change.mean(axis=(1, 2)))
            ),
            "what grows and what shrinks cancel: take the size of each change.": (
                change.mean(axis=(1, 2))
            ),
            "divide by the number of pixels.": np.abs(change).sum(axis=(1, 2)),
            "these are squares; take the sizes.": (change**2).mean(axis=(1, 2)),
        },
    )
