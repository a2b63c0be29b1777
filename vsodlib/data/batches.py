"""The batches of a training run, each a function of the seed, the step and the phase alone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vsodlib.config import TrainConfig
from vsodlib.data.dataset import FrameDataset
from vsodlib.data.pasting import ObjectPaste
from vsodlib.data.sampling import VideoBatchSampler
from vsodlib.data.transforms import train_transform


@dataclass
class _Phase:
    """One phase of the schedule: its frames, augmented, and its batches, drawn as they are due."""

    dataset: FrameDataset
    paste: ObjectPaste | None
    drawn: Iterator[list[int]]
    batches: list[list[int]]
    places: list[int]
    videos: int

    def batch(self, step: int) -> list[int]:
        while len(self.batches) <= step:
            self.batches.append(next(self.drawn))
        return [self.batches[step][place] for place in self.places]


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
        self.phases = [
            _phase(dataset, phase, number, config.seed, rank, world)
            for number, (_, phase) in enumerate(config.schedule)
        ]

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


def _phase(
    dataset: FrameDataset, config: TrainConfig, number: int, seed: int, rank: int, world: int
) -> _Phase:
    if config.batch_size == 1 and not config.freeze_batch_norm:
        raise ValueError(
            "A batch of 1 leaves batch norms nothing to average: set batch_size to 2 or more, "
            "or freeze_batch_norm."
        )
    sampler = VideoBatchSampler(
        dataset.videos,
        config.batch_size,
        config.frames_per_video,
        config.image_fraction,
        config.steps,
        seed if number == 0 else seed_of(seed, 0, 2**31 + number),
        {record.video: record.dataset or dataset.name for record in dataset.records},
        config.weights,
    )
    images = sampler.image_samples
    videos = config.batch_size - images
    if videos % (world * config.frames_per_video) or images % world:
        raise ValueError(
            f"{world} processes cannot share {videos // config.frames_per_video} videos and "
            f"{images} images a batch evenly."
        )
    v, i = videos // world, images // world
    places = range(config.batch_size)
    dataset = copy.copy(dataset)
    dataset.transform = train_transform(config)
    return _Phase(
        dataset=dataset,
        paste=ObjectPaste(dataset, config) if config.paste else None,
        drawn=iter(sampler),
        batches=[],
        places=[*places[:videos][rank * v :][:v], *places[videos:][rank * i :][:i]],
        videos=videos,
    )


def seed_of(seed: int, step: int, place: int) -> int:
    """One seed for each run, step and place in the batch."""
    return int(np.random.SeedSequence([seed, step, place]).generate_state(1)[0])
