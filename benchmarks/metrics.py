"""Speed, measured side by side in one run: the scorer against what people use today."""

from __future__ import annotations

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

from vsodlib.config import check_counts
from vsodlib.data import data_root
from vsodlib.metrics import contour_accuracy, region_similarity, saliency_scores, weighted_f

Pair = tuple[np.ndarray, np.ndarray]


def bench_metrics(
    root: str | os.PathLike[str] | None = None,
    frames: int = 20,
    repeats: int = 3,
    workers: int = 2,
    progress: bool = True,
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
        frames, repeats: how much is measured; the command runs once each.
        workers: of the command.
        progress: show a progress bar where there is a terminal.

    Raises:
        ValueError: fewer than one frame, repeat or worker.
    """
    check_counts(frames=frames, repeats=repeats, workers=workers)
    pairs, source = _davis_pairs(root, frames)
    if not pairs:
        pairs, source = synthetic_pairs(frames), "synthetic"
    candidates: dict[str, tuple[Callable[..., Any] | None, ...]] = {
        "saliency": (_saliency, pysodmetrics("MAE", "Fmeasure", "Smeasure", "Emeasure")),
        "weighted_f": (weighted_f, pysodmetrics("WeightedFmeasure")),
        "masks": (_masks, plain_masks),
    }
    rivals = {key: [f for f in both if f is not None] for key, both in candidates.items()}
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        seconds = _take_turns(rivals, pairs, repeats, progress)
    finally:
        cv2.setNumThreads(threads)
    result: dict[str, Any] = {
        "maps": source,
        "size": list(pairs[0][0].shape),
        "frames": len(pairs),
        "repeats": repeats,
    }
    for key, times in seconds.items():
        milliseconds = [1000 * median(t) for t in times]
        result[key] = {"ours_ms": milliseconds[0]}
        if len(milliseconds) == 2:
            result[key] |= {
                "theirs_ms": milliseconds[1],
                "times_faster": milliseconds[1] / milliseconds[0],
            }
        else:
            result[key]["note"] = "pysodmetrics is not installed: pip install pysodmetrics==1.6.2"
    return {**result, "command": time_commands(root, pairs, workers)}


def _take_turns(
    rivals: dict[str, list[Callable]], pairs: list[Pair], repeats: int, progress: bool
) -> dict[str, list[list[float]]]:
    """Seconds of every call; whatever else the machine does meanwhile hits all rivals alike."""
    seconds: dict[str, list[list[float]]] = {key: [[] for _ in rivals[key]] for key in rivals}
    for both in rivals.values():
        for rival in both:
            rival(*pairs[0])  # imports and caches
    bar = tqdm(total=repeats * len(pairs), desc="bench", disable=None if progress else True)
    with bar:
        for _ in range(repeats):
            for p, g in pairs:
                for key, both in rivals.items():
                    for k, rival in enumerate(both):
                        start = time.perf_counter()
                        rival(p, g)
                        seconds[key][k].append(time.perf_counter() - start)
                bar.update()
    return seconds


def time_commands(
    root: str | os.PathLike[str] | None, pairs: list[Pair], workers: int
) -> dict[str, Any]:
    """Seconds of `vsod score`, wall clock and processor, with several workers and with one."""
    data = data_root(root)
    published = data / "published/davis2016-val/masks/andiff"
    with tempfile.TemporaryDirectory() as folder:
        maps, truth = published, ["--dataset", "davis2016", "--data", str(data)]
        if not (published.is_dir() and _davis_home(data)):
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
            several = time_command([*words, *options, "--workers", str(workers)])
            one = time_command([*words, *options, "--workers", "1"])
            faster = one["seconds"] / several["seconds"]
            found[way] = several | {"times_faster_than_one_worker": faster}
            found[f"{way}_one_worker"] = one
        return found


def time_command(words: list[str]) -> dict[str, float]:
    before, start = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "vsodlib.cli.main", "score", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system
    return {
        "seconds": seconds,
        "cpu_seconds": used - before.children_user - before.children_system,
    }


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


def _davis_home(root: Path) -> Path | None:
    return next((h for h in (root / "DAVIS", root) if (h / "Annotations/480p").is_dir()), None)


def _davis_pairs(root: str | os.PathLike[str] | None, frames: int) -> tuple[list[Pair], str]:
    """Soft maps over DAVIS validation frames: published masks, or else shifted truths, blurred."""
    root = data_root(root)
    home = _davis_home(root)
    if home is None:
        return [], ""
    truths = [
        path
        for path in sorted((home / "Annotations/480p").glob("*/00020.png"))
        if _grey(path).shape == (480, 854)
    ]
    masks = root / "published/davis2016-val/masks/pdb"
    pairs = []
    for path in truths[:frames]:
        g = _grey(path) > 128
        published = masks / path.parent.name / path.name
        if published.is_file():
            mask = _grey(published)
        else:
            mask = np.roll(g.astype(np.uint8) * 255, (4, 6), (0, 1))
        pairs.append((cv2.GaussianBlur(mask, (0, 0), 5), g))
    return pairs, "DAVIS 2016 validation frames" if pairs else ""


def _grey(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))


def synthetic_pairs(frames: int) -> list[Pair]:
    """Blurred ellipses over ellipses, 854x480."""
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(frames):
        image = np.zeros((480, 854), np.uint8)
        centre = int(rng.integers(200, 650)), int(rng.integers(120, 360))
        axes = int(rng.integers(60, 180)), int(rng.integers(40, 110))
        g = cv2.ellipse(image.copy(), centre, axes, 0, 0, 360, 255, -1) > 0
        moved = cv2.ellipse(image, (centre[0] + 9, centre[1] - 5), axes, 8, 0, 360, 255, -1)
        pairs.append((cv2.GaussianBlur(moved, (0, 0), 6), g))
    return pairs
