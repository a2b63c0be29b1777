"""Checks of the exercises of notebook 17."""

from checks import call, check, expect_choice, expect_close


@check
def check_1(factor):
    mistakes = {
        "the product has a row AND a column for every position.": 4,
        "doubling the stride halves rows and columns: a quarter of the positions.": 2,
    }
    expect_close(factor, 16, "the factor", mistakes)


@check
def check_2(conv_adds):
    cases = [(2, 3, 3, 4, 5, 1), (8, 8, 3, 6, 7, 8), (4, 6, 1, 2, 3, 2)]
    right = [o * h * w * (i // g) * k * k for i, o, k, h, w, g in cases]
    mistakes = {
        "those are FLOPs: a multiply-add counts once.": [2 * n for n in right],
        "with groups an output sees fewer channels: divide c_in by them.": [
            o * h * w * i * k * k for i, o, k, h, w, g in cases
        ],
        "a square kernel has kernel² taps.": [
            o * h * w * (i // g) * k for i, o, k, h, w, g in cases
        ],
        "those are the weights; each works at every position.": [
            o * (i // g) * k * k for i, o, k, h, w, g in cases
        ],
    }
    expect_close([call(conv_adds, *case) for case in cases], right, "three convolutions", mistakes)


@check
def check_3(width):
    hints = {
        840: "one column of x fewer: less work, not more.",
        848: "848 has one column fewer than 854: less work.",
        854: "that one misses by about one percent; is there a closer one?",
        872: "two more columns are too many.",
    }
    expect_choice(width, 864, hints, "the width")
