"""Pictures in folders, as people keep them: which are frames, which masks, which belong together.

    <video>/Imgs/*.jpg + <video>/GT/*.png             a folder each, the names below in any spelling
    JPEGImages/<video>/*.jpg + Annotations/<video>/*.png      the other way round, any depth
    <video>/*.jpg + GT/<video>/*.png                  frames bare, masks in a folder
    <video>/*.jpg + <video>/*.png                     side by side, of one name
    images/*.jpg + masks/*.png                        without videos: still images

Frame and mask pair by name, else by the one number in which the names of a folder differ.
"""

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import basename, dirname, splitext
from pathlib import Path, PurePosixPath

from vsodlib.data.dataset import FrameRecord
from vsodlib.data.image_files import LOSSY, SUFFIXES
from vsodlib.data.storage import Storage
from vsodlib.notes import note

TRUTH = {
    "gt", "gts", "groundtruth", "groundtruths", "gtobjectlevel", "objectlevelgt", "objectgt",
    "annotation", "annotations", "mask", "masks", "label", "labels", "segmentation",
    "segmentations", "groundtruthmask", "groundtruthmasks", "gtmask", "gtmasks", "dutstrmask",
    "dutstemask",
}  # fmt: skip
"""Folders of masks, as `_plain` writes their names."""
FRAMES = {
    "img", "imgs", "image", "images", "jpegimages", "frame", "frames", "rgb", "dutstrimage",
    "dutsteimage", "src",
}  # fmt: skip
SILENT = {"480p", "1080p", "fullresolution", "dutstr", "dutste"}
"""Folders that say nothing of the video."""
ZEROS = re.compile(r"(?<![0-9.])0+(?=[0-9])")
"""Those before a number: frame_01 is frame_1, but t0.05 is not t0.5."""


@dataclass(frozen=True)
class Picture:
    """A picture: whether it is a mask, its video and its name; None: a mask of any video."""

    path: str
    video: str | None
    frame: str
    mask: bool


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def is_picture(path: str) -> bool:
    """Whether a file is called like a picture."""
    return path.lower().endswith(SUFFIXES)


def composed(name: str) -> str:
    """A name with é as one character: macOS writes an e and an accent, and Korean in its parts."""
    return unicodedata.normalize("NFC", name)


def natural(name: str) -> list[tuple[int, str]]:
    """Sorts names by the numbers in them, frame2 before frame10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in parts]


def sort_out(paths: Iterable[str], splits: Iterable[str] = ()) -> list[Picture]:
    """What each picture among some files is, in natural order.

    Args:
        paths: of files, with / between folders.
        splits: folders that name a part of the data set, not a video.
    """
    paths = sorted(filter(is_picture, paths), key=natural)
    folders = {path: tuple(path.split("/")[:-1]) for path in paths}
    roles = {
        parts: next((role for part in reversed(parts) if (role := _role(part))), None)
        for parts in set(folders.values())
    }
    homes = {_home(parts) for parts, role in roles.items() if role == "frames"}
    mixed_in = _side_by_side([path for path in paths if roles[folders[path]] != "truth"])
    silent = SILENT | TRUTH | FRAMES | {_plain(split) for split in splits}
    videos = {parts: tuple(part for part in parts if _plain(part) not in silent) for parts in roles}
    short = defaultdict(set)
    for parts, video in videos.items():
        short[video[-1:], roles[parts] == "truth"].add(video)
    named = all(len(of) == 1 for of in short.values())
    found = []
    for path in paths:
        parts = folders[path]
        role = roles[parts]
        if role is None and any(parts[:k] in homes for k in range(len(parts) + 1)):
            continue  # where frames have a folder, pictures outside it are something else
        mask, video = role == "truth" or path in mixed_in, videos[parts]
        name = composed("/".join(video[-1:] if named else video))
        stem = composed(splitext(basename(path))[0])
        found.append(Picture(path, None if mask and not video else name, stem, mask))
    return found


def _role(part: str) -> str | None:
    name = _plain(part)
    return "truth" if name in TRUTH else "frames" if name in FRAMES else None


def _home(parts: tuple[str, ...]) -> tuple[str, ...]:
    return parts[: next((k for k, part in enumerate(parts) if _role(part)), len(parts))]


def _side_by_side(paths: Sequence[str]) -> set[str]:
    """The lossless pictures of folders where one of them has a lossy twin of its name: masks."""
    lossless = [path for path in paths if not path.lower().endswith(LOSSY)]
    lossy = {splitext(path)[0] for path in set(paths) - set(lossless)}
    shared = {dirname(path) for path in lossless if splitext(path)[0] in lossy}
    return {path for path in lossless if dirname(path) in shared}


def numbers(names: Sequence[str]) -> dict[str, int] | None:
    """The number that tells the names of a folder apart; None where there is no such one."""
    groups = [re.findall(r"[0-9]+", name) for name in names]
    if not groups or not all(groups):
        return None
    columns = [-1]
    if len({len(group) for group in groups}) == 1:
        columns = [k for k, of in enumerate(zip(*groups, strict=True)) if len(set(of)) > 1] or [-1]
    found = {name: int(group[columns[0]]) for name, group in zip(names, groups, strict=True)}
    return found if len(columns) == 1 and len(set(found.values())) == len(names) else None


def pair(names: Sequence[str], wanted: Sequence[str], place: str, other: str) -> dict[str, str]:
    """Which of `names` belongs to each of `wanted`: the same name, zeros before a number aside,
    else the same number.

    Args:
        names, wanted: of the files of one video, without suffix.
        place, other: what holds them, for messages.

    Raises:
        ValueError: they differ by a constant shift, so the same number is not the same frame.
    """
    found = {name: name for name in set(names) & set(wanted)}
    short, asked = ({ZEROS.sub("", name): name for name in some} for some in (names, wanted))
    if len(short) == len(names) and len(asked) == len(wanted):
        found |= {asked[name]: short[name] for name in short.keys() & asked.keys()}
    ours, theirs = numbers(names), numbers(wanted)
    if ours and theirs:
        have, want = set(ours.values()), set(theirs.values())
        if have - want and want - have:
            for shift in (min(have) - min(want), max(have) - max(want)):
                moved = {number + shift for number in want}
                if shift and (moved <= have or have <= moved):
                    raise ValueError(shifted(place, have, other, want))
        if not found:
            by_number = {number: name for name, number in ours.items()}
            found = {w: by_number[n] for w, n in theirs.items() if n in by_number}
            # Where words tell names apart as well, they must agree: cat_1 is no dog_1.
            words = ({re.sub("[0-9]+", "", name) for name in some} for some in (names, wanted))
            if all(len(of) > 1 for of in words):
                found = {w: name for w, name in found.items() if w in name or name in w}
    return found


def shifted(place: str, have: Iterable[int], other: str, want: Iterable[int]) -> str:
    """The sentence that refuses frames whose numbers are moved against each other."""
    have, want = sorted(have), sorted(want)
    return (
        f"{place} is numbered from {have[0]} to {have[-1]}, {other} from {want[0]} to {want[-1]}: "
        "shifted against each other, so that equal numbers are different frames. Rename the files "
        "of one so that each frame has one name."
    )


def refuse_twins(storage: Storage, path: str, other: str | None, kind: str, video: str) -> None:
    """Refuse masks or maps of one frame in two folders by a ValueError; one may hold both."""
    if other and dirname(other) != dirname(path):
        raise ValueError(
            f"{storage.locate(other)} and {storage.locate(path)} are both {kind} of frame "
            f"{PurePosixPath(path).stem} of {video or 'the folder'}; keep one, or name its folder."
        )


def _one_each(pictures: Iterable[Picture], storage: Storage) -> list[Picture]:
    """One mask and one picture per frame, lossless where there is a choice."""
    found: dict[tuple[bool, str | None, str], Picture] = {}
    for picture in pictures:
        key = picture.mask, picture.video, picture.frame
        if key in found:
            kind = "masks" if picture.mask else "pictures"
            refuse_twins(storage, picture.path, found[key].path, kind, picture.video or "")
        if key not in found or not picture.path.lower().endswith(LOSSY):
            found[key] = picture
    return list(found.values())


def listed(paths: Sequence[str]) -> str:
    """Up to five names for a message, and how many more there are."""
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")


def paired(pictures: Sequence[Picture], storage: Storage) -> list[FrameRecord]:
    """A record per frame, with the mask that belongs to it, if any; of masks alone, a record each
    whose `image` is empty.

    Raises:
        ValueError: frames and masks of a video whose numbers are shifted against each other, two
            masks of one frame, or one mask of two.
    """
    pictures = _one_each(pictures, storage)
    frames: dict[str, dict[str, str]] = defaultdict(dict)
    masks: dict[str | None, dict[str, str]] = defaultdict(dict)
    for picture in pictures:
        if picture.mask:
            masks[picture.video][picture.frame] = picture.path
        else:
            frames[picture.video or ""][picture.frame] = picture.path
    if not frames:
        return [FrameRecord(p.video or "", p.frame, "", p.path) for p in pictures]
    records = []
    for video, found in frames.items():
        of_any = {name: path for name, path in masks[None].items() if name in found}
        of_video = masks.get(video) or (masks[None] if len(frames) == 1 else of_any)
        place = storage.locate(video)
        mates = pair(list(of_video), list(found), f"{place} (masks)", "its frames")
        records += [
            FrameRecord(video, frame, path, of_video.get(mates.get(frame, "")))
            for frame, path in found.items()
        ]
    uses = Counter(record.mask for record in records if record.mask)
    if shared := [storage.locate(path) for path, count in uses.items() if count > 1]:
        raise ValueError(
            f"Each of several videos has a frame for {listed(shared)}; put each video's masks into "
            "a folder of its name."
        )
    return records


def in_videos(records: Sequence[FrameRecord], storage: Storage) -> list[FrameRecord]:
    """Those of a set of videos that lie in a video's folder; the others are named."""
    if loose := [record.image or record.truth for record in records if not record.video]:
        note(f"{storage.locate('')}: {listed(loose)} lie in no video's folder and are left out.")
    return [record for record in records if record.video]


def joined(parts: Mapping[str | None, Sequence[FrameRecord]]) -> list[FrameRecord]:
    """The records of several parts; a video of two is told apart by the names of the parts."""
    uses = Counter(video for records in parts.values() for video in {r.video for r in records})
    return [
        replace(record, video=f"{part}/{record.video}") if uses[record.video] > 1 else record
        for part, records in parts.items()
        for record in records
    ]


def truth_records(storage: Storage) -> list[FrameRecord]:
    """The masks of a folder that holds the truth, with or without frames.

    Raises:
        FileNotFoundError: there are no pictures.
        ValueError: two masks of one frame.
    """
    files = storage.list()
    pictures = sort_out(files)
    annotated = {p.video for p in pictures if p.mask}
    if None in annotated:
        annotated |= {p.video for p in pictures}
    found = [p for p in pictures if p.mask or p.video not in annotated]
    if not found:
        what = f"; it holds files like {files[0]}" if files else ""
        kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise FileNotFoundError(f"There are no pictures in {storage.locate('')} ({kinds}){what}.")
    videos = {p.video or "" for p in found}
    if stray := [p.path for p in found if not p.video and len(videos) > 1]:
        note(f"{storage.locate('')}: {listed(stray)} lie outside the sequences and are left out.")
        found = [p for p in found if p.video]
    return [FrameRecord(p.video or "", p.frame, "", p.path) for p in _one_each(found, storage)]


def own_records(pictures: Sequence[Picture], storage: Storage) -> list[FrameRecord]:
    """A record per frame of one's own data; frames that lie in no video's folder are still images.

    Raises:
        FileNotFoundError: no pictures.
        ValueError: no frames, no masks, or none that pair; numbers that are shifted.
    """
    place = storage.locate("")
    pictures = _one_each(pictures, storage)
    masks = [picture.path for picture in pictures if picture.mask]
    frames = [picture.path for picture in pictures if not picture.mask]
    if not frames or not masks:
        kind = ValueError if pictures else FileNotFoundError
        raise kind(
            f"{place} holds {len(frames)} frames and {len(masks)} masks; expected folders such as "
            "images and masks, or Imgs and GT in each video's folder."
        )
    records = paired(pictures, storage)
    found = {record.mask for record in records}
    bare = [record.image for record in records if record.mask is None]
    if len(bare) == len(records):
        raise ValueError(
            f"{place}: not one of {len(records)} frames pairs with one of {len(masks)} masks; they "
            f"are called {frames[0]} and {masks[0]}."
        )
    if loose := [path for path in masks if path not in found]:
        note(f"{place}: {len(loose)} masks have no frame: {listed(loose)}.")
    if bare:
        note(f"{place}: {len(bare)} of {len(records)} frames have no mask: {listed(bare)}.")
    if len(videos := {record.video for record in records}) == 1 < len(records) and all(videos):
        note(f"{place}: all frames are of one video, {videos.pop()}.")
    if stills := sum(not record.video for record in records):
        note(f"{place}: {stills} pictures in no video's folder are read as still images.")
    return [record if record.video else replace(record, video=record.frame) for record in records]


def folder_records(frames: Path, masks: Path) -> tuple[Storage, list[FrameRecord]]:
    """The records of two folders, one of frames and one of masks, and where both lie.

    Raises:
        FileNotFoundError: a folder that is not there.
        ValueError: as `own_records`.
    """
    for folder in (frames, masks):
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {folder}.")
    storage = Storage(os.path.commonpath([frames.absolute(), masks.absolute()]))
    pictures = []
    inside = [folder.absolute().relative_to(storage.path).as_posix() for folder in (frames, masks)]
    tops = ["" if path == "." else f"{path}/" for path in inside]
    for mask in (False, True):
        top, other, video = tops[mask], tops[not mask], None if mask else ""
        files = storage.list(top)
        if other.startswith(top) and other != top:  # one of them lies in the other
            files = [path for path in files if not path.startswith(other)]
        found = sort_out(path.removeprefix(top) for path in files)
        kept = [p for p in found if p.mask == mask] or found
        pictures += [replace(p, path=top + p.path, video=p.video or video, mask=mask) for p in kept]
    return storage, own_records(pictures, storage)
