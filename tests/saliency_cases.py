"""Maps and ground truths, and a published program, for several tests of measures."""

import warnings

import cv2
import numpy as np
import py_sod_metrics

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
