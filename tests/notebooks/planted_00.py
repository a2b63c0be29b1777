"""Mistakes that the checks of notebook 00 must find."""

import numpy as np

LEVELS = [round(0.1 * k, 1) for k in range(1, 10)]


def best(score):
    """The threshold with the highest score."""
    return lambda maps, masks: max(LEVELS, key=lambda t: score(maps >= t, masks))


def mean_j(found, masks):
    pairs = zip(found, masks, strict=True)
    return np.mean([(f & g).sum() / max((f | g).sum(), 1) for f, g in pairs])


PLANTED = [
    (1, "other maps", "each frame goes in by itself"),
    (1, "none", "use 'other maps'"),
    (2, best(lambda found, masks: (found & masks).sum() / (found | masks).sum()), "average J"),
    (2, lambda maps, masks: max(mean_j(maps >= t, masks) for t in LEVELS), "the best mean J"),
    (2, lambda maps, masks: 0.1, "too small"),
    (3, lambda frames: frames[:, :, ::-1], "colour is the last axis"),
    (3, lambda frames: frames, "nothing has changed"),
    (3, lambda frames: frames.transpose(0, 3, 1, 2), "should have the shape"),
]
