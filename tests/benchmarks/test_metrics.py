"""The speed measurement measures the right things and says what it lacks."""

import json

import numpy as np
import py_sod_metrics
import pytest

from benchmarks import metrics as bench
from vsodlib.metrics import contour_accuracy, region_similarity


def test_bench_without_data(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "_processes", lambda *_: {"workers": 1})
    result = bench.bench_metrics(tmp_path, frames=1, repeats=1, progress=False)
    assert result["maps"] == "synthetic"
    assert result["size"] == [480, 854]
    for key in ("saliency", "weighted_f", "masks"):
        entry = result[key]
        assert entry["times_faster"] == pytest.approx(entry["theirs_ms"] / entry["ours_ms"])
    json.dumps(result, allow_nan=False)


def test_bench_without_pysodmetrics(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "find_spec", lambda _: None)
    monkeypatch.setattr(bench, "_processes", lambda *_: {})
    result = bench.bench_metrics(tmp_path, frames=1, repeats=1, progress=False)
    assert "not installed" in result["saliency"]["note"]
    assert "times_faster" in result["masks"]


@pytest.mark.slow
def test_bench_on_davis_with_processes(davis_root):
    result = bench.bench_metrics(davis_root, frames=2, repeats=1, workers=2, progress=False)
    assert result["maps"].startswith("DAVIS")
    assert result["frames"] == 2
    assert result["processes"]["workers"] == 2
    assert result["processes"]["frames_per_second"] > 0


def test_bench_refuses():
    with pytest.raises(ValueError, match="at least 1"):
        bench.bench_metrics(frames=0)


def test_rivals_measure_the_same(monkeypatch):
    """What is timed against us computes our numbers."""
    (p, g), *_ = bench._synthetic_pairs(1)
    contours = bench._plain_contour(p >= 128), bench._plain_contour(g)
    from vsodlib.metrics.segmentation import contour

    for ours, theirs in zip(((p >= 128), g), contours, strict=True):
        np.testing.assert_array_equal(contour(ours.view(np.uint8)), theirs)
    j, f = region_similarity(p >= 128, g), contour_accuracy(p >= 128, g)
    assert 0 < j < 1 and 0 < f <= 1
    assert bench._plain_masks(p, g) == pytest.approx((j, f))
    seen = []
    monkeypatch.setattr(py_sod_metrics.MAE, "step", lambda self, p, g: seen.append((p, g)))
    bench._pysodmetrics("MAE")(p, g)
    np.testing.assert_array_equal(seen[0][0], p)
    np.testing.assert_array_equal(seen[0][1] > 0, g)
