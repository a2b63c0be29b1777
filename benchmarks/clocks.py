"""Run times of calls that take turns."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch

Name = TypeVar("Name")


def run_times(
    calls: Mapping[Name, Callable[[], Any]],
    repeats: int,
    limit: float = float("inf"),
    clock: Callable[[], float] | None = None,
) -> dict[Name, list[float]]:
    """Seconds of every call. The calls take turns: what else the machine does then hits all alike.

    Args:
        calls: name -> function without arguments; run once before the clock starts.
        repeats: turns of each.
        limit: after so many seconds no further turn begins; the first always does.
        clock: what tells the seconds; None: `now`.

    Returns:
        name -> seconds, one for each turn.
    """
    clock = clock or now
    for call in calls.values():
        call()
    seconds: dict[Name, list[float]] = {name: [] for name in calls}
    begun = now()
    for turn in range(repeats):
        if turn and now() - begun > limit:
            break
        for name, call in calls.items():
            start = clock()
            call()
            seconds[name].append(clock() - start)
    return seconds


def now() -> float:
    """Seconds on a clock, read when the GPU, if one is in use, has done what it was told."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()
