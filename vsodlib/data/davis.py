"""DAVIS 2016 (Perazzi et al., CVPR 2016), the official folder layout.

    DAVIS/JPEGImages/480p/<sequence>/00000.jpg
    DAVIS/Annotations/480p/<sequence>/00000.png      0 background, 255 object
    DAVIS/ImageSets/480p/{train,val}.txt             the paths of a frame and its mask per line

The splits come from `ImageSets` where it is present, else from the official lists below. Every
non-zero mask value is foreground, so masks with DAVIS 2017's object indices work as well.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from vsodlib.data.dataset import FrameRecord
from vsodlib.data.storage import Storage

FOLDER = "DAVIS"
IMAGES = "JPEGImages/480p"
MASKS = "Annotations/480p"
FOREGROUND = 0

SEQUENCES = {
    "train": """
        bear bmx-bumps boat breakdance-flare bus car-turn dance-jump dog-agility
        drift-turn elephant flamingo hike hockey horsejump-low kite-walk lucia
        mallard-fly mallard-water motocross-bumps motorbike paragliding rhino
        rollerblade scooter-gray soccerball stroller surf swing tennis train
    """,
    "val": """
        blackswan bmx-trees breakdance camel car-roundabout car-shadow cows dance-twirl
        dog drift-chicane drift-straight goat horsejump-high kite-surf libby
        motocross-jump paragliding-launch parkour scooter-black soapbox
    """,
}
SPLITS: dict[str, tuple[str, ...]] = {
    split: tuple(names.split()) for split, names in SEQUENCES.items()
}
"""The official sequences of each split."""


def davis_records(storage: Storage, split: str | None = None) -> list[FrameRecord]:
    """The frames of one split ("train" or "val") or of both (None), in the official order.

    Where `ImageSets` lists a pair, both files are taken at its word; otherwise a frame without a
    file in `Annotations` gets `mask=None`.

    Raises:
        ValueError: another split; a list in `ImageSets` that is not in the official form.
    """
    if split is not None and split not in SPLITS:
        raise ValueError(f"davis2016 has the splits train and val, not {split!r}.")
    records: list[FrameRecord] = []
    for part in SPLITS if split is None else (split,):
        listed = f"ImageSets/480p/{part}.txt"
        if storage.exists(listed):
            records += _listed(storage, listed)
        else:
            records += _found(storage, SPLITS[part])
    return records


def _listed(storage: Storage, path: str) -> list[FrameRecord]:
    records = []
    for number, line in enumerate(storage.read(path).decode().splitlines(), 1):
        if not line.strip():
            continue
        columns = [column.strip("/") for column in line.split()]
        if len(columns) != 2 or "/" not in columns[0]:
            raise ValueError(
                f"{storage.locate(path)}, line {number}: expected the paths of a frame and its "
                f"mask, got {line.strip()!r}."
            )
        image = PurePosixPath(columns[0])
        records.append(FrameRecord(image.parent.name, image.stem, columns[0], columns[1]))
    return records


def _found(storage: Storage, sequences: tuple[str, ...]) -> list[FrameRecord]:
    records = []
    masks = set(storage.list(MASKS))
    for image in storage.list(IMAGES):
        path = PurePosixPath(image)
        if path.suffix.lower() == ".jpg" and path.parent.name in sequences:
            mask = f"{MASKS}/{path.parent.name}/{path.stem}.png"
            records.append(
                FrameRecord(path.parent.name, path.stem, image, mask if mask in masks else None)
            )
    return records


def davis_truth(dataset: str, root: str | os.PathLike[str] | None) -> dict[str, list[Path]]:
    """The ground-truth images of every DAVIS 2016 validation sequence, in order.

    Raises:
        ValueError: another data set, or a list of sequences that is not in the official form.
        FileNotFoundError: no DAVIS folder, no list of sequences, or images it lists missing.
    """
    if dataset != "davis2016":
        raise ValueError(f"No data set {dataset!r} to score on; use 'davis2016' or a gt folder.")
    root = Path(root if root is not None else os.environ.get("VSOD_DATA") or "data")
    home = next((h for h in (root / "DAVIS", root) if (h / "Annotations").is_dir()), None)
    if home is None:
        raise FileNotFoundError(
            f"There is no DAVIS/Annotations under {root}; set VSOD_DATA or --data to the folder "
            "that holds DAVIS."
        )
    listing = home / "ImageSets" / "480p" / "val.txt"
    if not listing.is_file():
        raise FileNotFoundError(f"There is no list of validation frames {listing}.")
    truth: dict[str, list[Path]] = {}
    for line in listing.read_text().splitlines():
        if line.strip():
            columns = line.split()
            if len(columns) != 2:
                raise ValueError(f"{listing} must name a frame and its mask a line, not {line!r}.")
            path = home / columns[1].lstrip("/")
            truth.setdefault(path.parent.name, []).append(path)
    if absent := [str(p) for paths in truth.values() for p in paths if not p.is_file()]:
        raise FileNotFoundError(f"{listing} names {len(absent)} missing images: {absent[0]} ...")
    return truth
