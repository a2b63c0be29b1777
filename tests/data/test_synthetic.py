"""Synthetic clips: what makes them salient is measured, not only looked at."""

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodlib.data import open_dataset, synthetic_clip, synthetic_dataset
from vsodlib.data.synthetic import make_synthetic

SEEDS = range(8)


@pytest.fixture(scope="module")
def clips():
    return [synthetic_clip(seed, frames=13, height=96, width=168) for seed in SEEDS]


def test_clip(clips):
    clip = clips[0]
    assert clip.frames.shape == (13, 96, 168, 3) and clip.frames.dtype == np.uint8
    assert clip.masks.shape == (13, 96, 168) and clip.masks.dtype == bool
    assert clip.name == "synthetic-00000" and clip.licence.startswith("MIT")


def test_same_seed_same_pixels_and_other_seeds_differ(clips):
    again = synthetic_clip(2, frames=13, height=96, width=168)
    np.testing.assert_array_equal(again.frames, clips[2].frames)
    np.testing.assert_array_equal(again.masks, clips[2].masks)
    assert np.abs(clips[2].frames.astype(int) - clips[3].frames).mean() > 10


def test_longer_clip_continues_a_shorter_one(clips):
    short = synthetic_clip(1, frames=2, height=96, width=168)
    np.testing.assert_array_equal(short.frames, clips[1].frames[:2])


@pytest.mark.parametrize("seed", SEEDS)
def test_object_is_there_in_every_frame_and_stands_out(clips, seed):
    clip = clips[seed]
    area = clip.masks.mean(axis=(1, 2))
    assert area.min() > 0.015 and area.max() < 0.25
    hsv = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2HSV) for frame in clip.frames]).astype(float)
    saturation, value = hsv[..., 1], hsv[..., 2]
    assert value[clip.masks].mean() > 1.5 * value[~clip.masks].mean()
    assert saturation[clip.masks].mean() > 1.2 * saturation[~clip.masks].mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_object_moves_on_its_own(clips, seed):
    """Optical flow inside the mask differs from the ground's; the ground moves as one."""
    clip = clips[seed]
    grey = [cv2.cvtColor(clip.frames[t], cv2.COLOR_RGB2GRAY) for t in (5, 6)]
    flow = cv2.calcOpticalFlowFarneback(*grey, None, 0.5, 3, 15, 5, 7, 1.5, 0)
    inside = cv2.erode(clip.masks[5].astype(np.uint8), np.ones((5, 5))) > 0
    outside = cv2.dilate(clip.masks[5].astype(np.uint8), np.ones((25, 25))) == 0
    ground = np.median(flow[outside], axis=0)
    difference = np.linalg.norm(np.median(flow[inside], axis=0) - ground)
    assert difference > 0.5  # pixels per frame at 96 rows
    assert difference > 2 * np.median(np.linalg.norm(flow[outside] - ground, axis=1))


def test_something_passes_before_the_object_in_every_second_clip():
    """Where a post stands, the mask has a gap as wide as the post."""
    clip = synthetic_clip(5, frames=13, height=96, width=168)
    split = [
        cv2.connectedComponents(mask.astype(np.uint8))[0] - 1 for mask in clip.masks
    ]  # pieces per frame
    assert max(split) >= 2
    whole = synthetic_clip(4, frames=13, height=96, width=168)
    assert all(cv2.connectedComponents(m.astype(np.uint8))[0] == 2 for m in whole.masks)


def test_refused_sizes():
    for arguments in ({"frames": 0}, {"height": 16}, {"width": 8}):
        with pytest.raises(ValueError, match="at least 1 frame of 32x32, got"):
            synthetic_clip(0, **arguments)
    with pytest.raises(ValueError, match="splits train and val, not 'test'"):
        synthetic_dataset("test")
    with pytest.raises(ValueError, match="videos must lie between 1 and 5000, got 0"):
        synthetic_dataset("train", videos=0)


def test_dataset_in_memory():
    train = synthetic_dataset("train", videos=2, frames=2, height=32, width=48)
    val = synthetic_dataset("val", videos=2, frames=2, height=32, width=48)
    both = synthetic_dataset(None, videos=2, frames=2, height=32, width=48)
    assert not set(train.videos) & set(val.videos)
    assert list(both.videos) == [*train.videos, *val.videos] and both.name == "synthetic"
    clip = synthetic_clip(1, frames=2, height=32, width=48)
    np.testing.assert_array_equal(train.image(3), clip.frames[1])
    np.testing.assert_array_equal(train.mask(3), clip.masks[1])
    other = synthetic_dataset("train", videos=2, frames=2, height=32, width=48, seed=1)
    assert not set(train.videos) & set(other.videos)


def test_make_synthetic_writes_the_layout_of_davis(tmp_path):
    out = make_synthetic(tmp_path / "made", videos=3, frames=2, height=32, width=48, seed=2)
    assert (out / "ImageSets/480p/val.txt").read_text().splitlines()[0] == (
        "/JPEGImages/480p/synthetic-25000/00000.jpg /Annotations/480p/synthetic-25000/00000.png"
    )
    train = open_dataset("davis2016", "train", out)
    clip = synthetic_clip(20_001, frames=2, height=32, width=48)
    np.testing.assert_array_equal(train.mask(3), clip.masks[1])
    difference = train.image(3).astype(int) - clip.frames[1]
    assert np.abs(difference).mean() < 6  # JPEG; the next frame differs by 8
    assert list(tmp_path.iterdir()) == [out]


def test_make_synthetic_refuses_and_leaves_nothing(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="2 videos or more"):
        make_synthetic(tmp_path / "one", videos=1)
    (tmp_path / "there").mkdir()
    with pytest.raises(FileExistsError, match="there exists already"):
        make_synthetic(tmp_path / "there")

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        make_synthetic(tmp_path / "full", videos=2, frames=1, height=32, width=48)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_nothing_is_drawn_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".clips.part").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("clips", "dangling"):
        with pytest.raises(FileExistsError):
            make_synthetic(tmp_path / name, videos=2, frames=1, height=32, width=32)
    assert not any((tmp_path / "elsewhere").iterdir())
