"""Mistakes that the checks of notebook 10 must find."""

import math

PLANTED = [
    (1, math.log(4), "normalised"),
    (1, 4 / 256, "logarithm"),
    (2, lambda row, m: ((row * m).sum() / row.sum(), m.mean()), "cancel"),
    (2, lambda row, m: ((row.abs() * m).sum(), m.mean()), "sum to one"),
    (3, "yes", "never saw"),
]
