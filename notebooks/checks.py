"""What the checks of all exercises share: say in one sentence what is wrong with an answer.

How an exercise is laid out, the same in every notebook:

- a Markdown cell with the task, its level marked (level 1: read off, 2: write, 3: find out),
- a code cell tagged `answer`: a stub that ends in `check_K(answer)` from `checks_NN.py`; as long as
  it returns nothing the check prints "Not answered yet.", so that the notebook runs as it is,
- a Markdown cell with the solution in `<details><summary>Solution</summary>`: its Python block
  defines the same names as the stub and ends in the same check. It uses only its own names and the
  notebook's imports, so that a test can run it alone.

Recall questions stand under `## Recall`, each answer in `<details><summary>Answer</summary>`.
"""

import functools
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np


class WrongAnswer(AssertionError):
    """An answer that is not right; a notebook shows its sentence without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not right yet: {self}"]


class _Missing(Exception):
    """Nothing has been answered so far."""


def check(function: Callable[..., None]) -> Callable[..., None]:
    """Make a check of a function that raises `WrongAnswer`: it prints the verdict otherwise."""

    @functools.wraps(function)
    def verdict(*answers: Any) -> None:
        try:
            if any(answer is None or answer is ... for answer in answers):
                raise _Missing
            function(*answers)
        except _Missing:
            print("Not answered yet.")
        except WrongAnswer:
            raise
        except Exception as error:  # an answer of a form that the check did not expect
            told = f"this answer cannot be checked ({type(error).__name__}: {error})."
            raise WrongAnswer(told) from error
        else:
            print("Right.")

    return verdict


def call(answer: Callable[..., Any], *args: Any) -> Any:
    """What the answer, a function, returns for `args`; an error inside it is told as one sentence.

    Raises:
        WrongAnswer: the answer is no function, or it raised an error.
    """
    if not callable(answer):
        raise WrongAnswer(f"a function is asked for, got {type(answer).__name__}.")
    try:
        result = answer(*args)
    except Exception as error:  # whatever a learner's code may do
        raise WrongAnswer(f"your function stopped with {type(error).__name__}: {error}") from error
    if result is None or result is ...:
        raise _Missing
    return result


def expect_shape(got: Any, shape: tuple[int, ...], what: str) -> None:
    """The answer must have this shape.

    Raises:
        WrongAnswer: another shape; the sentence names both.
    """
    found = np.shape(_array(got, what))
    if found != tuple(shape):
        raise WrongAnswer(f"{what} should have the shape {tuple(shape)}, yours has {found}.")


def expect_close(
    got: Any,
    expected: Any,
    what: str,
    mistakes: Mapping[str, Any] | None = None,
    rtol: float = 1e-4,
    atol: float = 1e-5,
) -> None:
    """The answer must equal the expected numbers.

    Args:
        got: the learner's number, list, array or tensor.
        expected: what is right, of the same shape.
        what: its name in the sentence.
        mistakes: sentence -> the numbers one gets by that mistake; the first that fits is told.
        rtol, atol: how far apart two numbers may lie.

    Raises:
        WrongAnswer: another shape, a number that is none, or other numbers.
    """
    expected = _array(expected, what)
    expect_shape(got, expected.shape, what)
    got = _array(got, what)
    if not np.isfinite(got).all():
        raise WrongAnswer(f"{what} contains values that are no numbers (nan or inf).")
    near = np.isclose(got, expected, rtol=rtol, atol=atol)
    if near.all():
        return
    for sentence, wrong in (mistakes or {}).items():
        wrong = _array(wrong, what)
        if wrong.shape == got.shape and np.allclose(got, wrong, rtol=rtol, atol=atol):
            raise WrongAnswer(f"{what}: {sentence}")
    if got.ndim == 0:
        # The right number is not given away.
        side = "too large" if got > expected else "too small"
        raise WrongAnswer(f"{what} is {side}: you have {got:.4g}.")
    worst = np.unravel_index(np.argmax(np.abs(got - expected)), got.shape)
    place = ", ".join(map(str, map(int, worst)))
    raise WrongAnswer(
        f"{what}: {(~near).sum()} of {near.size} values are wrong, the worst at [{place}], where "
        f"you have {got[worst]:.4g} and {expected[worst]:.4g} is right."
    )


def expect_choice(got: Any, right: Any, hints: Mapping[Any, str], what: str) -> None:
    """The answer must be the right one of a few; each wrong one has a hint.

    Raises:
        WrongAnswer: a wrong choice, with its hint, or something that is no choice.
    """
    options = ", ".join(repr(option) for option in sorted([right, *hints], key=str))
    got = got if isinstance(got, Hashable) else None  # a list or an array is no choice
    if got != right:
        raise WrongAnswer(f"{what}: {hints.get(got, f'use {options}.')}")


def _array(value: Any, what: str) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        return np.asarray(value).astype(np.float64)
    except (TypeError, ValueError):
        raise WrongAnswer(
            f"{what} should be numbers, yours is {type(value).__name__}: {value!r:.60}."
        ) from None
