"""Mistakes that the checks of notebook 14 must find."""

PLANTED = [
    (1, "yes", "turn the ranking"),
    (2, lambda v, n, h=True: 1 + sum(o > v[n] for o in v.values()), "changes nothing"),
    (2, lambda v, n, h=True: sum((o > v[n]) == h and o != v[n] for o in v.values()), "not 0"),
    (3, "neither", "without the hardest"),
]
