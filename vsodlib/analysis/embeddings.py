"""Foregrounds and backgrounds as vectors: the features of Eq. 9 on whole videos.

Section 3.4 wants the foreground regions of a video close together and far from its backgrounds.
Here those regions are collected for frames that training never saw, and how well the wish came true
is measured by the cosine distance 1 - u·v of vectors of length 1.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from vsodlib.config import check_counts
from vsodlib.data import FrameDataset
from vsodlib.data.transforms import to_images
from vsodlib.files import aside, read_json, write_json
from vsodlib.losses.contrastive import pool_regions
from vsodlib.model.vsodnet import VSODNet, check_pass


@dataclass(frozen=True)
class Embeddings:
    """R regions: `vectors` (R, C) float32 of length 1; `is_foreground` (R,) bool; `video` and
    `frame` (R,) names. The regions of a video are in temporal order.
    """

    vectors: np.ndarray
    is_foreground: np.ndarray
    video: np.ndarray
    frame: np.ndarray

    def __len__(self) -> int:
        return len(self.vectors)

    def pick(self, kept: np.ndarray) -> Self:
        """The regions that a mask (R,) bool or their numbers choose."""
        return replace(self, **{f.name: getattr(self, f.name)[kept] for f in fields(self)})


@torch.inference_mode()
def region_embeddings(
    net: VSODNet,
    dataset: FrameDataset,
    height: int | None = None,
    every: int = 1,
    batch_size: int = 8,
    progress: bool = False,
) -> Embeddings:
    """The pooled features of foreground and background, frame by frame (Section 3.4).

    Args:
        net: in evaluation mode, on any device; each frame is seen by itself.
        dataset: frames without a mask are left out, its `transform` is not used.
        height: rows the network sees. None: the height the checkpoint was made for, else the
            frame's own.
        every: take every so manieth labelled frame of a video, the first among them.
        batch_size: frames per forward pass, all of one video.
        progress: show a progress bar, which goes when all is done.

    Raises:
        ValueError: a network in training mode, `every`, `height` or `batch_size` below 1, no frame
            has a mask, or the frames of a video differ in size.
    """
    check_counts(every=every)
    check_pass(net, height, batch_size)
    dataset = dataset.labelled()
    device = next(net.parameters()).device
    parts = []
    videos = dataset.videos.items()
    for video, indices in tqdm(videos, "embed", leave=False, unit="video", disable=not progress):
        indices = indices[::every]
        for start in range(0, len(indices), batch_size):
            chunk = indices[start : start + batch_size]
            frames = dataset.images(chunk)
            rows = height or net.input_height or frames.shape[1]
            images = to_images(frames, rows, net.config.output_stride)
            masks = torch.from_numpy(np.stack([dataset.mask(i) for i in chunk])[:, None]).float()
            masks = F.interpolate(masks, size=images.shape[-2:], mode="area").to(device)
            output = net(images.to(device))
            group = torch.zeros(len(chunk), dtype=torch.int64, device=device)
            # The error of a region is of no interest here, so no map is given.
            regions = pool_regions(output.features, masks, torch.zeros_like(masks), group)
            order = regions.frame.argsort(stable=True).cpu()
            names = np.array([dataset.records[i].frame for i in chunk])[regions.frame.cpu()]
            vectors = F.normalize(regions.embeddings, dim=1).float().cpu().numpy()
            front = regions.is_foreground.cpu().numpy()
            part = Embeddings(vectors, front, np.full(len(names), video), names)
            parts.append(part.pick(order.numpy()))
    return Embeddings(
        *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Embeddings))
    )


def place(path: str | Path) -> Path:
    """The .npz file that a path with or without this ending means."""
    return Path(path) if str(path).endswith(".npz") else Path(f"{path}.npz")


def save(embeddings: Embeddings, path: str | Path, record: Mapping[str, Any]) -> Path:
    """Write PATH.npz, the vectors as float16, whose path is returned, and PATH.json, the record of
    how they were made.
    """
    path = place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = asdict(embeddings)
    with aside(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays | {"vectors": embeddings.vectors.astype(np.float16)})
    write_json(path.with_suffix(".json"), record)
    return path


def load(path: str | Path) -> tuple[Embeddings, dict[str, Any]]:
    """What `save` wrote; the vectors have length 1 again.

    Raises:
        FileNotFoundError: one of the two files is missing.
        ValueError: the file was not written by `save`.
    """
    path = place(path)
    record = read_json(path.with_suffix(".json"))
    try:
        with np.load(path) as stored:
            arrays = {f.name: stored[f.name] for f in fields(Embeddings)}
    except (BadZipFile, KeyError, ValueError, EOFError) as error:
        raise ValueError(f"{path} does not hold embeddings ({error}).") from error
    vectors = arrays["vectors"].astype(np.float32)
    arrays["vectors"] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(**arrays), record


@dataclass(frozen=True)
class Separation:
    """How well foregrounds and backgrounds are told apart.

    `silhouette`: mean of (b - a) / max(a, b), a the mean distance to the other regions of the same
    side and b to those of the other side (Rousseeuw 1987); -1 to 1. `silhouette_in_video`: the
    same with the regions of one video only, all that Eq. 9 asks for. `distance_ratio`: mean
    distance between foregrounds of a video over that between its foregrounds and backgrounds; less
    is better. `purity`: share of foregrounds whose nearest region of another frame is a foreground;
    `purity_in_video`, `purity_across`: with neighbours from the same video, from other videos; nan
    without any.
    """

    silhouette: float
    silhouette_in_video: float
    distance_ratio: float
    purity: float
    purity_in_video: float
    purity_across: float


def separation(embeddings: Embeddings) -> Separation:
    """Measure how well foregrounds and backgrounds are told apart, by the distance 1 - u·v.

    Raises:
        ValueError: no video has foregrounds in two frames and a background.
    """
    vectors = embeddings.vectors.astype(np.float64)
    distance = 1 - vectors @ vectors.T
    front = embeddings.is_foreground.astype(bool)
    same_video = embeddings.video[:, None] == embeddings.video
    other_frame = ~(same_video & (embeddings.frame[:, None] == embeddings.frame))
    pull = same_video & other_frame & front[:, None] & front
    push = same_video & front[:, None] & ~front
    if not (pull.any() and push.any()):
        raise ValueError(
            f"{len(embeddings)} regions, but no video has foregrounds in two frames and a "
            "background: nothing can be compared."
        )

    def purity(candidates: np.ndarray) -> float:
        candidates = candidates[front]
        nearest = np.where(candidates, distance[front], np.inf).argmin(axis=1)
        known = candidates.any(axis=1)
        return float(front[nearest][known].mean()) if known.any() else float("nan")

    return Separation(
        silhouette=_silhouette(distance, front, np.ones_like(same_video)),
        silhouette_in_video=_silhouette(distance, front, same_video),
        distance_ratio=float(distance[pull].mean() / distance[push].mean()),
        purity=purity(other_frame),
        purity_in_video=purity(other_frame & same_video),
        purity_across=purity(~same_video),
    )


def _silhouette(distance: np.ndarray, side: np.ndarray, scope: np.ndarray) -> float:
    """The mean silhouette, each region compared with those in its row of `scope`, (R, R) bool.

    As usual, one without another of its side counts as 0, one without the other side not at all.
    """
    same = side[:, None] == side
    own = scope & same
    np.fill_diagonal(own, False)
    other = scope & ~same

    def mean_over(chosen: np.ndarray) -> np.ndarray:
        return (distance * chosen).sum(axis=1) / np.maximum(chosen.sum(axis=1), 1)

    a, b = mean_over(own), mean_over(other)
    value = np.where(own.any(axis=1), (b - a) / np.maximum(np.maximum(a, b), 1e-12), 0.0)
    return float(value[other.any(axis=1)].mean())
