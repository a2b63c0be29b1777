"""Mistakes that the checks of notebook 17 must find."""

PLANTED = [
    (1, 4, "a row AND a column"),
    (2, lambda i, o, k, h, w, g=1: 2 * o * h * w * (i // g) * k * k, "FLOPs"),
    (2, lambda i, o, k, h, w, g=1: o * h * w * i * k * k, "groups"),
    (3, 854, "closer"),
]
