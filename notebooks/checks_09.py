"""Checks of the exercises of notebook 09."""

import math

from checks import call, check, expect_choice, expect_close


@check
def check_1(anchors_and_candidates):
    mistakes = {
        "the same frame's foreground is the anchor itself, no positive.": [8, 8],
        "four is how many are taken; asked is how many there are to choose from.": [8, 4],
        "backgrounds are no anchors.": [16, 7],
    }
    expect_close(anchors_and_candidates, [8, 7], "the pair", mistakes)


@check
def check_2(rate):
    steps, warmup, peak = 40, 8, 0.3
    cosine = [0.15 * (1 + math.cos(math.pi * (s - warmup) / 32)) for s in range(warmup, steps)]
    right = [peak * (s + 1) / warmup for s in range(warmup)] + cosine
    early = [0.15 * (1 + math.cos(math.pi * s / steps)) for s in range(warmup, steps)]
    zero = [peak * s / warmup for s in range(warmup)] + cosine
    whole = [0.15 * (1 + math.cos(2 * math.pi * (s - warmup) / 32)) for s in range(warmup, steps)]
    mistakes = {
        "the cosine must begin at the end of the warm-up.": right[:warmup] + early,
        "step 0 would do nothing: begin at peak / warmup.": zero,
        "that is a whole cosine; half of one is asked for.": right[:warmup] + whole,
    }
    got = [call(rate, step, steps, warmup, peak) for step in range(steps)]
    expect_close(got, right, "the rates of 40 steps", mistakes)


@check
def check_3(tells):
    hints = {"loss": "run it: the loss falls with inverted masks, too."}
    expect_choice(tells, "IoU on the true masks", hints, "the number")
