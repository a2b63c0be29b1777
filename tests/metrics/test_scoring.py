"""Protocols, streams and folders: what is scored, how it is averaged, what is refused."""

import json
import os
import signal
import subprocess
import sys
import tracemalloc

import cv2
import numpy as np
import pytest
from scored_streams import by_hand, frame, stream

from vsodlib.metrics import (
    region_similarity,
    score_frames,
)
from vsodlib.metrics.protocol import DEFAULT

H, W = 36, 48


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


@pytest.mark.parametrize("measure", ["J", "F", "T"])
def test_maps_are_checked_before_they_become_masks(measure):
    for wrong in (frame(0)[0].astype(float), frame(0)[0] / np.nan, frame(0)[0].astype(np.uint16)):
        with pytest.raises(ValueError, match=r"a/0: A .*saliency map must"):
            score_frames([("a", "0", wrong, frame(0)[1])], "frames", [measure])


def test_maps_of_torch_are_scored_as_those_of_numpy():
    torch = pytest.importorskip("torch")
    frames = [("a", str(k), *frame(k)) for k in range(20)]
    tensors = [(*names, torch.from_numpy(p), torch.from_numpy(g)) for *names, p, g in frames]
    assert score_frames(tensors, measures="all", workers=2) == score_frames(frames, measures="all")


@pytest.mark.parametrize(("bright", "told"), [((0, 1), True), ((0, 255), False), ((0, 0), False)])
def test_masks_given_as_the_darkest_of_maps_are_noticed(capsys, bright, told):
    maps = [np.where(frame(0)[1], level, 0).astype(np.uint8) for level in bright]
    score_frames([("a", str(k), p, frame(0)[1]) for k, p in enumerate(maps)], "frames")
    assert ("masks of 0 and 1 are to be bool" in capsys.readouterr().err) is told


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


PROCESSES = """
import os, signal, sys, time
from vsodlib.metrics.scoring import in_order

assert "torch" not in sys.modules
def work(k, fate):
    if fate == "wrong":
        raise ValueError(f"wrong {k}")
    if fate == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fate == "slow":
        print(os.getpid(), flush=True)
        time.sleep(60)
    return k, os.getpid()

tasks = [(k, sys.argv[1] if k == 5 else "well") for k in range(20)]
try:
    numbers, processes = zip(*in_order(work, tasks, 2))
except (ValueError, OSError) as error:
    print(error)
else:
    print(numbers == tuple(range(20)) and os.getpid() not in processes)
"""
"""A program without torch, whose threads would forbid processes."""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads score")
@pytest.mark.parametrize(
    ("fate", "said"),
    [("well", "True"), ("wrong", "wrong 5"), ("killed", "was killed, perhaps for want of memory")],
)
def test_processes_score_what_is_on_disk(fate, said):
    command = [sys.executable, "-c", PROCESSES, fate]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert said in run.stdout
    assert not run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads score")
def test_processes_end_with_the_first_even_if_it_is_killed():
    command = [sys.executable, "-c", PROCESSES, "slow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert int(first.stdout.readline()) != first.pid
        first.kill()
        first.communicate(timeout=30)  # its output is open as long as a worker lives


STOPPED = r"""
import os, signal, sys, time
from dataclasses import dataclass
import numpy as np
from vsodlib.metrics.scoring import score_stream

@dataclass
class Slow:
    name: str
    video: str = "a"
    prediction: str = "there"
    def load(self, protocol):
        os.write(1, f"{self.name} {os.getpid()}\n".encode())  # whole, whoever writes beside it
        time.sleep(0.2)
        return np.eye(9, dtype=np.uint8) * 255, np.eye(9, dtype=bool), ()

signal.signal(signal.SIGINT, signal.default_int_handler)  # shells' background jobs ignore it
if sys.argv[1] == "early":
    late = lambda: time.sleep(0.1) or os.killpg(0, signal.SIGINT)
    os.register_at_fork(after_in_parent=late, after_in_child=lambda: time.sleep(0.3))
try:
    score_stream([Slow(str(k)) for k in range(64)], "frames", workers=99, progress=False)
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads score")
@pytest.mark.parametrize("when", ["early", "late"])
def test_ctrl_c_ends_after_the_frame_under_way_of_no_more_processes_than_are_of_use(when):
    command, pipe = [sys.executable, "-c", STOPPED, when], subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as first:
        line = first.stdout.readline()
        if when == "late":
            os.killpg(first.pid, signal.SIGINT)
        rest, complaints = first.communicate(timeout=30)
    *scored, end = [line, *rest.splitlines()]
    workers = {line.split()[1] for line in scored}
    assert end.strip() == "stopped"
    assert not complaints
    assert len(workers) <= min(4, os.cpu_count())
    assert len(scored) <= 3 * len(workers)
