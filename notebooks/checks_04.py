"""Checks of the exercises of notebook 04, cross-level co-attention."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from checks import call, check, expect_close


def _draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@check
def check_1(row_sums: Callable[..., Any]) -> None:
    """A (N, N) -> what its rows sum to after a softmax over the wrong axis."""
    affinity = 3 * _draw(5, 5)
    expect_close(
        call(row_sums, affinity),
        affinity.softmax(dim=0).sum(dim=1),
        "the row sums",
        {
            "these are all one: this softmax runs over the right axis.": torch.ones(5),
            "you summed over the rows of each column, not over the columns of each row.": (
                affinity.softmax(dim=0).sum(dim=0)
            ),
            "that is the sum of A itself, without a softmax.": affinity.sum(dim=1),
        },
    )


@check
def check_2(softer: Callable[..., Any]) -> None:
    """A (N, N), c -> shares with Transformers' scale."""
    affinity, c = 5 * _draw(4, 4), 9
    expect_close(
        call(softer, affinity, c),
        (affinity / c**0.5).softmax(dim=1),
        "the shares",
        {
            "divide by the root of c, not by c.": (affinity / c).softmax(dim=1),
            "divide A before the softmax; afterwards rows no longer sum to one.": (
                affinity.softmax(dim=1) / c**0.5
            ),
            "A is not scaled.": affinity.softmax(dim=1),
            "that makes the choice sharper: divide, do not multiply.": (
                (affinity * c**0.5).softmax(dim=1)
            ),
            "the softmax runs over the wrong axis.": (affinity / c**0.5).softmax(dim=0),
        },
    )


@check
def check_3(by_direction: Callable[..., Any]) -> None:
    """Queries (N, c), x (N, c) -> shares by direction only."""
    query, x = 3 * _draw(4, 3), 2 * _draw(5, 3)
    unit_query, unit_x = F.normalize(query, dim=1), F.normalize(x, dim=1)
    expect_close(
        call(by_direction, query, x),
        (20 * unit_query @ unit_x.T).softmax(dim=1),
        "the shares",
        {
            "the features still have their lengths; only the queries are normalised.": (
                (20 * unit_query @ x.T).softmax(dim=1)
            ),
            "the queries still have their lengths; only the features are normalised.": (
                (20 * query @ unit_x.T).softmax(dim=1)
            ),
            "the factor 20 is missing.": (unit_query @ unit_x.T).softmax(dim=1),
            "these are cosines; the softmax is missing.": 20 * unit_query @ unit_x.T,
            "you normalised every channel; normalise every position.": (
                (20 * F.normalize(query, dim=0) @ F.normalize(x, dim=0).T).softmax(dim=1)
            ),
        },
    )
