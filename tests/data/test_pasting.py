"""Objects laid over other frames."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vsodlib.config import TrainConfig
from vsodlib.data import synthetic_dataset
from vsodlib.data.pasting import ObjectPaste, paste_distractor, paste_object
from vsodlib.data.sampling import TrainBatches
from vsodlib.data.transforms import train_transform

CONFIG = TrainConfig(
    steps=30, warmup_steps=1, batch_size=4, frames_per_video=2, height=32, width=48, paste=1.0
)


@pytest.fixture
def clips():
    dataset = synthetic_dataset("train", videos=4, frames=4, height=48, width=64)
    dataset.transform = train_transform(CONFIG)
    return dataset


def test_paste_equals_a_loop_over_pixels():
    generator = torch.Generator().manual_seed(0)
    image, donor = torch.rand(2, 3, 6, 7, generator=generator)
    mask, over = (torch.rand(2, 1, 6, 7, generator=generator) > 0.6).float()
    expected = np.empty((3, 6, 7))
    for y in range(6):
        for x in range(7):
            around = over[0, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            alpha = around.mean().item()
            for c in range(3):
                expected[c, y, x] = (1 - alpha) * image[c, y, x] + alpha * donor[c, y, x]
    pasted, union = paste_object(image, mask, donor, over)
    np.testing.assert_allclose(pasted, expected, atol=1e-6)
    assert torch.equal(union, ((mask + over) > 0).float())


def test_paste_distractor_equals_a_loop_over_pixels():
    generator = torch.Generator().manual_seed(1)
    image, donor = torch.rand(2, 3, 6, 7, generator=generator)
    mask = (torch.rand(1, 6, 7, generator=generator) > 0.4).float()
    over = (torch.rand(1, 6, 7, generator=generator) > 0.6).float()
    assert 0 < over.sum() < mask.sum()
    expected = image.numpy().astype(float)
    for y in range(6):
        for x in range(7):
            if mask[0, y, x]:
                continue  # the object stays in front
            alpha = over[0, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].mean().item()
            for c in range(3):
                expected[c, y, x] += alpha * (donor[c, y, x].item() - expected[c, y, x])
    pasted, same = paste_distractor(image, mask, donor, over)
    np.testing.assert_allclose(pasted, expected, atol=1e-6)
    assert torch.equal(same, mask)


def test_a_distractor_larger_than_the_object_is_left_out():
    image, donor = torch.zeros(3, 4, 4), torch.ones(3, 4, 4)
    small, large = torch.zeros(2, 1, 4, 4)
    small[0, 0, 0], large[0, 2:] = 1, 1
    pasted, mask = paste_distractor(image, small, donor, large)
    assert torch.equal(pasted, image)
    assert torch.equal(mask, small)
    pasted, mask = paste_distractor(image, large, donor, small)
    assert (pasted[:, 0, 0] == 0.25).all()  # one pixel of the four in the corner's window
    assert torch.equal(mask, large)


def test_distractors_in_batches_leave_object_and_mask_alone(clips):
    plain = TrainBatches(clips, replace(CONFIG, paste=0.0))
    pasted = TrainBatches(clips, replace(CONFIG, paste_as="distractor"))
    changed = 0
    for step in range(8):
        before, after = plain[step], pasted[step]
        assert torch.equal(after["mask"], before["mask"])
        differs = (after["image"] != before["image"]).any(1, keepdim=True)
        assert not (differs & (before["mask"] > 0)).any()
        changed += differs.flatten(1).any(1).sum()
    assert changed >= 8  # of 32: donors larger than the object are left out


def test_samples_keep_what_lies_away_from_the_pasted_object(clips):
    plain = TrainBatches(clips, replace(CONFIG, paste=0.0))
    pasted = TrainBatches(clips, CONFIG)
    grown = changed = 0
    for step in range(8):
        before, after = plain[step], pasted[step]
        assert before["frame"] == after["frame"]
        assert (after["mask"] >= before["mask"]).all()
        differs = (after["image"] != before["image"]).any(1, keepdim=True).float()
        # Outside the union of both masks and its blended rim nothing changes.
        rim = torch.nn.functional.max_pool2d(after["mask"], 3, stride=1, padding=1)
        assert not (differs * (1 - rim)).any()
        grown += (after["mask"].sum((1, 2, 3)) > before["mask"].sum((1, 2, 3))).sum()
        changed += differs.amax((1, 2, 3)).sum()
    assert grown >= 20  # of 32: a small object can fall outside the crop or on another one
    assert changed >= grown


def test_share_of_samples(clips):
    plain = TrainBatches(clips, replace(CONFIG, paste=0.0))
    some = TrainBatches(clips, replace(CONFIG, paste=0.3))
    every = TrainBatches(clips, CONFIG)
    counts = [
        sum(
            (batches[step]["image"] != plain[step]["image"]).flatten(1).any(1).sum().item()
            for step in range(30)
        )
        for batches in (some, every)
    ]
    # 120 samples; three standard deviations of a binomial share are 0.13.
    assert counts[0] / counts[1] == pytest.approx(0.3, abs=0.13)


def test_a_pasted_sample_does_not_depend_on_the_number_of_processes(clips):
    whole, *shares = (TrainBatches(clips, CONFIG, *r)[2] for r in [(0, 1), (0, 2), (1, 2)])
    for key in ("image", "mask"):
        assert torch.equal(whole[key], torch.cat([share[key] for share in shares]))
    assert torch.equal(whole["image"], TrainBatches(clips, CONFIG)[2]["image"])


def test_donors_come_from_every_video_and_leave_the_data_set_alone(clips, monkeypatch):
    transform, drawn = clips.transform, set()
    objects = ObjectPaste(clips, CONFIG)
    sample = clips[0]
    read = type(clips).image
    monkeypatch.setattr(
        type(clips), "image", lambda self, i: drawn.add(self.records[i].video) or read(self, i)
    )
    torch.manual_seed(0)
    for _ in range(40):
        objects(sample)
    assert drawn == set(clips.videos)
    assert clips.transform is transform
