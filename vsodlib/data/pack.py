"""A data set in one small zip: decode and shrink once, carry anywhere."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from tqdm.auto import tqdm

from vsodlib.config import profile
from vsodlib.data.catalogue import FOLDERS, open_dataset
from vsodlib.data.dataset import FrameDataset
from vsodlib.data.download import disk_full_named
from vsodlib.data.image_files import resize_rows

JPEG_QUALITY = 90


def pack(
    root: str | os.PathLike[str] | None,
    height: int,
    out: str | os.PathLike[str],
    name: str = "davis2016",
) -> Path:
    """Write a data set, resized to `height` rows, into one zip of the same layout.

    Frames keep their format (JPEG at quality 90), masks become black-and-white PNG. Every command
    takes the zip in place of the folder. It is written aside and renamed at the end, so nothing
    half-written ever has the name `out`.

    Args:
        root: as in `open_dataset`.
        height: rows of the packed frames, at least 16; the aspect is kept.
        out: the zip to write.

    Returns:
        `out`.

    Raises:
        FileExistsError: `out` is there already.
        FileNotFoundError, ValueError: as `open_dataset`, or a damaged file; names it.
        OSError: no space, no permission.
    """
    out = Path(out)
    if height < 16:
        raise ValueError(f"height must be at least 16 rows, got {height!r}.")
    if out.exists():
        raise FileExistsError(f"{out} exists already: choose another name or delete it.")
    if name not in FOLDERS:
        raise ValueError(f"{name!r} cannot be packed; choose one of {', '.join(FOLDERS)}.")
    dataset = open_dataset(name, None, root)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(out.name + ".part")
    try:
        # Pictures are compressed already: stored as they are, they can be read at once.
        with disk_full_named(out), zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            _fill(archive, dataset, height)
        aside.replace(out)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return out


def _fill(archive: zipfile.ZipFile, dataset: FrameDataset, height: int) -> None:
    top, storage = FOLDERS[dataset.name], dataset.storage
    for path in storage.list("ImageSets"):
        archive.writestr(f"{top}/{path}", storage.read(path))
    frames = tqdm(
        dataset.records,
        desc=f"Packing {dataset.name}",
        unit="frame",
        leave=False,
        disable=profile() == "smoke",
    )
    for index, record in enumerate(frames):
        picture = resize_rows(dataset.image(index), height)
        suffix = PurePosixPath(record.image).suffix
        options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix == ".jpg" else []
        data = cv2.imencode(suffix, picture[..., ::-1], options)[1]
        archive.writestr(f"{top}/{record.image}", data.tobytes())
        if record.mask is not None:
            mask = resize_rows(dataset.mask(index), height)
            data = cv2.imencode(".png", mask.astype(np.uint8) * 255)[1]
            archive.writestr(
                f"{top}/{PurePosixPath(record.mask).with_suffix('.png')}", data.tobytes()
            )
