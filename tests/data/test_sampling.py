"""Batches grouped by video: counts, fairness, determinism, resuming, refusals."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from torch.utils.data import DataLoader

from vsodlib.config import TrainConfig
from vsodlib.data import synthetic_dataset
from vsodlib.data.sampling import TrainBatches, VideoBatchSampler

VIDEOS = {f"v{v}": list(range(10 * v, 10 * v + 10)) for v in range(5)}
IMAGES = {f"i{i}": [100 + i] for i in range(7)}


def sampler(videos=None, batch_size=8, frames=4, fraction=0.0, steps=10, seed=0):
    return VideoBatchSampler(videos or VIDEOS | IMAGES, batch_size, frames, fraction, steps, seed)


@pytest.mark.parametrize(("frames", "groups"), [(8, 1), (4, 2), (2, 4), (1, 8)])
def test_frames_of_a_video_lie_side_by_side_and_are_distinct(frames, groups):
    for batch in sampler(frames=frames, steps=20):
        assert len(batch) == 8
        assert max(batch) < 100  # no images asked for
        for group in range(groups):
            part = batch[group * frames : (group + 1) * frames]
            assert len({index // 10 for index in part}) == 1
            assert len(set(part)) == frames


def test_images_fill_their_share():
    for batch in sampler(frames=1, fraction=0.375, steps=20):
        assert sum(index >= 100 for index in batch) == 3  # round(8 * 0.375)
        assert all(index >= 100 for index in batch[5:])


def test_only_images():
    batches = list(sampler(IMAGES, batch_size=4, frames=1, fraction=1.0, steps=3))
    assert all(len(batch) == 4 and min(batch) >= 100 for batch in batches)


def test_videos_and_images_come_without_replacement_per_pass():
    batches = list(sampler(frames=4, fraction=0.5, steps=70))  # one video and four images each
    videos = [batch[0] // 10 for batch in batches]
    images = [index for batch in batches for index in batch[4:]]
    for start in range(0, 70, 5):
        assert sorted(videos[start : start + 5]) == [0, 1, 2, 3, 4]
    for start in range(0, 280, 7):
        assert sorted(images[start : start + 7]) == list(range(100, 107))
    assert len({tuple(videos[s : s + 5]) for s in range(0, 70, 5)}) > 5  # in other orders


def test_every_frame_is_reached():
    counts = Counter(i for batch in sampler(frames=1, batch_size=5, steps=300) for i in batch)
    assert sorted(counts) == list(range(50)) and min(counts.values()) > 10


def test_a_short_video_gives_all_its_frames_before_one_comes_again():
    short = {"short": [0, 1, 2]}
    for batch in sampler(short, steps=10, frames=8):
        counts = Counter(batch)
        assert sorted(counts) == [0, 1, 2] and max(counts.values()) - min(counts.values()) == 1


def test_seed_decides_alone():
    assert list(sampler(seed=3)) == list(sampler(seed=3))
    assert list(sampler(seed=3)) != list(sampler(seed=4))
    one = sampler(seed=3)
    assert list(one) == list(one)


def test_drives_a_data_loader():
    data = synthetic_dataset("train", videos=3, frames=4, height=32, width=48)
    batches = sampler(data.videos, batch_size=4, frames=2, steps=3)
    loader = DataLoader(data, batch_sampler=batches, collate_fn=list)
    assert len(loader) == 3
    for batch in loader:
        names = [item["video"] for item in batch]
        assert names[0] == names[1] != names[2] == names[3]
        assert all(a["index"] != b["index"] for a, b in pairwise(batch))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"videos": VIDEOS, "fraction": 0.5}, "4 samples .* still images, but the data holds none"),
        ({"videos": IMAGES}, "8 samples of a batch come from videos, but the data holds none"),
        ({"frames": 3}, r"8 samples .* frames_per_video \(3\) must divide"),
        ({"frames": 4, "fraction": 0.25}, r"6 samples .* frames_per_video \(4\) must divide"),
        ({"fraction": 1.5}, "between 0 and 1, got 1.5"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"frames": 0}, "frames_per_video must be at least 1, got 0"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"videos": {"empty": []}}, "holds none of two frames"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        sampler(**arguments)


def test_a_batch_of_one_needs_frozen_batch_norms():
    dataset = synthetic_dataset("train", videos=1, frames=2, height=32, width=32)
    config = TrainConfig(steps=2, warmup_steps=1, batch_size=1, frames_per_video=1)
    with pytest.raises(ValueError, match=r"A batch of 1 .* batch_size to 2"):
        TrainBatches(dataset, config)
    assert len(TrainBatches(dataset, replace(config, freeze_batch_norm=True))) == 2
