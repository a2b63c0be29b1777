"""Video data sets besides DAVIS: FBMS, ViSal and DAVSOD, one row of a table each.

    FBMS/{Trainingset,Testset}/<video>/*.jpg            home: lmb.informatik.uni-freiburg.de
         .../<video>/GroundTruth/*.{png,pgm,ppm}        a few frames per video; also accepted:
         {Trainingset,Testset}/{JPEGImages,Annotations}/<video>/
    ViSal/[ViSal/]<video>/*.{jpg,png,bmp} + ViSal/GroundTruth/*.{png,bmp}   original
    ViSal/<video>/Imgs/* + <video>/{GT,ground-truth}/*.png                  in saliency benchmarks
    DAVSOD/{DAVSOD-TrainingSet,DAVSOD-ValidationSet,Easy-35,Normal-25,Difficult-20}/<video>/
         Imgs/*.{jpg,png} + GT_object_level/*.png

Not every frame is annotated; frames without a mask have `mask=None`. A mask belongs to the frame of
its video with the same trailing number ("bear01_0001_gt.ppm" to "bear01_0001.jpg"), or, where masks
of all videos share one folder, with the same name.

FBMS marks every moving object in its own grey value (.pgm, background black) or colour (.ppm,
background white); all of them together are the foreground here. Ochs, Malik, Brox, PAMI 2014; Wang,
Shen, Shao, TIP 2015 (ViSal); Fan et al., CVPR 2019 (DAVSOD).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from vsodlib.data.dataset import FrameRecord
from vsodlib.data.storage import Storage


@dataclass(frozen=True)
class VideoLayout:
    """One data set: where its splits lie, and how frames and masks are named below."""

    name: str
    folder: str
    splits: dict[str, str]
    """Split -> folder that holds its videos."""
    markers: tuple[str, ...]
    """Folders any of which tells the data set apart."""
    images: str
    """Regular expression with the groups `video` and `frame`."""
    masks: str
    """The same; without a `video`, the frame's name alone decides."""
    foreground: int = 127
    """Mask values above this are foreground."""


VIDEO_LAYOUTS: dict[str, VideoLayout] = {
    row.name: row
    for row in (
        VideoLayout(
            name="fbms",
            folder="FBMS",
            splits={"train": "Trainingset", "test": "Testset"},
            markers=("Trainingset", "Testset"),
            images=r"(?:JPEGImages/)?(?P<video>[^/]+)/(?P<frame>[^/]+)\.jpg",
            # The .ppm files with PROB in their name are not annotations.
            masks=r"(?:Annotations/)?(?P<video>[^/]+)(?:/GroundTruth)?/"
            r"(?P<frame>(?![^/]*PROB)[^/]+?)(?:_gt)?\.(?:png|pgm|ppm)",
            foreground=0,
        ),
        VideoLayout(
            name="visal",
            folder="ViSal",
            splits={"test": ""},
            markers=("GroundTruth", "aeroplane"),
            images=r"(?:ViSal/)?(?P<video>(?!GroundTruth)[^/]+)(?:/Imgs)?/"
            r"(?P<frame>[^/]+)\.(?:jpg|png|bmp)",
            masks=r"(?:(?P<video>[^/]+)/(?:GT|ground-truth)|GroundTruth)/"
            r"(?P<frame>[^/]+)\.(?:png|bmp)",
        ),
        VideoLayout(
            name="davsod",
            folder="DAVSOD",
            splits={
                "train": "DAVSOD-TrainingSet",
                "val": "DAVSOD-ValidationSet",
                "easy": "Easy-35",
                "normal": "Normal-25",
                "difficult": "Difficult-20",
            },
            markers=(
                "DAVSOD-TrainingSet",
                "DAVSOD-ValidationSet",
                "Easy-35",
                "Normal-25",
                "Difficult-20",
            ),
            images=r"(?P<video>[^/]+)/Imgs/(?P<frame>[^/]+)\.(?:jpg|png)",
            masks=r"(?P<video>[^/]+)/GT_object_level/(?P<frame>[^/]+)\.png",
        ),
    )
}


def video_records(
    layout: VideoLayout, storage: Storage, split: str | None = None
) -> list[FrameRecord]:
    """The frames of one split or of all that are there (None), video by video in temporal order.

    Raises:
        ValueError: another split.
        FileNotFoundError: a split that is not there.
    """
    if split is not None and split not in layout.splits:
        raise ValueError(f"{layout.name} has the splits {', '.join(layout.splits)}, not {split!r}.")
    records: list[FrameRecord] = []
    for part, folder in layout.splits.items():
        if split == part and not storage.has_folder(folder):
            raise FileNotFoundError(f"{storage.locate(folder)} does not exist.")
        if split in (None, part):
            records += _split_records(layout, storage, folder)
    return records


def matching(layout: VideoLayout, storage: Storage, pattern: str) -> list[str]:
    """All files of the data set whose path below their split's folder matches `pattern`."""
    return [
        path
        for folder in layout.splits.values()
        for path in storage.list(folder)
        if re.fullmatch(pattern, path[len(folder) + 1 :] if folder else path, re.IGNORECASE)
    ]


def _split_records(layout: VideoLayout, storage: Storage, folder: str) -> list[FrameRecord]:
    frames: list[tuple[str, int, str, str]] = []
    masks: dict[tuple[str | None, int | str], str] = {}
    for path in storage.list(folder):
        relative = path[len(folder) + 1 :] if folder else path
        if found := re.fullmatch(layout.images, relative, re.IGNORECASE):
            frames.append((found["video"], _number(found["frame"]), found["frame"], path))
        elif found := re.fullmatch(layout.masks, relative, re.IGNORECASE):
            video, frame = found["video"], found["frame"]
            masks[video, _number(frame) if video else frame] = path
    return [
        FrameRecord(video, frame, path, masks.get((video, number)) or masks.get((None, frame)))
        for video, number, frame, path in sorted(frames)
    ]


def _number(frame: str) -> int:
    """The last number in a frame's name, -1 without one: "cars1_07" -> 7."""
    digits = re.findall(r"\d+", PurePosixPath(frame).name)
    return int(digits[-1]) if digits else -1
