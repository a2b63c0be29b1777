"""Reading maps and ground truths from image files, whatever people saved them as."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def read_grey(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """One channel of an image file, and the conversions that took.

    Returns:
        (H, W) uint8, or float32 in [0, 1] for 16-bit files (v / 65535).

    Raises:
        ValueError: not an image, coloured, or transparent.
    """
    data = np.frombuffer(path.read_bytes(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if image is None:
        raise ValueError(f"{path} {'cannot be read as an image' if data.size else 'is empty'}.")
    notes: tuple[str, ...] = ()
    if image.ndim == 3:
        colours = image[..., :3]
        coloured = np.any(colours != colours[..., :1])
        with Image.open(path) as file:
            if coloured and file.mode == "P":
                return (np.asarray(file) > 0).astype(np.uint8) * 255, ("indexed",)
        if image.shape[2] == 4 and image[..., 3].min() < np.iinfo(image.dtype).max:
            raise ValueError(f"{path} is partly transparent; save it as a grey image.")
        if coloured:
            raise ValueError(f"{path} is a colour image; a map or mask must be grey.")
        image, notes = np.ascontiguousarray(colours[..., 0]), ("colour channels",)
    if image.dtype == np.uint16:
        return image.astype(np.float32) / np.float32(65535), (*notes, "16 bit")
    if image.dtype != np.uint8:
        raise ValueError(f"{path} holds {image.dtype} pixels; save it with 8 or 16 bits.")
    return image, notes


def read_truth(path: Path, threshold: int = 128) -> tuple[np.ndarray, tuple[str, ...]]:
    """A ground truth as bool (H, W): levels above `threshold`, or level 1 of a 0/1 image.

    Returns:
        The mask, and a note where the image has more than two levels.

    Raises:
        ValueError: as `read_grey`.
    """
    image, _ = read_grey(path)
    high = image.max()
    if image.dtype != np.uint8 and high <= 255 / 65535:
        image, high = np.rint(image * 65535).astype(np.uint8), round(high * 65535)  # a 16-bit file
    if image.dtype != np.uint8:
        threshold = threshold / 255
    mask = image > 0 if image.dtype == np.uint8 and high <= 1 else image > threshold
    grey = np.any((image != 0) & (image != high))
    return mask, ("grey ground truth",) if grey else ()
