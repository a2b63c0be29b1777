"""Still images with saliency masks: MSRA10K, DUT-OMRON and the training part of DUTS.

    MSRA10K/Imgs/NAME.jpg + NAME.png                        side by side
    DUT-OMRON/DUT-OMRON-image/NAME.jpg + pixelwiseGT-new-PNG/NAME.png
    DUTS-TR/DUTS-TR-Image/NAME.jpg + DUTS-TR-Mask/NAME.png

Each image is a video of one frame. Masks have soft edges in places.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from vsodlib.data.dataset import FrameRecord
from vsodlib.data.folders import refuse_twins
from vsodlib.data.storage import Storage


@dataclass(frozen=True)
class ImageLayout:
    """Where one data set keeps its images and masks, which pair by the stem of their names."""

    folder: str
    images: str
    masks: str


IMAGE_LAYOUTS = {
    "msra10k": ImageLayout("MSRA10K", "Imgs", "Imgs"),
    "dut-omron": ImageLayout("DUT-OMRON", "DUT-OMRON-image", "pixelwiseGT-new-PNG"),
    "duts-tr": ImageLayout("DUTS-TR", "DUTS-TR-Image", "DUTS-TR-Mask"),
}


def image_records(layout: ImageLayout, storage: Storage) -> list[FrameRecord]:
    """One record per image, sorted by path; an image without a mask gets `mask=None`.

    Raises:
        ValueError: two images or masks of one name in two folders.
    """

    def named(folder: str, kind: str, *suffixes: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in storage.list(folder):
            if path.lower().endswith(suffixes):
                stem = PurePosixPath(path).stem
                refuse_twins(storage, path, found.get(stem), kind, "")
                found[stem] = path
        return found

    masks = named(layout.masks, "masks", ".png")
    images = named(layout.images, "pictures", ".jpg", ".jpeg")
    return [FrameRecord(stem, stem, path, masks.get(stem)) for stem, path in images.items()]
