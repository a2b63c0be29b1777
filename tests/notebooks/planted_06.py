"""Mistakes that the checks of notebook 06 must find."""

import math


def log_sum(s, which):
    return s.masked_fill(~which, -math.inf).logsumexp(dim=1)


def mean(s, which):
    return (s * which).sum(dim=1) / which.sum(dim=1)


PLANTED = [
    (1, (8, 0.0), "none has a positive left"),
    (1, (0, 2.5), "the sum of the losses is too large"),
    (2, lambda tau: 0.0, "the best case is not 0"),
    (2, lambda tau: math.log1p(math.exp(-1 / tau)), "negatives lie at -1"),
    (2, lambda tau: 1 / (1 + math.exp(-2 / tau)), "minus its logarithm"),
    (3, (4, 0), "these are the cells"),
    (3, (8, 3), "from *other* frames"),
    (4, lambda s, p, n: log_sum(s, p | n) - log_sum(s, p), "inside the logarithm"),
    (4, lambda s, p, n: log_sum(s, n) - mean(s, p), "holds the positives too"),
    (4, lambda s, p, n: mean(s, p) - log_sum(s, p | n), "the sign is wrong"),
    (4, lambda s, p, n: (log_sum(s, p | n) - mean(s, p)).mean(), "should have the shape (2,)"),
]
