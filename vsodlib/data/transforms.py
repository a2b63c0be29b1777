"""What happens to a sample between the data set and the network, image and mask together.

Built on `torchvision.transforms.v2`: one call moves the image and its mask alike, strings and
numbers in the item pass through. All randomness comes from torch's global generator.
"""

from __future__ import annotations

from typing import Any

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from vsodlib.config import IMAGENET_MEAN, IMAGENET_STD, TrainConfig

ASPECT_JITTER = 1.1
"""Crops are stretched or squeezed by up to this factor; ours, the paper is silent."""


class RandomCropResize(v2.Transform):
    """Cut out a random window of the target's aspect and resize it to (height, width).

    The window covers a share of the largest window that fits, drawn evenly from `scale_min` to 1;
    its aspect differs from the target's by a factor within 1/`aspect_jitter` ... `aspect_jitter`.
    Images are resized bilinearly with antialiasing; masks likewise, then cut at one half, because
    nearest neighbours would shift them by up to half a pixel against the image.

    Args:
        height, width: size of the result, pixels.
        scale_min: smallest share of the frame's height, in (0, 1].
        aspect_jitter: at least 1.
    """

    def __init__(
        self, height: int, width: int, scale_min: float, aspect_jitter: float = ASPECT_JITTER
    ) -> None:
        super().__init__()
        self.size = (height, width)
        self.scale_min = scale_min
        self.aspect_jitter = aspect_jitter

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        H, W = v2.functional.get_size(next(x for x in flat_inputs if isinstance(x, torch.Tensor)))
        share, stretch, down, right = torch.rand(4).tolist()
        aspect = self.size[1] / self.size[0] * self.aspect_jitter ** (2 * stretch - 1)
        rows = min(H, W / aspect) * (self.scale_min + (1 - self.scale_min) * share)
        h, w = max(1, min(H, round(rows))), max(1, min(W, round(rows * aspect)))
        return {"top": int(down * (H - h + 1)), "left": int(right * (W - w + 1)), "h": h, "w": w}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        top, left, h, w = params["top"], params["left"], params["h"], params["w"]
        window = v2.functional.crop(inpt, top, left, h, w)
        if not isinstance(inpt, tv_tensors.Mask):
            return v2.functional.resize(window, list(self.size), antialias=True)
        shares = v2.functional.resize(
            window.as_subclass(torch.Tensor) * 255, list(self.size), antialias=True
        )
        return tv_tensors.wrap((shares > 127).to(inpt.dtype), like=inpt)


class ResizeImage(v2.Transform):
    """Resize the image to `height` rows, its width rounded to a multiple of 16; leave the mask.

    Scores are taken at the mask's own size, so only what the network sees is resized.
    """

    _transformed_types = (tv_tensors.Image,)

    def __init__(self, height: int) -> None:
        super().__init__()
        self.height = height

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        H, W = v2.functional.get_size(inpt)
        width = max(16, 16 * round(W * self.height / H / 16))
        return v2.functional.resize(inpt, [self.height, width], antialias=True)


def train_transform(config: TrainConfig) -> v2.Transform:
    """Random window, mirror image and colour jitter, then float32 and ImageNet normalisation.

    Takes and returns the item of a `FrameDataset`: `image` float32 (3, height, width), `mask`
    float32 {0, 1} (1, height, width).
    """
    steps: list[v2.Transform] = [RandomCropResize(config.height, config.width, config.scale_min)]
    if config.flip:
        steps.append(v2.RandomHorizontalFlip())
    if strength := config.color_jitter:
        steps.append(v2.ColorJitter(brightness=strength, contrast=strength, saturation=strength))
    return v2.Compose([*steps, *_normalise()])


def eval_transform(height: int | None = None) -> v2.Transform:
    """The whole frame at `height` rows (None: as it is), float32 and normalised; the mask keeps
    its original size, float32 {0, 1}.
    """
    if height is not None and height < 16:
        raise ValueError(f"height must be at least 16 rows, got {height!r}.")
    return v2.Compose([*([ResizeImage(height)] if height else []), *_normalise()])


def _normalise() -> list[v2.Transform]:
    return [
        # Scales images from 0..255 to 0..1; masks only change their type.
        v2.ToDtype(
            {tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.float32, "others": None},
            scale=True,
        ),
        v2.Normalize(IMAGENET_MEAN, IMAGENET_STD),
    ]
