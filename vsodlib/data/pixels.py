"""Encoded pictures to arrays, and arrays to another size."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for damaged files."""


def resize_rows(pixels: np.ndarray, height: int | None) -> np.ndarray:
    """An image (np.uint8, area average) or mask (np.bool_, area >= 0.5) at `height` rows."""
    H, W = pixels.shape[:2]
    if height is None or height == H:
        return pixels
    size = (max(1, round(W * height / H)), height)
    if pixels.dtype == bool:
        return cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def decode_image(data: bytes, place: str) -> np.ndarray:
    """An encoded picture as np.uint8 (H, W, 3), RGB, on the stored pixel grid (EXIF rotation is
    ignored, as masks are drawn on that grid).

    Raises:
        ValueError: damaged, truncated or no picture, 16-bit grey; names `place`.
    """
    # Pillow, because OpenCV fills what is missing of a truncated JPEG with grey and says nothing.
    with _opened(data, place) as picture:
        if picture.mode[0] in "IF":  # Pillow would cut these at 255: nearly all white
            raise ValueError(f"{place} is 16-bit or float grey; save it with 8 bits.")
        return np.array(picture.convert("RGB"))


def decode_mask(data: bytes, place: str) -> np.ndarray:
    """The values of a mask file, np.uint8: grey values or palette indices (H, W), or colours
    (H, W, 3).

    Raises:
        ValueError: damaged, truncated or no picture; names `place`.
    """
    with _opened(data, place) as picture:
        if picture.mode not in ("L", "P", "RGB"):
            picture = picture.convert("RGB" if "RGB" in picture.mode else "L")
        return np.array(picture)


def image_size(data: bytes, place: str) -> tuple[int, int]:
    """(H, W) of an encoded picture, from its header alone.

    Raises:
        ValueError: not a picture; names `place`.
    """
    try:
        W, H = Image.open(io.BytesIO(data)).size
    except _UNREADABLE as error:
        raise _unreadable(place, data, error) from error
    return H, W


def _opened(data: bytes, place: str) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except _UNREADABLE as error:
        raise _unreadable(place, data, error) from error
    return picture


def _unreadable(place: str, data: bytes, error: Exception) -> ValueError:
    if not data:
        return ValueError(f"{place} is empty.")
    if isinstance(error, UnidentifiedImageError):
        return ValueError(f"{place} is not a picture (or cut off in its first bytes).")
    return ValueError(f"{place} cannot be decoded: {error}.")
