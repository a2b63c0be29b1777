"""Checks of the exercises of notebook 14."""

from checks import call, check, expect_choice, expect_close


@check
def check_1(is_better):
    hints = {"yes": "the interval holds zero: other videos could turn the ranking around."}
    expect_choice(is_better, "no", hints, "the answer")


@check
def check_2(rank_of):
    values = {"a": 0.7, "b": 0.9, "c": 0.7, "d": 0.2}
    cases = [("a", True), ("b", True), ("c", True), ("d", True), ("a", False), ("d", False)]
    mistakes = {
        "a method counted itself, or an equal one: strictly better ones count.": [3, 1, 3, 4, 3, 1],
        "the best has rank 1, not 0.": [1, 0, 1, 3, 1, 0],
        "the argument higher_is_better changes nothing yet.": [2, 1, 2, 4, 2, 4],
    }
    got = [call(rank_of, values, name, higher) for name, higher in cases]
    expect_close(got, [2, 1, 2, 4, 2, 1], "six ranks", mistakes)


@check
def check_3(overtakes):
    hints = {
        "no easiest": "on easy videos AnDiff is the one that loses something by dropping them.",
        "both": "look again at the means without the easiest.",
        "neither": "look again at the means without the hardest.",
    }
    expect_choice(overtakes, "no hardest", hints, "the case")
