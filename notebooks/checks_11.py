"""Checks of the exercises of notebook 11."""

from checks import call, check, expect_choice, expect_close


@check
def check_1(ratio_of_nonsense):
    hints = {
        0: "that is perfect separation: an object like itself only.",
        0.5: "with meaningless labels, both distances are the same on average.",
    }
    expect_choice(ratio_of_nonsense, 1, hints, "the ratio")


@check
def check_2(silhouette_of):
    cases = [(0.2, 0.8), (0.9, 0.3), (0.5, 0.5)]
    mistakes = {
        "the sign is turned: nearer to one's own side is positive.": [
            (a - b) / max(a, b) for a, b in cases
        ],
        "divide by the larger of the two.": [b - a for a, b in cases],
        "the larger of the two, not their sum.": [(b - a) / (a + b) for a, b in cases],
        "always dividing by b lets it fall below -1.": [(b - a) / b for a, b in cases],
    }
    got = [call(silhouette_of, *case) for case in cases]
    expect_close(got, [(b - a) / max(a, b) for a, b in cases], "three silhouettes", mistakes)


@check
def check_3(stays):
    hints = {
        "distances": "they depend on the number of neighbours and on min_dist.",
        "left and right": "the search starts by chance; another seed turns the picture.",
    }
    expect_choice(stays, "neighbours", hints, "what stays")
