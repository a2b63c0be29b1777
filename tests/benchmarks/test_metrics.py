"""The speed measurement measures the right things and says what it lacks."""

import json
from subprocess import CalledProcessError

import numpy as np
import py_sod_metrics
import pytest

from benchmarks import metrics as bench
from vsodlib import open_dataset
from vsodlib.metrics import contour_accuracy, region_similarity


def test_bench_without_data(tmp_path):
    result = bench.bench_metrics(tmp_path, frames=1, repeats=1)
    assert result["maps"] == "synthetic"
    assert result["size"] == [480, 854]
    for key in ("saliency", "weighted_f", "masks"):
        entry = result[key]
        assert entry["times_faster"] == pytest.approx(entry["theirs_ms"] / entry["ours_ms"])
    # The command really ran on the one map: every way of it takes its time.
    command = result["command"]
    assert (command["files"], command["maps"]) == (1, "the frames above")
    for way in ("default", "default_one_worker", "all", "all_one_worker"):
        assert command[way]["seconds"] > 0.1
        assert command[way]["cpu_seconds"] > 0.1
    json.dumps(result, allow_nan=False)


def test_bench_without_pysodmetrics(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "find_spec", lambda _: None)
    monkeypatch.setattr(bench, "time_commands", lambda *_: {})
    result = bench.bench_metrics(tmp_path, frames=1, repeats=1)
    assert "not installed" in result["saliency"]["note"]
    assert "times_faster" in result["masks"]


def test_bench_on_davis(davis_root, monkeypatch):
    ran = []
    monkeypatch.setattr(bench, "time_command", lambda words: ran.append(words) or {"seconds": 2.0})
    result = bench.bench_metrics(davis_root, frames=2, repeats=1, workers=2)
    assert result["maps"].startswith("DAVIS")
    assert result["frames"] == 2
    assert result["command"]["all"]["times_faster_than_one_worker"] == 1
    warm_up, *timed = ran
    assert "--all" in warm_up
    assert [words[words.index("--workers") + 1] for words in timed] == ["2", "1", "2", "1"]
    assert ["--all" in words for words in timed] == [False, False, True, True]


def test_validation_frames_are_of_validation(davis_root, monkeypatch):
    monkeypatch.setattr(bench, "time_commands", lambda root, pairs, *_: pairs)
    ((_, truth),) = bench.bench_metrics(davis_root, frames=1, repeats=1)["command"]
    val = open_dataset("davis2016", "val", davis_root)
    frames = [i for i, record in enumerate(val.records) if record.frame == "00020"]
    assert any(np.array_equal(truth, val.mask(index)) for index in frames)


def test_a_command_that_fails_is_no_measurement(tmp_path):
    with pytest.raises(CalledProcessError):
        bench.time_command([str(tmp_path / "nowhere"), "--gt", str(tmp_path)])


def test_bench_refuses():
    with pytest.raises(ValueError, match="at least 1"):
        bench.bench_metrics(frames=0)


def test_rivals_measure_the_same(monkeypatch):
    """What is timed against us computes our numbers."""
    (p, g), *_ = bench.synthetic_pairs(1)
    contours = bench.plain_contour(p >= 128), bench.plain_contour(g)
    from vsodlib.metrics.segmentation import contour

    for ours, theirs in zip(((p >= 128), g), contours, strict=True):
        np.testing.assert_array_equal(contour(ours.view(np.uint8)), theirs)
    j, f = region_similarity(p >= 128, g), contour_accuracy(p >= 128, g)
    assert 0 < j < 1 and 0 < f <= 1
    assert bench.plain_masks(p, g) == pytest.approx((j, f))
    seen = []
    monkeypatch.setattr(py_sod_metrics.MAE, "step", lambda self, p, g: seen.append((p, g)))
    bench.pysodmetrics("MAE")(p, g)
    np.testing.assert_array_equal(seen[0][0], p)
    np.testing.assert_array_equal(seen[0][1] > 0, g)
