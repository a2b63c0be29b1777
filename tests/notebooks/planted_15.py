"""Mistakes that the checks of notebook 15 must find."""

import numpy as np


def mixed(layer, behind, alpha):
    return alpha * layer[..., :3] + (1 - alpha) * behind


def changes(maps):
    return maps[1:] - maps[:-1]


PLANTED = [
    (1, 0.3, "the saliency itself"),
    (1, 0.2, "0.8 wide"),
    (1, 0.75, "of the background shows"),
    (1, 0.5, "too large"),
    (2, lambda a, b: mixed(a, b, 1 - a[..., 3:] / 255), "exchanged"),
    (2, lambda a, b: mixed(a, b, a[..., 3:].astype(float)), "divide it by 255"),
    (2, lambda a, b: a[..., :3] * (a[..., 3:] / 255), "the background is missing"),
    (2, lambda a, b: a[..., :3] + (1 - a[..., 3:] / 255) * b, "not multiplied"),
    (2, lambda a, b: np.where(a[..., 3:] > 127, a[..., :3], b), "all or nothing"),
    (2, lambda a, b: a, "should have the shape (4, 5, 3)"),
    (3, lambda maps: changes(maps).mean((1, 2)), "cancel"),
    (3, lambda maps: np.abs(changes(maps).mean((1, 2))), "before the mean"),
    (3, lambda maps: np.abs(changes(maps)).sum((1, 2)), "number of pixels"),
    (3, lambda maps: (changes(maps) ** 2).mean((1, 2)), "squares"),
    (3, lambda maps: np.abs(changes(maps)).mean(), "should have the shape (4,)"),
]
