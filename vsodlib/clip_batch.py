"""Clips as one batch, as training would see it but without augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vsodlib.data import Clip
from vsodlib.data.transforms import to_images


@dataclass(frozen=True)
class ClipBatch:
    """B frames: `frames` (B, H, W, 3) uint8; `images` (B, 3, H, W) float in [0, 1]; `masks`
    (B, 1, H, W) float of zeros and ones; `groups` (B,) int64, the number of each frame's clip.
    """

    frames: np.ndarray
    images: Tensor
    masks: Tensor
    groups: Tensor


def clip_batch(clips: Sequence[Clip], frames: int) -> ClipBatch:
    """Frames of clips, evenly spaced in time, clip after clip.

    Args:
        clips: with masks, all of one size.
        frames: from each clip, its first and its last among them.

    Raises:
        ValueError: no clip, a clip without masks or too short, or sizes that differ.
    """
    if not clips or frames < 1:
        raise ValueError(f"A batch needs a clip and a frame, got {len(clips)} and {frames!r}.")
    if len({clip.frames.shape[1:] for clip in clips}) > 1:
        raise ValueError("The clips of a batch must have one height and width.")
    shown, masks = [], []
    for clip in clips:
        if clip.masks is None or len(clip.frames) < frames:
            raise ValueError(
                f"{clip.name} cannot give {frames} frames with masks: it has {len(clip.frames)} "
                f"frames{' and no masks' if clip.masks is None else ''}."
            )
        chosen = np.linspace(0, len(clip.frames) - 1, frames).round().astype(int)
        shown.append(clip.frames[chosen])
        masks.append(clip.masks[chosen])
    pictures = np.concatenate(shown)
    return ClipBatch(
        frames=pictures,
        images=to_images(pictures),
        masks=torch.from_numpy(np.concatenate(masks)).float().unsqueeze(1),
        groups=torch.arange(len(clips)).repeat_interleave(frames),
    )
