"""Mistakes that the checks of notebook 11 must find."""

PLANTED = [
    (1, 0, "perfect"),
    (2, lambda a, b: b - a, "the larger"),
    (2, lambda a, b: (a - b) / max(a, b), "sign"),
    (3, "distances", "min_dist"),
]
