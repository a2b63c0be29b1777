"""Image files: pictures, maps and masks from encoded bytes or files, and maps into files."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from vsodlib.files import write_file

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".bmp", ".pbm", ".pgm", ".ppm", ".pnm", ".tif", ".tiff", ".webp",
    ".gif", ".avif",
)  # fmt: skip
"""Names that frames, masks and maps end with, in lower case."""
LOSSY = (".jpg", ".jpeg", ".webp", ".avif")
FORMATS = ("PNG", "JPEG", "MPO", "BMP", "PPM", "TIFF", "WEBP", "GIF", "AVIF")
"""What Pillow may open, whatever a file is called; others of its readers start programs."""
COLOURS = 64
"""A mask with more colours than these is a photograph."""
FAINT = 32
"""Up to this difference of its channels a lossy picture is grey."""
VOID_COLOUR = (224, 224, 192)
"""Of PASCAL VOC's palette, index 255: pixels that do not count."""
UNREADABLE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow raises for damaged files: whatever its decoders come upon, but want of memory."""
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # of large photographs


def resize_rows(pixels: np.ndarray, height: int | None) -> np.ndarray:
    """An image (np.uint8, area average) or mask (np.bool_, area >= 0.5) at `height` rows."""
    H, W = pixels.shape[:2]
    if height is None or height == H:
        return pixels
    size = (max(1, round(W * height / H)), height)
    if pixels.dtype == bool:
        return cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def decode_image(data: bytes, place: str, as_shown: bool = False) -> np.ndarray:
    """An encoded picture as np.uint8 (H, W, 3), RGB.

    Args:
        as_shown: turned upright by its EXIF note and laid over white where it is transparent, as
            every viewer shows it. Otherwise the stored pixel grid, on which masks are drawn.

    Raises:
        ValueError: damaged, truncated or no picture, 16-bit grey; names `place`.
    """
    # Pillow, because OpenCV fills what is missing of a truncated JPEG with grey and says nothing.
    with _opened(data, place) as picture:
        if picture.mode[0] in "IF":  # Pillow would cut these at 255: nearly all white
            raise ValueError(f"{place} is 16-bit or float grey; save it with 8 bits.")
        if as_shown:
            return over_white(ImageOps.exif_transpose(picture))
        return np.array(picture.convert("RGB"))


def over_white(picture: Image.Image) -> np.ndarray:
    """A picture as np.uint8 (H, W, 3), RGB, laid over white where it is transparent."""
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.array(picture.convert("RGB"))


@dataclass(frozen=True)
class MaskFile:
    """The levels of one mask or map as its file holds them; `mask_levels` says what they mean."""

    place: str
    levels: np.ndarray
    """(H, W) uint8, of 16-bit files uint16. Numbers of palette entries or colours: black is 0."""
    numbered: bool = False
    """Whether the levels are such numbers, not grey levels."""
    lossy: bool = False
    """Whether the format changes levels near edges, as JPEG does."""
    notes: tuple[str, ...] = ()
    """What reading it took."""


def decode_mask(data: bytes, place: str, white_background: bool = False) -> MaskFile:
    """The levels of a mask or map in any of `FORMATS`.

    Args:
        place: its name in messages.
        white_background: white is background too, and any other colour an object (FBMS's .ppm).

    Raises:
        ValueError: damaged, truncated or no picture, several in one file, transparent, float, a
            photograph, turned by its EXIF note, or other channels than grey and RGB; names `place`.
    """
    with _opened(data, place) as picture:
        mode, lossy = picture.mode, picture.format in ("JPEG", "MPO", "WEBP", "AVIF")
        with _refused(place, data):
            count = getattr(picture, "n_frames", 1)
        if count > 1:
            raise ValueError(f"{place} holds {count} pictures; save each to a file of its own.")
        with _refused(place, data):
            orientation, deep, white = _tags(picture, data)
        if orientation > 1:  # some programs follow it, others do not
            raise ValueError(f"{place} is turned by its EXIF note; save it upright without one.")
        if white and deep:  # Pillow would take it for black
            raise ValueError(f"{place} stores white as 0 in 16 bits; save it with 0 as black.")
        if mode in ("LA", "RGBA", "PA"):
            if np.asarray(picture.getchannel("A")).min() < 255:
                raise ValueError(f"{place} is partly transparent; save it as a grey image.")
            picture = picture.convert("L" if mode == "LA" else "RGB")
        if picture.mode == "1":
            picture = picture.convert("L")
        if picture.mode == "P":
            return _indexed(picture, place)
        values = np.asarray(picture)
    if picture.mode == "RGB" and deep:  # of which Pillow keeps the upper 8 bits
        wide = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if wide is None or np.any(wide[..., :3] != wide[..., :1]):
            raise ValueError(f"{place} holds 16-bit colours; save it as grey with 8 or 16 bits.")
        return MaskFile(place, np.ascontiguousarray(wide[..., 0]), notes=("colour channels",))
    if values.ndim == 2 and picture.mode == "L":
        return MaskFile(place, values, lossy=lossy)
    if picture.mode[0] == "I" and values.min() >= 0 and values.max() <= 65535:
        return MaskFile(place, values.astype(np.uint16), lossy=lossy, notes=("16 bit",))
    if picture.mode != "RGB":
        what = "float" if picture.mode == "F" else picture.mode
        raise ValueError(f"{place} holds {what} pixels; save it as grey with 8 or 16 bits.")
    if lossy and np.ptp(values, axis=2).max() <= FAINT:
        values = np.asarray(picture.convert("L"))[..., None]
    grey = values[..., 0]
    if not white_background and not np.any(values != grey[..., None]):
        return MaskFile(place, np.ascontiguousarray(grey), lossy=lossy, notes=("colour channels",))
    return _coloured(values, place, lossy, white_background)


def _tags(picture: Image.Image, data: bytes) -> tuple[int, bool, bool]:
    """How a loaded picture is turned, whether it is of more than 8 bits and has white as 0."""
    if picture.format != "TIFF":
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
        return orientation, picture.format == "PNG" and data[24] == 16, False
    # Once it is loaded, Pillow has turned it and taken the note away.
    tags = Image.open(io.BytesIO(data), formats=("TIFF",)).getexif()
    bits = tags.get(ExifTags.Base.BitsPerSample, 1)
    deep = max(bits if isinstance(bits, tuple) else (bits,)) > 8
    white = tags.get(ExifTags.Base.PhotometricInterpretation) == 0
    return tags.get(ExifTags.Base.Orientation, 1), deep, white


def _indexed(picture: Image.Image, place: str) -> MaskFile:
    """A grey palette holds levels; in a coloured one, or one without contrast, indices count."""
    indices = np.asarray(picture)
    palette = np.zeros((256, 3), np.uint8)
    colours = np.asarray(picture.getpalette("RGB")).reshape(-1, 3)
    palette[: len(colours)] = colours
    used = np.unique(indices)
    shown = palette[used]
    blank = len(colours) > 1 and not np.any(colours != colours[0])
    grey = not blank and not np.any(palette != palette[:, :1])
    if grey and len(np.unique(shown[:, 0])) == len(used):
        return MaskFile(place, palette[:, 0][indices])
    count = len(np.unique(shown, axis=0))
    if count > COLOURS:
        raise ValueError(f"{place} is a colour image ({count} colours); save it as a grey image.")
    if count < len(used) and "transparency" in picture.info:
        raise ValueError(f"{place} is partly transparent; save it as a grey image.")
    numbers = np.arange(256, dtype=np.uint8)
    black = [k for k in used if not palette[k].any()]
    if palette[0].any() and black:  # background is black, wherever it stands in the palette
        numbers[0], numbers[black[0]] = black[0], 0
    return MaskFile(place, numbers[indices], numbered=True, notes=("indexed",))


def _coloured(values: np.ndarray, place: str, lossy: bool, white_background: bool) -> MaskFile:
    """Colours by number, black 0, VOC's void 255."""
    weights = np.array([1 << 16, 1 << 8, 1])
    codes = values @ weights
    colours, numbers = np.unique(codes, return_inverse=True)
    if lossy or len(colours) > COLOURS:
        raise ValueError(
            f"{place} is a colour image ({len(colours)} colours); a mask or map must be grey, or "
            "show every object in one colour on black, saved without loss."
        )
    background = [0, 0xFFFFFF] if white_background else [0]
    if not np.isin(colours, background).any():
        raise ValueError(f"{place} is a colour image without a black background.")
    names = np.arange(1, len(colours) + 1, dtype=np.uint8)
    names[np.isin(colours, background)] = 0
    names[colours == VOID_COLOUR @ weights] = 255
    levels = names[numbers.reshape(codes.shape)]
    return MaskFile(place, levels, numbered=True, notes=("colours",))


def shown_size(path: Path) -> tuple[int, int] | None:
    """(H, W) of an image file as viewers show it, from its header alone; None: no picture."""
    with suppress(*UNREADABLE), image_header(path) as picture:
        W, H = picture.size
        sideways = picture.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return (W, H) if sideways else (H, W)
    return None


def is_photograph(path: Path) -> bool:
    """Whether an image file holds a camera's EXIF note: how it was held, its make or model."""
    with suppress(*UNREADABLE), image_header(path) as picture:
        tags = ExifTags.Base.Orientation, ExifTags.Base.Make, ExifTags.Base.Model
        return any(tag in picture.getexif() for tag in tags)
    return False


def animation_length(path: Path) -> int:
    """Frames of an animated GIF, WebP, AVIF or PNG; 1 for every other file."""
    with suppress(*UNREADABLE), image_header(path) as picture:
        # Others hold pages, or as phones' JPEG files a preview, and do not move.
        if picture.format in ("GIF", "WEBP", "AVIF", "PNG"):
            # A PNG may begin with a picture for viewers that cannot show the others.
            return getattr(picture, "n_frames", 1) - getattr(picture, "default_image", False)
    return 1


def image_size(data: bytes, place: str) -> tuple[int, int]:
    """(H, W) of an encoded picture, from its header alone; others raise a ValueError."""
    with _refused(place, data):
        W, H = Image.open(io.BytesIO(data), formats=_formats()).size
    return H, W


@cache
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow can read; its other readers are not even loaded."""
    for name in ("Avif", "Bmp", "Gif", "Jpeg", "Mpo", "Png", "Ppm", "Tiff", "WebP"):
        with suppress(ImportError):
            import_module(f"PIL.{name}ImagePlugin")
    return tuple(name for name in FORMATS if name in Image.OPEN)


def image_header(path: Path) -> Image.Image:
    """An image file as Pillow opens it, its pixels not yet read; others raise `UNREADABLE`."""
    if not path.is_file():  # a pipe or device may have no end
        raise OSError(f"{path} is not a regular file.")
    return Image.open(path, formats=_formats())


def _opened(data: bytes, place: str) -> Image.Image:
    with _refused(place, data):
        picture = Image.open(io.BytesIO(data), formats=_formats())
        picture.load()
    return picture


@contextmanager
def _refused(place: str, data: bytes) -> Iterator[None]:
    """One sentence for whatever Pillow raises."""
    try:
        yield
    except UNREADABLE as error:
        what = f"cannot be decoded: {error}"
        if isinstance(error, UnidentifiedImageError):
            what = "is not a picture (or cut off in its first bytes)"
        raise ValueError(f"{place} {what if data else 'is empty'}.") from error


def encoded(pixels: np.ndarray, format: str, quality: int = 92) -> bytes:
    """A picture (np.uint8, RGB or grey) or mask (np.bool_) in a format of Pillow's."""
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format, quality=quality)
    return data.getvalue()


def write_map(path: Path, saliency: np.ndarray) -> None:
    """Write a map (H, W) float in [0, 1], or a ValueError of another, as an 8-bit grey PNG."""
    if not (saliency.min() >= 0 and saliency.max() <= 1):
        found = f"{saliency.dtype} from {saliency.min()} to {saliency.max()}"
        raise ValueError(f"A map to write must be float in [0, 1], got {found}.")
    data = cv2.imencode(".png", np.rint(saliency * 255).astype(np.uint8))[1]  # faster than Pillow
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, data.tobytes())
