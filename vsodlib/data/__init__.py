"""Videos with masks, from files to batches. Layouts, licences and citations: data/README.md.

catalogue, dataset              data sets by name, e.g. `open_dataset("folder:clips")`; their class
davis, video_sets, image_sets   the layouts of published sets; folders: pictures as people keep them
storage, image_files            bytes out of folders and zips; pictures out of bytes
mask_levels                     the meaning of levels in masks and maps
video_files, sources            films and cameras; what a path stands for
download, check, pack           fetch a set, find its faults, make it small
clips, synthetic, sprites       clips that may be shown anywhere, and how they are drawn
transforms, pasting, sampling   frames as the network takes them, augmented, in batches by video
"""

from vsodlib.data.catalogue import (
    DATASETS,
    FOLDERS,
    OWN,
    locate_dataset,
    open_dataset,
    scored_protocol,
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
    "scored_protocol",
    "scored_split",
    "stored_frames",
    "synthetic_clip",
    "synthetic_dataset",
]
