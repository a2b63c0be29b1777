"""Mistakes that the checks of notebook 02 must find."""

from drawings.encoder import tap_counts

PLANTED = [
    (1, lambda h, w, s: (h // s) * (w // s), "rounded up, not down"),
    (1, lambda h, w, s: h * w / s / s, "no parts of positions"),
    (1, lambda h, w, s: (-(-h // s) * -(-w // s)) ** 2, "that is N²"),
    (2, lambda d: (tap_counts(d)[len(tap_counts(d)) // 2] > 0).mean(), "two dimensions"),
    (2, lambda d: (tap_counts(d) == 0).mean(), "the share of holes"),
    (2, lambda d: 9 ** len(d) / (1 + 2 * sum(d)) ** 2, "count it once"),
    (3, (4, 1), "a position is 8 pixels wide"),
    (3, (32, 32), "the dilation is 1 now"),
    (3, (16, 8), "so its dilation is 4"),
]
