"""Saliency maps of frames with a trained network."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from vsodlib.config import LARGEST_SIDE
from vsodlib.data import FrameDataset
from vsodlib.data.transforms import check_frames, to_images
from vsodlib.inference.guided import guided_upsampling
from vsodlib.model.inter_frame import spread_out
from vsodlib.model.vsodnet import VSODNet, check_pass


@torch.inference_mode()
def predict_maps(
    net: VSODNet,
    frames: np.ndarray,
    height: int | None = None,
    flip: bool = False,
    batch_size: int = 8,
    references: np.ndarray | None = None,
    progress: bool = False,
    refine: bool = False,
    scales: Sequence[float] = (1.0,),
) -> np.ndarray:
    """Saliency maps of frames of one size, each frame by itself (Section 3.5, testing).

        >>> from vsodlib import VSODNet, demo_clips, predict_maps
        >>> frames = demo_clips(frames=2)["fish"].frames
        >>> predict_maps(VSODNet.from_pretrained("lite-davis"), frames).shape
        (2, 192, 336)

    Args:
        net: in evaluation mode, on any device.
        frames: (T, H, W, 3) uint8, RGB.
        height: rows the network sees, rounded with the columns to multiples of its output stride.
            None: the height the checkpoint was made for, else the frame's own.
        flip: average with the prediction on the mirrored frame.
        batch_size: frames per forward pass.
        references: (K, H, W, 3) uint8, frames of the same video that a network with
            `inter_frame_attention` compares with; None: five of `frames`. Others need none.
        progress: show a progress bar, which goes when all is done.
        refine: bring the maps to the frames' size along their edges, see `guided_upsampling`.
        scales: multiples of `height`; the predictions at all of them are averaged.

    Returns:
        (T, H, W) float32 in [0, 1], at the frames' own size.

    Raises:
        ValueError: a network in training mode, frames of another shape or type, `height` or
            `batch_size` below 1, no scale or one that is not above 0.
    """
    check_frames(frames)
    check_pass(net, height, batch_size)
    if not len(scales) or not all(0 < scale <= LARGEST_SIDE for scale in scales):
        raise ValueError(
            f"scales must be one or more numbers above 0, {LARGEST_SIDE} at most, got "
            f"{tuple(scales)}."
        )
    _, H, W, _ = frames.shape
    rows = height or net.input_height or H
    device = next(net.parameters()).device
    inter_frame = net.config.inter_frame_attention
    if inter_frame and references is None:
        references = frames[spread_out(len(frames))]
    maps = []
    starts = range(0, len(frames), batch_size)
    for start in tqdm(starts, "maps", leave=False, unit="batch", disable=not progress):
        chunk = frames[start : start + batch_size]
        count = len(chunk)
        options = {}
        if inter_frame:
            chunk = np.concatenate([chunk, references])
            partners = torch.arange(count, len(chunk), device=device)
            options = {"partners": partners.expand(count, -1)}
        views = []
        for scale in scales:
            images = to_images(chunk, max(1, round(scale * rows)), net.config.output_stride)
            images = images.to(device, memory_format=torch.channels_last)
            saliency = net(images, **options).logits.float().sigmoid()
            if flip:
                mirrored = net(images.flip(3), **options).logits.float().sigmoid().flip(3)
                saliency = (saliency + mirrored) / 2
            views.append(saliency)
        size = views[0].shape[2:] if refine else (H, W)
        views = [F.interpolate(v, size, mode="bilinear", align_corners=False) for v in views]
        found = torch.stack(views).mean(0)[:, 0].cpu().numpy()
        if refine:
            found = np.stack(list(map(guided_upsampling, found, chunk[:count])))
        maps.append(found)
    return np.concatenate(maps) if maps else np.empty((0, H, W), np.float32)


def reference_frames(
    net: VSODNet, dataset: FrameDataset, indices: Sequence[int]
) -> np.ndarray | None:
    """Five of a video's frames, of which `indices` are at least two, for `predict_maps`; None for a
    network that looks at one alone.
    """
    if not net.config.inter_frame_attention:
        return None
    return dataset.images([indices[k] for k in spread_out(len(indices))])
