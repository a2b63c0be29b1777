"""Clips that may be shown anywhere: drawn ones, and free photographs set in motion."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from skimage import data as photographs

from vsodlib.data.synthetic import Clip, synthetic_clip

PHOTOGRAPHS = {
    "cat": (photographs.chelsea, "CC0, Stefan van der Walt", (0.5, 0.42), (0.52, 0.5)),
    "coffee": (photographs.coffee, "CC0, Rachel Michetti", (0.4, 0.45), (0.55, 0.5)),
    "rocket": (photographs.rocket, "public domain, SpaceX", (0.45, 0.6), (0.5, 0.4)),
    "astronaut": (photographs.astronaut, "public domain, NASA", (0.5, 0.35), (0.45, 0.4)),
}
"""Name -> scikit-image's function, licence, centre of the first and of the last view (x, y)."""

SYNTHETIC = {"fish": 0, "butterfly": 1, "beetle": 2, "star": 3}
"""Name -> seed."""


def demo_clips(frames: int = 24, height: int = 192, width: int = 336) -> dict[str, Clip]:
    """Synthetic clips with masks, and photographs panned and zoomed into clips without masks.

    The photographs ship inside scikit-image (nothing is downloaded); licences: data/README.md. A
    moving view of a still picture has camera motion only, so it tests appearance, not motion.

    Returns:
        Name -> `Clip`; `masks` is None for the photographs, which nobody annotated.
    """
    clips = {
        name: replace(synthetic_clip(seed, frames, height, width), name=name)
        for name, seed in SYNTHETIC.items()
    }
    for name, (load, licence, first, last) in PHOTOGRAPHS.items():
        views = [
            _view(load(), np.array(first) * (1 - s) + np.array(last) * s, 0.95 - 0.25 * s, height, width)
            for s in (0.5 - 0.5 * np.cos(np.pi * np.linspace(0, 1, frames)))
        ]
        source = f"skimage.data.{load.__name__}"
        clips[name] = Clip(name, np.stack(views), None, licence, source)
    return clips


def _view(
    photograph: np.ndarray, centre: np.ndarray, share: float, height: int, width: int
) -> np.ndarray:
    """The window around `centre` that covers `share` of the largest one, np.uint8 (height, width, 3)."""
    H, W = photograph.shape[:2]
    rows = share * min(H, W * height / width)
    columns = rows * width / height
    left = np.clip(centre[0] * W - columns / 2, 0, W - columns)
    top = np.clip(centre[1] * H - rows / 2, 0, H - rows)
    scale = rows / height
    # Maps a pixel centre of the view to the photograph; blurring first where it shrinks.
    matrix = np.float32(
        [[scale, 0, left + scale / 2 - 0.5], [0, scale, top + scale / 2 - 0.5]]
    )
    if scale > 1:
        photograph = cv2.GaussianBlur(photograph, (0, 0), 0.4 * scale)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(photograph, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
