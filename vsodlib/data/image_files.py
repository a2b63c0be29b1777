"""Image files: pictures, maps and masks from encoded bytes or files, and maps into files."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from vsodlib.files import write_file

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


def write_map(path: Path, saliency: np.ndarray) -> None:
    """Write a map (H, W) float in [0, 1] as an 8-bit grey PNG.

    Raises:
        OSError: the file could not be written.
    """
    encoded = cv2.imencode(".png", np.rint(saliency * 255).astype(np.uint8))[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, encoded.tobytes())
