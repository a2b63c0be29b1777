"""Joint transforms: geometry hand-worked, randomness bounded and reproducible."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from vsodlib.config import TrainConfig
from vsodlib.data.transforms import RandomCropResize, input_size, to_images, train_transform

PLAIN = TrainConfig(height=32, width=48, scale_min=1.0, flip=False, color_jitter=0.0)


def item(height=64, width=112):
    """A picture whose red channel is its mask, so the two can be compared after any geometry."""
    y, x = np.mgrid[:height, :width]
    x, y = (x + 0.5 - width / 2) / (width / 3), (y + 0.5 - height / 2) / (height / 3)
    mask = x**2 + y**2 < 1
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    image[0] = torch.from_numpy(mask) * 255
    return {
        "image": tv_tensors.Image(image),
        "mask": tv_tensors.Mask(torch.from_numpy(mask.astype(np.uint8))[None]),
        "video": "bear",
        "frame": "00007",
        "index": 7,
    }


def colours(image):
    return image.as_subclass(torch.Tensor)


def test_train_output():
    out = train_transform(TrainConfig(height=32, width=48))(item())
    assert out["image"].shape == (3, 32, 48) and out["image"].dtype == torch.float32
    assert out["mask"].shape == (1, 32, 48) and out["mask"].dtype == torch.float32
    assert set(out["mask"].unique().tolist()) == {0.0, 1.0}
    assert (out["video"], out["frame"], out["index"]) == ("bear", "00007", 7)


@pytest.mark.parametrize("level", [0, 51, 255])
def test_images_lie_between_0_and_1(level):
    sample = item()
    sample["image"][:] = level
    out = train_transform(PLAIN)(sample)["image"]
    assert out.unique().tolist() == [pytest.approx(level / 255)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("size", [(64, 112), (90, 60), (20, 31)])
def test_image_and_mask_move_together(seed, size):
    torch.manual_seed(seed)
    config = replace(PLAIN, scale_min=0.5, flip=True)
    out = train_transform(config)(item(*size))
    red = colours(out["image"])[0] > 0.5
    disagree = (red != out["mask"][0].bool()).float().mean()
    assert disagree < 0.004  # ties at exactly one half


def test_crops_cover_the_range_and_keep_the_aspect():
    torch.manual_seed(0)
    crop = RandomCropResize(32, 48, scale_min=0.5, aspect_jitter=1.1)
    drawn = [crop.make_params([item()["image"]]) for _ in range(500)]
    rows = np.array([p["h"] for p in drawn])
    aspects = np.array([p["w"] / p["h"] for p in drawn])
    assert rows.min() <= 34 and rows.max() == 64 and rows.min() >= 31
    assert aspects.min() > 1.5 / 1.1 - 0.06 and aspects.max() < 1.5 * 1.1 + 0.06
    assert aspects.std() > 0.05
    for p in drawn:
        assert 0 <= p["top"] <= 64 - p["h"] and 0 <= p["left"] <= 112 - p["w"]
    small = {p["left"] for p in drawn if p["h"] < 40}
    assert min(small) < 5 and max(small) > 40 and len(small) > 25


def test_whole_frame_without_augmentation():
    crop = RandomCropResize(64, 112, scale_min=1.0, aspect_jitter=1.0)
    sample = item()
    out = crop(sample)
    torch.testing.assert_close(out["image"], sample["image"])
    torch.testing.assert_close(out["mask"], sample["mask"])


def test_masks_are_not_shifted():
    """A mask's centre stays where it is; nearest neighbours would move it."""
    crop = RandomCropResize(23, 41, scale_min=1.0, aspect_jitter=1.0)
    mask = crop(item(64, 114))["mask"][0].float()
    y, x = torch.meshgrid(torch.arange(23.0), torch.arange(41.0), indexing="ij")
    assert (mask * x).sum() / mask.sum() == pytest.approx(20, abs=0.02)
    assert (mask * y).sum() / mask.sum() == pytest.approx(11, abs=0.02)


def test_flip_mirrors_about_half_of_the_samples():
    torch.manual_seed(0)
    sample = item()
    sample["mask"][..., 56:] = 0  # only the left half remains
    transform = train_transform(replace(PLAIN, flip=True))

    def on_the_left(transform):
        mask = transform(sample)["mask"]
        return bool(mask[..., :24].sum() > mask[..., 24:].sum())

    assert 70 < sum(on_the_left(transform) for _ in range(200)) < 130
    assert all(on_the_left(train_transform(PLAIN)) for _ in range(20))


def test_colour_jitter_changes_colours_only_and_only_when_asked():
    sample = item()
    jittered = train_transform(replace(PLAIN, color_jitter=0.5))
    levels = []
    for seed in range(40):
        torch.manual_seed(seed)
        found = jittered(sample)
        torch.manual_seed(seed)
        plain = train_transform(PLAIN)(sample)
        assert torch.equal(found["mask"], plain["mask"])
        assert colours(plain["image"])[0].max().item() == pytest.approx(1, abs=1e-3)
        levels.append(colours(found["image"])[0].max().item())
    assert min(levels) < 0.8 and max(levels) == pytest.approx(1, abs=1e-3)


def test_same_seed_same_sample():
    transform = train_transform(TrainConfig(height=32, width=48))

    def draw(seed):
        torch.manual_seed(seed)
        return transform(item())["image"]

    torch.testing.assert_close(draw(3), draw(3), rtol=0, atol=0)
    assert not torch.equal(draw(3), draw(4))


@pytest.mark.parametrize(
    ("frame", "rows", "stride", "expected"),
    [
        ((480, 854), 320, 16, (320, 576)),  # 854 * 320 / 480 = 569.3, 35.6 times 16
        ((480, 854), 324, 16, (320, 576)),
        ((480, 854), 328, 16, (336, 576)),  # 328 = 20.5 times 16 goes up
        ((480, 854), 324, 8, (328, 576)),
        ((480, 854), 480, 8, (480, 856)),
        ((50, 70), 3, 16, (16, 16)),
        ((24, 40), 24, 16, (32, 48)),
    ],
)
def test_input_size_by_hand(frame, rows, stride, expected):
    assert input_size(*frame, rows, stride) == expected


@pytest.mark.filterwarnings("error")
def test_frames_become_images():
    frames = np.random.default_rng(0).integers(0, 255, (2, 5, 7, 3), np.uint8)
    images = to_images(frames)
    assert type(images) is torch.Tensor and images.dtype == torch.float32
    np.testing.assert_allclose(images.permute(0, 2, 3, 1), frames / 255, atol=1e-6)
    frames.setflags(write=False)  # as Pillow's, of which torch would warn
    assert to_images(frames, rows=35, stride=16).shape == (2, 3, 32, 48)


def test_resized_images_are_averages():
    frame = np.zeros((1, 32, 32, 3), np.uint8)
    frame[0, ::2] = 200
    image = to_images(frame, rows=16, stride=16)[0, 0]
    # The filter is a tent of three rows: 1/4, 1/2, 1/4 of neighbours, give or take the rounding.
    assert image[1:-1].min() > 80 / 255 and image[1:-1].max() < 120 / 255


@pytest.mark.parametrize(
    "frames",
    [np.zeros((5, 7, 3), np.uint8), np.zeros((1, 5, 7, 1), np.uint8), np.zeros((1, 5, 7, 3))],
)
def test_only_frames_become_images(frames):
    with pytest.raises(ValueError, match="uint8"):
        to_images(frames)


@pytest.mark.parametrize("rows", [0, 10**20])
def test_rows_that_no_network_sees(rows):
    with pytest.raises(ValueError, match=f"can see 1 to 8192 rows, not {rows}"):
        to_images(np.zeros((1, 5, 7, 3), np.uint8), rows=rows)
