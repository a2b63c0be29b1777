"""Checks of the exercises of notebook 08."""

import numpy as np
from checks import WrongAnswer, call, check, expect_choice, expect_close


@check
def check_1(unmoved):
    hints = {
        "MAE": "it compares values, and the square root raises all of them.",
        "mean F": "more pixels now pass each level, so the curve moves, and its mean with it.",
        "S": "it works on the values, without a threshold.",
    }
    expect_choice(unmoved, "max F", hints, "the measure that stays")


@check
def check_2(two_numbers):
    curves = np.random.default_rng(8).random((5, 256))
    curves[:, 40:60] += np.eye(5, 20)
    right = [curves.mean(axis=0).max(), curves.max(axis=1).mean()]
    mistakes = {
        "the right numbers in the wrong order.": right[::-1],
        "you mixed up the axes: frames are axis 0, levels axis 1.": [
            curves.mean(axis=1).max(),
            curves.max(axis=0).mean(),
        ],
    }
    expect_close(call(two_numbers, curves), right, "the pair of numbers", mistakes)


@check
def check_3(noticed):
    if not isinstance(noticed, set) or not noticed <= {"J", "F", "max F"}:
        raise WrongAnswer('answer with a set of the names "J", "F" and "max F".')
    if noticed & {"J", "F"}:
        raise WrongAnswer(
            "intersection over union has no first and second; nor has an F with β = 1."
        )
    if not noticed:
        raise WrongAnswer(
            "swapping exchanges precision and recall; which F weighs them differently?"
        )


@check
def check_4(where):
    hints = {
        "middle": "decay looks at the first and the last quarter only.",
        "last": "decay is the first quarter's mean minus the last's: the drift goes the other way.",
    }
    expect_choice(where, "first", hints, "the place of the lost frame")
