"""Mistakes that the checks of notebook 16 must find."""

import statistics


def mean(a, b):
    return statistics.mean(a) - statistics.mean(b)


def spread(a, b):
    """Forgets the root of n."""
    return statistics.stdev(x - y for x, y in zip(a, b, strict=True))


PLANTED = [
    (1, "both", "logarithm of the far"),
    (2, lambda a, b: (mean(a, b), 2.365 * spread(a, b)), "divide by the root"),
    (2, lambda a, b: (-mean(a, b), 2.365 * spread(a, b) / 8**0.5), "a - b"),
    (2, lambda a, b: (mean(a, b), spread(a, b) / 8**0.5), "Student's factor"),
    (3, (("smaller", "larger"),), "still used once"),
    (3, (("same", "same"),), "no longer cancels"),
]
