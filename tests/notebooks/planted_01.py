"""Mistakes that the checks of notebook 01 must find."""

import numpy as np

from vsodlib.metrics import region_similarity


def stored(mask, rows, least):
    size = len(mask) // rows
    shares = mask.reshape(rows, size, -1, size).mean(axis=(1, 3))
    return region_similarity(np.kron(shares >= least, np.ones((size, size))) > 0, mask)


PLANTED = [
    (1, (8, 4), "four frames leave three"),
    (1, (8, 5), "8 is not a multiple of 5"),
    (1, (5, 5), "one video only"),
    (2, lambda mask: region_similarity(mask, mask[::-1]), "upside down"),
    (2, lambda mask: (mask == mask[:, ::-1]).mean(), "background does not count"),
    (2, lambda mask: (mask & mask[:, ::-1]).sum() / mask.sum(), "divide by the union"),
    (3, lambda mask, rows: stored(mask, rows, 1e-9), "not if any of it is"),
    (3, lambda mask, rows: 1.0, "bring the small mask back"),
    (3, lambda mask, rows: stored(mask, rows, 1), "not all of it"),
]
