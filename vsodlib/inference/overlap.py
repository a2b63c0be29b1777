"""Reading, computing and writing at the same time, each in its own thread."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar, cast

Item = TypeVar("Item")


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items; a thread makes the next one while the caller works on this one."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, iterator, end)
            yield cast(Item, item)


class Behind:
    """Makes calls in their order in a thread, at most two of them waiting.

        with Behind() as later:
            later(write, frame)

    After one has failed no other is made; its error is raised by the next call, or by the end of
    the block, which waits for all of them.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "behind")
        self._waiting: deque[Future[None]] = deque()
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, function: Callable[..., object], *args: object) -> None:
        self._waiting.append(self._thread.submit(self._make, function, *args))
        if len(self._waiting) > 2:
            self._waiting.popleft().result()
        if self._error:
            raise self._error

    def _make(self, function: Callable[..., object], *args: object) -> None:
        try:
            if self._error is None:
                function(*args)
        except BaseException as error:
            self._error = error

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown()
        if self._error and kind is None:
            raise self._error
