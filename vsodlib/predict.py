"""Saliency maps of frames with a trained network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from vsodlib.config import IMAGENET_MEAN, IMAGENET_STD
from vsodlib.model import VSODNet

_MEAN = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
_STD = torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)


@torch.inference_mode()
def predict_maps(
    net: VSODNet,
    frames: np.ndarray,
    height: int | None = None,
    flip: bool = False,
    batch_size: int = 8,
) -> np.ndarray:
    """Saliency maps of frames of one size, each frame by itself (Section 3.5, testing).

    Args:
        net: in evaluation mode, on any device.
        frames: (T, H, W, 3) uint8, RGB.
        height: rows the network sees (the width follows, in multiples of 16). None: the height
            the checkpoint was made for, else the frame's own.
        flip: average with the prediction on the mirrored frame.
        batch_size: frames a forward pass.

    Returns:
        (T, H, W) float32 in [0, 1], at the frames' own size.

    Raises:
        ValueError: frames of another shape or type.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise ValueError(f"frames must be uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}.")
    _, H, W, _ = frames.shape
    rows = height or net.input_height or H
    columns = max(16, 16 * round(W * rows / H / 16))
    device = next(net.parameters()).device
    method = cv2.INTER_AREA if rows < H else cv2.INTER_LINEAR
    maps = []
    for start in range(0, len(frames), batch_size):
        chunk = [
            cv2.resize(frame, (columns, rows), interpolation=method)
            for frame in frames[start : start + batch_size]
        ]
        images = torch.from_numpy(np.stack(chunk)).permute(0, 3, 1, 2).float() / 255
        images = ((images - _MEAN) / _STD).contiguous(memory_format=torch.channels_last).to(device)
        saliency = net(images).logits.sigmoid()
        if flip:
            saliency = (saliency + net(images.flip(3)).logits.sigmoid().flip(3)) / 2
        saliency = F.interpolate(saliency, size=(H, W), mode="bilinear", align_corners=False)
        maps.append(saliency[:, 0].float().cpu().numpy())
    return np.concatenate(maps) if maps else np.empty((0, H, W), np.float32)


def write_map(path: Path, saliency: np.ndarray) -> None:
    """Write a map (H, W) float in [0, 1] as an 8-bit grey PNG.

    Raises:
        OSError: the file could not be written.
    """
    encoded = cv2.imencode(".png", np.rint(saliency * 255).astype(np.uint8))[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded.tobytes())
