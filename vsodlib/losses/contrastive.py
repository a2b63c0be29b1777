"""Contrast between regions (Section 3.4, Eq. 9) and the mining of hard ones.

A region is the foreground or the background of one frame, its feature the average of the features
before the output layer. Foregrounds of one video are pulled together and pushed away from its
backgrounds; the samples are the regions that the network gets most wrong.

Departures from the paper: embeddings are L2-normalised (a switch), because dot products of plain
features divided by 0.1 overflow; regions may be cut into cells.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from vsodlib.config import check_counts

Mining = Literal["hard", "random"]


@dataclass(frozen=True)
class Regions:
    """Foreground and background regions of a batch and their features (Section 3.4).

    R regions: `embeddings` (R, C) float; `is_foreground` (R,) bool; `video` and `frame` (R,) int64,
    the frame numbered within the batch; `error` (R,) float in [0, 1], the mean absolute error of
    the prediction within the region.
    """

    embeddings: Tensor
    is_foreground: Tensor
    video: Tensor
    frame: Tensor
    error: Tensor


def pool_regions(
    features: Tensor, masks: Tensor, saliency: Tensor, videos: Tensor, grid: int = 1
) -> Regions:
    """Average the features over the foreground and over the background of every frame.

    u = Σ m f / Σ m, with m the share of a feature position's pixels that belong to the side. A side
    without pixels makes no region, so frames with an empty or a full mask give one region, not two.

    Args:
        features: (B, C, h, w) float, `Output.features`.
        masks: (B, 1, H, W) float in [0, 1].
        saliency: (B, 1, H, W) float in [0, 1], the network's map; no gradient flows into it.
        videos: (B,) int64, equal for frames of one video.
        grid: 1: one region per side and frame, as in the paper. More: each cell of a grid x grid
            division of the frame has its own two regions.

    Returns:
        `Regions`: foregrounds first, each side frame by frame and cell by cell.

    Raises:
        ValueError: shapes that do not belong together, or more cells than features.
    """
    B, _, h, w = features.shape
    if masks.shape != saliency.shape or masks.shape[:2] != (B, 1) or videos.shape != (B,):
        raise ValueError(
            f"features {tuple(features.shape)}, masks {tuple(masks.shape)}, saliency "
            f"{tuple(saliency.shape)} and videos {tuple(videos.shape)} do not belong together."
        )
    if not 1 <= grid <= min(h, w):
        raise ValueError(f"grid must lie between 1 and {min(h, w)}, got {grid!r}.")
    features = features.to(torch.promote_types(features.dtype, torch.float32))
    masks, saliency = masks.to(features.dtype), saliency.to(features.dtype)
    pixels = torch.stack([masks, 1 - masks])  # (2, B, 1, H, W): foreground, background
    shares = torch.stack([F.adaptive_avg_pool2d(side, (h, w)) for side in pixels])
    members = _per_cell(shares, grid)  # (2, B, cells, h w)
    area = members.sum(dim=3)
    pooled = torch.einsum("sbkp,bcp->sbkc", members, features.flatten(2))
    pixels = _per_cell(pixels, grid)
    pixel_area = pixels.sum(dim=3)
    wrong = torch.einsum("sbkp,bp->sbk", pixels, (saliency.detach() - masks).abs().flatten(1))
    side, frame, cell = ((area > 0) & (pixel_area > 0)).nonzero(as_tuple=True)
    region = side, frame, cell
    return Regions(
        embeddings=pooled[region] / area[region].unsqueeze(1),
        is_foreground=side == 0,
        video=videos[frame],
        frame=frame,
        error=wrong[region] / pixel_area[region],
    )


def _per_cell(sides: Tensor, grid: int) -> Tensor:
    """(2, B, 1, h, w) -> (2, B, grid * grid, h w): the part of every side within every cell."""
    h, w = sides.shape[-2:]
    row, column = (torch.arange(n, device=sides.device) * grid // n for n in (h, w))
    cell = (row[:, None] * grid + column).flatten()
    return sides.flatten(3) * F.one_hot(cell, grid * grid).T


def choose_samples(
    regions: Regions, samples: int = 4, mining: Mining = "hard"
) -> tuple[Tensor, Tensor, Tensor]:
    """Positives and negatives of every anchor (Section 3.4, hard positive and negative mining).

    Every foreground region is an anchor. Candidates for positives are foregrounds of other frames
    of its video, for negatives the backgrounds of its video, its own frame's included. `"hard"`
    takes those of largest error: foregrounds with a low response, backgrounds with a high one.

    Args:
        regions: of a batch.
        samples: positives and negatives per anchor (paper: 4); fewer candidates are all taken.
        mining: `"hard"`, or `"random"`, drawn for each anchor from torch's global generator.

    Returns:
        anchors: (A,) int64, their region numbers.
        positives, negatives: (A, R) bool, the chosen regions.

    Raises:
        ValueError: another word for `mining`, or fewer than one sample.
    """
    if mining not in get_args(Mining):
        raise ValueError(f"mining must be 'hard' or 'random', got {mining!r}.")
    check_counts(samples=samples)
    anchors = regions.is_foreground.nonzero().squeeze(1)
    same_video = regions.video[anchors, None] == regions.video
    other_frame = regions.frame[anchors, None] != regions.frame

    def choose(candidates: Tensor) -> Tensor:
        if mining == "hard":
            rank = regions.error.expand_as(candidates)
        else:
            rank = torch.rand_like(candidates, dtype=torch.float32)
        rank = rank.masked_fill(~candidates, -1)
        best = rank.topk(min(samples, rank.shape[1]), dim=1).indices
        return torch.zeros_like(candidates).scatter(1, best, True) & candidates

    positives = choose(same_video & regions.is_foreground & other_frame)
    return anchors, positives, choose(same_video & ~regions.is_foreground)


def contrastive_loss(
    regions: Regions,
    samples: int = 4,
    mining: Mining = "hard",
    temperature: float = 0.1,
    normalize: bool = True,
) -> Tensor:
    """Multi-positive InfoNCE between regions (Eq. 9), one value per anchor.

    L_cl = -log( Σ₊ exp(u·u₊ / τ) / (Σ₊ exp(u·u₊ / τ) + Σ₋ exp(u·u₋ / τ)) )

    Args:
        regions: of a batch.
        samples, mining: as in `choose_samples`.
        temperature: τ (paper: 0.1).
        normalize: L2-normalise the embeddings, as in supervised contrastive learning (Khosla et
            al., NeurIPS 2020).

    Returns:
        (A,) float, at least 0. Anchors without a positive or without a negative are left out: A may
        be 0, and the sum is then 0, with gradient 0.

    Raises:
        ValueError: a temperature that is not positive, or what `choose_samples` refuses.
    """
    if temperature <= 0:
        raise ValueError(f"temperature must be positive, got {temperature!r}.")
    anchors, positives, negatives = choose_samples(regions, samples, mining)
    usable = positives.any(dim=1) & negatives.any(dim=1)
    anchors, positives, negatives = anchors[usable], positives[usable], negatives[usable]
    embeddings = F.normalize(regions.embeddings, dim=1) if normalize else regions.embeddings
    similarity = embeddings[anchors] @ embeddings.T / temperature
    attracted = similarity.masked_fill(~positives, -torch.inf).logsumexp(dim=1)
    everything = similarity.masked_fill(~(positives | negatives), -torch.inf).logsumexp(dim=1)
    return everything - attracted
