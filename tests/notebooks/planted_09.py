"""Mistakes that the checks of notebook 09 must find."""

import math


def cosine(step, steps, warmup, peak):
    return peak * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


PLANTED = [
    (1, ((8, 8),), "the anchor itself"),
    (1, ((16, 7),), "no anchors"),
    (2, lambda s, n, w, p: p * (1 + math.cos(math.pi * s / n)) / 2, "the rates"),
    (2, lambda s, n, w, p: p * s / w if s < w else cosine(s, n, w, p), "do nothing"),
    (3, "loss", "the loss falls"),
]
