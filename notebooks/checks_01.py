"""Checks of the exercises of notebook 01, videos and masks."""

from collections.abc import Callable
from typing import Any

import numpy as np
from checks import WrongAnswer, call, check, expect_close


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def _ellipse(top: float, left: float, height: float, width: float) -> np.ndarray:
    i, j = np.mgrid[0:96, 0:160]
    return ((i - top) / height) ** 2 + ((j - left) / width) ** 2 < 1


def _stored(mask: np.ndarray, rows: int, least: float) -> np.ndarray:
    """The mask on a grid of `rows` rows, a cell where at least this share is covered."""
    size = len(mask) // rows
    H, W = mask.shape
    shares = mask.reshape(H // size, size, W // size, size).mean(axis=(1, 3))
    return np.kron(shares >= least, np.ones((size, size), bool))


@check
def check_1(batch_size: Any, frames_per_video: Any) -> None:
    """The smallest batch with four positives per anchor and two videos."""
    expect_close(
        frames_per_video,
        5,
        "frames per video",
        {
            "an anchor is no positive of itself: four frames leave three.": 4,
            "that is more than needed.": 8,
        },
    )
    expect_close(
        batch_size,
        10,
        "the batch size",
        {
            "that holds one video only.": 5,
            "8 is not a multiple of 5.": 8,
        },
    )


@check
def check_2(forgotten: Callable[..., Any]) -> None:
    """mask (H, W) -> J between it and the mask that should have been mirrored."""
    for mask in (_ellipse(40, 50, 20, 45), _ellipse(48, 79.5, 30, 50)):
        mirrored = mask[:, ::-1]
        both = (mask & mirrored).sum()
        expect_close(
            call(forgotten, mask.copy()),
            _overlap(mask, mirrored),
            "J",
            {
                "you turned the frame upside down; mirroring exchanges left and right.": (
                    _overlap(mask, mask[::-1])
                ),
                "you turned the frame by half a turn.": _overlap(mask, mask[::-1, ::-1]),
                "divide by the union, not by the size of the mask.": both / mask.sum(),
                "that is the share of equal pixels; background does not count in J.": (
                    (mask == mirrored).mean()
                ),
            },
        )


@check
def check_3(ceiling: Callable[..., Any]) -> None:
    """mask (H, W), rows -> J after storing it on that many rows and bringing it back."""
    mask = _ellipse(40, 60, 17.3, 31.7)
    for rows in (6, 24):
        got = call(ceiling, mask.copy(), rows)
        expect_close(
            got,
            _overlap(mask, _stored(mask, rows, 0.5)),
            f"J at {rows} rows",
            {
                "a cell is object if at least half of it is covered, not if any of it is.": (
                    _overlap(mask, _stored(mask, rows, 1e-9))
                ),
                "a cell is object if at least half of it is covered, not all of it.": (
                    _overlap(mask, _stored(mask, rows, 1))
                ),
                "compare at the full size: bring the small mask back first.": 1.0,
            },
            rtol=2e-3,
        )
        if not 0 <= float(got) <= 1:
            raise WrongAnswer("J lies between 0 and 1.")
