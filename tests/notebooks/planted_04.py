"""Mistakes that the checks of notebook 04 must find."""

import torch.nn.functional as F

PLANTED = [
    (1, lambda A: A.softmax(dim=1).sum(dim=1), "over the right axis"),
    (1, lambda A: A.softmax(dim=0), "should have the shape (5,)"),
    (2, lambda A, c: (A / c).softmax(dim=1), "the root of c"),
    (2, lambda A, c: A.softmax(dim=1) / c**0.5, "before the softmax"),
    (2, lambda A, c: (A / c**0.5).softmax(dim=0), "wrong axis"),
    (3, lambda q, x: (20 * F.normalize(q, dim=1) @ x.T).softmax(dim=1), "only the queries"),
    (3, lambda q, x: (20 * q @ x.T).softmax(dim=1), "values are wrong, the worst at"),
    (3, lambda q, x: 20 * F.normalize(q, dim=1) @ F.normalize(x, dim=1).T, "softmax is missing"),
]
