"""Reading, computing and writing at the same time, each in its own thread."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar, cast

Item = TypeVar("Item")


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items; a thread makes the next one while the caller works on this one."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, iterator, end)
            yield cast(Item, item)


@contextmanager
def behind() -> Iterator[Callable[..., None]]:
    """Makes calls in their order in a thread, at most two of them waiting.

        with behind() as later:
            later(write, frame)

    After one has failed no other is made; its error is raised by the next call, or by the end of
    the block, which waits for all of them.
    """
    waiting: deque[Future[None]] = deque()
    errors: list[BaseException] = []

    def make(function: Callable[..., object], *args: object) -> None:
        try:
            if not errors:
                function(*args)
        except BaseException as error:
            errors.append(error)

    def later(function: Callable[..., object], *args: object) -> None:
        waiting.append(thread.submit(make, function, *args))
        if len(waiting) > 2:
            waiting.popleft().result()
        if errors:
            raise errors[0]

    with ThreadPoolExecutor(1, "behind") as thread:
        yield later
    if errors:
        raise errors[0]
