"""Checks of the exercises of notebook 03, non-local self-attention."""

from collections.abc import Callable
from typing import Any

import torch
from checks import call, check, expect_close


@check
def check_1(multiplications: Callable[..., Any]) -> None:
    """(N, c) -> multiplications of (x xᵀ) x and of x (xᵀ x)."""
    N, c = 50, 8
    expect_close(
        call(multiplications, N, c),
        [2 * N * N * c, 2 * N * c * c],
        "the pair of counts",
        {
            "there are two products on each side, you counted one.": [N * N * c, N * c * c],
            "the two are exchanged; the literal form comes first.": [2 * N * c * c, 2 * N * N * c],
            "you counted additions as well.": [4 * N * N * c, 4 * N * c * c],
            "these are the entries of the matrices, not multiplications.": [N * N, c * c],
        },
        atol=0.5,
    )


@check
def check_2(without_mean: Callable[..., Any]) -> None:
    """x (N, c) -> y of Eq. 4 without its 1/N."""
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    y = x @ x.T @ x
    expect_close(
        call(without_mean, x),
        y,
        "y",
        {
            "1/N is still there.": y / 6,
            "you divided by c.": y / 3,
            "that is x xᵀ, the affinity; multiply it with x.": x @ x.T,
            "here is a softmax that Eq. 4 does not have.": (x @ x.T).softmax(dim=1) @ x,
        },
        atol=1e-4,
    )


@check
def check_3(changed_share: Callable[..., Any]) -> None:
    """Two maps of logits -> share of pixels that are decided otherwise."""
    own = torch.tensor([[2.0, -1.0, 0.3, -0.2], [4.0, 0.4, -3.0, 1.0]])
    common = torch.tensor([[0.1, -2.0, -0.3, 0.2], [5.0, 0.6, -2.0, 0.4]])
    both = own.sigmoid(), common.sigmoid()
    expect_close(
        call(changed_share, own, common),
        2 / 8,
        "the share",
        {
            "these are logits: a probability of one half is a logit of 0, not of 0.5.": 3 / 8,
            "that is the share of pixels that stay as they are.": 6 / 8,
            "count pixels; do not average how far the maps lie apart.": (both[0] - both[1])
            .abs()
            .mean(),
            "divide by the number of pixels.": 2,
        },
    )
