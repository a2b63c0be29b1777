"""Videos with masks: readers, synthetic clips, transforms, batches.

    train = open_dataset("davis2016", "train").in_memory(288)
    mine = open_dataset("folder:clips")
    train.transform = train_transform(TrainConfig.lite())

Layouts, licences and citations: data/README.md.
"""

from vsodlib.data.catalogue import (
    DATASETS,
    FOLDERS,
    OWN,
    locate_dataset,
    open_dataset,
    scored_split,
    stored_frames,
)
from vsodlib.data.clips import demo_clips, demo_file
from vsodlib.data.dataset import FrameDataset, FrameRecord, concat
from vsodlib.data.storage import Storage, data_root
from vsodlib.data.synthetic import Clip, synthetic_clip, synthetic_dataset

__all__ = [
    "DATASETS",
    "FOLDERS",
    "OWN",
    "Clip",
    "FrameDataset",
    "FrameRecord",
    "Storage",
    "concat",
    "data_root",
    "demo_clips",
    "demo_file",
    "locate_dataset",
    "open_dataset",
    "scored_split",
    "stored_frames",
    "synthetic_clip",
    "synthetic_dataset",
]
