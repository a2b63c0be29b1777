"""Saliency measures against loops, pysodmetrics, hand-worked numbers and their own symmetries."""

import warnings

import cv2
import numpy as np
import py_sod_metrics
import pytest
import reference_metrics as loops

from vsodlib.metrics import mae, s_measure, saliency_scores

RNG = np.random.default_rng(0)


def disc(H, W, y, x, radius):
    rows, columns = np.mgrid[:H, :W]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def cases():
    """(name, map float64, ground truth) covering the kinds that break conventions."""
    H, W = 24, 37
    g = disc(H, W, 9, 22, 6)
    soft = np.clip(cv2.GaussianBlur(g.astype(float), (0, 0), 2) + RNG.normal(0, 0.1, (H, W)), 0, 1)
    empty, full, one = np.zeros((H, W), bool), np.ones((H, W), bool), np.zeros((H, W), bool)
    one[5, 11] = True
    wide = np.zeros((3, 50), bool)
    wide[1, 4:9] = True
    yield "soft", soft, g
    yield "random", RNG.random((H, W)), RNG.random((H, W)) > 0.6
    yield "8-bit levels", np.round(soft * 255) / 255, g
    yield "binary", (soft > 0.5).astype(float), g
    yield "perfect", g.astype(float), g
    yield "inverted", 1.0 - g, g
    yield "black", np.zeros((H, W)), g
    yield "white", np.ones((H, W)), g
    yield "empty truth", soft, empty
    yield "full truth", soft, full
    yield "black, empty", np.zeros((H, W)), empty
    yield "one pixel", soft, one
    yield "touching corner", soft, disc(H, W, 0, 0, 7)
    yield "wide", RNG.random((3, 50)), wide
    yield "unlike corner", RNG.random((9, 9)), disc(9, 9, 2, 6, 2)


CASES = list(cases())


def close(ours, theirs, name):
    np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-6, rtol=0, err_msg=name)


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


def pysod(p, g):
    """pysodmetrics without its automatic min-max stretch; its curves run from high to low."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {}
        for name in ("MAE", "Smeasure", "Fmeasure", "Emeasure", "WeightedFmeasure"):
            measure = getattr(py_sod_metrics, name)()
            measure.step(p, g, normalize=False)
            found |= measure.get_results()
    return {
        "mae": found["mae"],
        "s_measure": found["sm"],
        "weighted_f": found["wfm"],
        "f_curve": found["fm"]["curve"][::-1],
        "adaptive_f": found["fm"]["adp"],
        "precision": found["pr"]["p"][::-1],
        "recall": found["pr"]["r"][::-1],
        "e_curve": found["em"]["curve"][::-1],
        "adaptive_e": found["em"]["adp"],
    }


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_agree(dtype):
    p, g = CASES[2][1], CASES[2][2]
    levels = np.round(p * 255).astype(np.uint8)
    a, b = saliency_scores(levels, g), saliency_scores(p.astype(dtype), g)
    for key in ("mae", "s_measure", "adaptive_f", "adaptive_e", "f_curve", "e_curve"):
        close(getattr(a, key), getattr(b, key), key)


def test_ground_truth_encodings_agree():
    p, g = CASES[0][1], CASES[0][2]
    expected = saliency_scores(p, g).s_measure
    for truth in (g.astype(np.uint8), g.astype(np.uint8) * 255, g.astype(float)):
        assert saliency_scores(p, truth).s_measure == expected
    assert mae(g, g) == 0  # a boolean map


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


def test_stretched_levels_and_floats_agree():
    p, g = (np.clip(CASES[0][1], 0.1, 0.8) * 255).astype(np.uint8), CASES[0][2]
    for kind in (np.float32, np.float64):
        a = saliency_scores(p, g, stretch=True)
        b = saliency_scores((p / 255).astype(kind), g, stretch=True)
        for key in ("mae", "s_measure", "adaptive_f", "adaptive_e", "f_curve", "e_curve"):
            close(getattr(a, key), getattr(b, key), key)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_e_of_a_single_pixel(value):
    for truth in (False, True):
        p, g = np.full((1, 1), value), np.full((1, 1), truth)
        scores = saliency_scores(p, g)
        assert set(scores.e_curve) <= {0.0, 1.0}
        for level in (0, 1, 102, 255):
            assert scores.e_curve[level] == loops.e_at(np.floor(p * 255), g, level)
        assert scores.adaptive_e == loops.e_at(p, g, min(1.0, 2 * value))
