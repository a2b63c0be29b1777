"""Score folders of maps or masks against a data set's ground truth."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from vsodlib.data.davis import davis_truth
from vsodlib.data.image_files import read_grey, read_truth
from vsodlib.metrics.protocol import Protocol
from vsodlib.metrics.scoring import score_stream

IMAGES = (".png", ".jpg", ".jpeg", ".bmp")
TRUTH_FOLDERS = ("ground-truth", "GT_object_level", "GroundTruth")
"""Where DAVSOD, ViSal and FBMS keep a sequence's ground truth inside its folder."""


@dataclass(frozen=True)
class FileFrame:
    """A frame on disk; the files are read in the process that scores it."""

    video: str
    name: str
    prediction: Path | None
    """None: a missing frame at the end of a sequence, never loaded."""
    ground_truth: Path
    unit_levels: bool = False
    """Whether the prediction's levels 0 and 1 mean background and object."""

    def load(self, protocol: Protocol) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Read both images and bring them to one size."""
        prediction, notes = read_grey(self.prediction)
        if self.unit_levels:
            prediction, notes = (prediction > 0).astype(np.uint8) * 255, (*notes, "0/1 levels")
        truth, more = read_truth(self.ground_truth, protocol.gt_threshold)
        notes = (*notes, *more)
        if prediction.shape != truth.shape:
            if not protocol.resize:
                raise ValueError(
                    f"{self.prediction} is {prediction.shape} and its ground truth {truth.shape}, "
                    "and the protocol does not resize."
                )
            low, high = prediction.min(), prediction.max()
            binary = not np.any((prediction != low) & (prediction != high))
            H, W = truth.shape
            method = cv2.INTER_NEAREST if binary else cv2.INTER_LINEAR
            prediction = cv2.resize(prediction, (W, H), interpolation=method)
            notes = (*notes, "resized")
        return prediction, truth, notes


def score_folder(
    predictions: str | os.PathLike[str],
    dataset: Literal["davis2016"] | None = None,
    gt: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    protocol: str | Protocol | None = None,
    allow_missing_first: bool = False,
    workers: int = 1,
    progress: bool = True,
) -> dict[str, Any]:
    """Score the maps or masks of a folder: `<predictions>/<sequence>/<frame>.png`, or flat images.

    Images are PNG, JPG or BMP; 8-bit levels are read as v/255, 16-bit as v/65535, coloured indexed
    images as masks (any index but 0 is object), three equal channels as grey. If no image of the
    folder goes beyond level 1, levels 0 and 1 are read as background and object. Ground truths are
    thresholded. `conversions` in the result counts what was converted. The numbers in their names
    order the frames (2 before 10); where a frame exists as PNG and as JPG, the PNG counts.

        >>> from pathlib import Path
        >>> from vsodlib import demo_clips, score_folder
        >>> from vsodlib.data.image_files import write_map
        >>> for t, mask in enumerate(demo_clips(frames=3)["fish"].masks):
        ...     for folder, values in (("maps", 0.9 * mask), ("masks", mask)):
        ...         write_map(Path(folder, "fish", f"{t}.png"), values)
        >>> scores = score_folder("maps", gt="masks", progress=False)
        >>> scores["J"]["mean"], round(scores["max_f"], 3)
        (1.0, 1.0)

    Args:
        predictions: the folder; images that the ground truth does not list are ignored.
        dataset: `"davis2016"`, the validation sequences under `root`.
        gt: instead of `dataset`, a folder laid out like `predictions`.
        root: the folder that holds `DAVIS`, or is it; None: `VSOD_DATA`, else `data`.
        protocol: a preset's name or a `Protocol`; None: `"davis2016"` for that data set, else
            `"frames"`.
        allow_missing_first: accept that sequences lack their first or last frame, as those of
            methods that look at a neighbouring frame do (MATNet's published masks lack the last);
            it is not scored then, and `missing_ends` in the result counts them.
        workers, progress: as in `score_frames`.

    Returns:
        What `score_frames` returns.

    Raises:
        FileNotFoundError: a folder that does not exist, or predictions missing, all of them listed.
        ValueError: neither or both of `dataset` and `gt`, or an image that cannot be used.
    """
    folder = Path(predictions)
    if (dataset is None) == (gt is None):
        raise ValueError("Give either a data set ('davis2016') or a ground-truth folder.")
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    if protocol is None:
        protocol = "davis2016" if dataset else "frames"
    protocol = Protocol.preset(protocol) if isinstance(protocol, str) else protocol
    truth = davis_truth(dataset, root) if dataset else folder_truth(Path(gt))
    frames = match_frames(folder, truth, allow_missing_first)
    missing_ends = sum(frame.prediction is None for frame in frames)
    unit = unit_levels(frame.prediction for frame in frames if frame.prediction)
    # A protocol that skips the ends must see them, there or not; any other scores what is there.
    frames = [
        replace(frame, unit_levels=unit)
        for frame in frames
        if frame.prediction or protocol.skip_ends
    ]
    total = len(frames) - 2 * len(truth) * protocol.skip_ends
    result = score_stream(frames, protocol, workers, progress, total)
    return {**result, "missing_ends": missing_ends}


def folder_truth(folder: Path) -> dict[str, list[Path]]:
    """The images of a ground-truth folder, by sequence; images beside each other are one sequence.

    Raises:
        FileNotFoundError: no such folder, or no images in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no ground-truth folder {folder}.")
    if flat := _images(folder):
        return {"": flat}
    truth: dict[str, list[Path]] = {}
    for inside in sorted(p for p in folder.iterdir() if p.is_dir()):
        homes = [inside, *(inside / name for name in TRUTH_FOLDERS)]
        if found := next((images for home in homes if (images := _images(home))), None):
            truth[inside.name] = found
    if not truth:
        raise FileNotFoundError(f"There are no images (PNG, JPG, BMP) in {folder}.")
    return truth


def match_frames(
    folder: Path, truth: dict[str, list[Path]], allow_missing_first: bool
) -> list[FileFrame]:
    """Pair every ground-truth image with the prediction of the same name.

    Raises:
        FileNotFoundError: predictions missing, all of them listed.
    """
    frames, missing, lost, only_ends = [], [], 0, True
    for video, paths in truth.items():
        before = len(missing)
        available = {p.stem: p for p in _images(folder / video)}
        for path in paths:
            prediction = available.get(path.stem)
            frames.append(FileFrame(video or folder.name, path.stem, prediction, path))
            if prediction is None:
                at_end = path in (paths[0], paths[-1])
                only_ends &= at_end
                if not (at_end and allow_missing_first):
                    missing.append(f"{video}/{path.stem}" if video else path.stem)
        lost += len(missing) - before
        if video and not available:
            missing[before:] = [f"all of {video}"]
    if missing:
        hint = " (ends of sequences only: --allow-missing-first accepts that)" if only_ends else ""
        if lost == len(frames) and (example := next(folder.rglob("*.*"), None)):
            hint = f" (it holds files like {example.relative_to(folder)})"
        raise FileNotFoundError(
            f"{folder} lacks {lost} of {len(frames)} frames{hint}: {', '.join(missing)}"
        )
    return frames


def unit_levels(paths: Iterable[Path]) -> bool:
    """Whether no image exceeds level 1 (and one reaches it): masks stored as 0 and 1.

    Stops at the first image that does, so it is quick for anything else.

    Raises:
        ValueError: 16-bit images without a level that 8 bits could not hold.
    """
    highest, deep = 0.0, None
    for path in paths:
        image, _ = read_grey(path)
        if image.dtype == np.uint8:
            highest = max(highest, image.max() / 255)
        else:
            highest, deep = max(highest, float(image.max())), path
        if highest > 1 / 255:
            return False
    if highest and deep:
        raise ValueError(
            f"{deep} and all beside it are 16-bit images with the levels of 8-bit ones; save them "
            "with 8 bits."
        )
    return highest > 0


def _images(folder: Path) -> list[Path]:
    """The images of a folder, one a name, in the order of the numbers in their names."""
    if not folder.is_dir():
        return []
    found = [p for p in folder.iterdir() if p.suffix.lower() in IMAGES and p.name[0] != "."]
    by_name = {p.stem: p for p in sorted(found, key=lambda p: p.suffix.lower() == ".png")}
    return sorted(by_name.values(), key=lambda p: [_number(s) for s in re.split(r"(\d+)", p.stem)])


def _number(part: str) -> tuple[int, str]:
    """Digits by their value, anything else by its letters; comparable with each other."""
    return (int(part), part) if part.isdecimal() else (-1, part)
