"""Videos with masks: readers, synthetic clips, transforms, batches.

    train = open_dataset("davis2016", "train").in_memory(288)
    train.transform = train_transform(TrainConfig.lite())

Layouts, licences and citations: data/README.md.
"""

from vsodlib.data.catalogue import DATASETS, FOLDERS, locate_dataset, open_dataset
from vsodlib.data.clips import demo_clips
from vsodlib.data.dataset import FrameDataset, FrameRecord, concat
from vsodlib.data.storage import Storage, data_root
from vsodlib.data.synthetic import Clip, synthetic_clip, synthetic_dataset

__all__ = [
    "DATASETS",
    "FOLDERS",
    "Clip",
    "FrameDataset",
    "FrameRecord",
    "Storage",
    "concat",
    "data_root",
    "demo_clips",
    "locate_dataset",
    "open_dataset",
    "synthetic_clip",
    "synthetic_dataset",
]
