"""Peak memory of a call, on a GPU and on the CPU."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from vsodlib.training.allocator import MMAP_THRESHOLD, tell


def peak_memory(
    make: Callable[..., Callable[[], Any]], cases: Sequence[tuple], device: str = "cpu"
) -> list[int] | list[None]:
    """The most memory that a call holds at once beyond what is held before it, in bytes.

    Every call runs twice and the second run counts, when all code is loaded. On a GPU: what
    PyTorch's allocator counts. On the CPU: the high-water mark of resident memory that Linux keeps
    for a process, in a process of its own whose allocator gives back at once what is freed.

    Args:
        make: `make(*case)` prepares a call's inputs and returns the call; a module's function.
        cases: arguments of `make`.
        device: where the calls run.

    Returns:
        Bytes, one for each case; Nones where nothing can be measured (CPU without Linux's /proc).

    Raises:
        RuntimeError: the process died, as it does when memory runs out.
    """
    if torch.device(device).type == "cuda":
        return [_cuda_peak(make(*case)) for case in cases]
    if not CLEAR_REFS.exists():
        return [None] * len(cases)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return [pool.submit(_resident_peak, make, case).result() for case in cases]


CLEAR_REFS = Path("/proc/self/clear_refs")


def _cuda_peak(call: Callable[[], Any]) -> int:
    call()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    call()
    return torch.cuda.max_memory_allocated() - before


def _resident_peak(make: Callable[..., Callable[[], Any]], case: tuple) -> int:
    tell({MMAP_THRESHOLD: 2**16})  # give back at once what is freed, else it counts as held
    call = make(*case)
    call()
    CLEAR_REFS.write_text("5")  # the high-water mark falls to what is resident now
    before = _high_water()
    call()
    return _high_water() - before


def _high_water() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
