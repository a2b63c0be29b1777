"""Objects cut out of their frames by saliency maps, and laid over another background."""

from pathlib import Path

import cv2
import numpy as np
from matplotlib.colors import is_color_like, to_rgb

from vsodlib.data.image_files import decode_image
from vsodlib.files import read_file
from vsodlib.metrics.inputs import check_map

LOW, HIGH = 0.1, 0.9
"""Saliency below `LOW` is clear, above `HIGH` opaque; between them opacity rises in proportion."""


def opacity(saliency: np.ndarray) -> np.ndarray:
    """clip((s - LOW) / (HIGH - LOW), 0, 1): a map without its faint haze, float32 (H, W)."""
    return np.clip((np.asarray(saliency, np.float32) - LOW) / (HIGH - LOW), 0, 1)


def fitting_map(frame: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """The map of a frame as float (H, W) in [0, 1].

    Raises:
        ValueError: as `check_map`; the frame is not uint8 RGB of the map's size.
    """
    checked = check_map(saliency)
    if frame.shape != (*checked.shape, 3) or frame.dtype != np.uint8:
        raise ValueError(
            f"A map of shape {checked.shape} does not fit a frame {frame.shape} of {frame.dtype}; "
            "a frame is uint8 (H, W, 3)."
        )
    return checked / np.float32(255) if checked.dtype == np.uint8 else checked


def foreground(frame: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The colour of the object alone, where a pixel I = a F + (1 - a) B shows some background too.

    F and B are averages of their surroundings weighted by a and 1 - a, which are then moved so that
    the equation holds: F <- F + a (I - a F - (1 - a) B); first in a wide window, then in a narrow.

    Args:
        frame: np.uint8 (H, W, 3), RGB.
        alpha: a, float (H, W) in [0, 1].

    Returns:
        np.float32 (H, W, 3) in [0, 255].

    Source: Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.
    """
    image = frame.astype(np.float32)
    a = alpha.astype(np.float32)[..., None]
    front = back = image
    for radius in (max(2, min(alpha.shape) // 6), 6):
        window = (2 * radius + 1, 2 * radius + 1)
        share = cv2.blur(a, window)[..., None]
        front = cv2.blur(front * a, window) / (share + 1e-5)
        back = cv2.blur(back * (1 - a), window) / (1 - share + 1e-5)
        front = np.clip(front + a * (image - a * front - (1 - a) * back), 0, 255)
    return front


def cutout(frame: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """The salient object with a transparent background, its rim cleaned of the old background.

        >>> from vsodlib import cutout, demo_clips
        >>> fish = demo_clips(frames=2)["fish"]
        >>> picture = cutout(fish.frames[0], fish.masks[0].astype("float32"))
        >>> picture.shape, picture[~fish.masks[0]].any()
        ((192, 336, 4), np.False_)

    Args:
        frame: np.uint8 (H, W, 3), RGB.
        saliency: float (H, W) in [0, 1], or uint8, v / 255; opacity follows it as in `opacity`.

    Returns:
        np.uint8 (H, W, 4), RGBA, colours not multiplied by opacity.

    Raises:
        ValueError: as `fitting_map`.
    """
    alpha = opacity(fitting_map(frame, saliency))
    colour = foreground(frame, alpha)
    colour[alpha == 0] = 0  # nothing of what is hidden goes into the file
    return np.rint(np.dstack([colour, 255 * alpha])).astype(np.uint8)


class Background:
    """What stands behind a cut-out object: a colour, a picture, or the blurred frame.

        Background("blur")(frame, saliency)    # np.uint8 (H, W, 3), RGB

    Args:
        what: `blur`; a colour such as `white` or `#00ff00`; or the path of a picture, which is
            enlarged to cover the frame and cut at its sides.

    Raises:
        ValueError: none of these, or a picture that cannot be decoded.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._picture: np.ndarray | None = None
        if is_color_like(what):
            self._picture = np.array([[np.rint(255 * np.array(to_rgb(what)))]], np.uint8)
        elif Path(what).is_file():
            self._picture = decode_image(read_file(what), what, as_shown=True)
        elif what != "blur":
            raise ValueError(
                f"The background {what!r} is neither `blur`, nor a colour such as white or "
                "#00ff00, nor a picture's file."
            )

    def __call__(self, frame: np.ndarray, saliency: np.ndarray) -> np.ndarray:
        layer = cutout(frame, saliency).astype(np.float32)
        alpha = layer[..., 3:] / 255
        mixed = alpha * layer[..., :3] + (1 - alpha) * self._behind(frame, alpha)
        return np.rint(mixed).astype(np.uint8)

    def _behind(self, frame: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        H, W, _ = frame.shape
        if self._picture is None:  # blurred without the object, which would shine around itself
            weight = np.maximum(1 - alpha, 1e-3)
            size = max(H, W) / 50
            total = cv2.GaussianBlur(weight, (0, 0), size)[..., None]
            return cv2.GaussianBlur(frame * weight, (0, 0), size) / total
        h, w, _ = self._picture.shape
        scale = max(H / h, W / w)
        size = (max(W, round(w * scale)), max(H, round(h * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        cover = cv2.resize(self._picture, size, interpolation=method)
        top, left = (size[1] - H) // 2, (size[0] - W) // 2
        return cover[top : top + H, left : left + W]
