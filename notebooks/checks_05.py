"""Checks of the exercises of notebook 05, gates and decoder."""

from collections.abc import Callable
from typing import Any

import torch
from checks import WrongAnswer, call, check, expect_close


@check
def check_1(best_stride: Callable[..., Any]) -> None:
    """Scores of one clip, their strides -> the stride of the best score."""
    strides = [16, 8, 4, 2, 1]
    for scores in ([0.2, 0.5, 0.9, 0.4, 0.3], [0.1, 0.2, 0.3, 0.4, 0.5]):
        best = scores.index(max(scores))
        expect_close(
            call(best_stride, scores, strides),
            strides[best],
            "the stride",
            {
                "that is the score itself; its stride is asked for.": max(scores),
                "that is the place in the list; look up the stride there.": best,
                "that is the stride of the worst score.": strides[scores.index(min(scores))],
                "the last stride is not always the best one.": 1,
            },
        )


@check
def check_2(exchanged: Callable[..., Any]) -> None:
    """Two gates, two features -> each feature under the other's gate."""
    draw = torch.Generator().manual_seed(2)
    z_self, z_co = torch.randn(2, 1, 3, 2, 2, generator=draw)

    def self_gate(z):
        return torch.sigmoid(z[:, :1])

    def co_gate(z):
        return torch.sigmoid(2 * z[:, 1:2] - 1)

    result = call(exchanged, self_gate, co_gate, z_self, z_co)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise WrongAnswer("return two features, first the one made of z_self.")
    own = [self_gate(z_self) * z_self, co_gate(z_co) * z_co]
    other = [self_gate(z_co) * z_self, co_gate(z_self) * z_co]
    right = [co_gate(z_self) * z_self, self_gate(z_co) * z_co]
    for k, name in enumerate(("the feature made of z_self", "the feature made of z_co")):
        expect_close(
            result[k],
            right[k],
            name,
            {
                "this is still under its own gate.": own[k],
                "exchange the gates, not what they read.": other[k],
                "these are the gate's shares; multiply them onto the feature.": (
                    (co_gate(z_self), self_gate(z_co))[k].expand_as(z_self)
                ),
                "the two are in the wrong order.": right[1 - k],
            },
        )


@check
def check_3(by_corners: Callable[..., Any]) -> None:
    """(new index i, old size n, new size m) -> place in the old grid, corners aligned."""
    for i, n, m in ((3, 5, 10), (9, 5, 10), (20, 21, 336)):
        expect_close(
            call(by_corners, i, n, m),
            i * (n - 1) / (m - 1),
            f"the place of pixel {i} of {m} in a grid of {n}",
            {
                "that is the rule for centres, which the library uses.": (i + 0.5) * n / m - 0.5,
                "the last of the new pixels must fall on the last of the old ones.": i * n / m,
                "that is the way from the old grid to the new one.": i * (m - 1) / (n - 1),
            },
        )
