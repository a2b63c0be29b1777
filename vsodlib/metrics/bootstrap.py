"""The bootstrap over sequences: how far a number could move with other videos.

Efron, Tibshirani: "An introduction to the bootstrap", 1993. Sequences are drawn with replacement,
as many as there are, and the number is computed anew; the middle 95 % of what comes out is the
interval. With few sequences that is too narrow, so the percentiles are moved outwards to where
Student's t puts them (Hesterberg: "What teachers should know about the bootstrap", 2015, the
expanded percentile interval).
"""

from collections.abc import Iterator

import numpy as np

LEVEL = 0.95
RESAMPLES = 5000
CELLS = 2**22
"""Counts held at a time."""


def resamples(units: int, seed: int = 0) -> Iterator[np.ndarray]:
    """How often every unit is drawn: blocks (r, units) float64 of `RESAMPLES` rows in all."""
    rng = np.random.default_rng(seed)
    rows = max(1, CELLS // units)
    for first in range(0, RESAMPLES, rows):
        size = min(rows, RESAMPLES - first)
        yield rng.multinomial(units, np.full(units, 1 / units), size).astype(np.float64)


def interval(values: np.ndarray, units: int) -> list[float] | None:
    """The expanded percentile interval of a number, given that of every resample of at least two
    units: (R,), NaN where it is not defined; None where it never is.
    """
    from scipy.special import ndtr, stdtrit  # a third of a second that `import vsodlib` keeps

    known = values[np.isfinite(values)]
    if not len(known):
        return None
    tail = ndtr(np.sqrt(units / (units - 1)) * stdtrit(units - 1, (1 - LEVEL) / 2))
    return np.quantile(known, [tail, 1 - tail]).tolist()
