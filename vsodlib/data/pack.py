"""A data set in one small zip, or in parts: decode and shrink once, carry anywhere."""

import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from vsodlib.data.catalogue import FOLDERS, open_dataset
from vsodlib.data.dataset import FrameDataset, watched
from vsodlib.data.davis import packed_lists
from vsodlib.data.image_files import encoded, resize_rows
from vsodlib.files import aside, sole_process

FORMATS = {"jpg": "JPEG", "webp": "WEBP", "avif": "AVIF"}


def pack(
    root: str | os.PathLike[str] | None,
    height: int,
    out: str | os.PathLike[str],
    name: str = "davis2016",
    split: str | None = None,
    format: str = "jpg",
    quality: int = 90,
    every: int = 1,
    max_mib: int | None = None,
) -> list[Path]:
    """Write a data set, reduced to `height` rows, into one zip of the same layout, or into parts.

    Frames keep their names whatever their format (PNG, where they are no JPEG), masks become
    black-and-white PNG of one bit. Every command takes a zip in place of the folder; parts are
    unpacked into one folder first. Each zip is renamed at the end, so none is ever half-written.

    Args:
        root, name, split: as in `open_dataset`.
        height: rows of the packed frames, at least 16; the aspect is kept, smaller frames stay.
        out: the zip to write; parts are called OUT-1.zip, OUT-2.zip ...
        format: of the frames, one of `FORMATS`.
        quality: of the frames, 1 to 100.
        every: keep every so manieth frame of a video, the first among them.
        max_mib: a part is closed before it would grow beyond so many MiB; None: one zip.

    Returns:
        The zips.

    Raises:
        FileExistsError: one of them is there already.
        FileNotFoundError, ValueError: as `open_dataset`, or a damaged file; names it.
        OSError: no space, no permission.
    """
    out = Path(out)
    if height < 16:
        raise ValueError(f"height must be at least 16 rows, got {height!r}.")
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}.")
    if not 1 <= quality <= 100 or every < 1:
        raise ValueError(f"quality is 1 to 100 and every at least 1, got {quality} and {every}.")
    if name not in FOLDERS:
        raise ValueError(f"{name!r} cannot be packed; choose one of {', '.join(FOLDERS)}.")
    dataset = open_dataset(name, split, root)
    limit = math.inf if max_mib is None else max_mib * 2**20
    zips: list[Path] = []
    size = 0
    alone = sole_process(out, out.with_name(f".{out.name[-60:]}.lock"))
    with alone, ExitStack() as whole, ExitStack() as current:
        if taken := [path for path in (out, _part(out, 1)) if path.exists() or path.is_symlink()]:
            raise FileExistsError(f"{taken[0]} exists already: choose another name or delete it.")
        for path, data in _entries(dataset, height, format, quality, every):
            if not zips or size + len(data) > limit:
                current.close()  # a system allows some thousand open files
                zips.append(out if max_mib is None else _part(out, len(zips) + 1))
                if max_mib is not None and zips[-1].exists():
                    raise FileExistsError(f"{zips[-1]} exists already: delete it or name another.")
                part, size = whole.enter_context(aside(zips[-1])), 0
                # Pictures are compressed already: stored as they are, they can be read at once.
                archive = current.enter_context(zipfile.ZipFile(part, "w", zipfile.ZIP_STORED))
            archive.writestr(path, data)
            size += len(data) + 2 * len(path) + 100  # headers, there and in the directory
    return zips


def _part(out: Path, number: int) -> Path:
    return out.with_name(f"{out.stem}-{number}{out.suffix}")


def _entries(
    dataset: FrameDataset, height: int, format: str, quality: int, every: int
) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every file of the zip: lists first, then frames and masks."""
    top, storage = FOLDERS[dataset.name], dataset.storage
    assert storage is not None, "it was opened from files"
    kept = [i for frames in dataset.videos.values() for i in frames[::every]]
    images = {dataset.records[i].image for i in kept}
    for path, text in packed_lists(storage, images) if dataset.name == "davis2016" else ():
        yield f"{top}/{path}", text.encode()
    for index in watched(kept, f"Packing {dataset.name}"):
        record, image = dataset.records[index], dataset.image(index)
        rows = min(height, len(image))
        kind = FORMATS[format] if record.image.lower().endswith((".jpg", ".jpeg")) else "PNG"
        yield f"{top}/{record.image}", encoded(resize_rows(image, rows), kind, quality)
        if record.mask is not None:
            mask = PurePosixPath(record.mask).with_suffix(".png")
            yield f"{top}/{mask}", encoded(resize_rows(dataset.mask(index), rows), "PNG")
