"""Checks of the exercises of notebook 12."""

import statistics

from checks import call, check, expect_choice, expect_close


@check
def check_1(what_follows):
    hints = {
        "it helps": "the interval from -0.8 to +2.0 holds zero.",
        "it does not help": "the interval holds gains of up to two points as well.",
    }
    expect_choice(what_follows, "cannot tell", hints, "the sentence")


@check
def check_2(margin):
    after = {2: 0.73, 0: 0.52, 1: 0.61}
    before = {0: 0.50, 1: 0.60, 2: 0.69}
    d = [after[s] - before[s] for s in before]
    by_place = [a - b for a, b in zip(after.values(), before.values(), strict=True)]
    right = 4.303 * statistics.stdev(d) / 3**0.5
    mistakes = {
        "the standard error divides by the root of the number of seeds.": 4.303
        * statistics.stdev(d),
        "that is the standard error; Student's factor is missing.": statistics.stdev(d) / 3**0.5,
        "divide the squares by n - 1.": 4.303 * statistics.pstdev(d) / 3**0.5,
        "pair by seed, not by place in the dictionary.": 4.303
        * statistics.stdev(by_place)
        / 3**0.5,
    }
    expect_close(call(margin, after, before), right, "the margin", mistakes, rtol=1e-3)


@check
def check_3(changes):
    hints = {
        "mean": "every score is still used once.",
        "both": "every score is still used once; what does that do to the mean?",
        "neither": "try it: the shared luck no longer cancels.",
    }
    expect_choice(changes, "margin", hints, "what changes")
