"""Loops as fast as in C: numba compiles them when they are first called."""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile a function of numbers and arrays that is written as a plain loop.

    The machine code is kept in `__pycache__`, or in numba's own folder where that is read-only.
    While it runs other threads do as well; a division by zero gives what numpy gives. Importing
    numba takes half a second, which programs that never call the function do not wait for.
    """

    @cache
    def build() -> Callable[Parameters, Result]:
        import numba

        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)

    @wraps(function)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return build()(*args, **kwargs)

    return call
