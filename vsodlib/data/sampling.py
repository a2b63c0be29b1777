"""Batches grouped by video: the layout that the contrastive term needs (paper, Section 3.4).

"4 positives and 4 negatives" per anchor need several frames of one video in a batch, so frames
are drawn video by video; still images count as videos of one frame and fill a fixed share. Each
batch of a training run is a function of the seed, the step and the phase alone.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from vsodlib.config import TrainConfig, batch_faults, check_counts
from vsodlib.data.dataset import FrameDataset
from vsodlib.data.pasting import ObjectPaste
from vsodlib.data.transforms import train_transform


class VideoBatchSampler(Sampler[list[int]]):
    """`steps` batches of indices: first frames of videos, side by side, then still images.

    A batch holds `round(batch_size * image_fraction)` images and, for the rest, `frames_per_video`
    distinct frames of each of as many videos as are needed. Videos are drawn without replacement
    until all have been seen, then anew (so each counts the same, long or short), and images
    likewise. A video shorter than `frames_per_video` gives all its frames before one comes again.

    Args:
        videos: name -> indices of its frames (`FrameDataset.videos`); one index makes an image.
        datasets: name -> the data set it comes from, where `weights` are given.
        weights: data set -> how often it is drawn. The share of those that hold images alone takes
            the place of `image_fraction`; within a data set each video counts the same.
        frames_per_video: must divide the video part of the batch.
        image_fraction: share of images, between 0 and 1; 0 leaves images out.

    Raises:
        ValueError: the wish cannot be met with these videos.
    """

    def __init__(
        self,
        videos: Mapping[str, Sequence[int]],
        batch_size: int,
        frames_per_video: int,
        image_fraction: float,
        steps: int,
        seed: int = 0,
        datasets: Mapping[str, str] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        check_counts(batch_size=batch_size, frames_per_video=frames_per_video, steps=steps)
        if not 0 <= image_fraction <= 1:
            raise ValueError(f"image_fraction must lie between 0 and 1, got {image_fraction!r}.")
        self.frames_per_video = frames_per_video
        self.steps = steps
        self.seed = seed
        datasets = datasets if weights and datasets else dict.fromkeys(videos, "")
        self.weights = dict(weights) if weights else {"": 1.0}
        if (names := set(datasets.values())) != set(self.weights):
            raise ValueError(
                f"The mix names {', '.join(sorted(self.weights))}, but the data are of "
                f"{', '.join(sorted(names))}; give each data set one weight."
            )
        # Data set -> its clips, lists of frames; and its still images, lists of one.
        self._clips: dict[str, list[list[int]]] = {}
        self._images: dict[str, list[list[int]]] = {}
        for name, frames in videos.items():
            kind = self._clips if len(frames) > 1 else self._images
            kind.setdefault(datasets[name], []).append(list(frames))
        if weights:
            stills = [weight for name, weight in weights.items() if name not in self._clips]
            image_fraction = sum(stills) / sum(weights.values())
        self.image_samples = round(batch_size * image_fraction)
        there = len(self._clips), len(self._images)
        if faults := list(batch_faults(batch_size, self.image_samples, frames_per_video, *there)):
            raise ValueError(" ".join(faults))
        self.videos_per_batch = (batch_size - self.image_samples) // frames_per_video

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng(self.seed)
        clips, images = (_draws(rng, sets, self.weights) for sets in (self._clips, self._images))
        for _ in range(self.steps):
            batch: list[int] = []
            for frames in islice(clips, self.videos_per_batch):
                drawn = islice(_passes(rng, len(frames)), self.frames_per_video)
                batch += [frames[i] for i in drawn]
            batch += [index for (index,) in islice(images, self.image_samples)]
            yield batch


def _draws(
    rng: np.random.Generator, sets: Mapping[str, Sequence[list[int]]], weights: Mapping[str, float]
) -> Iterator[list[int]]:
    """Videos, without replacement within each data set, which is drawn by its weight."""
    streams = [(videos, _passes(rng, len(videos))) for videos in sets.values()]
    shares = np.array([weights[name] for name in sets])
    while True:
        chosen = 0 if len(streams) == 1 else rng.choice(len(streams), p=shares / shares.sum())
        videos, stream = streams[chosen]
        yield videos[next(stream)]


def _passes(rng: np.random.Generator, count: int) -> Iterator[int]:
    """0 ... count - 1 in random order, again and again."""
    while True:
        yield from rng.permutation(count).tolist()


class _Phase:
    """One phase of the schedule: its frames, augmented, and its batches, drawn as they are due."""

    def __init__(
        self, dataset: FrameDataset, config: TrainConfig, seed: int, rank: int, world: int
    ) -> None:
        if config.batch_size == 1 and not config.freeze_batch_norm:
            raise ValueError(
                "A batch of 1 leaves batch norms nothing to average: set batch_size to 2 or more, "
                "or freeze_batch_norm."
            )
        sizes = config.batch_size, config.frames_per_video, config.image_fraction, config.steps
        of = {record.video: record.dataset or dataset.name for record in dataset.records}
        sampler = VideoBatchSampler(dataset.videos, *sizes, seed, of, config.weights)
        images = sampler.image_samples
        self.videos = videos = config.batch_size - images
        if videos % (world * config.frames_per_video) or images % world:
            raise ValueError(
                f"{world} processes cannot share {videos // config.frames_per_video} videos and "
                f"{images} images per batch evenly."
            )
        v, i = videos // world, images // world
        places = range(config.batch_size)
        self.places = [*places[:videos][rank * v :][:v], *places[videos:][rank * i :][:i]]
        self.dataset = copy.copy(dataset)
        self.dataset.transform = train_transform(config)
        self.paste = ObjectPaste(self.dataset, config) if config.paste else None
        self._drawn = iter(sampler)
        self._batches: list[list[int]] = []

    def batch(self, step: int) -> list[int]:
        while len(self._batches) <= step:
            self._batches.append(next(self._drawn))
        return [self._batches[step][place] for place in self.places]


class TrainBatches(Dataset):
    """The batches of a whole run: step -> this rank's share, augmented, always the same: a sample
    depends on its place in the whole batch, not on how many processes share it.

    Args:
        dataset: labelled frames.
        config: sizes, augmentation, phases and seed.
        rank, world: which of how many processes.

    Raises:
        ValueError: the batch cannot be shared out without splitting a video, or holds one frame
            for batch norms that learn; the mix and the data differ.
    """

    def __init__(self, dataset: FrameDataset, config: TrainConfig, rank: int = 0, world: int = 1):
        self.config = config
        self.phases = []
        for number, (_, phase) in enumerate(config.schedule):
            seed = seed_of(config.seed, 0, 2**31 + number) if number else config.seed
            self.phases.append(_Phase(dataset, phase, seed, rank, world))

    def __len__(self) -> int:
        return self.config.steps

    def __getitem__(self, at: int | tuple[int, int]) -> dict[str, Any]:
        """The batch of a step, or of a (step, phase); by itself a step knows its phase by number.

        Returns:
            `image` (B, 3, H, W) in [0, 1] and `mask` (B, 1, H, W), float32; `video` and `frame`, B
            names; `group` (B,) int64, equal for frames of one video; `is_image` (B,) bool: from an
            image data set; `phase`, its number.
        """
        phase_of = self.config.phase_at
        step, number = at if isinstance(at, tuple) else (at, phase_of(at / self.config.steps))
        phase, samples = self.phases[number], []
        with torch.random.fork_rng(devices=[]):
            for place, index in zip(phase.places, phase.batch(step), strict=True):
                torch.manual_seed(seed_of(self.config.seed, step, place))
                sample = phase.dataset[index]
                samples.append(phase.paste(sample) if phase.paste else sample)
        batch: dict[str, Any] = {
            k: torch.stack([s[k].as_subclass(Tensor) for s in samples]) for k in ("image", "mask")
        }
        batch |= {k: [s[k] for s in samples] for k in ("video", "frame")}
        batch["group"] = torch.tensor([batch["video"].index(v) for v in batch["video"]])
        batch["is_image"] = torch.tensor(phase.places) >= phase.videos
        return batch | {"phase": number}


def seed_of(seed: int, step: int, place: int) -> int:
    """One seed for each run, step and place in the batch."""
    return int(np.random.SeedSequence([seed, step, place]).generate_state(1)[0])
