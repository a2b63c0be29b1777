"""Every fault of a data set on disk, file by file, all at once."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from os.path import splitext
from pathlib import PurePosixPath

from vsodlib.data import davis, image_sets, video_sets
from vsodlib.data.catalogue import FOLDERS, OWN, locate_dataset, stored_frames
from vsodlib.data.dataset import FrameRecord, StoredFrames, watched
from vsodlib.data.image_files import decode_image
from vsodlib.data.storage import Storage, data_root
from vsodlib.notes import note, one_line

LONG_GAP = 1000
"""Frames left out in a row, beyond which they are told of at once."""


@dataclass(frozen=True)
class Problem:
    """One fault: the file, and what is wrong with it."""

    path: str
    message: str

    def __str__(self) -> str:
        return one_line(f"{self.path}: {self.message}")


def check(
    root: str | os.PathLike[str] | None = None,
    name: str | None = None,
    foreground: int | None = None,
    void: int | None = None,
) -> list[Problem]:
    """Open every frame and mask below `root` and report what is missing, damaged or odd.

    Reported: frames without a mask (where every frame should have one), masks without a frame, gaps
    in the numbering (DAVIS), missing, unreadable or truncated files, frames of another size than
    their video's first, masks of another size than their frame, masks whose levels contradict each
    other or themselves (`mask_levels`).

    Args:
        root: as in `open_dataset`.
        name: the data set; None: every one that is found there, else `root` as a folder of one's
            own.
        foreground, void: as in `open_dataset`.

    Returns:
        The problems, by data set and file; empty where all is well.

    Raises:
        FileNotFoundError: no data set is there.
        ValueError: an unknown name, or an archive that cannot be opened.
    """
    root = data_root(root)
    problems, found, own = [], False, f"{OWN}{root}"
    for candidate in (*FOLDERS, own) if name is None else (name,):
        if found and candidate == own:
            break
        try:
            storage, records = locate_dataset(candidate, None, root)
        except FileNotFoundError:
            if name is not None or not root.exists():
                raise
            continue
        except ValueError:
            places = (root / f"{FOLDERS.get(candidate)}{suffix}" for suffix in ("", ".zip"))
            if name is not None or candidate == own or any(place.exists() for place in places):
                raise
            continue  # another layout, of one's own or of none
        here = storage.path == root
        if name is None and here and not any(record.mask for record in records):
            continue  # folders of the same names as the data set's, but another layout
        if name is None and here and candidate != own and root.stem != FOLDERS[candidate]:
            note(f"{root} is read as {candidate}; --name {own} reads it as one's own.")
        found = True
        files = stored_frames(candidate, storage, records, foreground, void)
        problems += _check_one(candidate, files, records)
    if not found:
        raise FileNotFoundError(
            f"{root} holds no data set known here: data/README.md names their folders, and "
            "`vsod data fetch NAME` gets one."
        )
    return problems


def _check_one(name: str, files: StoredFrames, records: list[FrameRecord]) -> list[Problem]:
    storage = files.storage
    frameless = Problem(storage.locate(""), f"holds no frames of {name}")
    if not records:
        return [frameless]
    problems = [] if any(record.image for record in records) else [frameless]
    used = {splitext(record.truth)[0] for record in records if record.mask}
    if name == "davis2016":  # frames that no list names, as those of DAVIS 2017, are there, too
        frames = storage.list(davis.IMAGES)
        used |= {davis.MASKS + splitext(path)[0].removeprefix(davis.IMAGES) for path in frames}
    problems += [
        Problem(storage.locate(path), "mask without a frame")
        for path in sorted(_mask_files(name, storage))
        if splitext(path)[0] not in used  # a mask may be there in two formats
    ]
    if name == "davis2016":
        problems += _gaps(storage, records)
    if all(record.mask is None for record in records):
        problems.append(Problem(storage.locate(""), "not one of the frames has a mask"))
    files.levels.learn(files.masks, files.mask_file, refuse=False)
    if files.levels.counts.keys() == {"empty"}:
        problems.append(Problem(storage.locate(""), "not one of the masks shows an object"))
    sizes: dict[str, tuple[int, ...]] = {}
    for record in watched(records, f"Checking {name}"):
        size: tuple[int, ...] = ()
        for kind, path in (("frame", record.image), ("mask", record.mask)):
            if not path:
                if path is None and name in FOLDERS and name not in video_sets.VIDEO_LAYOUTS:
                    problems.append(Problem(storage.locate(record.image), "frame without a mask"))
                continue
            place = storage.locate(path)
            try:
                if kind == "frame":
                    found = size = decode_image(storage.read(path), place).shape[:2]
                    wanted = sizes.setdefault(record.video, size)
                    other = "the first frame of its video"
                else:
                    file = files.mask_file(path)
                    found, wanted, other = file.levels.shape, size, "its frame"
                if wanted and found != wanted:
                    (h, w), (H, W) = found, wanted
                    problems.append(Problem(place, f"{w}x{h}, but {other} is {W}x{H}"))
                if kind == "mask":
                    files.levels.mask(file, record.video)
            except (OSError, ValueError) as error:
                problems.append(Problem(place, str(error).removeprefix(place).strip(" .")))
    return problems


def _mask_files(name: str, storage: Storage) -> set[str]:
    """Every file that is named like a mask of this data set."""
    if name in video_sets.VIDEO_LAYOUTS:
        pictures = video_sets.video_pictures(video_sets.VIDEO_LAYOUTS[name], storage)
        return {picture.path for picture in pictures if picture.mask}
    if name not in FOLDERS:
        return set()  # of one's own data these are told already
    folder = davis.MASKS if name == "davis2016" else image_sets.IMAGE_LAYOUTS[name].masks
    return {path for path in storage.list(folder) if path.lower().endswith(".png")}


def _gaps(storage: Storage, records: list[FrameRecord]) -> Iterator[Problem]:
    """Numbers left out between the first and the last frame of a video, in its smallest step."""
    numbers = defaultdict(set)
    for record in records:
        if record.image and record.frame.isdecimal():
            folder = str(PurePosixPath(record.image).parent)
            numbers[folder].add(int(record.frame))
    for folder, present in numbers.items():
        pairs = list(pairwise(sorted(present)))
        step = min((after - before for before, after in pairs), default=1)  # every fifth, say
        for before, after in pairs:
            if after - before > LONG_GAP:
                left_out = f"frames {before + 1} to {after - 1} left out"
                yield Problem(storage.locate(folder), left_out)
                continue
            for number in range(before + step, after, step):
                yield Problem(storage.locate(f"{folder}/{number:05d}.jpg"), "frame left out")
