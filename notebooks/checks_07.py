"""Checks of the exercises of notebook 07, hard mining."""

from collections.abc import Callable
from typing import Any

import torch
from checks import WrongAnswer, call, check, expect_close


def _chosen(answer: Callable[..., Any], *args: Any) -> list[int]:
    """The answer's regions as a sorted list of numbers."""
    result = call(answer, *args)
    try:
        return sorted(int(region) for region in result)
    except TypeError:
        raise WrongAnswer("return the numbers of the chosen regions, a list.") from None


def _expect_regions(got: list[int], right: list[int], mistakes: dict[str, list[int]]) -> None:
    if got == sorted(right):
        return
    for sentence, wrong in mistakes.items():
        if got == sorted(wrong):
            raise WrongAnswer(sentence)
    raise WrongAnswer(f"you chose the regions {got}, not the right ones.")


@check
def check_1(error: Any) -> None:
    """The error of each region for a map that is one half everywhere."""
    expect_close(
        error,
        0.5,
        "the error",
        {
            "the mean is taken within the region; its size does not matter.": 0.25,
            "a map of one half is half wrong at every pixel.": 1.0,
            "a map of one half is not right anywhere.": 0.0,
        },
    )


@check
def check_2(easiest: Callable[..., Any]) -> None:
    """error (R,), candidates (R,) bool, samples -> the regions of smallest error."""
    error = torch.tensor([0.05, 0.9, 0.3, 0.1, 0.6, 0.2, 0.4])
    candidates = torch.tensor([0, 1, 1, 1, 1, 0, 1], dtype=torch.bool)
    _expect_regions(
        _chosen(easiest, error, candidates, 2),
        [3, 2],
        {
            "these have the largest error; the easy ones have the smallest.": [1, 4],
            "you chose among all regions; choose among the candidates.": [0, 3],
            "you numbered the candidates anew; return numbers of the whole list.": [2, 1],
        },
    )
    everyone = torch.ones(7, dtype=torch.bool)
    if len(_chosen(easiest, error, everyone, 4)) != 4:
        raise WrongAnswer("`samples` says how many to choose.")


@check
def check_3(all_but_hardest: Callable[..., Any]) -> None:
    """error (R,), samples -> the next regions after the single hardest one."""
    error = torch.tensor([0.2, 0.9, 0.3, 0.1, 0.6, 0.5])
    _expect_regions(
        _chosen(all_but_hardest, error, 3),
        [4, 5, 2],
        {
            "the hardest one is still among them.": [1, 4, 5],
            "these are the easiest ones.": [3, 0, 2],
            "you left out the easiest and kept the hardest.": [1, 4, 5, 2],
            "after leaving one out, still choose as many as asked for.": [4, 5],
        },
    )
