"""Every fault of a data set on disk, file by file, all at once."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from tqdm.auto import tqdm

from vsodlib.config import profile
from vsodlib.data import davis, image_sets, video_sets
from vsodlib.data.catalogue import FOLDERS, locate_dataset
from vsodlib.data.dataset import FrameRecord
from vsodlib.data.image_files import decode_image, decode_mask
from vsodlib.data.storage import Storage, data_root

SOFT_SHARE = 0.05
"""A mask of a still image may have soft edges; beyond this share of its pixels it is no mask."""


@dataclass(frozen=True)
class Problem:
    """One fault: the file, and what is wrong with it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def check(root: str | os.PathLike[str] | None = None, name: str | None = None) -> list[Problem]:
    """Open every frame and mask below `root` and report what is missing, damaged or odd.

    Reported: frames without a mask (where every frame should have one), masks without a frame, gaps
    in the numbering (DAVIS), missing, unreadable or truncated files, frames of another size than
    their video's first, masks of another size than their frame, masks that are not binary.

    Args:
        root: as in `open_dataset`.
        name: the data set; None: every one that is found there.

    Returns:
        The problems, by data set and file; empty where all is well.

    Raises:
        FileNotFoundError: no data set is there.
        ValueError: an unknown name, or an archive that cannot be opened.
    """
    problems, found = [], False
    for candidate in FOLDERS if name is None else (name,):
        try:
            storage, records = locate_dataset(candidate, None, root)
        except FileNotFoundError:
            if name is not None:
                raise
            continue
        found = True
        problems += _check_one(candidate, storage, records)
    if not found:
        raise FileNotFoundError(
            f"{data_root(root)} holds no data set known here: data/README.md names their folders, "
            "and `vsod data fetch NAME` gets one."
        )
    return problems


def _check_one(name: str, storage: Storage, records: list[FrameRecord]) -> list[Problem]:
    if not records:
        return [Problem(storage.locate(""), f"holds no frames of {name}")]
    problems = [
        Problem(storage.locate(path), "mask without a frame")
        for path in sorted(_mask_files(name, storage) - {record.mask for record in records})
    ]
    if name == "davis2016":
        problems += _gaps(storage, records)
    if all(record.mask is None for record in records):
        problems.append(Problem(storage.locate(""), "not one of the frames has a mask"))
    sizes: dict[str, tuple[int, int]] = {}
    hidden = profile() == "smoke"
    for record in tqdm(records, desc=f"Checking {name}", unit="frame", leave=False, disable=hidden):
        size = None
        for kind, path in (("frame", record.image), ("mask", record.mask)):
            if path is None:
                if name not in video_sets.VIDEO_LAYOUTS:
                    problems.append(Problem(storage.locate(record.image), "frame without a mask"))
                continue
            try:
                data, place = storage.read(path), storage.locate(path)
                pixels = (decode_image if kind == "frame" else decode_mask)(data, place)
            except (OSError, ValueError) as error:
                message = str(error).removeprefix(storage.locate(path)).strip(" .")
                problems.append(Problem(storage.locate(path), message))
                continue
            (h, w), wanted = pixels.shape[:2], size
            if kind == "frame":
                size = (h, w)
                wanted = sizes.setdefault(record.video, size)
                other = "the first frame of its video"
            else:
                other = "its frame"
                if fault := _not_binary(name, pixels):
                    problems.append(Problem(place, fault))
            if wanted is not None and (h, w) != wanted:
                problems.append(Problem(place, f"{w}x{h}, but {other} is {wanted[1]}x{wanted[0]}"))
    return problems


def _mask_files(name: str, storage: Storage) -> set[str]:
    """Every file that is named like a mask of this data set."""
    if name in video_sets.VIDEO_LAYOUTS:
        layout = video_sets.VIDEO_LAYOUTS[name]
        return set(video_sets.matching(layout, storage, layout.masks))
    folder = davis.MASKS if name == "davis2016" else image_sets.IMAGE_LAYOUTS[name].masks
    return {path for path in storage.list(folder) if path.lower().endswith(".png")}


def _gaps(storage: Storage, records: list[FrameRecord]) -> Iterator[Problem]:
    """Numbers left out between the first and the last frame of a video."""
    numbers = defaultdict(set)
    for record in records:
        if re.fullmatch(r"\d+", record.frame):
            folder = str(PurePosixPath(record.image).parent)
            numbers[folder].add(int(record.frame))
    for folder, present in numbers.items():
        for number in sorted(set(range(min(present), max(present))) - present):
            yield Problem(storage.locate(f"{folder}/{number:05d}.jpg"), "frame left out")


def _not_binary(name: str, values: np.ndarray) -> str | None:
    """What keeps these mask values from being black and white; None where nothing does."""
    if name == "fbms":  # one colour per object
        return None
    found = np.flatnonzero(np.bincount(values.ravel(), minlength=256))
    if set(found.tolist()) <= {0, 255}:
        return None
    listed = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")
    if found[-1] <= 127 and name != "davis2016":
        return f"not binary: holds the values {listed}, none above 127, so all is background"
    soft = float(((values > 25) & (values < 230)).mean())
    if name in image_sets.IMAGE_LAYOUTS and soft <= SOFT_SHARE:
        return None
    return f"not binary: holds the values {listed} in place of 0 and 255"
