"""Score a stream of frames under a protocol: per frame, per sequence, over the data set."""

import math
import mmap
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice, starmap
from typing import Any
from typing import Protocol as Interface

import cv2
import numpy as np
from tqdm import TMonitor
from tqdm.auto import tqdm

from vsodlib.config import check_counts
from vsodlib.metrics.averaging import CURVES, FrameScores, SequenceScores, per_frame_key, summarise
from vsodlib.metrics.consistency import temporal_consistency
from vsodlib.metrics.contours import outline
from vsodlib.metrics.inputs import check_map
from vsodlib.metrics.instability import T_SCALE, context_instability, shape_contexts
from vsodlib.metrics.protocol import SALIENCY, TEMPORAL, Names, Protocol, choose
from vsodlib.metrics.saliency import saliency_scores
from vsodlib.metrics.segmentation import contour_accuracy, region_similarity
from vsodlib.metrics.weighted_f import weighted_f
from vsodlib.notes import note

CHUNK = 16
"""Consecutive frames that one task of several workers scores."""
Measures = str | Sequence[str]
_unwanted: Sequence[int] | mmap.mmap = (0,)
"""In a worker process a byte that is not 0 as soon as the first process wants no more scores."""


class Frame(Interface):
    """One frame to score; `load` may read files and runs in the worker that scores it."""

    @property
    def video(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def prediction(self) -> Any:
        """What `load` reads; None where there is none, at an end of a sequence not scored."""

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
        return check_map(self.prediction), self.ground_truth, ()


@dataclass(frozen=True)
class Remembered:
    """What the measures of two frames need of the first."""

    prediction: np.ndarray
    contexts: np.ndarray | None
    """The shape contexts of its contour, where T is measured and there is one."""


def score_frames(
    frames: Iterable[tuple[str, str, np.ndarray, np.ndarray]],
    protocol: str | Protocol = "davis2016",
    measures: Measures = "default",
    workers: int = 1,
    progress: bool = True,
    total: int | None = None,
) -> dict[str, Any]:
    """Score maps in memory, frame by frame, without keeping them.

    Args:
        frames: (video, frame name, map, ground truth); the map (H, W) uint8 or float in [0, 1], the
            ground truth binary; the frames of a video one after the other, in temporal order. A
            few are held back, so a buffer must not be filled anew.
        protocol: a preset's name or a `Protocol`.
        measures: `"default"` (J, F and the saliency measures), `"all"` (weighted F, T and
            consistency too, some three times as slow), or names.
        workers: threads or processes that score; 1 scores in this one.
        progress, total: show a progress bar where there is a terminal, for so many frames.

    Returns:
        A JSON-ready dictionary: `protocol`, `measures`, and those asked for of `mae`, `max_f`,
        `mean_f`, `adaptive_f`, `s_measure`, `e_measure` (mean over levels), `max_e`, `adaptive_e`,
        `weighted_f`, `J` and `F` (`mean`, `recall`, `decay`), `T`, `consistency`; `sequences`,
        `frames`, `conversions`, `intervals` (95 %, over sequences, of every number), `curves` (256
        levels, ascending), and `per_sequence` with the same of every sequence and its `per_frame`
        lists. All are fractions of 1; null where nothing could be measured. Decay is always a mean
        over sequences.

    Raises:
        ValueError: no frames, frames of a video that do not follow each other, a sequence with no
            frame left to score, an unknown measure, or a map or ground truth that
            `saliency_scores` refuses.
    """
    brightest = 0

    def stream() -> Iterator[ArrayFrame]:
        nonlocal brightest
        for frame in starmap(ArrayFrame, frames):
            grey = getattr(frame.prediction, "dtype", None) == np.uint8
            brightest = max(brightest, int(frame.prediction.max(initial=0)) if grey else 255)
            yield frame

    scores = score_stream(stream(), protocol, measures, workers, progress, total, in_memory=True)
    if brightest == 1:
        note("No map is brighter than level 1 of 255; masks of 0 and 1 are to be bool.")
    return scores


def score_stream(
    frames: Iterable[Frame],
    protocol: str | Protocol = "davis2016",
    measures: Measures = "default",
    workers: int = 1,
    progress: bool = True,
    total: int | None = None,
    stills: bool = False,
    in_memory: bool = False,
) -> dict[str, Any]:
    """`score_frames` for frames that know how to load themselves.

    Args:
        stills: the frames are unrelated pictures, so that none is compared with the one before.
        in_memory: they hold their arrays, so that threads are the workers, which copy nothing.
    """
    protocol = Protocol.preset(protocol) if isinstance(protocol, str) else protocol
    chosen = choose(measures, stills)
    check_counts(workers=workers)
    bar = tqdm(total=total, desc="score", unit="frame", disable=None if progress else True)
    sequences: dict[str, SequenceScores] = {}
    with bar, one_opencv_thread():
        for frame in _scores(_scored(frames, protocol), protocol, chosen, workers, in_memory):
            if not sequences:
                import scipy.special  # noqa: F401  the intervals' 0.15 s, while others score
            sequences.setdefault(frame.video, SequenceScores(stills)).add(frame)
            bar.update()
    if not sequences:
        raise ValueError("There are no frames to score.")
    return summarise(sequences, protocol, chosen, stills)


def score_frame(
    frame: Frame, previous: Remembered | None, protocol: Protocol, measures: Names
) -> tuple[FrameScores, Remembered]:
    """Score one frame, given what is remembered of the one before; returns its own for the next."""
    if _unwanted[0]:
        raise InterruptedError("no more scores are wanted")
    scalars: dict[str, float] = {}
    curves: dict[str, np.ndarray] = {}
    try:
        prediction, truth, notes = frame.load(protocol)
        if any(name in SALIENCY for name in measures):
            beta, stretch, ties = protocol.beta_squared, protocol.stretch, protocol.centroid_ties
            found = vars(saliency_scores(prediction, truth, beta, stretch=stretch, ties=ties))
            keys = [per_frame_key(name) for name in measures if name in SALIENCY]
            scalars |= {key: float(found[key]) for key in keys}
            curves = {key: found[key] for key in CURVES}
        if "J" in measures or "F" in measures:
            mask = binarise(prediction, protocol.mask_threshold)
            both = {"J": region_similarity, "F": contour_accuracy}
            scalars |= {k: measure(mask, truth) for k, measure in both.items() if k in measures}
        if "weighted_f" in measures:
            scalars["weighted_f"] = weighted_f(prediction, truth, stretch=protocol.stretch)
        now = remember(prediction, protocol, measures)
        scalars |= {name: math.nan for name in TEMPORAL if name in measures}
        # Images of several sizes are no video.
        if previous and previous.prediction.shape == prediction.shape:
            if previous.contexts is not None and now.contexts is not None:
                scalars["T"] = T_SCALE * context_instability(previous.contexts, now.contexts)
            if "consistency" in measures:
                scalars["consistency"] = temporal_consistency(previous.prediction, prediction)
    except ValueError as error:
        raise ValueError(f"{frame.video}/{frame.name}: {error}") from error
    return FrameScores(frame.video, frame.name, scalars, curves, notes), now


def remember(prediction: np.ndarray, protocol: Protocol, measures: Names) -> Remembered:
    """What the next frame is compared with."""
    contexts = None
    if "T" in measures:
        contour = outline(binarise(prediction, protocol.mask_threshold))
        contexts = None if contour is None else shape_contexts(contour)
    return Remembered(prediction, contexts)


def binarise(prediction: np.ndarray, threshold: float) -> np.ndarray:
    """The mask of a map, uint8 of 0 and 1: where it is at least `threshold`."""
    if prediction.dtype == np.uint8:
        return (prediction >= np.uint8(math.ceil(threshold * 255))).view(np.uint8)
    return (prediction >= threshold).view(np.uint8)


def _scored(frames: Iterable[Frame], protocol: Protocol) -> Iterator[Frame]:
    """The frames that count, checking that videos come one after the other."""
    finished: set[str] = set()
    for video, run in groupby(frames, lambda frame: frame.video):
        if video in finished:
            raise ValueError(f"Frames of {video!r} do not follow each other; sort them.")
        finished.add(video)
        if not protocol.skip_ends:
            yield from run
            continue
        held, seen = next(run), 1
        for seen, frame in enumerate(run, 2):
            if seen > 2:
                yield held
            held = frame
        if seen < 3:
            raise ValueError(
                f"Sequence {video!r} has {seen} frames, and the protocol {protocol.name!r} "
                "leaves out the first and the last; score it with the protocol 'frames'."
            )


def chunks(frames: Iterable[Frame], size: int) -> Iterator[tuple[Frame | None, list[Frame]]]:
    """Runs of at most `size` frames of one video, each with the frame before it."""
    for _, video in groupby(frames, lambda frame: frame.video):
        before = None
        while run := list(islice(video, size)):
            yield before, run
            before = run[-1]


def score_chunk(
    before: Frame | None, run: Sequence[Frame], protocol: Protocol, measures: Names
) -> list[FrameScores]:
    """Score consecutive frames; the frame before them is loaded where a measure needs it."""
    previous = None
    if before is not None and any(name in TEMPORAL for name in measures):
        previous = remember(before.load(protocol)[0], protocol, measures)
    scores = []
    for frame in run:
        found, previous = score_frame(frame, previous, protocol, measures)
        scores.append(found)
    return scores


def _scores(
    frames: Iterable[Frame], protocol: Protocol, measures: Names, workers: int, in_memory: bool
) -> Iterator[FrameScores]:
    """The scores of every frame, in order."""
    if workers > 1:
        tasks = ((*chunk, protocol, measures) for chunk in chunks(frames, CHUNK))
        for scores in in_order(score_chunk, tasks, workers, in_memory):
            yield from scores
        return
    for _, run in groupby(frames, lambda frame: frame.video):
        previous = None
        for frame in run:
            scores, previous = score_frame(frame, previous, protocol, measures)
            yield scores


def in_order(
    function: Callable[..., Any], tasks: Iterable[tuple], workers: int, in_memory: bool = False
) -> Iterator[Any]:
    """`function(*task)` of every task, by several workers; a few are under way at any time.

    Where they can be split off at once, and the tasks are small, the workers are processes.

    Raises:
        OSError: a worker was killed.
    """
    pending: deque[Future] = deque()
    unwanted = mmap.mmap(-1, 1)  # which processes share that are split off
    if in_memory or not _may_fork():
        pool: Executor = ThreadPoolExecutor(workers)
    else:
        tasks = list(tasks)
        pool = _processes(max(1, min(workers, len(tasks), os.cpu_count() or 1)), unwanted)
    with pool:
        try:
            for task in tasks:
                pending.append(pool.submit(function, *task))
                if len(pending) > 4 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BrokenProcessPool as error:
            raise OSError(
                "A process that scores was killed, perhaps for want of memory; use fewer workers."
            ) from error
        finally:
            unwanted[0] = 1  # or whole chunks would be waited for
            pool.shutdown(cancel_futures=True)


def _may_fork() -> bool:
    """Whether no other thread might hold a lock just now, which a fork would never see opened.

    torch's threads might, so in notebooks threads score, who have Python's lock for a third of
    their time with the lighter measures; tqdm's does nothing that a worker needs.
    """
    threads = [t for t in threading.enumerate() if not isinstance(t, TMonitor)]
    alone = threads == [threading.main_thread()] and "torch" not in sys.modules
    return sys.platform == "linux" and alone


def _processes(workers: int, unwanted: mmap.mmap) -> Executor:
    """A pool whose processes are there; Ctrl-C meanwhile comes when they are."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, context, _begin, (unwanted,))
    time.sleep(0.01)  # threads that Python has joined still end, and may hold a lock of OpenCV's
    try:
        pool.submit(int)
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
    return pool


def _begin(unwanted: mmap.mmap) -> None:
    """Leave Ctrl-C to the first process, stop when it says so, and end when it has ended."""
    global _unwanted
    _unwanted = unwanted
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker was split off"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """OpenCV on one thread: on pictures of this size more of them cost more than they save."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
