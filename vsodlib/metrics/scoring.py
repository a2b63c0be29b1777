"""Score a stream of frames under a protocol: per frame, per sequence, over the data set."""

from __future__ import annotations

import math
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any
from typing import Protocol as Interface

import cv2
import numpy as np
from tqdm.auto import tqdm

from vsodlib.metrics.averaging import CURVES, SCALARS, FrameScores, SequenceScores, summarise
from vsodlib.metrics.consistency import temporal_consistency
from vsodlib.metrics.contours import outline
from vsodlib.metrics.instability import T_SCALE, contour_instability
from vsodlib.metrics.protocol import Protocol
from vsodlib.metrics.saliency import saliency_scores
from vsodlib.metrics.segmentation import contour_accuracy, region_similarity
from vsodlib.metrics.weighted_f import weighted_f

CHUNK = 16
"""Consecutive frames that one task of several processes scores."""


class Frame(Interface):
    """One frame to score; `load` may read files and runs in the process that scores."""

    video: str
    name: str

    def load(self, protocol: Protocol) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """The map (H, W), the ground truth (H, W) and a note for every conversion made."""


@dataclass(frozen=True)
class ArrayFrame:
    """A frame held in memory."""

    video: str
    name: str
    prediction: np.ndarray
    ground_truth: np.ndarray

    def load(self, protocol: Protocol) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """The arrays themselves."""
        return self.prediction, self.ground_truth, ()


def score_frames(
    frames: Iterable[tuple[str, str, np.ndarray, np.ndarray]],
    protocol: str | Protocol = "davis2016",
    workers: int = 1,
    progress: bool = True,
) -> dict[str, Any]:
    """Score maps in memory, frame by frame, without keeping them.

    Args:
        frames: (video, frame name, map, ground truth); the map (H, W) uint8 or float in [0, 1], the
            ground truth binary; the frames of a video one after the other, in temporal order. A
            few are held back, so a buffer must not be filled anew.
        protocol: a preset's name or a `Protocol`.
        workers: processes that score; 1 scores in this one.
        progress: show a progress bar where there is a terminal.

    Returns:
        A JSON-ready dictionary: `protocol`, `mae`, `max_f`, `mean_f`, `adaptive_f`, `s_measure`,
        `e_measure` (mean over levels), `max_e`, `adaptive_e`, `weighted_f`, `J` and `F` (`mean`,
        `recall`, `decay`), `T`, `consistency`, `frames`, `conversions`, `curves` (256 levels,
        ascending), and `per_sequence` with the same of every sequence and its `per_frame` lists.
        All are fractions of 1; null where nothing could be measured. Decay is always a mean over
        sequences.

    Raises:
        ValueError: no frames, frames of a video that do not follow each other, a sequence with no
            frame left to score, or a map or ground truth that `saliency_scores` refuses.
    """
    stream = (ArrayFrame(*frame) for frame in frames)
    return score_stream(stream, protocol, workers, progress)


def score_stream(
    frames: Iterable[Frame],
    protocol: str | Protocol = "davis2016",
    workers: int = 1,
    progress: bool = True,
    total: int | None = None,
) -> dict[str, Any]:
    """`score_frames` for frames that know how to load themselves."""
    protocol = Protocol.preset(protocol) if isinstance(protocol, str) else protocol
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}.")
    chunks = _chunks(_scored(frames, protocol), CHUNK if workers > 1 else 1)
    bar = tqdm(total=total, desc="score", unit="frame", disable=None if progress else True)
    sequences: dict[str, SequenceScores] = {}
    with bar:
        for scores in _run(chunks, protocol, workers):
            for frame in scores:
                sequences.setdefault(frame.video, SequenceScores()).add(frame)
                bar.update()
    if not sequences:
        raise ValueError("There are no frames to score.")
    return summarise(sequences, protocol)


def score_frame(
    frame: Frame, previous: tuple[np.ndarray, np.ndarray | None] | None, protocol: Protocol
) -> tuple[FrameScores, tuple[np.ndarray, np.ndarray | None]]:
    """Score one frame, given map and contour of the one before; returns its own for the next."""
    try:
        prediction, truth, notes = frame.load(protocol)
        saliency = saliency_scores(
            prediction,
            truth,
            protocol.beta_squared,
            stretch=protocol.stretch,
            ties=protocol.centroid_ties,
        )
        mask = binarise(prediction, protocol.mask_threshold)
        contour = outline(mask)
        scalars = {
            "J": region_similarity(mask, truth),
            "F": contour_accuracy(mask, truth),
            "T": math.nan,
            "consistency": math.nan,
            "weighted_f": weighted_f(prediction, truth, stretch=protocol.stretch),
        }
        # Images of several sizes, as in an image data set, are no video.
        if previous is not None and previous[0].shape == prediction.shape:
            scalars["T"] = T_SCALE * contour_instability(previous[1], contour)
            scalars["consistency"] = temporal_consistency(previous[0], prediction)
    except ValueError as error:
        raise ValueError(f"{frame.video}/{frame.name}: {error}") from error
    scalars |= {k: float(getattr(saliency, k)) for k in SCALARS if k not in scalars}
    curves = {k: getattr(saliency, k) for k in CURVES}
    return FrameScores(frame.video, frame.name, scalars, curves, notes), (prediction, contour)


def binarise(prediction: np.ndarray, threshold: float) -> np.ndarray:
    """The mask of a map, uint8 of 0 and 1: where it is at least `threshold`."""
    scale = 255 if prediction.dtype == np.uint8 else 1
    return (prediction >= threshold * scale).astype(np.uint8)


def _scored(frames: Iterable[Frame], protocol: Protocol) -> Iterator[Frame]:
    """The frames that count, checking that videos come one after the other."""
    finished: set[str] = set()
    video, seen, held, kept = None, 0, None, 0

    def close() -> None:
        if video is not None:
            finished.add(video)
            if kept == 0:
                raise ValueError(
                    f"Sequence {video!r} has {seen} frames, and the protocol {protocol.name!r} "
                    "leaves out the first and the last; score it with the protocol 'frames'."
                )

    for frame in frames:
        if frame.video != video:
            close()
            if frame.video in finished:
                raise ValueError(f"Frames of {frame.video!r} do not follow each other; sort them.")
            video, seen, held, kept = frame.video, 0, None, 0
        seen += 1
        if not protocol.skip_ends:
            kept += 1
            yield frame
        elif seen > 1:
            if held is not None:
                kept += 1
                yield held
            held = frame
    close()


def _chunks(frames: Iterable[Frame], size: int) -> Iterator[tuple[Frame | None, list[Frame]]]:
    """Runs of at most `size` frames of one video, each with the frame before it."""
    before: Frame | None = None
    run: list[Frame] = []
    for frame in frames:
        if run and (frame.video != run[0].video or len(run) == size):
            yield before, run
            before = run[-1] if frame.video == run[0].video else None
            run = []
        run.append(frame)
    if run:
        yield before, run


def score_chunk(
    before: Frame | None, run: list[Frame], protocol: Protocol, previous: Any = None
) -> tuple[list[FrameScores], Any]:
    """Score consecutive frames; what `previous` does not hold of the frame `before` is loaded."""
    if before is not None and previous is None:
        prediction = before.load(protocol)[0]
        previous = prediction, outline(binarise(prediction, protocol.mask_threshold))
    scores = []
    for frame in run:
        found, previous = score_frame(frame, previous, protocol)
        scores.append(found)
    return scores, previous


def _score_remotely(before: Frame | None, run: list[Frame], protocol: Protocol):
    return score_chunk(before, run, protocol)[0]


def _run(chunks, protocol: Protocol, workers: int) -> Iterator[list[FrameScores]]:
    """Score chunks in order; with several workers a few are under way at any time."""
    if workers == 1:
        previous = None
        for before, run in chunks:
            scores, previous = score_chunk(
                before, run, protocol, previous if before is not None else None
            )
            yield scores
        return
    pending: deque[Future] = deque()
    # Forking a process that holds torch's threads can hang, so workers start afresh.
    with ProcessPoolExecutor(workers, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        try:
            for before, run in chunks:
                with _ctrl_c_held_back():
                    pending.append(pool.submit(_score_remotely, before, run, protocol))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Workers that start here never see Ctrl-C, which this process then meets when they are up."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
