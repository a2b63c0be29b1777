"""Mistakes that the checks of notebook 13 must find."""

PLANTED = [
    (1, 2370, "anew"),
    (1, 911.4, "in the 500"),
    (2, lambda x, w, r: (x @ w @ r.T).softmax(0) @ r, "reference's positions"),
    (2, lambda x, w, r: (x @ r.T).softmax(1) @ r, "W is missing"),
    (3, "yes", "no order"),
]
