"""Video data sets besides DAVIS: FBMS, ViSal and DAVSOD, one row of a table each.

    FBMS/{Trainingset,Testset}/<video>/*.jpg            home: lmb.informatik.uni-freiburg.de
         .../<video>/GroundTruth/*.{png,pgm,ppm}        a few frames per video; or .pgm next to them
    ViSal/<video>/*.{jpg,png,bmp} + ViSal/GroundTruth/*.{png,bmp}
    DAVSOD/{DAVSOD-TrainingSet,DAVSOD-ValidationSet,Easy-35,Normal-25,Difficult-20}/<video>/
         Imgs/*.{jpg,png} + GT_object_level/*.png

as published, and as they are found: every layout of `folders`, one folder too many, no splits.
Not every frame is annotated; frames without a mask have `mask=None`. FBMS marks every moving object
in its own grey value (.pgm, background black) or colour (.ppm, background white), all of which are
the foreground here but static scenery, which marple2 marks too, and stray pixels: above 102 in
marple2, above 12 in marple7, above 25 elsewhere, as public evaluation code has it (102, 12.75 and
25.5). Ochs, Malik, Brox, PAMI 2014; Wang, Shen, Shao, TIP 2015 (ViSal); Fan et al., CVPR 2019
(DAVSOD).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vsodlib.data.dataset import FrameRecord
from vsodlib.data.folders import Picture, in_videos, joined, paired, sort_out
from vsodlib.data.storage import Storage
from vsodlib.notes import note

FBMS_TEST = """
    camel01 cars1 cars10 cars4 cars5 cats01 cats03 cats06 dogs01 dogs02 farm01 giraffes01 goats01
    horses02 horses04 horses05 lion01 marple12 marple2 marple4 marple6 marple7 marple9 people03
    people1 people2 rabbits02 rabbits03 rabbits04 tennis
"""
"""The test videos, for copies without the folders Trainingset and Testset."""


def fbms_foreground(video: str) -> int:
    """The grey level of FBMS above which a video's objects lie."""
    return {"marple2": 102, "marple7": 12}.get(video, 25)


@dataclass(frozen=True)
class VideoLayout:
    """One data set: where its splits lie, and what is special about it."""

    folder: str
    splits: dict[str, str]
    """Split -> folder that holds its videos."""
    test: str
    """The split that is scored where none is named."""
    markers: tuple[str, ...] = ()
    """Folders any of which tells the data set apart; none: those of the splits."""
    skip: str = "(?!)"
    """Regular expression of files that are neither frame nor mask."""
    white_background: tuple[str, ...] = ()
    """Suffixes of masks whose background is white."""
    foreground: Callable[[str], int] | None = None
    """Video -> the mask level above which is object; None: recognised (`mask_levels`)."""
    test_videos: frozenset[str] = frozenset()
    """Those of the split `test`, for a copy without the splits' folders; others are of train."""


VIDEO_LAYOUTS = {
    "fbms": VideoLayout(
        folder="FBMS",
        splits={"train": "Trainingset", "test": "Testset"},
        test="test",
        skip=r".*PROB.*\.ppm",
        white_background=(".ppm",),
        foreground=fbms_foreground,
        test_videos=frozenset(FBMS_TEST.split()),
    ),
    "visal": VideoLayout(
        folder="ViSal", splits={"test": ""}, test="test", markers=("GroundTruth", "aeroplane")
    ),
    "davsod": VideoLayout(
        folder="DAVSOD",
        splits={
            "train": "DAVSOD-TrainingSet",
            "val": "DAVSOD-ValidationSet",
            "easy": "Easy-35",
            "normal": "Normal-25",
            "difficult": "Difficult-20",
        },
        test="easy",
    ),
}


def video_pictures(
    layout: VideoLayout, storage: Storage, split: str | None = None, files: Sequence[str] = ()
) -> list[Picture]:
    """The frames and masks of one split or of all that are there (None), among the `files` that the
    storage lists, where that is known.

    Raises:
        ValueError: another split.
        FileNotFoundError: a split that is not there.
    """
    if split is not None and split not in layout.splits:
        name, known = layout.folder.lower(), ", ".join(layout.splits)
        raise ValueError(f"{name} has the splits {known}, not {split!r}.")
    parts = {part: folder for part, folder in layout.splits.items() if folder}
    found = sort_out(files or storage.list(), parts.values())
    pictures = [p for p in found if not re.fullmatch(layout.skip, p.path, re.IGNORECASE)]
    if split not in parts:
        return pictures

    def lies_in(picture: Picture, *splits: str) -> bool:
        above = picture.path.lower().split("/")[:-1]
        return any(parts[part].lower() in above for part in splits)

    there = storage.has_folder(parts[split])
    if there or any(lies_in(p, *parts) for p in pictures):
        if not there and not any(lies_in(p, split) for p in pictures):
            raise FileNotFoundError(f"{storage.locate(parts[split])} does not exist.")
        return [p for p in pictures if lies_in(p, split) or (p.mask and not lies_in(p, *parts))]
    if layout.test_videos:
        return pictures  # whose names tell
    note(f"{storage.locate('')} has no folder {parts[split]}: all its videos are taken.")
    return pictures


def video_records(
    layout: VideoLayout, storage: Storage, split: str | None = None
) -> list[FrameRecord]:
    """The frames of one split or of all that are there (None), video by video in temporal order.
    Of frames in no video's folder, the name before their number is the video's.

    Raises:
        ValueError, FileNotFoundError: as `video_pictures`; frames shifted against their masks.
    """
    files = storage.list()
    above = {folder for path in files for folder in path.lower().split("/")[:-1]}
    there = [part for part, top in layout.splits.items() if top.lower() in above]
    asked = there if split is None and there else [split]
    return joined({part: _records(layout, storage, part, files, bool(there)) for part in asked})


def _records(
    layout: VideoLayout, storage: Storage, split: str | None, files: Sequence[str], parted: bool
) -> list[FrameRecord]:
    """Those of one split or of all; `parted`: there are folders of splits, else names may tell."""
    records = paired(video_pictures(layout, storage, split, files), storage)
    named = [replace(r, video=r.video or re.sub(r"[\W_]*[0-9]*$", "", r.frame)) for r in records]
    if split and not parted and layout.test_videos:
        named = [r for r in named if (r.video in layout.test_videos) == (split == layout.test)]
    return in_videos(named, storage)
