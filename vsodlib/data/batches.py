"""The batches of a training run, each a function of the seed and the step alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vsodlib.config import TrainConfig
from vsodlib.data.dataset import FrameDataset
from vsodlib.data.pasting import ObjectPaste
from vsodlib.data.sampling import VideoBatchSampler


class TrainBatches(Dataset):
    """The batches of a whole run: step -> this rank's share, augmented, always the same: a sample
    depends on its place in the whole batch, not on how many processes share it.

    Args:
        dataset: labelled frames; its transform augments.
        config: sizes and seed.
        rank, world: which of how many processes.

    Raises:
        ValueError: the batch cannot be shared out without splitting a video, or holds one frame
            for batch norms that learn.
    """

    def __init__(self, dataset: FrameDataset, config: TrainConfig, rank: int = 0, world: int = 1):
        self.dataset, self.seed = dataset, config.seed
        self.paste = ObjectPaste(dataset, config) if config.paste else None
        videos, images = config.video_frames, config.image_samples
        if videos % (world * config.frames_per_video) or images % world:
            raise ValueError(
                f"{world} processes cannot share {videos // config.frames_per_video} videos and "
                f"{images} images a batch evenly."
            )
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
            config.seed,
        )
        v, i = videos // world, images // world
        places = range(config.batch_size)
        self.places = [*places[:videos][rank * v :][:v], *places[videos:][rank * i :][:i]]
        self.batches = [[batch[place] for place in self.places] for batch in sampler]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int) -> dict[str, Any]:
        """`image` (B, 3, H, W) and `mask` (B, 1, H, W), float32; `video` and `frame`, B names;
        `group` (B,) int64, equal for frames of one video.
        """
        samples = []
        with torch.random.fork_rng(devices=[]):
            for place, index in zip(self.places, self.batches[step], strict=True):
                torch.manual_seed(seed_of(self.seed, step, place))
                sample = self.dataset[index]
                samples.append(self.paste(sample) if self.paste else sample)
        batch = {
            k: torch.stack([s[k].as_subclass(Tensor) for s in samples]) for k in ("image", "mask")
        }
        batch |= {k: [s[k] for s in samples] for k in ("video", "frame")}
        return batch | {"group": torch.tensor([batch["video"].index(v) for v in batch["video"]])}


def seed_of(seed: int, step: int, place: int) -> int:
    """One seed for each run, step and place in the batch."""
    return int(np.random.SeedSequence([seed, step, place]).generate_state(1)[0])
