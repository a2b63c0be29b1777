"""Videos with masks: readers, transforms, batches."""

from __future__ import annotations

import os

from vsodlib.data import davis
from vsodlib.data.dataset import FrameDataset, FrameRecord, StoredFrames, concat
from vsodlib.data.images import FOREGROUND, IMAGE_LAYOUTS, image_records
from vsodlib.data.storage import Storage, find_storage

__all__ = ["FrameDataset", "FrameRecord", "Storage", "concat", "open_dataset"]


def open_dataset(
    name: str, split: str | None = None, root: str | os.PathLike[str] | None = None
) -> FrameDataset:
    if name == "davis2016":
        storage = find_storage(name, davis.FOLDER, davis.IMAGES, root)
        return FrameDataset(
            name, davis.davis_records(storage, split), StoredFrames(storage, davis.FOREGROUND)
        )
    layout = IMAGE_LAYOUTS[name]
    storage = find_storage(name, layout.folder, layout.images, root)
    return FrameDataset(name, image_records(layout, storage), StoredFrames(storage, FOREGROUND))
