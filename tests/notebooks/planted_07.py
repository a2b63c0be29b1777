"""Mistakes that the checks of notebook 07 must find."""

PLANTED = [
    (1, 0.25, "its size does not matter"),
    (1, 0.0, "not right anywhere"),
    (2, lambda e, c, n: e.masked_fill(~c, -1).topk(n).indices, "the largest error"),
    (2, lambda e, c, n: e.topk(n, largest=False).indices, "among the candidates"),
    (2, lambda e, c, n: e[c].topk(n, largest=False).indices, "numbered the candidates anew"),
    (2, lambda e, c, n: e.masked_fill(~c, 9).topk(2, largest=False).indices, "how many to choose"),
    (3, lambda e, n: e.topk(n).indices, "still among them"),
    (3, lambda e, n: e.topk(n).indices[1:], "as many as asked for"),
    (3, lambda e, n: 0.5, "return the numbers"),
]
