"""Checks of the exercises of notebook 10."""

import math

import torch
from checks import call, check, expect_choice, expect_close


@check
def check_1(entropy_of_the_row):
    mistakes = {
        "divide by log 256: the entropy is normalised.": math.log(4),
        "that is the share of positions in use; entropy is a logarithm.": 4 / 256,
        "four positions, not one: 256^h = 4.": 0.0,
    }
    expect_close(entropy_of_the_row, 0.25, "the entropy", mistakes)


@check
def check_2(mass_and_chance):
    row = torch.tensor([[1.0, -2.0, 0.5], [4.0, -1.0, 0.0]])
    covered = torch.tensor([[1.0, 0.0, 0.25], [0.5, 0.0, 0.0]])
    size = row.abs()
    right = [(size * covered).sum() / size.sum(), covered.mean()]
    mistakes = {
        "weights of opposite sign cancel: take their sizes first.": [
            (row * covered).sum() / row.sum(),
            right[1],
        ],
        "divide by the sum of the sizes, so that the shares sum to one.": [
            (size * covered).sum(),
            right[1],
        ],
        "chance is the mean of the covered shares, over all positions.": [right[0], covered.sum()],
        "negative weights move the result, too: do not drop them.": [
            (row.clamp(min=0) * covered).sum() / row.clamp(min=0).sum(),
            right[1],
        ],
    }
    mass, chance = call(mass_and_chance, row, covered)
    expect_close([float(mass), float(chance)], [float(v) for v in right], "the pair", {
        sentence: [float(v) for v in wrong] for sentence, wrong in mistakes.items()
    })  # fmt: skip


@check
def check_3(same_as_training_without_it):
    hints = {"yes": "the head never saw such an input in training; with training it would adapt."}
    expect_choice(same_as_training_without_it, "no", hints, "the answer")
