"""Mistakes that the checks of notebook 03 must find."""

PLANTED = [
    (1, lambda N, c: (N * N * c, N * c * c), "two products on each side"),
    (1, lambda N, c: (2 * N * c * c, 2 * N * N * c), "exchanged"),
    (1, lambda N, c: 2 * N * N * c, "should have the shape (2,)"),
    (2, lambda x: x @ x.T @ x / len(x), "1/N is still there"),
    (2, lambda x: (x @ x.T).softmax(dim=1) @ x, "a softmax that Eq. 4 does not have"),
    (2, lambda x: x.T @ x, "should have the shape (6, 3)"),
    (3, lambda a, b: ((a > 0.5) != (b > 0.5)).float().mean(), "a logit of 0, not of 0.5"),
    (3, lambda a, b: (a.sigmoid() - b.sigmoid()).abs().mean(), "count pixels"),
    (3, lambda a, b: ((a > 0) == (b > 0)).float().mean(), "stay as they are"),
]
