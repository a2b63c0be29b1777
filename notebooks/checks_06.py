"""Checks of the exercises of notebook 06, contrastive learning."""

import math
from collections.abc import Callable
from typing import Any

import torch
from checks import call, check, expect_close


@check
def check_1(anchors: Any, total: Any) -> None:
    """How many anchors are left when no two frames share a video, and the sum of their losses."""
    expect_close(
        anchors,
        0,
        "the number of anchors",
        {
            "each frame has a foreground, but none has a positive left.": 8,
            "backgrounds are never anchors, and no foreground has a positive left.": 16,
        },
    )
    expect_close(total, 0.0, "the sum of the losses")


@check
def check_2(lowest: Callable[..., Any]) -> None:
    """τ -> the loss with all positives at cosine 1, all negatives at -1, four of each."""
    for tau in (1.0, 0.5, 0.1):
        expect_close(
            call(lowest, tau),
            math.log1p(math.exp(-2 / tau)),
            f"the loss at τ = {tau}",
            {
                "the best case is not 0: the negatives stay in the denominator.": 0.0,
                "negatives lie at -1, not at 0: the difference of the cosines is 2.": (
                    math.log1p(math.exp(-1 / tau))
                ),
                "that is the worst case; positives and negatives are exchanged.": (
                    math.log1p(math.exp(2 / tau))
                ),
                "four of each: the fours cancel.": math.log1p(4 * math.exp(-2 / tau)),
                "that is the share of the positives; the loss is minus its logarithm.": (
                    1 / (1 + math.exp(-2 / tau))
                ),
                "divide the cosines by τ.": math.log1p(math.exp(-2)),
            },
            atol=1e-9,
        )


@check
def check_3(regions: Any, own_frame: Any) -> None:
    """Most regions of a frame at grid=2, and positives that an anchor has in its own frame."""
    expect_close(
        regions,
        8,
        "the number of regions",
        {
            "these are the cells; each has a foreground and a background.": 4,
            "that is without a grid.": 2,
            "a grid of 2 has two rows and two columns.": 16,
        },
    )
    expect_close(
        own_frame,
        0,
        "the number of positives in its own frame",
        {"Section 3.4 takes positives from *other* frames.": 3},
    )


@check
def check_4(outside_loss: Callable[..., Any]) -> None:
    """s = u·u_r / τ (A, R), positives, negatives (A, R) -> L_out of each anchor."""
    s = 3 * torch.randn(2, 6, generator=torch.Generator().manual_seed(3))
    positives = torch.tensor([[0, 1, 1, 0, 0, 0], [1, 0, 1, 1, 0, 0]], dtype=torch.bool)
    negatives = torch.tensor([[0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1]], dtype=torch.bool)

    def log_sum(which):
        return s.masked_fill(~which, -torch.inf).logsumexp(dim=1)

    everything, count = log_sum(positives | negatives), positives.sum(dim=1)
    summed = (s * positives).sum(dim=1)
    expect_close(
        call(outside_loss, s, positives, negatives),
        everything - summed / count,
        "L_out",
        {
            "that is Eq. 9, with the sum inside the logarithm.": everything - log_sum(positives),
            "average over the positives, do not add them up.": count * everything - summed,
            "the denominator holds the positives too.": log_sum(negatives) - summed / count,
            "the denominator holds only the positives and negatives of this anchor.": (
                s.logsumexp(dim=1) - summed / count
            ),
            "the sign is wrong.": summed / count - everything,
        },
    )
