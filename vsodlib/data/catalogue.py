"""The data sets by name, and where each one's readers and folder are."""

import os
from collections.abc import Sequence
from pathlib import Path

from vsodlib.data import davis, image_sets, video_sets
from vsodlib.data.dataset import FrameDataset, FrameRecord, StoredFrames
from vsodlib.data.folders import is_picture, joined, listed, own_records, sort_out
from vsodlib.data.mask_levels import TruthLevels
from vsodlib.data.storage import Storage, data_root, find_storage
from vsodlib.data.synthetic import synthetic_dataset
from vsodlib.notes import note

FOLDERS: dict[str, str] = {"davis2016": davis.FOLDER} | {
    name: layout.folder
    for name, layout in (video_sets.VIDEO_LAYOUTS | image_sets.IMAGE_LAYOUTS).items()
}
"""Data set -> its folder in the data root."""

DATASETS = (*FOLDERS, "synthetic")
"""Every name that `open_dataset` takes, and `OWN` before a path."""

OWN = "folder:"
"""Before the path of a folder or zip of one's own frames and masks (`folders`)."""

PARTS = {
    "train": {"train", "training"},
    "val": {"val", "valid", "validation"},
    "test": {"test", "testing"},
}
"""Split -> what its folder in there may be called, in any case."""


def open_dataset(
    name: str,
    split: str | None = None,
    root: str | os.PathLike[str] | None = None,
    foreground: int | None = None,
    void: int | None = None,
) -> FrameDataset:
    """A data set by name.

        >>> from vsodlib import open_dataset
        >>> dataset = open_dataset("synthetic", "val")
        >>> item = dataset[0]
        >>> item["frame"], item["image"].shape, item["mask"].shape
        ('00000', torch.Size([3, 192, 336]), torch.Size([1, 192, 336]))

    Args:
        name: one of `DATASETS`, or "folder:PATH".
        split: "train" or "val" (davis2016, synthetic), "train" or "test" (fbms), "test" (visal),
            "train", "val", "easy", "normal" or "difficult" (davsod), "train" (image sets); None:
            all of it. A folder of one's own may have the folders train, val and test.
        root: the folder that holds the data set, the data set's folder itself, or one zip of it;
            None: the environment variable `VSOD_DATA`, else `data/`. Unused for "synthetic" and
            "folder:PATH".
        foreground: mask levels above this are object; None: known of the data set, or recognised.
        void: mask level of pixels that do not count.

    Returns:
        All frames in official order. FBMS, ViSal and DAVSOD leave frames without annotation;
        `FrameDataset.labelled` drops them.

    Raises:
        FileNotFoundError: the data set, the split or a listed file is not there.
        ValueError: an unknown name or split, an empty folder, frames without masks.
    """
    if name == "synthetic":
        return synthetic_dataset(split)
    storage, records = locate_dataset(name, split, root)
    if not any(record.image for record in records):
        raise ValueError(f"{storage.locate('')} holds no frames of {name}.")
    dataset = FrameDataset(name, records, stored_frames(name, storage, records, foreground, void))
    if name in video_sets.VIDEO_LAYOUTS or name.startswith(OWN):
        dataset.labelled()  # raises where no frame at all has a mask
    else:
        _require_pairs(name, storage, records)
    return dataset


def stored_frames(
    name: str,
    storage: Storage,
    records: Sequence[FrameRecord],
    foreground: int | None = None,
    void: int | None = None,
) -> StoredFrames:
    """What reads the files of a data set, knowing what its masks mean."""
    layout = video_sets.VIDEO_LAYOUTS.get(name)
    known = layout.foreground if layout and foreground is None else foreground
    masks = [record.mask for record in records if record.mask]
    white = layout.white_background if layout else ()
    return StoredFrames(storage, masks, TruthLevels(name, known, void), white)


def scored_split(name: str) -> str | None:
    """The split of a data set that is scored where none is named."""
    if name in video_sets.VIDEO_LAYOUTS:
        return video_sets.VIDEO_LAYOUTS[name].test
    return "val" if name in ("davis2016", "synthetic") else None


def scored_protocol(name: str | None) -> str:
    """The protocol by which a data set, or a folder of truth (None), is scored."""
    return "davis2016" if name in ("davis2016", "synthetic") else "frames"


def locate_dataset(
    name: str, split: str | None = None, root: str | os.PathLike[str] | None = None
) -> tuple[Storage, list[FrameRecord]]:
    """Where a data set lies and the frames it should have; no file is opened yet.

    Raises:
        FileNotFoundError, ValueError: as `open_dataset`, but frames without masks pass.
    """
    start = data_root(root)
    if name == "davis2016":
        storage = find_storage(name, davis.FOLDER, ["JPEGImages", "Annotations"], start)
        return storage, davis.davis_records(storage, split)
    if name in video_sets.VIDEO_LAYOUTS:
        video_layout = video_sets.VIDEO_LAYOUTS[name]
        markers = video_layout.markers or list(video_layout.splits.values())
        storage = find_storage(name, video_layout.folder, markers, start, any_layout=True)
        return storage, video_sets.video_records(video_layout, storage, split)
    if name in image_sets.IMAGE_LAYOUTS:
        if split not in (None, "train"):
            raise ValueError(f"{name} has only the split train, not {split!r}.")
        layout = image_sets.IMAGE_LAYOUTS[name]
        storage = find_storage(name, layout.folder, [layout.images], start)
        return storage, image_sets.image_records(layout, storage)
    if name.startswith(OWN) and name != OWN:  # an empty path is where one happens to be
        return _own(Path(name.removeprefix(OWN)), split)
    if name == "synthetic":
        raise ValueError("synthetic is drawn, not read; `vsod data make-synthetic` writes files.")
    own = f"{OWN}{name if Path(name).exists() else 'PATH'}"
    raise ValueError(
        f"There is no data set {name!r}; choose one of {', '.join(DATASETS)}, or {own} for yours."
    )


def _own(path: Path, split: str | None) -> tuple[Storage, list[FrameRecord]]:
    storage = Storage(os.path.expanduser(path))  # which no shell does behind "folder:"
    files = storage.list()
    paths = list(filter(is_picture, files))
    tops = _above("/ImageSets/", files) & _above("/Annotations/", paths)  # VOC's are of XML
    if len(tops) == 1:
        (top,) = tops
        _leave_out(storage, [file for file in paths if not f"/{file}".startswith(f"{top}/")])
        storage = Storage(storage.path, top)
        return storage, davis.davis_records(storage, split, known=frozenset())
    parts = {
        name: [file for file in paths if words & set(file.lower().split("/")[:-1])]
        for name, words in PARTS.items()
    }
    there = [name for name, found in parts.items() if found]
    if split is None and len(there) > 1 and set(paths) == set().union(*parts.values()):
        note(f"{path} has the folders {', '.join(there)}: all of them are taken.")
        return storage, joined({name: _own(path, name)[1] for name in there})
    kept, words, others = paths, set[str](), set[str]()
    if split and len(there) > 1:  # one alone may be a video
        if split not in there:
            raise FileNotFoundError(f"{path} has the folders {', '.join(there)}, but not {split}.")
        kept, words = parts[split], PARTS[split]
        others.update(*(parts[name] for name in there if name != split))
    elif split and there and split not in there:
        note(f"{path} has the folder {there[0]}, but not {split}: all of it is taken.")
    pictures = sort_out(kept, words)
    _leave_out(storage, sorted({*paths} - {*others} - {picture.path for picture in pictures}))
    return storage, own_records(pictures, storage)


def _above(folder: str, files: list[str]) -> set[str]:
    return {top for top, found, _ in (f"/{file}".rpartition(folder) for file in files) if found}


def _leave_out(storage: Storage, files: list[str]) -> None:
    if files:
        where = "lie outside its folders of frames and masks and are left out"
        note(f"{storage.locate('')}: {listed(files)} {where}.")


def _require_pairs(name: str, storage: Storage, records: list[FrameRecord]) -> None:
    """Every frame and its mask are there."""
    if bare := [record for record in records if record.mask is None]:
        raise ValueError(
            f"{name}: {len(bare)} of {len(records)} frames have no mask, the first being "
            f"{storage.locate(bare[0].image)}."
        )
    files = [path for record in records for path in (record.image, record.truth)]
    if missing := [path for path in files if not storage.exists(path)]:
        raise FileNotFoundError(
            f"{storage.locate(missing[0])} does not exist ({len(missing)} of {len(files)} files "
            f"of {name} are missing; `vsod data check` lists them)."
        )
