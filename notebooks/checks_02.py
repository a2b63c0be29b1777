"""Checks of the exercises of notebook 02, the encoder."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from checks import call, check, expect_close


def _reached(dilations: list[int]) -> np.ndarray:
    """Offsets that a stack of 3-tap kernels reaches, along one axis: bool, centred."""
    offsets = {0}
    for dilation in dilations:
        offsets = {o + step for o in offsets for step in (-dilation, 0, dilation)}
    reach = sum(dilations)
    return np.array([o in offsets for o in range(-reach, reach + 1)])


@check
def check_1(positions: Callable[..., Any]) -> None:
    """(height, width, stride) -> N."""
    for height, width, stride in ((482, 854, 8), (96, 160, 16), (100, 33, 8)):
        rows, columns = height / stride, width / stride
        expect_close(
            call(positions, height, width, stride),
            math.ceil(rows) * math.ceil(columns),
            f"N for {height} × {width} at stride {stride}",
            {
                "a grid that does not divide evenly is rounded up, not down.": (
                    math.floor(rows) * math.floor(columns)
                ),
                "round rows and columns up, each by itself.": math.ceil(rows * columns),
                "there are no parts of positions: round up.": rows * columns,
                "that is N², the entries of the matrix.": (
                    (math.ceil(rows) * math.ceil(columns)) ** 2
                ),
                "the stride applies to rows and to columns.": math.ceil(height * width / stride),
            },
            rtol=0,
            atol=1e-6,
        )


@check
def check_2(touched_share: Callable[..., Any]) -> None:
    """Dilations of a stack of 3x3 kernels -> share of its field that is touched."""
    for dilations in ([1], [2], [2, 2, 2], [1, 2, 3], [1, 4, 8]):
        line = _reached(dilations)
        share = line.mean() ** 2
        expect_close(
            call(touched_share, dilations),
            share,
            f"the share for {dilations}",
            {
                "the field has two dimensions; that is the share along one.": line.mean(),
                "count pixels, divide by the pixels of the field.": line.sum() ** 2,
                "different paths may end at one pixel; count it once.": (
                    9 ** len(dilations) / line.size**2
                ),
                "that is the share of holes.": 1 - share,
            },
        )


@check
def check_3(before: Any, after: Any) -> None:
    """Input pixels between two taps of the last stage at stride 8, as it is and undone."""
    expect_close(
        before,
        32,
        "the distance before",
        {
            "these are positions; a position is 8 pixels wide.": 4,
            "the last stage has lost two strides of 2, so its dilation is 4.": 16,
            "that is without any dilation.": 8,
        },
    )
    expect_close(
        after,
        8,
        "the distance after",
        {
            "the dilation is 1 now, so taps are one position apart.": 32,
            "count in pixels of the frame.": 1,
        },
    )
