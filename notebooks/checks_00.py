"""Checks of the exercises of notebook 00, start here."""

from collections.abc import Callable
from typing import Any

import numpy as np
from checks import call, check, expect_choice, expect_close


@check
def check_1(backwards: Any) -> None:
    """What the maps of a clip played backwards are."""
    expect_choice(
        backwards,
        "the same maps, in reverse order",
        {
            "other maps": "each frame goes in by itself; the network cannot know what came before.",
            "the same maps, in the same order": "map t belongs to frame t, and that one moved.",
        },
        "the maps",
    )


@check
def check_2(best_threshold: Callable[..., Any]) -> None:
    """maps (n, H, W), masks (n, H, W) -> threshold of the highest mean J."""
    thresholds = [round(0.1 * k, 1) for k in range(1, 10)]
    i, j = np.mgrid[0:40, 0:60]
    distance = np.hypot(i - 20, j - 30)
    masks = np.stack([distance < 4, distance < 12])
    # At 0.3 the large object is found best, at 0.8 the small one, which counts as much.
    maps = np.stack([(1 - distance / 20).clip(0, 1), (1 - distance / 16).clip(0, 1)])

    def overlap(found, mask):
        return (found & mask).sum() / max((found | mask).sum(), 1)

    means = [
        np.mean([overlap(m >= t, g) for m, g in zip(maps, masks, strict=True)]) for t in thresholds
    ]
    pooled = [overlap(maps >= t, masks) for t in thresholds]
    right = thresholds[int(np.argmax(means))]
    expect_close(
        call(best_threshold, maps, masks),
        right,
        "the threshold",
        {
            "that is the best mean J; the threshold that gives it is asked for.": max(means),
            "average J over the frames; do not count the pixels of all frames together.": (
                thresholds[int(np.argmax(pooled))]
            ),
            "that is the place in the list of thresholds.": int(np.argmax(means)),
        },
        atol=0.011,
    )


@check
def check_3(as_opencv: Callable[..., Any]) -> None:
    """frames (n, H, W, 3) RGB -> BGR."""
    frames = np.random.default_rng(0).integers(0, 255, (2, 4, 6, 3), np.uint8)
    expect_close(
        call(as_opencv, frames.copy()),
        frames[..., ::-1],
        "the frames",
        {
            "you mirrored the columns; colour is the last axis.": frames[:, :, ::-1],
            "you turned the rows upside down; colour is the last axis.": frames[:, ::-1],
            "you turned time around; colour is the last axis.": frames[::-1],
            "nothing has changed.": frames,
        },
    )
