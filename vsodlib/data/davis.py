"""DAVIS 2016 (Perazzi et al., CVPR 2016), the official folder layout.

    DAVIS/JPEGImages/480p/<sequence>/00000.jpg
    DAVIS/Annotations/480p/<sequence>/00000.png
    DAVIS/ImageSets/480p/{train,val}.txt             the paths of a frame and its mask per line,
    DAVIS/ImageSets/2016/{train,val}.txt             or, in the download of DAVIS 2017, a sequence

The splits come from `ImageSets` where it is present, else from the official lists below, else (of
one's own clips in this layout) all there is belongs to either split. Masks by object number, as in
DAVIS 2017, work as well (`mask_levels`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Set
from functools import cache, partial
from pathlib import PurePosixPath
from posixpath import normpath

from vsodlib.data.dataset import FrameRecord
from vsodlib.data.folders import composed, in_videos, listed, paired, sort_out
from vsodlib.data.image_files import SUFFIXES
from vsodlib.data.storage import Storage
from vsodlib.notes import note

FOLDER = "DAVIS"
IMAGES = "JPEGImages/480p"
MASKS = "Annotations/480p"

TRAIN = """
    bear bmx-bumps boat breakdance-flare bus car-turn dance-jump dog-agility drift-turn elephant
    flamingo hike hockey horsejump-low kite-walk lucia mallard-fly mallard-water motocross-bumps
    motorbike paragliding rhino rollerblade scooter-gray soccerball stroller surf swing tennis train
"""
VAL = """
    blackswan bmx-trees breakdance camel car-roundabout car-shadow cows dance-twirl dog
    drift-chicane drift-straight goat horsejump-high kite-surf libby motocross-jump
    paragliding-launch parkour scooter-black soapbox
"""
SPLITS = {"train": tuple(TRAIN.split()), "val": tuple(VAL.split())}
"""The official sequences of each split."""
YEARS = ("480p", "2016", "2017")
"""Folders of lists, the first that is there, or else any; the first two alone where sequences are
of 2016."""
OFFICIAL = frozenset(video for videos in SPLITS.values() for video in videos)


def davis_records(
    storage: Storage, split: str | None = None, known: Set[str] = OFFICIAL
) -> list[FrameRecord]:
    """The frames of one split ("train" or "val") or of both (None), in the official order.

    Sequences that are `known` are of DAVIS 2016, others beside them are not; of one's own none is.
    Where `ImageSets` lists a pair, both files are taken at its word; otherwise a frame without a
    file in `Annotations` gets `mask=None`.

    Raises:
        ValueError: another split; a list in `ImageSets` that is in neither form, or names a
            sequence that is not there; frames shifted against their masks.
    """
    if split is not None and split not in SPLITS:
        raise ValueError(f"DAVIS has the splits train and val, not {split!r}.")
    found = cache(partial(_found, storage))  # which lists of pairs do without
    lists = _lists(storage, found, known)
    records = []
    for part in [split] if split else SPLITS:
        if part in lists:
            records += _from_list(storage, lists[part], found)
        else:
            records += [r for r in found() if r.video in known & {*SPLITS[part]}]
    records = list(dict.fromkeys(records))  # lists may share a sequence
    if split in lists and not records:
        raise ValueError(f"{storage.locate(lists[split])} names no sequence.")
    if lists.keys() & ({split} if split else SPLITS.keys()) or not found():
        return records
    there = {record.video for record in found()}
    official = there & known
    place = storage.locate("")
    if lists and not official:
        raise FileNotFoundError(f"{place} has a list {', '.join(lists.values())}, none of {split}.")
    if not official:
        note(f"{place} has no lists of sequences: all are taken ({listed(sorted(there))}).")
        return found()
    if others := there - official:
        note(f"{place}: {listed(sorted(others))} are not of DAVIS 2016 and left out.")
    return records


def packed_lists(storage: Storage, kept: Set[str]) -> Iterator[tuple[str, str]]:
    """Path and text of the lists in `ImageSets`, of the frames `kept` and of masks as PNG alone."""
    found = cache(partial(_found, storage))
    for path in _lists(storage, found).values():
        records = [r for r in _from_list(storage, path, found) if r.image in kept]
        pairs = [(r.image, PurePosixPath(r.truth).with_suffix(".png")) for r in records if r.mask]
        yield path, "".join(f"/{image} /{mask}\n" for image, mask in pairs)


def _lists(
    storage: Storage, found: Callable[[], list[FrameRecord]], known: Set[str] = OFFICIAL
) -> dict[str, str]:
    """Split -> its list."""
    first = [f"ImageSets/{year}/" for year in YEARS]
    paths = storage.list("ImageSets")
    lists: dict[str, str] = {}
    for top in (*first, ""):
        for path in paths:
            part = PurePosixPath(path).name.removesuffix(".txt")
            if part in SPLITS and path.startswith(top):
                lists.setdefault(part, path)
    others = {part for part, path in lists.items() if not path.startswith(tuple(first[:2]))}
    if others and {record.video for record in found()} & known:
        lists = {part: path for part, path in lists.items() if part not in others}
    return lists


def _from_list(
    storage: Storage, path: str, found: Callable[[], list[FrameRecord]]
) -> list[FrameRecord]:
    """The frames that a list names, by pairs of paths or by sequences."""
    data, place = storage.read(path), storage.locate(path)
    wide = b"\0" in data  # as Windows saves it, with or without a mark
    text = data.decode("utf-16" if wide else "utf-8-sig", errors="replace").replace("\\", "/")
    lines = [re.sub(r"^\s*#.*", "", line).strip() for line in text.splitlines()]
    named: list[FrameRecord | str] = []
    suffix = "|".join(re.escape(suffix) for suffix in SUFFIXES)
    for number, line in enumerate(lines, 1):
        # The suffix at the end is looked for by itself, or a long line is gone through many times.
        pairs = re.fullmatch(rf"(\S.*?(?:{suffix}))\s+(\S.*)", line, re.IGNORECASE)
        if pairs and line.lower().endswith(SUFFIXES) and "/" in pairs[1].strip("/"):
            image, mask = (column.strip("/") for column in pairs.groups())
            storage.locate(image)  # refuses what leads out; `score` opens the mask alone
            frame = PurePosixPath(composed(image))
            files = normpath(image), normpath(mask)  # a zip knows no ./a and no a//b
            named.append(FrameRecord(frame.parent.name, frame.stem, *files))
        elif line and "/" not in line and not line.lower().endswith(SUFFIXES):
            named.append(composed(line))
        elif line:
            raise ValueError(
                f"{place}, line {number}: expected the paths of a frame and its mask, or the name "
                f"of a sequence, got {line!r:.200}."
            )
    if twice := [str(getattr(one, "image", one)) for one, n in Counter(named).items() if n > 1]:
        note(f"{place} names {listed(twice)} more than once; each counts once.")
    records = []
    for one in dict.fromkeys(named):
        frames = [one] if isinstance(one, FrameRecord) else [r for r in found() if r.video == one]
        if not frames:
            raise ValueError(f"{place} names {one!r:.200}, which has no frames there.")
        records += frames
    records, first = list(dict.fromkeys(records)), dict[tuple[str, str], FrameRecord]()
    for record in records:
        other = first.setdefault((record.video, record.frame), record)
        if other is not record:
            raise ValueError(
                f"{place} gives frame {record.frame} of {record.video} twice: {other.image} with "
                f"{other.mask} and {record.image} with {record.mask}; keep one."
            )
    return records


def _found(storage: Storage) -> list[FrameRecord]:
    """The frames and masks that are there, of 480 rows where there are some."""
    files = [storage.list(top) or storage.list(top.split("/")[0]) for top in (IMAGES, MASKS)]
    records = paired(sort_out([path for found in files for path in found]), storage)
    return in_videos(records, storage)
