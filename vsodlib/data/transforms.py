"""The way of a sample from the data set to the network, image and mask together.

Built on `torchvision.transforms.v2`: one call moves the image and its mask alike, strings and
numbers in the item pass through. All randomness comes from torch's global generator.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from vsodlib.config import LARGEST_SIDE, TrainConfig

ASPECT_JITTER = 1.1
"""Crops are stretched or squeezed by up to this factor; ours, the paper is silent."""


class RandomCropResize(v2.Transform):
    """Cut out a random window of the target's aspect and resize it to (height, width).

    The window covers a share of the largest window that fits, drawn evenly from `scale_min` to 1;
    its aspect differs from the target's by a factor within 1/`aspect_jitter` ... `aspect_jitter`.
    Images are resized bilinearly with antialiasing; masks likewise, then cut at one half, because
    nearest neighbours would shift them by up to half a pixel against the image.

    Args:
        scale_min: smallest share of the frame's height, in (0, 1].
        aspect_jitter: at least 1.
    """

    def __init__(
        self, height: int, width: int, scale_min: float, aspect_jitter: float = ASPECT_JITTER
    ) -> None:
        super().__init__()
        self.size = [height, width]
        self.scale_min = scale_min
        self.aspect_jitter = aspect_jitter

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        H, W = v2.functional.get_size(next(x for x in flat_inputs if isinstance(x, Tensor)))
        share, stretch, down, right = torch.rand(4).tolist()
        aspect = self.size[1] / self.size[0] * self.aspect_jitter ** (2 * stretch - 1)
        rows = min(H, W / aspect) * (self.scale_min + (1 - self.scale_min) * share)
        h, w = max(1, min(H, round(rows))), max(1, min(W, round(rows * aspect)))
        return {"top": int(down * (H - h + 1)), "left": int(right * (W - w + 1)), "h": h, "w": w}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        top, left, h, w = params["top"], params["left"], params["h"], params["w"]
        window = v2.functional.crop(inpt, top, left, h, w)
        if not isinstance(inpt, tv_tensors.Mask):
            return v2.functional.resize(window, self.size, antialias=True)
        shares = v2.functional.resize(window.as_subclass(Tensor) * 255, self.size, antialias=True)
        return tv_tensors.wrap((shares > 127).to(inpt.dtype), like=inpt)


def input_size(height: int, width: int, rows: int, stride: int) -> tuple[int, int]:
    """Rows and columns at which a network sees a frame: both multiples of its output stride.

    A side that is no multiple leaves the last positions of x with less than a stride of pixels,
    and the map is stretched against the frame.

    Args:
        height, width: of the frame.
        rows: wanted; the nearest multiple of `stride` is taken, and columns to match the frame.
        stride: the network's output stride.

    >>> input_size(480, 854, rows=324, stride=16)
    (320, 576)
    """
    h, w = (
        max(stride, stride * math.floor(side * rows / height / stride + 0.5))
        for side in (height, width)
    )
    return h, w


def check_frames(frames: np.ndarray) -> None:
    """Refuse frames that are not (T, H, W, 3) uint8 by a ValueError."""
    if not isinstance(frames, np.ndarray):
        found = type(frames).__name__
        if isinstance(frames, (list, tuple)):
            found = ", ".join(str(np.shape(frame)) for frame in frames)
        raise ValueError(f"frames must be one array of frames of one size, got {found}.")
    ndim, shape = frames.ndim, frames.shape
    if ndim != 4 or shape[-1] != 3 or frames.dtype != np.uint8 or 0 in shape[1:]:
        raise ValueError(f"frames must be uint8 (T, H, W, 3), got {frames.dtype} {shape}.")


def to_images(frames: np.ndarray, rows: int | None = None, stride: int = 1) -> Tensor:
    """Frames as a network takes them, the one way for every caller.

    Args:
        frames: (T, H, W, 3) uint8, RGB.
        rows: height to resize to, see `input_size`; None keeps the frames' own size.
        stride: the network's output stride, of which both sides become multiples.

    Returns:
        (T, 3, h, w) float32 in [0, 1].

    Raises:
        ValueError: frames of another shape or type, or `rows` below 1 or above 8192.
    """
    check_frames(frames)
    images = torch.from_numpy(np.require(frames, requirements=["C", "W"])).permute(0, 3, 1, 2)
    if rows is not None:
        if not 1 <= rows <= LARGEST_SIDE:
            raise ValueError(f"The network can see 1 to {LARGEST_SIDE} rows, not {rows!r}.")
        size = input_size(frames.shape[1], frames.shape[2], rows, stride)
        images = v2.functional.resize(images, list(size), antialias=True)
    return images.float() / 255


def train_transform(config: TrainConfig) -> v2.Transform:
    """Random window, mirror image and colour jitter, then float32.

    Takes and returns the item of a `FrameDataset`: `image` float32 (3, height, width) in [0, 1],
    `mask` float32 {0, 1} (1, height, width).
    """
    steps: list[v2.Transform] = [RandomCropResize(config.height, config.width, config.scale_min)]
    if config.flip:
        steps.append(v2.RandomHorizontalFlip())
    if strength := config.color_jitter:
        steps.append(v2.ColorJitter(brightness=strength, contrast=strength, saturation=strength))
    # Scales images from 0..255 to 0..1; masks only change their type.
    kinds = {tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.float32, "others": None}
    return v2.Compose([*steps, v2.ToDtype(kinds, scale=True)])
