"""Signals: what stops a run, and what befalls the processes that load its data."""

import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from accelerate import Accelerator


@contextmanager
def stop_requests(accelerator: Accelerator) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a request that the loop honours between two steps.

    Yields whether any process was asked: all must leave the loop after the same step.
    """
    asked = False

    def ask(_number: int, _frame: Any) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C stops at once

    def agreed() -> bool:
        if accelerator.num_processes == 1:
            return asked
        return bool(accelerator.reduce(torch.tensor(float(asked), device=accelerator.device)))

    try:
        before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: signals do not reach us
        before = {}
    try:
        yield agreed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_signals_to_the_loop(_worker: int) -> None:
    """For the workers of a loader: Ctrl-C and SIGTERM may reach them too, but the step under way
    still needs their batch; they end with the loop.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def from_workers(loader: Iterable[Any]) -> Generator[Any, None, None]:
    """The batches of a loader, and one sentence for what befell its workers.

    Raises:
        ChildProcessError: a worker was killed.
        ValueError, OSError: what a worker raised, without the traceback that torch puts before it.
    """
    batches = iter(loader)
    # torch would tell of a worker's death at once, in the middle of a step that then is half done.
    # Without its handler, the next batch tells.
    told_by = signal.getsignal(signal.SIGCHLD)
    with suppress(ValueError):  # not in the main thread: nor is torch's
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    try:
        yield from batches
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise ChildProcessError(
            "A process that loads data was killed, most often for want of memory: resume with "
            "fewer --workers."
        ) from error
    except (ValueError, OSError) as error:
        if "DataLoader worker" not in str(error):
            raise
        told = str(error).strip().splitlines()[-1].partition(": ")[2]
        raise type(error)(told) from None
    finally:
        with suppress(ValueError):
            signal.signal(signal.SIGCHLD, told_by)
        # While a traceback keeps `batches` alive its workers, deaf to SIGTERM, would outlive us.
        getattr(batches, "_shutdown_workers", bool)()
