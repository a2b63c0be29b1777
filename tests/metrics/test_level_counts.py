"""Counts per level of maps in bytes and in floats."""

import numpy as np
import reference_metrics as loops
from saliency_cases import CASES, close, pysod

from vsodlib.metrics import s_measure, saliency_scores


def test_stretched_levels_and_floats_agree():
    p, g = (np.clip(CASES[0][1], 0.1, 0.8) * 255).astype(np.uint8), CASES[0][2]
    for kind in (np.float32, np.float64):
        a = saliency_scores(p, g, stretch=True)
        b = saliency_scores((p / 255).astype(kind), g, stretch=True)
        for key in ("mae", "s_measure", "adaptive_f", "adaptive_e", "f_curve", "e_curve"):
            close(getattr(a, key), getattr(b, key), key)


def test_centroid_half_way_between_pixels():
    # Rows 1 and 2 (mean 1.5) round alike; columns 2 and 3 (mean 2.5) do not.
    g = np.zeros((5, 8), bool)
    g[1:3, 2:4] = True
    p = np.random.default_rng(2).random((5, 8))
    even, up = s_measure(p, g), s_measure(p, g, ties="up")
    close(even, pysod(p, g)["s_measure"], "pysodmetrics rounds to even")
    close(even, loops.s_measure(p, g), "even")
    close(up, loops.s_measure(p, g, half_up=True), "up")
    assert abs(even - up) > 1e-3
