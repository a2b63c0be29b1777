"""Protocols, streams and folders: what is scored, how it is averaged, what is refused."""

import json
import signal
import subprocess
import sys
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from vsodlib.metrics import (
    Protocol,
    contour_accuracy,
    region_similarity,
    saliency_scores,
    score_frames,
    statistics,
    temporal_consistency,
    temporal_instability,
    weighted_f,
)
from vsodlib.metrics.bootstrap import interval, resamples
from vsodlib.metrics.protocol import DEFAULT

H, W = 36, 48


def frame(k, video="a"):
    """A soft map and its ground truth: a disc that walks, with noise that depends on the frame."""
    rng = np.random.default_rng([k, ord(video[0])])
    rows, columns = np.mgrid[:H, :W]
    g = (rows - 18) ** 2 + (columns - 15 - k) ** 2 < (90 if video == "a" else 40)
    p = cv2.GaussianBlur(g.astype(np.float32), (0, 0), 2) * 0.8 + 0.1 * rng.random((H, W))
    return np.round(p * 255).astype(np.uint8), g


def stream(lengths=(("a", 7), ("b", 4))):
    for video, n in lengths:
        for k in range(n):
            yield (video, f"{k:05d}", *frame(k, video))


def by_hand(video, indices, stretch=False):
    """The measures of some frames of a video, with the public functions."""
    maps, truths = zip(*(frame(k, video) for k in indices), strict=True)
    masks = [m >= 127.5 for m in maps]
    scores = [saliency_scores(p, g, stretch=stretch) for p, g in zip(maps, truths, strict=True)]
    pairs = list(zip(range(len(maps) - 1), range(1, len(maps)), strict=True))
    return {
        "scores": scores,
        "J": [region_similarity(m, g) for m, g in zip(masks, truths, strict=True)],
        "F": [contour_accuracy(m, g) for m, g in zip(masks, truths, strict=True)],
        "T": [temporal_instability(masks[i], masks[j]) for i, j in pairs],
        "consistency": [temporal_consistency(maps[i], maps[j]) for i, j in pairs],
        "weighted_f": [
            weighted_f(p, g, stretch=stretch) for p, g in zip(maps, truths, strict=True)
        ],
    }


def test_davis2016_leaves_out_the_ends_and_averages_sequences():
    result = score_frames(stream(), measures="all")
    a, b = by_hand("a", range(1, 6)), by_hand("b", range(1, 3))
    assert result["frames"] == 7
    assert result["sequences"] == 2
    assert result["per_sequence"]["a"]["per_frame"]["name"] == [f"{k:05d}" for k in range(1, 6)]

    def twice(value):
        return np.mean([np.mean(value(a)), np.mean(value(b))])

    assert result["mae"] == pytest.approx(twice(lambda v: [s.mae for s in v["scores"]]))
    assert result["s_measure"] == pytest.approx(twice(lambda v: [s.s_measure for s in v["scores"]]))
    assert result["mean_f"] == pytest.approx(twice(lambda v: [s.mean_f for s in v["scores"]]))
    assert result["e_measure"] == pytest.approx(twice(lambda v: [s.mean_e for s in v["scores"]]))
    assert result["adaptive_f"] == pytest.approx(
        twice(lambda v: [s.adaptive_f for s in v["scores"]])
    )
    assert result["adaptive_e"] == pytest.approx(
        twice(lambda v: [s.adaptive_e for s in v["scores"]])
    )
    for key in ("weighted_f", "T", "consistency"):
        assert result[key] == pytest.approx(twice(lambda v, key=key: v[key])), key
    for key in ("J", "F"):
        parts = [statistics(v[key]) for v in (a, b)]
        for part in ("mean", "recall", "decay"):
            expected = np.mean([getattr(s, part) for s in parts])
            assert result[key][part] == pytest.approx(expected), (key, part)
    # The maximum is taken last, of the mean curve.
    curve = np.mean([np.mean([s.f_curve for s in v["scores"]], 0) for v in (a, b)], 0)
    assert result["max_f"] == pytest.approx(curve.max())
    np.testing.assert_allclose(result["curves"]["f_curve"], curve)
    assert result["per_sequence"]["b"]["per_frame"]["T"][0] is None
    assert result["per_sequence"]["b"]["per_frame"]["J"] == pytest.approx(b["J"])


def test_frames_pools_everything():
    result = score_frames(stream(), "frames", "all")
    a, b = by_hand("a", range(7)), by_hand("b", range(4))
    assert result["frames"] == 11
    assert result["mae"] == pytest.approx(np.mean([s.mae for s in a["scores"] + b["scores"]]))
    assert result["J"]["mean"] == pytest.approx(np.mean(a["J"] + b["J"]))
    assert result["T"] == pytest.approx(np.mean(a["T"] + b["T"]))
    assert result["consistency"] == pytest.approx(np.mean(a["consistency"] + b["consistency"]))
    decays = [statistics(v["F"]).decay for v in (a, b)]
    assert result["F"]["decay"] == pytest.approx(np.mean(decays))


def test_davsod_stretches():
    result = score_frames(stream(), "davsod", [*DEFAULT, "weighted_f"])
    a, b = by_hand("a", range(1, 6), True), by_hand("b", range(1, 3), True)
    expected = np.mean([np.mean([s.mae for s in v["scores"]]) for v in (a, b)])
    assert result["mae"] == pytest.approx(expected)
    assert result["mae"] != pytest.approx(score_frames(stream())["mae"], abs=1e-4)
    assert result["protocol"]["stretch"] is True
    assert result["weighted_f"] == pytest.approx(
        np.mean([np.mean(a["weighted_f"]), np.mean(b["weighted_f"])])
    )
    assert result["J"] == score_frames(stream())["J"]  # masks come from the map as it is


@pytest.mark.parametrize("maximum", ["data set", "sequence", "frame"])
def test_where_the_maximum_is_taken(maximum):
    protocol = replace(Protocol.preset("davis2016"), maximum=maximum)
    result = score_frames(stream(), protocol)
    curves = [
        np.array([s.f_curve for s in by_hand(v, range(1, n))["scores"]])
        for v, n in (("a", 6), ("b", 3))
    ]
    expected = {
        "data set": np.mean([c.mean(0) for c in curves], 0).max(),
        "sequence": np.mean([c.mean(0).max() for c in curves]),
        "frame": np.mean([c.max(1).mean() for c in curves]),
    }
    assert result["max_f"] == pytest.approx(expected[maximum])
    assert result["protocol"]["maximum"] == maximum


def test_mean_t_leaves_out_unstable_sequences():
    result = score_frames(
        (("goat" if v == "a" else v, n, p, g) for v, n, p, g in stream()), measures="T"
    )
    assert result["T"] == pytest.approx(result["per_sequence"]["b"]["T"])
    assert result["per_sequence"]["goat"]["T"] > 0
    only = score_frames((("goat", n, p, g) for v, n, p, g in stream() if v == "a"), measures="T")
    assert only["T"] is None


def test_result_is_json_and_names_the_protocol():
    result = score_frames(stream(), measures="all")
    text = json.dumps(result, allow_nan=False)
    assert json.loads(text)["protocol"] == json.loads(
        json.dumps(Protocol.preset("davis2016").to_dict())
    )
    needed = {"protocol", "mae", "max_f", "mean_f", "s_measure", "e_measure", "weighted_f"}
    assert needed | {"J", "F", "T", "per_sequence"} <= result.keys()


@pytest.mark.parametrize("workers", [1, 2])  # one frame at a time; in chunks
def test_long_sequences_are_scored_in_chunks_without_a_seam(workers):
    long = score_frames(stream((("a", 40),)), measures="all", workers=workers)
    t = by_hand("a", range(1, 39))["T"]
    assert long["per_sequence"]["a"]["per_frame"]["T"][1:] == pytest.approx(t)


def test_workers_give_the_same_numbers():
    for measures in ("default", ["weighted_f", "consistency"]):
        one = score_frames(stream((("a", 40), ("b", 5))), measures=measures)
        for workers in (2, 3):
            many = score_frames(stream((("a", 40), ("b", 5))), measures=measures, workers=workers)
            assert_same(one, many)


def test_scoring_leaves_opencv_its_threads():
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        score_frames(stream(), workers=2)
        with pytest.raises(ValueError, match="do not follow"):
            score_frames([*stream(), *stream()])
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_only_what_is_asked_is_measured(monkeypatch):
    """The others are not in the result, and nothing is computed for them."""

    def never(*_, **__):
        raise AssertionError("measured without being asked")

    full = score_frames(stream(), measures="all")
    slow = ("weighted_f", "outline", "shape_contexts", "temporal_consistency")
    for name in slow:
        monkeypatch.setattr(f"vsodlib.metrics.scoring.{name}", never)
    result = score_frames(stream())
    assert result["measures"] == list(DEFAULT)
    assert not {"weighted_f", "T", "consistency"} & result.keys()
    for one, whole in ((result, full), (result["per_sequence"]["b"], full["per_sequence"]["b"])):
        assert_same({k: one[k] for k in DEFAULT}, {k: whole[k] for k in DEFAULT})
    monkeypatch.setattr("vsodlib.metrics.scoring.contour_accuracy", never)
    monkeypatch.setattr("vsodlib.metrics.scoring.saliency_scores", never)
    only = score_frames(stream(), measures=["J"])
    assert only["J"] == full["J"]
    assert only["curves"] == {}
    assert not {"F", "mae", "max_f"} & (only.keys() | only["per_sequence"]["a"].keys())
    assert only["per_sequence"]["a"]["per_frame"].keys() == {"name", "J"}


def test_measures_that_do_not_exist():
    for measures in (["J", "maxF"], "maxF"):
        with pytest.raises(ValueError, match="No measure maxF; there are J, F, max_f"):
            score_frames(stream(), measures=measures)
    with pytest.raises(ValueError, match="No measure asked for"):
        score_frames(stream(), measures=[])


def test_intervals_over_sequences():
    """The bootstrap once more, one resample at a time, from the results of the sequences."""
    lengths = (("a", 7), ("b", 4), ("c", 5), ("d", 6))
    for protocol in ("davis2016", "frames"):
        result = score_frames(stream(lengths), protocol, "all")
        rows = list(result["per_sequence"].values())
        found = result["intervals"]
        assert (found["over"], found["units"], found["level"]) == ("sequences", 4, 0.95)
        counts = np.concatenate(list(resamples(4)))
        assert counts.shape == (found["resamples"], 4)
        assert (counts.sum(1) == 4).all()
        again = {"J": [], "mae": []}
        for drawn in counts:
            weights = drawn * [row["frames"] if protocol == "frames" else 1 for row in rows]
            again["J"].append(np.average([row["J"]["mean"] for row in rows], weights=weights))
            again["mae"].append(np.average([row["mae"] for row in rows], weights=weights))
        low, high = found["mae"]
        assert [low, high] == pytest.approx(interval(np.array(again["mae"]), 4))
        assert found["J"]["mean"] == pytest.approx(interval(np.array(again["J"]), 4))
        assert low < result["mae"] < high
        assert found["max_f"][0] <= result["max_f"] <= found["max_f"][1]
        assert len(found["T"]) == len(found["F"]["decay"]) == len(found["weighted_f"]) == 2
    assert score_frames(stream((("a", 7),)))["intervals"] is None


def test_interval_of_a_mean():
    """As wide as Student's t has it, where plain percentiles would be too narrow."""
    values = np.random.default_rng(5).normal(size=12)
    means = np.concatenate([counts @ values / 12 for counts in resamples(12)])
    low, high = interval(means, 12)
    half = 2.201 * values.std(ddof=1) / np.sqrt(12)  # t of 11 degrees of freedom, 97.5 %
    assert (high - low) / 2 == pytest.approx(half, rel=0.06)
    assert (high - low) > 1.1 * np.diff(np.quantile(means, [0.025, 0.975]))
    assert interval(np.full(9, np.nan), 9) is None
    assert resamples(5).__next__().sum() == resamples(5).__next__().sum()


def test_memory_does_not_grow_with_the_video():
    def peak(n):
        tracemalloc.start()
        score_frames(stream((("a", n),)), progress=False)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(4)
    # A hundred frames more are 700 kB of maps and ground truths; only their scores may stay.
    assert peak(140) - peak(40) < 150_000


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([], "no frames"),
        ([("a", "0", *frame(0)), ("a", "1", *frame(1))], "leaves out the first and the last"),
        (
            [(v, str(k), *frame(k)) for v, k in (("a", 0), ("a", 1), ("a", 2), ("b", 0))]
            + [("b", "1", *frame(1)), ("b", "2", *frame(2)), ("a", "3", *frame(3))],
            "do not follow",
        ),
        ([("a", str(k), frame(k)[0][:-1], frame(k)[1]) for k in range(3)], "a/1: The map is"),
        ([("a", str(k), frame(k)[0] / 200, frame(k)[1]) for k in range(3)], r"\[0, 1\]"),
        ([("a", str(k), frame(k)[0] / np.nan, frame(k)[1]) for k in range(3)], "NaN"),
        ([("a", str(k), frame(k)[0], frame(k)[0]) for k in range(3)], "binary"),
    ],
)
def test_refused_streams(frames, sentence):
    with pytest.raises(ValueError, match=sentence):
        score_frames(iter(frames))


def test_refused_options():
    with pytest.raises(ValueError, match="No protocol 'davis'"):
        score_frames(stream(), "davis")
    with pytest.raises(ValueError, match="workers"):
        score_frames(stream(), workers=0)
    for bad in (
        {"average": "video"},
        {"maximum": "last"},
        {"centroid_ties": "odd"},
        {"mask_threshold": 0.0},
        {"beta_squared": 0.0},
    ):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Protocol(**bad)


def assert_same(a, b, where=""):
    """Everything measured is equal to rounding, whatever way the maps took."""
    if isinstance(a, dict):
        described = {"protocol", "missing_ends", "conversions", "levels"}
        assert a.keys() - described == b.keys() - described, where
        for key in a.keys() - described:
            assert_same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list) and a and not isinstance(a[0], str):
        a, b = (np.array(values, float) for values in (a, b))  # None becomes nan
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12, err_msg=where)
    elif isinstance(a, float):
        assert a == pytest.approx(b, abs=1e-12), where
    else:
        assert a == b, where


def test_one_frame_and_empty_truth():
    p, g = frame(0)
    one = score_frames([("a", "0", p, g)], "frames", "all")
    assert (one["T"], one["consistency"]) == (None, None)
    assert one["J"] == {"mean": region_similarity(p > 127, g), "recall": 1.0, "decay": 0.0}
    empty = score_frames([("a", "0", p, np.zeros_like(g))], "frames", "all")
    assert empty["mae"] == pytest.approx(p.mean() / 255)
    assert empty["s_measure"] == pytest.approx(1 - p.mean() / 255)
    for key in ("max_f", "mean_f", "adaptive_f", "weighted_f"):
        assert empty[key] == 0
    assert empty["J"]["mean"] == empty["F"]["mean"] == 0
    nothing = score_frames([("a", "0", np.zeros_like(p), np.zeros_like(g))], "frames")
    assert nothing["J"]["mean"] == nothing["F"]["mean"] == nothing["s_measure"] == 1
    json.dumps([one, empty, nothing], allow_nan=False)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="POSIX")
def test_workers_never_see_ctrl_c(monkeypatch):
    """The terminal sends it to all; a worker that met it would print a traceback of its own."""
    held, children = [], []

    class Pool(ProcessPoolExecutor):
        def submit(self, *arguments):
            held.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
            if not children:  # one that starts where the workers do
                words = [sys.executable, "-c", "import time; time.sleep(0.5)"]
                children.append(subprocess.Popen(words))
                children[0].send_signal(signal.SIGINT)
            return super().submit(*arguments)

    monkeypatch.setattr("vsodlib.metrics.scoring.ProcessPoolExecutor", Pool)
    score_frames(stream((("a", 4),)), measures="T", workers=2)
    assert held and all(held)
    assert children[0].wait() == 0
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
