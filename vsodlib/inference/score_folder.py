"""Score folders of maps or masks against a data set's ground truth."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from vsodlib.data import (
    FOLDERS,
    FrameRecord,
    folders,
    locate_dataset,
    scored_protocol,
    scored_split,
    stored_frames,
)
from vsodlib.data.dataset import StoredFrames
from vsodlib.data.image_files import LOSSY, decode_mask
from vsodlib.data.mask_levels import MapLevels
from vsodlib.data.storage import Storage
from vsodlib.data.video_sets import VIDEO_LAYOUTS
from vsodlib.metrics.protocol import Protocol
from vsodlib.metrics.scoring import Measures, binarise, score_stream
from vsodlib.metrics.segmentation import region_similarity
from vsodlib.notes import note

SAID = {
    "empty ground truth": "ground truths show no object",
    "resized": "maps were resized to their ground truth",
}
"""Conversions of which the terminal tells."""
COMPARED = 8
"""Frames of a video whose content tells whether its numbers are shifted."""


@dataclass(frozen=True)
class Maps:
    """A folder of maps, or one zip of it, and what their levels mean."""

    storage: Storage
    levels: MapLevels

    def read(self, path: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """One map, and the conversions that it took."""
        return self.levels.map(self.file(path))

    def file(self, path: str) -> Any:
        return decode_mask(self.storage.read(path), self.storage.locate(path))


@dataclass(frozen=True)
class FileFrame:
    """A frame on disk; the files are read in the process that scores it."""

    video: str
    name: str
    prediction: str | None
    """Path within `maps`; None: a missing frame at the end of a sequence, never loaded."""
    record: FrameRecord
    maps: Maps
    truth: StoredFrames

    def load(self, protocol: Protocol) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Read both images and bring them to one size; what does not count is 0 in both."""
        assert self.prediction is not None, "there is a map"
        prediction, notes = self.maps.read(self.prediction)
        truth = self.truth.mask(self.record)
        if not truth.any():
            notes = (*notes, "empty ground truth")
        if prediction.shape != truth.shape:
            turned = prediction.shape == truth.shape[::-1]
            if turned or not protocol.resize:
                why = "turned on its side" if turned else "and the protocol does not resize"
                raise ValueError(
                    f"{self.maps.storage.locate(self.prediction)} is {prediction.shape} and its "
                    f"ground truth {truth.shape}, {why}; save it in the truth's size."
                )
            prediction, notes = _resized(prediction, truth.shape), (*notes, "resized")
        counted = self.truth.counted(self.record)
        if counted is not None:
            prediction = np.where(counted, prediction, 0).astype(prediction.dtype)
            notes = (*notes, *(() if counted.all() else ("void left out",)))
        return prediction, truth, notes


def _resized(prediction: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bilinear for maps, nearest for masks (by the middles of pixels: the plain way of OpenCV goes
    by their corners, and moves masks)."""
    low, high = prediction.min(), prediction.max()
    binary = not np.any((prediction != low) & (prediction != high))
    method = cv2.INTER_NEAREST_EXACT if binary else cv2.INTER_LINEAR
    return cv2.resize(prediction, shape[::-1], interpolation=method)


def score_folder(
    predictions: str | os.PathLike[str],
    dataset: str | None = None,
    gt: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    protocol: str | Protocol | None = None,
    allow_missing_first: bool = False,
    measures: Measures = "default",
    workers: int = 1,
    progress: bool = True,
    split: str | None = None,
    foreground: int | None = None,
    void: int | None = None,
) -> dict[str, Any]:
    """Score the maps or masks of a folder: `<predictions>/<sequence>/<frame>.png`, or flat images.

    Any picture format (`vsodlib.data.image_files`), 8 or 16 bits, grey or by palette; what the
    levels of maps and masks mean is decided over each folder (`vsodlib.data.mask_levels`), named
    in `levels` of the result, and whatever was converted, in `conversions`. Map and mask pair by
    name, else by the number in it. Where a frame exists as PNG and as JPG, the PNG counts.

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
        predictions: the folder, or one zip of it; maps that the truth does not list are named.
        dataset: any name of `vsodlib.data.open_dataset`, its ground truth under `root`.
        gt: instead of `dataset`, a folder of ground truth, with or without the frames.
        root: the folder that holds the data set, or is it; None: `VSOD_DATA`, else `data`.
        protocol: a preset's name or a `Protocol`; None: `"davis2016"` for that data set, else
            `"frames"`.
        allow_missing_first: accept that sequences lack their first or last frame, as those of
            methods that look at a neighbouring frame do (MATNet's published masks lack the last);
            it is not scored then, and `missing_ends` in the result counts them.
        measures, workers, progress: as in `score_frames`. T and consistency are measured of videos
            only, never of pictures side by side in one folder.
        split: of the data set; None: the one that is commonly scored.
        foreground: ground-truth levels above this are object; None: recognised.
        void: ground-truth level of pixels that do not count: background in truth and map.

    Returns:
        What `score_frames` returns.

    Raises:
        FileNotFoundError: a folder that does not exist, or predictions missing, all of them listed.
        ValueError: neither or both of `dataset` and `gt`, maps whose numbers are shifted against
            the truth's, or an image that cannot be used.
    """
    truth, records = find_truth(dataset, gt, root, split, foreground, void)
    protocol = protocol or scored_protocol(dataset)
    protocol = Protocol.preset(protocol) if isinstance(protocol, str) else protocol
    frames = match_frames(predictions, truth, records, allow_missing_first)
    missing_ends = sum(frame.prediction is None for frame in frames)
    # A protocol that skips the ends must see them, there or not; any other scores what is there.
    frames = [frame for frame in frames if frame.prediction or protocol.skip_ends]
    total = len(frames) - 2 * len({frame.video for frame in frames}) * protocol.skip_ends
    stills = are_stills(records)
    result = score_stream(frames, protocol, measures, workers, progress, total, stills)
    for what, said in SAID.items():
        if count := result["conversions"].get(what):
            note(f"{count} of {result['frames']} {said}.")
    if result.get("mae", 0) > 0.5:
        note(f"maps and truth are far apart (MAE {result['mae']:.2f}): is one of them inverted?")
    levels = {"truth": truth.levels.meaning, "maps": frames[0].maps.levels.meaning}
    return {**result, "levels": levels, "missing_ends": missing_ends}


def find_truth(
    dataset: str | None = None,
    gt: str | os.PathLike[str] | None = None,
    root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    foreground: int | None = None,
    void: int | None = None,
) -> tuple[StoredFrames, list[FrameRecord]]:
    """The masks of a data set or folder, with a record per frame in order, annotated or not.

    Raises:
        FileNotFoundError: as `open_dataset`; no folder, or no masks in it.
        ValueError: as `open_dataset`; neither or both of `dataset` and `gt`.
    """
    if (dataset is None) == (gt is None):
        raise ValueError("Give either a data set (such as davis2016) or a ground-truth folder.")
    if dataset:
        storage, records = locate_dataset(dataset, split or scored_split(dataset), root)
    else:
        if gt is None or not Path(gt).exists():
            raise FileNotFoundError(f"There is no ground-truth folder {gt}.")
        storage = Storage(gt)
        records = folders.truth_records(storage)
    name = dataset or str(gt)
    files = [record.mask for record in records if record.mask]
    if absent := [storage.locate(path) for path in files if not storage.exists(path)]:
        which = folders.listed(absent)
        raise FileNotFoundError(f"{len(absent)} masks of {name} are missing: {which}.")
    if not files:
        raise FileNotFoundError(f"{storage.locate('')} holds no masks of {name}.")
    bare = [record.image for record in records if record.mask is None]
    if bare and dataset in FOLDERS and dataset not in VIDEO_LAYOUTS:  # which annotate every frame
        of = f"{len(bare)} of {len(records)} frames of {name}"
        note(f"{of} have no mask and are not scored: {folders.listed(bare)}.")
    truth = stored_frames(name, storage, records, foreground, void)
    truth.learn()
    return truth, [replace(record, image="") for record in records]  # frames need not be there


def find_maps(storage: Storage, videos: set[str]) -> dict[str, dict[str, str]]:
    """The maps of a folder: video -> name -> path, in natural order; "" where it is flat.

    Raises:
        ValueError: two maps of one frame.
    """
    maps: dict[str, dict[str, str]] = defaultdict(dict)
    paths = filter(folders.is_picture, storage.list())
    deep = 1 + max(video.count("/") for video in videos)
    for path in sorted(paths, key=lambda path: not path.lower().endswith(LOSSY)):
        place = PurePosixPath(folders.composed(path))
        parts = place.parent.parts
        if videos == {""}:  # still images, in whatever folders
            parts = ()
        ends = range(len(parts), 0, -1)
        spans = ((k, end) for end in ends for k in range(max(0, end - deep), end))
        names = ("/".join(parts[k:end]) for k, end in spans)
        video = next((name for name in names if name in videos), "/".join(parts))
        twin = maps[video].get(place.stem)
        folders.refuse_twins(storage, path, twin, "maps", video)
        if twin and not twin.lower().endswith(LOSSY) and not path.lower().endswith(LOSSY):
            one, two = storage.locate(twin), storage.locate(path)
            raise ValueError(f"{one} and {two} are both maps of one frame; keep one of them.")
        maps[video][place.stem] = path  # the lossless one comes last
    return {
        video: dict(sorted(of.items(), key=lambda item: folders.natural(item[0])))
        for video, of in maps.items()
    }


def match_frames(
    predictions: str | os.PathLike[str],
    truth: StoredFrames,
    records: Sequence[FrameRecord],
    allow_missing_first: bool = False,
) -> list[FileFrame]:
    """Pair every annotated frame with its map, if any: the ends of a sequence may lack theirs.

    Raises:
        FileNotFoundError: no such folder, or predictions missing, all of them listed.
        ValueError: maps whose numbers are shifted against the truth's.
    """
    folder = Path(predictions)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {folder}.")
    storage = Storage(folder)
    by_video: dict[str, list[FrameRecord]] = defaultdict(list)
    for record in records:
        by_video[record.video].append(record)
    if are_stills(records):
        by_video = {"": list(records)}
    available = find_maps(storage, set(by_video))
    unique = len({record.frame for record in records}) == len(records)
    if available.keys() == {""} and unique and len(by_video) > 1:
        flat = available.pop("")  # the names tell the videos
        for record in records:
            if record.frame in flat:
                available.setdefault(record.video, {})[record.frame] = flat.pop(record.frame)
        available |= {"": flat} if flat else {}
    if len(by_video) == len(available) == 1 and ("" in by_video or "" in available):
        available = dict(zip(by_video, available.values(), strict=True))
    maps = Maps(storage, MapLevels(str(folder)))
    every = [path for of in available.values() for path in of.values()]
    missing: list[str] = []
    unused: list[str] = []
    pairs, lost, only_ends = [], 0, True
    for video, of_video in by_video.items():
        have = available.pop(video, {})
        names = [record.frame for record in of_video]
        mates = folders.pair(list(have), names, f"{folder / video} (maps)", "its truth")
        asked = [record for record in of_video if record.mask]
        pairs += [(video, record, have.get(mates.get(record.frame, ""))) for record in asked]
        gone = [record for record in asked if record.frame not in mates]
        inner = [record for record in gone if record not in (asked[0], asked[-1])]
        only_ends &= not inner
        gone = inner if allow_missing_first else gone
        lost += len(gone)
        each = [f"{video}/{record.frame}" if video else record.frame for record in gone]
        missing += [f"all of {video}"] if video and gone and not have else each
        unused += [path for name, path in have.items() if name not in mates.values()]
    unused += [path for of in available.values() for path in of.values()]
    if not missing or (only_ends and lost < len(pairs)):
        maps.levels.learn([path for _, _, path in pairs if path], maps.file)
        # Flat pictures are called after their truth, whosever maps they are: so they compare.
        name = truth.storage.path.absolute().stem
        frames = [
            FileFrame(video or name, record.frame, path, record, maps, truth)
            for video, record, path in pairs
        ]
        if unused or not all(path for _, _, path in pairs):  # shifted maps seem to lack an end
            _refuse_shift(frames, every, folder)
    if missing:
        hint = " (ends of sequences only: --allow-missing-first accepts that)" if only_ends else ""
        if lost == len(pairs) and (example := next(iter(storage.list()), None)):
            hint = f" (it holds files like {example})"
        elif unused:
            hint += f" ({len(unused)} maps have no truth: {folders.listed(unused)})"
        raise FileNotFoundError(
            f"{folder} lacks {lost} of {len(pairs)} frames{hint}: {', '.join(missing)}"
        )
    if unused:
        note(f"{len(unused)} maps have no truth and are not scored: {folders.listed(unused)}.")
    return frames


def are_stills(records: Sequence[FrameRecord]) -> bool:
    """Whether these are pictures side by side: in no folder of a video, or each of its own name, as
    in sets of still images.
    """
    loose = not any(record.video for record in records)
    return loose or all(record.frame == record.video for record in records)


def _refuse_shift(frames: Sequence[FileFrame], every: Sequence[str], folder: Path) -> None:
    """Let the content of maps tell whether equal numbers are equal frames, where their numbers do
    not: a ValueError where they fit better otherwise.
    """
    by_folder, by_video = defaultdict(list), defaultdict(list)
    for path in every:
        by_folder[PurePosixPath(path).parent].append(path)
    for frame in frames:
        by_video[frame.video].append(frame)

    for of_video in by_video.values():
        there = (PurePosixPath(frame.prediction) for frame in of_video if frame.prediction)
        if inside := next((path.parent for path in there), None):
            _refuse_numbers(of_video, by_folder[inside], str(folder / inside))


def _refuse_numbers(frames: Sequence[FileFrame], siblings: Sequence[str], folder: str) -> None:
    """The same of one video: maps may begin or end at another number, be shifted by one where few
    frames are annotated, or those frames be numbered anew.
    """
    from scipy.special import stdtrit  # 0.15 s that maps without a doubt do not take

    ours = folders.numbers([PurePosixPath(path).stem for path in siblings])
    theirs = folders.numbers([frame.name for frame in frames])
    if not ours or not theirs:
        return
    paths = dict(zip(ours.values(), siblings, strict=True))
    low, first, last = min(paths), min(theirs.values()), max(theirs.values())
    ways = {(low, 1), (max(paths) - last + first, 1)}
    n, t = len(paths), len(frames)
    if n > t + 2:
        ways |= {(first - 1, 1), (first + 1, 1)}
        if last - first == t - 1 > 1:
            ways |= {(low, n // t), (low, -(-n // t)), (low, (n - 1) // (t - 1))}
    overlap = cache(_overlap)
    for start, step in sorted(ways - {(first, 1)}):
        moved = {f: paths.get(start + (theirs[f.name] - first) * step) for f in frames}
        compared = [(f, f.prediction, path) for f, path in moved.items() if f.prediction and path]
        compared = [each for each in compared if each[1] != each[2]]
        compared = compared[:: -(-len(compared) // COMPARED) or 1]
        by_number = np.array([overlap(frame, path) for frame, path, _ in compared])
        otherwise = np.array([overlap(frame, path) for frame, _, path in compared])
        gain = otherwise - by_number
        # More than chance (Student's t at 99.9 %), in maps that show the objects, or plainly.
        if len(gain) < 2:
            continue
        doubt = stdtrit(len(gain) - 1, 0.9995) * gain.std(ddof=1) / len(gain) ** 0.5
        plain = gain.min() > 0.1 and otherwise.mean() > 0.8
        sure = plain or gain.mean() > max(0.02, doubt)
        if sure and otherwise.mean() >= 0.5:
            sentence = folders.shifted(f"{folder} (maps)", paths, "its truth", theirs.values())
            raise ValueError(
                f"{sentence} (From {start} in steps of {step} they overlap by "
                f"{otherwise.mean():.2f}, by number {by_number.mean():.2f}.)"
            )


def _overlap(frame: FileFrame, path: str) -> float:
    """Intersection over union of a frame's truth with a map."""
    truth = frame.truth.mask(frame.record)
    return region_similarity(binarise(_resized(frame.maps.read(path)[0], truth.shape), 0.5), truth)
