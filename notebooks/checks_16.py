"""Checks of the exercises of notebook 16."""

import numpy as np
from checks import WrongAnswer, call, check, expect_choice, expect_close


@check
def check_1(practically_zero):
    hints = {
        "sum outside": "the far positive has a logarithm of its own there, and it is a large one.",
        "both": "work out the logarithm of the far positive's share.",
        "neither": "the positive at similarity 1 makes up nearly the whole sum.",
    }
    expect_choice(practically_zero, "sum inside", hints, "the loss that is practically zero")


@check
def check_2(interval):
    rng = np.random.default_rng(16)
    a = rng.normal(0.7, 0.05, 8)
    b = a + rng.normal(-0.01, 0.01, 8)
    d = a - b
    right = [d.mean(), 2.365 * d.std(ddof=1) / 8**0.5]
    mistakes = {
        "the spread of one difference, not of their mean: divide by the root of 8.": [
            d.mean(),
            2.365 * d.std(ddof=1),
        ],
        "divide the squares by 7, not by 8.": [d.mean(), 2.365 * d.std() / 8**0.5],
        "that is one standard error; Student's factor is missing.": [
            d.mean(),
            d.std(ddof=1) / 8**0.5,
        ],
        "you did not use the pairs: take the difference of each seed first.": [
            d.mean(),
            2.365 * ((a.var(ddof=1) + b.var(ddof=1)) / 8) ** 0.5,
        ],
        "the difference is a - b.": [-right[0], right[1]],
    }
    got = call(interval, list(map(float, a)), list(map(float, b)))
    expect_close(got, right, "the interval", mistakes, rtol=1e-3)


@check
def check_3(mean_and_width):
    words = {"same", "smaller", "larger"}
    if not (isinstance(mean_and_width, tuple) and len(mean_and_width) == 2):
        raise WrongAnswer('answer with a pair such as ("smaller", "same").')
    if not set(mean_and_width) <= words:
        raise WrongAnswer("use the words 'same', 'smaller' and 'larger'.")
    mean, width = mean_and_width
    if mean != "same":
        raise WrongAnswer("each score is still used once; what does that do to the mean?")
    if width != "larger":
        raise WrongAnswer("the luck that both arms share no longer cancels.")
