"""The data sets by name, and where each one's readers and folder are."""

from __future__ import annotations

import os

from vsodlib.data import davis, image_sets, video_sets
from vsodlib.data.dataset import FrameDataset, FrameRecord, StoredFrames
from vsodlib.data.storage import Storage, find_storage
from vsodlib.data.synthetic import synthetic_dataset

FOLDERS: dict[str, str] = {"davis2016": davis.FOLDER} | {
    name: layout.folder
    for name, layout in (video_sets.VIDEO_LAYOUTS | image_sets.IMAGE_LAYOUTS).items()
}
"""Data set -> its folder in the data root."""

DATASETS = (*FOLDERS, "synthetic")
"""Every name that `open_dataset` takes."""


def open_dataset(
    name: str, split: str | None = None, root: str | os.PathLike[str] | None = None
) -> FrameDataset:
    """A data set by name.

        >>> from vsodlib import open_dataset
        >>> dataset = open_dataset("synthetic", "val")
        >>> item = dataset[0]
        >>> item["frame"], item["image"].shape, item["mask"].shape
        ('00000', torch.Size([3, 192, 336]), torch.Size([1, 192, 336]))

    Args:
        name: one of `DATASETS`.
        split: "train" or "val" (davis2016, synthetic), "train" or "test" (fbms), "test" (visal),
            "train", "val", "easy", "normal" or "difficult" (davsod), "train" (image sets); None:
            all of it.
        root: the folder that holds the data set, the data set's folder itself, or one zip of it;
            None: the environment variable `VSOD_DATA`, else `data/`. Unused for "synthetic".

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
    if not records:
        raise ValueError(f"{storage.locate('')} holds no frames of {name}.")
    if name in video_sets.VIDEO_LAYOUTS:
        dataset = FrameDataset(
            name, records, StoredFrames(storage, video_sets.VIDEO_LAYOUTS[name].foreground)
        )
        dataset.labelled()  # raises where no frame at all has a mask
        return dataset
    _require_pairs(name, storage, records)
    foreground = davis.FOREGROUND if name == "davis2016" else image_sets.FOREGROUND
    return FrameDataset(name, records, StoredFrames(storage, foreground))


def locate_dataset(
    name: str, split: str | None = None, root: str | os.PathLike[str] | None = None
) -> tuple[Storage, list[FrameRecord]]:
    """Where a data set lies and the frames it should have; no file is opened yet.

    Raises:
        FileNotFoundError, ValueError: as `open_dataset`, but frames without masks pass.
    """
    if name == "davis2016":
        storage = find_storage(name, davis.FOLDER, [davis.IMAGES], root)
        return storage, davis.davis_records(storage, split)
    if name in video_sets.VIDEO_LAYOUTS:
        video_layout = video_sets.VIDEO_LAYOUTS[name]
        storage = find_storage(name, video_layout.folder, video_layout.markers, root)
        return storage, video_sets.video_records(video_layout, storage, split)
    if name in image_sets.IMAGE_LAYOUTS:
        if split not in (None, "train"):
            raise ValueError(f"{name} has only the split train, not {split!r}.")
        layout = image_sets.IMAGE_LAYOUTS[name]
        storage = find_storage(name, layout.folder, [layout.images], root)
        return storage, image_sets.image_records(layout, storage)
    raise ValueError(f"There is no data set {name!r}; choose one of {', '.join(DATASETS)}.")


def _require_pairs(name: str, storage: Storage, records: list[FrameRecord]) -> None:
    """Every frame and its mask are there."""
    if bare := [record for record in records if record.mask is None]:
        raise ValueError(
            f"{name}: {len(bare)} of {len(records)} frames have no mask, the first being "
            f"{storage.locate(bare[0].image)}."
        )
    files = [path for record in records for path in (record.image, record.mask)]
    if missing := [path for path in files if not storage.exists(path)]:
        raise FileNotFoundError(
            f"{storage.locate(missing[0])} does not exist ({len(missing)} of {len(files)} files "
            f"of {name} are missing; `vsod data check` lists them)."
        )
