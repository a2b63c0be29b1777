"""Speed, measured side by side in one run: the scorer against what people use today."""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from tqdm.auto import tqdm

from benchmarks.clocks import run_times
from vsodlib.config import check_counts
from vsodlib.data import data_root, open_dataset, synthetic_dataset
from vsodlib.metrics import contour_accuracy, region_similarity, saliency_scores, weighted_f

Pair = tuple[np.ndarray, np.ndarray]


def bench_metrics(
    root: str | os.PathLike[str] | None = None,
    frames: int = 20,
    repeats: int = 3,
    workers: int = 2,
) -> dict[str, Any]:
    """Milliseconds per frame of the scorer and of its alternatives, on the same 854x480 maps.

    `saliency`: MAE, the F and E curves and S together, against the four classes of pysodmetrics on
    the same uint8 images (a sentence says so where it is not installed); `weighted_f` likewise.
    `masks`: J and F against a plain loop with the official definition. One process against one
    process, OpenCV on one thread, rivals taking turns frame by frame; medians over frames and
    repeats. `command`: seconds of `vsod score` as people type it, from its start to its end and
    from PNG files to the table: the default measures and all, with `workers` and with one; on
    AnDiff's masks of the whole of DAVIS 2016 val where they are, else on files of the maps.

    Args:
        root: where DAVIS is; None: `VSOD_DATA`, else `data`. Without DAVIS the maps are synthetic.
        frames, repeats: how much is measured.
        workers: of the command.

    Raises:
        ValueError: fewer than one frame, repeat or worker.
    """
    check_counts(frames=frames, repeats=repeats, workers=workers)
    davis = _davis_pairs(root, frames)
    pairs = davis or synthetic_pairs(frames)
    rivals: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None]] = {
        "saliency": (_saliency, pysodmetrics("MAE", "Fmeasure", "Smeasure", "Emeasure")),
        "weighted_f": (weighted_f, pysodmetrics("WeightedFmeasure")),
        "masks": (_masks, plain_masks),
    }
    calls = {(key, k): f for key, both in rivals.items() for k, f in enumerate(both) if f}
    seconds: dict[tuple[str, int], list[float]] = {name: [] for name in calls}
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for pair in tqdm(pairs, desc="bench", disable=None):
            turns = run_times({name: partial(f, *pair) for name, f in calls.items()}, repeats)
            for name, took in turns.items():
                seconds[name] += took
    finally:
        cv2.setNumThreads(threads)
    result: dict[str, Any] = {
        "maps": "DAVIS 2016 validation frames" if davis else "synthetic",
        "size": list(pairs[0][0].shape),
        "frames": len(pairs),
        "repeats": repeats,
    }
    for key in rivals:
        ours = 1000 * median(seconds[key, 0])
        result[key] = {"ours_ms": ours}
        if (key, 1) in seconds:
            theirs = 1000 * median(seconds[key, 1])
            result[key] |= {"theirs_ms": theirs, "times_faster": theirs / ours}
        else:
            result[key]["note"] = "pysodmetrics is not installed: pip install pysodmetrics==1.6.2"
    return {**result, "command": time_commands(root, pairs, workers, bool(davis), repeats)}


def time_commands(
    root: str | os.PathLike[str] | None, pairs: list[Pair], workers: int, davis: bool, repeats: int
) -> dict[str, Any]:
    """Seconds of `vsod score`, wall clock and processor, with several workers and with one, which
    take turns: medians."""
    data = data_root(root)
    published = data / "published/davis2016-val/masks/andiff"
    with tempfile.TemporaryDirectory() as folder:
        maps, truth = published, ["--dataset", "davis2016", "--data", str(data)]
        if not (published.is_dir() and davis):
            maps, truth = Path(folder, "maps"), ["--gt", str(Path(folder, "truth"))]
            for k, pair in enumerate(pairs):
                for kind, image in zip(("maps", "truth"), pair, strict=True):
                    path = Path(folder, kind, f"sequence{k // 10}", f"{k:05d}.png")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(path), image.astype(np.uint8) * (1 if kind == "maps" else 255))
        words = [str(maps), *truth]
        time_command([*words, "--all"])  # from here on files are in the system's cache, T compiled
        found: dict[str, Any] = {
            "maps": "AnDiff on DAVIS 2016 val" if maps == published else "the frames above",
            "files": len(list(maps.glob("*/*.png"))),
            "workers": workers,
        }
        for way, options in (("default", []), ("all", ["--all"])):
            asked = [[*words, *options, "--workers", str(count)] for count in (workers, 1)]
            turns = [list(map(time_command, asked)) for _ in range(repeats)]
            several, one = map(_medians, zip(*turns, strict=True))
            faster = one["seconds"] / several["seconds"]
            found[way] = several | {"times_faster_than_one_worker": faster}
            found[f"{way}_one_worker"] = one
        return found


def time_command(words: list[str]) -> dict[str, float]:
    before, start = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "vsodlib.cli.main", "score", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, os.times()
    used, earlier = (times.children_user + times.children_system for times in (after, before))
    return {"seconds": seconds, "cpu_seconds": used - earlier}


def _medians(runs: tuple[dict[str, float], ...]) -> dict[str, float]:
    return {name: median(run[name] for run in runs) for name in runs[0]}


def _saliency(p: np.ndarray, g: np.ndarray) -> None:
    scores = saliency_scores(p, g)
    _ = scores.max_f, scores.mean_f, scores.mean_e


def _masks(p: np.ndarray, g: np.ndarray) -> None:
    mask = p >= 128
    region_similarity(mask, g)
    contour_accuracy(mask, g)


def pysodmetrics(*names: str) -> Callable[[np.ndarray, np.ndarray], None] | None:
    """One pass of pysodmetrics' classes over a frame; None where it is not installed."""
    if find_spec("py_sod_metrics") is None:
        return None
    import py_sod_metrics

    return partial(_step, [getattr(py_sod_metrics, name) for name in names])


def _step(classes: list[type], p: np.ndarray, g: np.ndarray) -> None:
    truth = g.view(np.uint8) * np.uint8(255)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its next version at every construction
        for measure in classes:
            measure().step(p, truth)


def plain_masks(p: np.ndarray, g: np.ndarray) -> tuple[float, float]:
    """J and F on whole frames, the way the benchmark's definition reads."""
    mask = p >= 128
    union = np.logical_or(mask, g).sum()
    j = np.logical_and(mask, g).sum() / union if union else 1.0
    radius = int(np.ceil(0.008 * np.hypot(*g.shape)))
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disk = (rows**2 + columns**2 <= radius**2).astype(np.uint8)
    contours = [plain_contour(m) for m in (mask, g)]
    wide = [cv2.dilate(c.astype(np.uint8), disk) > 0 for c in contours]
    counts = [c.sum() for c in contours]
    if not all(counts):
        return j, 0.0 if any(counts) else 1.0
    precision = np.logical_and(contours[0], wide[1]).sum() / counts[0]
    recall = np.logical_and(contours[1], wide[0]).sum() / counts[1]
    return j, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def plain_contour(mask: np.ndarray) -> np.ndarray:
    east, south, both = (np.zeros_like(mask) for _ in range(3))
    east[:, :-1], south[:-1], both[:-1, :-1] = mask[:, 1:], mask[1:], mask[1:, 1:]
    contour = mask ^ east | mask ^ south | mask ^ both
    contour[-1] = mask[-1] ^ east[-1]
    contour[:, -1] = mask[:, -1] ^ south[:, -1]
    contour[-1, -1] = False
    return contour


def _davis_pairs(root: str | os.PathLike[str] | None, frames: int) -> list[Pair]:
    """Soft maps over DAVIS validation frames: published masks, or else shifted truths, blurred."""
    try:
        dataset = open_dataset("davis2016", "val", root)
    except FileNotFoundError:
        return []
    masks = data_root(root) / "published/davis2016-val/masks/pdb"
    pairs: list[Pair] = []
    for index, record in enumerate(dataset.records):
        if record.frame != "00020" or len(pairs) == frames:
            continue
        g = dataset.mask(index)
        if g.shape == (480, 854):
            published = cv2.imread(str(masks / record.video / "00020.png"), cv2.IMREAD_GRAYSCALE)
            pairs.append((_blurred(_shifted(g) if published is None else published), g))
    return pairs


def synthetic_pairs(frames: int) -> list[Pair]:
    """Shifted truths, blurred, over the masks of drawn frames, 854x480."""
    clip = synthetic_dataset("val", videos=1, frames=frames, height=480, width=854)
    return [(_blurred(_shifted(g)), g) for g in map(clip.mask, range(frames))]


def _shifted(mask: np.ndarray) -> np.ndarray:
    return np.roll(mask.astype(np.uint8) * 255, (4, 6), (0, 1))


def _blurred(mask: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(mask, (0, 0), 5)
