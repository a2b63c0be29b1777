"""Mistakes that the checks of notebook 05 must find."""

PLANTED = [
    (1, lambda scores, strides: strides[-1], "not always the best"),
    (1, lambda scores, strides: max(scores), "the score itself"),
    (1, lambda scores, strides: scores.index(max(scores)), "the place in the list"),
    (2, lambda s, c, zs, zc: (s(zs) * zs, c(zc) * zc), "under its own gate"),
    (2, lambda s, c, zs, zc: (s(zc) * zs, c(zs) * zc), "not what they read"),
    (2, lambda s, c, zs, zc: (s(zc) * zc, c(zs) * zs), "wrong order"),
    (2, lambda s, c, zs, zc: c(zs) * zs, "return two features"),
    (3, lambda i, n, m: (i + 0.5) * n / m - 0.5, "the rule for centres"),
    (3, lambda i, n, m: i * n / m, "must fall on the last"),
]
