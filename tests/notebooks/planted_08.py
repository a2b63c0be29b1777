"""Mistakes that the checks of notebook 08 must find."""

PLANTED = [
    (1, "MAE", "compares values"),
    (1, "everything", "use 'MAE', 'S', 'max F', 'mean F'"),
    (2, lambda c: (c.max(axis=1).mean(), c.mean(axis=0).max()), "wrong order"),
    (2, lambda c: (c.mean(axis=1).max(), c.max(axis=0).mean()), "axes"),
    (2, lambda c: c.max(), "shape"),
    (3, {"J", "max F"}, "no first and second"),
    (3, set(), "precision and recall"),
    (3, "max F", "a set"),
    (4, "last", "other way"),
]
