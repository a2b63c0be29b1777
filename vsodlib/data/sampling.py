"""Batches grouped by video: the layout that the contrastive term needs (paper, Section 3.4).

"4 positives and 4 negatives" per anchor need several frames of one video in a batch, so frames
are drawn video by video; still images count as videos of one frame and fill a fixed share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from torch.utils.data import Sampler


class VideoBatchSampler(Sampler[list[int]]):
    """`steps` batches of indices: first frames of videos, side by side, then still images.

    A batch holds `round(batch_size * image_fraction)` images and, for the rest, `frames_per_video`
    distinct frames of each of as many videos as are needed. Videos are drawn without replacement
    until all have been seen, then anew (so each counts the same, long or short), and images
    likewise. A video shorter than `frames_per_video` gives all its frames before one comes again.

    The batches depend on the arguments alone, so a run resumes by skipping what it has done.

    Args:
        videos: name -> indices of its frames (`FrameDataset.videos`); one index makes an image.
        datasets: name -> the data set it comes from, where `weights` are given.
        weights: data set -> how often it is drawn. The share of those that hold images alone takes
            the place of `image_fraction`; within a data set each video counts the same.
        batch_size: samples per batch.
        frames_per_video: must divide the video part of the batch.
        image_fraction: share of images, between 0 and 1; 0 leaves images out.
        steps: number of batches.
        seed: of everything random here.

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
        if batch_size < 1 or frames_per_video < 1 or steps < 1:
            raise ValueError(
                f"batch_size, frames_per_video and steps must be at least 1, got {batch_size}, "
                f"{frames_per_video} and {steps}."
            )
        if not 0 <= image_fraction <= 1:
            raise ValueError(f"image_fraction must lie between 0 and 1, got {image_fraction!r}.")
        self.batch_size = batch_size
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
        self._clips, self._images = {}, {}
        for name, frames in videos.items():
            kind = self._clips if len(frames) > 1 else self._images
            kind.setdefault(datasets[name], []).append(list(frames))
        if weights:
            image_fraction = sum(
                weight for name, weight in weights.items() if name not in self._clips
            ) / sum(weights.values())
        self.image_samples = round(batch_size * image_fraction)
        self._start = self._step = 0
        video_frames = batch_size - self.image_samples
        if video_frames % frames_per_video:
            raise ValueError(
                f"{video_frames} samples of a batch come from videos (batch_size {batch_size}, "
                f"image_fraction {image_fraction}): frames_per_video {frames_per_video} must "
                f"divide that."
            )
        if self.image_samples and not self._images:
            raise ValueError(
                f"image_fraction is {image_fraction}, but the data holds no still images: add an "
                f"image data set such as duts-tr or set it to 0."
            )
        if video_frames and not self._clips:
            raise ValueError(
                f"{video_frames} samples of a batch should come from videos, but the data holds "
                f"none of two frames or more: add a video data set or set image_fraction to 1."
            )
        self.videos_per_batch = video_frames // frames_per_video

    def __len__(self) -> int:
        return self.steps - self._start

    def __iter__(self) -> Iterator[list[int]]:
        for step, batch in enumerate(islice(self._batches(), self._start, None), self._start):
            self._step = step + 1
            yield batch

    def state_dict(self, step: int | None = None) -> dict[str, Any]:
        """Where a run stands.

        Args:
            step: batches trained on; None: batches handed out, which workers that fetch ahead
                make larger.
        """
        return {"step": self._step if step is None else step, "seed": self.seed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Start the next iteration at the batch after `state["step"]`.

        Raises:
            ValueError: the state belongs to another seed or lies behind the last batch.
        """
        if state["seed"] != self.seed:
            raise ValueError(f"The state has seed {state['seed']}, this sampler {self.seed}.")
        if not 0 <= state["step"] <= self.steps:
            raise ValueError(f"The state is at batch {state['step']} of only {self.steps}.")
        self._start = self._step = state["step"]

    def _batches(self) -> Iterator[list[int]]:
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
    rng: np.random.Generator,
    sets: Mapping[str, Sequence[list[int]]],
    weights: Mapping[str, float],
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
