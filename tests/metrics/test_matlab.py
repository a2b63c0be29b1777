"""The saliency measures against the authors' MATLAB tools, whose habits are written out here.

Those of the DAVSOD and COD evaluation toolboxes (Fan et al.): indices from one, `round` away from
zero, `std` and SSIM over N - 1, `mapminmax` before everything, thresholds `1:-1/255:0`.
"""

import cv2
import numpy as np
import pytest

from vsodlib.metrics import Protocol, saliency_scores, score_frames

EPS = np.spacing(1.0)


def thresholds():
    """1:-1/255:0, which MATLAB computes from both ends towards the middle; ascending."""
    step = np.arange(128) * (1 / 255)
    return np.concatenate([step, (1 - step)[::-1]])


def mapminmax(p):
    low, high = p.min(), p.max()
    return (p - low) * (1 / (high - low)) if low < high else p


def f_measure(p, g, threshold):
    chosen = p >= min(threshold, 1)
    hits = np.count_nonzero(chosen & g)
    if hits == 0:
        return 0.0
    precision, recall = hits / np.count_nonzero(chosen), hits / np.count_nonzero(g)
    return 1.3 * precision * recall / (0.3 * precision + recall)


def s_measure(p, g):
    if not g.any() or g.all():
        return p.mean() if g.all() else 1 - p.mean()

    def of_object(values):
        return 2 * values.mean() / (values.mean() ** 2 + 1 + values.std(ddof=1) + EPS)

    share = g.mean()
    objects = share * of_object(p[g]) + (1 - share) * of_object(1 - p[~g])
    H, W = g.shape
    rows, columns = np.nonzero(g)
    Y, X = (int(np.floor(np.mean(index + 1) + 0.5)) for index in (rows, columns))
    parts = [np.s_[:Y, :X], np.s_[:Y, X:], np.s_[Y:, :X], np.s_[Y:, X:]]
    regions = sum(p[part].size / (H * W) * ssim(p[part], g[part]) for part in parts)
    return max(0, 0.5 * objects + 0.5 * regions)


def ssim(p, g):
    x, y, N = p.mean(), g.mean(), p.size
    variances = (((p - x) ** 2).sum() + ((g - y) ** 2).sum()) / (N - 1 + EPS)
    alpha = 4 * x * y * ((p - x) * (g - y)).sum() / (N - 1 + EPS)
    beta = (x**2 + y**2) * variances
    return alpha / (beta + EPS) if alpha != 0 else float(beta == 0)


def soft_map(seed, low=0, high=255):
    """An 8-bit map that covers exactly low to high, its ground truth, an even centroid included."""
    rng = np.random.default_rng(seed)
    H, W = rng.integers(40, 70, 2)
    rows, columns = np.mgrid[:H, :W]
    y, x = rng.uniform(12, 28, 2)
    g = ((rows - y) / 9) ** 2 + ((columns - x) / 7) ** 2 <= 1
    p = cv2.GaussianBlur(g.astype(np.float64), (0, 0), 3) + 0.2 * rng.random((H, W))
    p = (p - p.min()) / (p.max() - p.min())
    return np.round(low + (high - low) * p).astype(np.uint8), g


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("low", "high"), [(0, 255), (13, 212), (0, 97)])
def test_davsod_tool(seed, low, high):
    image, g = soft_map(seed, low, high)
    p = mapminmax(image / 255)
    ours = saliency_scores(image, g, stretch=True, ties="up")
    assert ours.mae == pytest.approx(np.abs(g - p).mean(), abs=1e-12)
    assert ours.s_measure == pytest.approx(s_measure(p, g), abs=1e-10)
    assert ours.adaptive_f == pytest.approx(f_measure(p, g, 2 * p.mean()), abs=1e-12)
    # Where a level of the map and a threshold are the same fraction, their rounding decides.
    levels = np.unique(image).astype(int) - low
    free = [k for k in range(256) if not np.any(levels * 255 == k * (high - low))]
    theirs = np.array([f_measure(p, g, t) for t in thresholds()])
    np.testing.assert_allclose(ours.f_curve[free], theirs[free], atol=1e-12, rtol=0)
    assert ours.max_f == pytest.approx(theirs.max(), abs=2e-3)
    assert len(free) > 150 or (low, high) == (0, 255)


def test_thresholds_that_matlab_rounds_up():
    """Of 8-bit levels, 14 fail their own threshold in MATLAB; we let k/255 pass level k."""
    image, g = soft_map(0)
    above = np.flatnonzero(thresholds() > np.arange(256) / 255)
    assert len(above) == 14
    ours = saliency_scores(image, g, stretch=True, ties="up").f_curve
    theirs = np.array([f_measure(image / 255, g, t) for t in thresholds()])
    same = np.setdiff1d(np.arange(256), above)
    np.testing.assert_allclose(ours[same], theirs[same], atol=1e-12, rtol=0)
    np.testing.assert_allclose(ours[above + 1], theirs[above], atol=1e-12, rtol=0)


def test_davsod_averages():
    """Frames 2 to n - 1; curves over frames, then sequences; the maximum of what is left."""
    lengths = (("a", 6), ("b", 4))
    frames = [(v, str(k), *soft_map(k, 10, 240 - k)) for v, n in lengths for k in range(n)]
    found = score_frames(frames, Protocol.preset("davsod"), progress=False)
    means = {"mae": [], "s": [], "curve": []}
    for video in ("a", "b"):
        kept = [(mapminmax(p / 255), g) for v, _, p, g in frames if v == video][1:-1]
        means["mae"].append(np.mean([np.abs(g - p).mean() for p, g in kept]))
        means["s"].append(np.mean([s_measure(p, g) for p, g in kept]))
        curves = [[f_measure(p, g, t) for t in thresholds()] for p, g in kept]
        means["curve"].append(np.mean(curves, 0))
    assert found["mae"] == pytest.approx(np.mean(means["mae"]), abs=1e-12)
    assert found["s_measure"] == pytest.approx(np.mean(means["s"]), abs=1e-10)
    assert found["max_f"] == pytest.approx(np.mean(means["curve"], 0).max(), abs=1e-3)
    assert found["mean_f"] == pytest.approx(np.mean(means["curve"]), abs=1e-3)
