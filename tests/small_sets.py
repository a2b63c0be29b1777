"""Small data sets, a file at a time, for several test modules."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

H, W = 48, 64


def zipped(folder: Path, out: Path, top: str = "") -> Path:
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{top}{path.relative_to(folder).as_posix()}")
    return out


def picture(path: Path, values, size=(H, W)) -> None:
    """Write an image: a number (grey), a colour, or an array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.asarray(values, np.uint8)
    if array.ndim < 2:
        array = np.broadcast_to(array, (*size, *array.shape))
    Image.fromarray(np.ascontiguousarray(array)).save(path)


def mask(k: int) -> np.ndarray:
    picture = np.zeros((H, W), np.uint8)
    picture[10:30, 3 * k : 3 * k + 20] = 255
    return picture


def frames(folder: Path, names, suffix: str = ".jpg") -> None:
    for name in names:
        picture(folder / f"{name}{suffix}", np.full((H, W, 3), 90, np.uint8))


def masks(folder: Path, names, suffix: str = ".png", start: int = 0) -> Path:
    for k, name in enumerate(names, start):
        picture(folder / f"{name}{suffix}", mask(k))
    return folder


def five(form: str = "{:05d}", start: int = 0) -> list[str]:
    return [form.format(k) for k in range(start, start + 5)]
