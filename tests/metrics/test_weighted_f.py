"""Weighted F against loops and published programs."""

import cv2
import numpy as np
import pytest
import reference_metrics as loops
from hypothesis import given, settings
from hypothesis import strategies as st
from saliency_cases import CASES, RNG, close, pysod

from vsodlib.metrics import e_measure, f_measure, mae, s_measure, saliency_scores, weighted_f


def assert_like_pysod(p, g, name=""):
    theirs = pysod(p, g)
    ours = saliency_scores(p, g)
    for key, value in theirs.items():
        if key == "weighted_f":
            close(weighted_f(p, g), value, f"{name} {key}")
        elif np.isnan(value).any():  # pysodmetrics divides by zero where a quadrant is empty
            assert key == "s_measure"
            assert 0 <= ours.s_measure <= 1
        else:
            close(getattr(ours, key), value, f"{name} {key}")


@pytest.mark.parametrize(("name", "p", "g"), CASES, ids=[c[0] for c in CASES])
def test_pysodmetrics(name, p, g):
    assert_like_pysod(p, g, name)


@pytest.mark.parametrize("kind", ["random", "binary", "coarse", "float32"])
def test_pysodmetrics_on_random_sizes(kind):
    rng = np.random.default_rng(1)
    for _ in range(40):
        H, W = rng.integers(2, 40, 2)
        p = rng.random((H, W))
        if kind == "binary":
            p = (p > 0.5).astype(float)
        elif kind == "coarse":
            p = np.round(p * 4) / 4
        elif kind == "float32":
            p = p.astype(np.float32)
        assert_like_pysod(p, rng.random((H, W)) > rng.random(), f"{kind} {H}x{W}")


def test_pysodmetrics_on_real_maps(davis_root):
    truths = sorted((davis_root / "DAVIS/Annotations/480p").glob("*/00012.png"))[::9]
    assert truths
    for path in truths:
        g = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) > 128
        image = cv2.imread(str(path).replace("Annotations", "JPEGImages")[:-3] + "jpg", 0)
        blurred = cv2.GaussianBlur(g.astype(np.float32) * 230, (0, 0), 9) + 0.1 * image
        p = np.clip(blurred, 0, 255).astype(np.uint8)
        theirs, ours = pysod(p / 255, g), saliency_scores(p, g)
        for key in theirs.keys() - {"weighted_f"}:
            close(getattr(ours, key), theirs[key], f"{path.parent.name} {key}")
        close(weighted_f(p, g), theirs["weighted_f"], path.parent.name)


def test_hand_worked_4x4():
    g = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
    p = np.zeros((4, 4), np.uint8)
    p[1, 1:3] = 255  # two hits
    p[0, 0] = 255  # one false alarm
    p[2, 1] = 51  # a weak hit, 0.2
    scores = saliency_scores(p, g)
    assert scores.mae == pytest.approx((1 + 0.8 + 1) / 16)
    assert scores.precision[255] == pytest.approx(2 / 3)
    assert scores.recall[255] == pytest.approx(2 / 4)
    assert scores.f_curve[255] == pytest.approx(1.3 * (2 / 3) * 0.5 / (0.3 * 2 / 3 + 0.5))
    assert scores.precision[51] == pytest.approx(3 / 4)
    assert scores.recall[51] == pytest.approx(3 / 4)
    assert scores.f_curve[52] == scores.f_curve[255]
    assert scores.f_curve[51] == pytest.approx(0.75)
    assert scores.max_f == pytest.approx(0.75)
    assert scores.recall[0] == 1
    assert scores.precision[0] == pytest.approx(4 / 16)
    # 2 mean(p) = 2 * 3.2 / 16 = 0.4: the weak hit does not pass.
    assert scores.adaptive_f == pytest.approx(scores.f_curve[255])
    # Perfect map: 16 pixels of 1 over 15.
    assert e_measure(g, g).max_e == pytest.approx(16 / 15)
    assert s_measure(g, g) == pytest.approx(1)
    assert weighted_f(g, g) == pytest.approx(1)


def test_empty_and_full_ground_truth():
    p = np.full((4, 5), 0.25)
    empty, full = np.zeros((4, 5), bool), np.ones((4, 5), bool)
    assert s_measure(p, empty) == pytest.approx(0.75)
    assert s_measure(p, full) == pytest.approx(0.25)
    assert f_measure(p, empty).max_f == 0
    assert weighted_f(p, empty) == 0
    assert e_measure(p, empty).e_curve[255] == pytest.approx(20 / 19)
    assert e_measure(p, full).e_curve[255] == 0


def test_nothing_is_rescaled_unless_asked():
    g = CASES[0][2]
    p = g * 0.5
    assert mae(p, g) == pytest.approx(0.5 * g.mean())
    assert mae(p, g, stretch=True) == 0
    assert weighted_f(p, g) < 0.9
    assert weighted_f(p, g, stretch=True) == pytest.approx(1)
    constant = np.full(g.shape, 0.5)
    assert mae(constant, g, stretch=True) == mae(constant, g)


def test_weighted_f_loops():
    g = np.zeros((14, 17), bool)
    g[4:9, 6:13] = True  # every background pixel has one nearest object pixel
    p = np.clip(cv2.GaussianBlur(g.astype(float), (0, 0), 1.5) + RNG.random(g.shape) * 0.3, 0, 1)
    close(weighted_f(p, g), loops.weighted_f(p, g), "inside")
    g[:] = False
    g[:4, :5] = True  # at the border of the image, where the Gaussian meets zeros
    close(weighted_f(p, g), loops.weighted_f(p, g), "corner")
    close(weighted_f(p, g, beta_squared=0.3), loops.weighted_f(p, g, 0.3), "beta")


@st.composite
def map_and_truth(draw):
    H, W = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    p = rng.random((H, W))
    if draw(st.booleans()):
        p = np.round(p * 3) / 3
    return p, rng.random((H, W)) < draw(st.floats(0, 1))


@settings(max_examples=60, deadline=None)
@given(map_and_truth())
def test_properties(pair):
    p, g = pair
    scores = saliency_scores(p, g)
    for key in ("mae", "s_measure", "adaptive_f", "precision", "recall", "f_curve"):
        value = np.asarray(getattr(scores, key))
        assert np.isfinite(value).all()
        assert (value >= 0).all()
        assert (value <= 1 + 1e-9).all()
    assert (np.diff(scores.recall) <= 1e-12).all()  # a higher level never finds more
    assert 0 <= weighted_f(p, g) <= 1 + 1e-9
    flipped = saliency_scores(p[:, ::-1], g[:, ::-1])
    for key in ("mae", "adaptive_f", "f_curve", "e_curve"):  # S splits by pixels, so not S
        close(getattr(flipped, key), getattr(scores, key), key)
    assert mae(1 - p, ~g) == pytest.approx(scores.mae)
    # ~p against ~g: hits and correct rejections swap, and E counts both alike.
    binary = p > 0.5
    close(e_measure(~binary, ~g).e_curve[255], e_measure(binary, g).e_curve[255], "complement")


def test_weighted_f_far_from_the_object():
    """Alarms nearer and farther than the distance at which their weight is taken as 2."""
    g = np.zeros((12, 420), np.uint8)
    g[5:8, 3:6] = 1
    p = np.maximum(np.random.default_rng(4).random(g.shape), g)  # nothing is missed
    columns = np.maximum(np.arange(420) - 5, 0), np.maximum(3 - np.arange(420), 0)
    rows = np.maximum(np.arange(12) - 7, 0), np.maximum(5 - np.arange(12), 0)
    distance = np.hypot((rows[0] + rows[1])[:, None], columns[0] + columns[1])
    false = (p * (2 - 0.5 ** (distance / 5)))[g == 0].sum()
    assert weighted_f(p, g) == pytest.approx(18 / (18 + false), rel=1e-8)  # 2P / (1 + P)
    close(weighted_f(p, g), pysod(p, g > 0)["weighted_f"], "far")
