"""Saliency measures against loops, pysodmetrics, hand-worked numbers and their own symmetries."""

import warnings

import numpy as np
import py_sod_metrics
import pytest
import reference_metrics as loops
from saliency_cases import CASES, close

from vsodlib.metrics import mae, saliency_scores


@pytest.mark.parametrize(("name", "p", "g"), CASES, ids=[c[0] for c in CASES])
def test_loops(name, p, g):
    scores = saliency_scores(p, g)
    close(scores.mae, loops.mae(p, g), name)
    close(scores.s_measure, loops.s_measure(p, g), name)
    levels = np.floor(p * 255)
    for level in (0, 1, 77, 128, 254, 255):
        precision, recall, f = loops.f_at(levels, g, level)
        close(scores.precision[level], precision, name)
        close(scores.recall[level], recall, name)
        close(scores.f_curve[level], f, name)
        close(scores.e_curve[level], loops.e_at(levels, g, level), name)
    adaptive = min(1.0, 2 * p.mean())
    close(scores.adaptive_f, loops.f_at(p, g, adaptive)[2], name)
    close(scores.adaptive_e, loops.e_at(p, g, adaptive), name)


def test_pysodmetrics_with_its_stretch():
    p = (np.clip(CASES[0][1], 0.1, 0.8) * 255).astype(np.uint8)
    g = CASES[0][2]
    truth = g.astype(np.uint8) * 255
    theirs = {}
    for name in ("MAE", "Fmeasure", "Smeasure"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            measure = getattr(py_sod_metrics, name)()
        measure.step(p, truth)
        theirs |= measure.get_results()
    ours = saliency_scores(p, g, stretch=True)
    close(ours.mae, theirs["mae"], "mae")
    close(ours.s_measure, theirs["sm"], "s_measure")
    close(ours.f_curve, theirs["fm"]["curve"][::-1], "f curve")
    assert abs(mae(p, g, stretch=True) - mae(p, g)) > 0.05  # the stretch changes the number


def test_adaptive_threshold_that_a_value_meets():
    """Where a value is exactly twice the mean it passes, however the map is stored."""
    g = np.random.default_rng(3).random((3, 4)) > 0.5
    g[0, 0], g[0, 3] = True, False
    for level in range(1, 256):
        p = np.zeros((3, 4), np.uint8)
        p[:, :2] = level  # half of the pixels, so that twice the mean is the level itself
        expected = loops.f_at(p, g, level)[2], loops.e_at(p, g, level)
        for values in (p, (p / 255).astype(np.float32), p / 255):
            scores = saliency_scores(values, g)
            assert scores.adaptive_f == pytest.approx(expected[0], abs=1e-12)
            assert scores.adaptive_e == pytest.approx(expected[1], abs=1e-12)
            assert scores.f_curve[level] == pytest.approx(expected[0], abs=1e-12)
    # A map that holds no 8-bit levels: 0.3 on half of the pixels.
    for kind in (np.float32, np.float64):
        p = np.zeros((300, 500), kind)
        p[:, ::2] = 0.3
        g = p > 0
        assert saliency_scores(p, g).adaptive_f == pytest.approx(1)
        assert saliency_scores(p, g, stretch=True).adaptive_f == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_e_of_a_single_pixel(value):
    for truth in (False, True):
        p, g = np.full((1, 1), value), np.full((1, 1), truth)
        scores = saliency_scores(p, g)
        assert set(scores.e_curve) <= {0.0, 1.0}
        for level in (0, 1, 102, 255):
            assert scores.e_curve[level] == loops.e_at(np.floor(p * 255), g, level)
        assert scores.adaptive_e == loops.e_at(p, g, min(1.0, 2 * value))
