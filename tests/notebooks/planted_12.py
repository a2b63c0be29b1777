"""Mistakes that the checks of notebook 12 must find."""

import statistics


def paired(after, before):
    differences = [a - b for a, b in zip(after, before, strict=True)]
    return 4.303 * statistics.stdev(differences) / 3**0.5


PLANTED = [
    (1, "it does not help", "gains of up to"),
    (2, lambda a, b: statistics.stdev(a[s] - b[s] for s in b) / 3**0.5, "Student's factor"),
    (2, lambda a, b: paired(a.values(), b.values()), "by seed, not by place"),
    (3, "mean", "used once"),
]
