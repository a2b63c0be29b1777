"""The data set class: items, parts, and every way for a file to be wrong."""

import re

import numpy as np
import pytest
import torch
from small_sets import H, W, picture
from torchvision import tv_tensors

from vsodlib.data import FrameDataset, FrameRecord, Storage, concat, open_dataset
from vsodlib.data.dataset import HeldFrames

# Items


def test_item(drawn):
    dataset = open_dataset("davis2016", "train", drawn)
    item = dataset[4]
    assert isinstance(item["image"], tv_tensors.Image)
    assert isinstance(item["mask"], tv_tensors.Mask)
    assert item["image"].shape == (3, H, W) and item["image"].dtype == torch.uint8
    assert item["mask"].shape == (1, H, W) and item["mask"].dtype == torch.uint8
    assert set(item["mask"].unique().tolist()) == {0, 1}
    assert (item["video"], item["frame"], item["index"]) == ("synthetic-00001", "00001", 4)
    np.testing.assert_array_equal(item["mask"][0].bool(), dataset.mask(4))
    dataset.transform = lambda x: {**x, "seen": True}
    assert dataset[0]["seen"]


def test_subset_and_concat(drawn):
    train = open_dataset("davis2016", "train", drawn)
    one = train.subset(["synthetic-00001"])
    assert one.videos == {"synthetic-00001": [0, 1, 2]}
    np.testing.assert_array_equal(one.image(2), train.image(5))
    with pytest.raises(ValueError, match="no video nothing"):
        train.subset(["nothing"])

    both = concat([train, one, one.in_memory()])
    assert list(both.videos)[3:] == ["synthetic-00001#2", "synthetic-00001#3"]
    assert both.videos["synthetic-00001#2"] == [9, 10, 11]
    np.testing.assert_array_equal(both.image(13), train.image(4))
    np.testing.assert_array_equal(both.mask(13), train.mask(4))
    with pytest.raises(ValueError, match="at least one"):
        concat([])


def test_in_memory(drawn, monkeypatch):
    train = open_dataset("davis2016", "train", drawn)
    held, small = train.in_memory(), train.in_memory(24)
    assert small.image(0).shape == (24, 32, 3) and small.mask(0).shape == (24, 32)
    monkeypatch.setattr(Storage, "read", None)  # nothing is read again
    assert held.image(5).dtype == np.uint8 and held.mask(5).dtype == bool
    assert held.storage is None and held.videos == train.videos
    with pytest.raises(ValueError, match="at least 16 rows, got 8"):
        train.in_memory(8)


def test_unlabelled_frames_have_no_mask(tmp_path):
    for number in (1, 2, 3):
        picture(tmp_path / f"FBMS/Testset/cars1/cars1_{number:02d}.jpg", (9, 9, 9))
    picture(tmp_path / "FBMS/Testset/cars1/GroundTruth/cars1_02.png", 255)
    dataset = open_dataset("fbms", "test", tmp_path)
    assert "mask" not in dataset[0] and dataset[1]["mask"].all()
    with pytest.raises(ValueError, match="frame cars1_01 of cars1 has no mask"):
        dataset.mask(0)
    assert [record.frame for record in dataset.labelled().records] == ["cars1_02"]
    assert "mask" not in dataset.in_memory()[0]


# Errors


def test_mask_of_another_size(root):
    picture(root / "DAVIS/Annotations/480p/synthetic-00000/00001.png", 0, size=(10, 20))
    dataset = open_dataset("davis2016", "train", root)
    with pytest.raises(
        ValueError, match=r"00001\.png is 20x10, but its frame .*00001\.jpg is 64x48"
    ):
        dataset[1]


@pytest.mark.parametrize("keep", [0, 10, 600])
def test_damaged_jpeg(root, keep):
    path = root / "DAVIS/JPEGImages/480p/synthetic-00000/00000.jpg"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"00000/00000\.jpg (is|cannot)"):
        open_dataset("davis2016", "train", root).image(0)


def test_damaged_mask(root):
    path = root / "DAVIS/Annotations/480p/synthetic-00000/00000.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"00000/00000\.png cannot be decoded"):
        open_dataset("davis2016", "train", root).mask(0)


# Real data


def test_frames_of_another_size_are_named(root):
    path = sorted(root.glob("DAVIS/JPEGImages/480p/*/00001.jpg"))[0]
    picture(path, 7, (H // 2, W))
    dataset = open_dataset("davis2016", root=root)
    with pytest.raises(ValueError, match=f"frame 00001 of {path.parent.name} is {W}x{H // 2}, oth"):
        dataset.images(dataset.videos[path.parent.name])
    assert dataset.images(dataset.videos[path.parent.name][:1]).shape == (1, H, W, 3)


def test_masks_that_are_all_empty_are_refused(root):
    for path in root.glob("DAVIS/Annotations/480p/*/*.png"):
        picture(path, 0)
    with pytest.raises(ValueError, match="Not one of the 9 masks of davis2016 shows an object"):
        open_dataset("davis2016", "train", root).in_memory()


@pytest.mark.parametrize(
    ("image", "mask", "found"),
    [
        (lambda i: i / 255, lambda m: m, "uint8 (H, W, 3), not float64 (4, 6, 3)"),
        (lambda i: i.astype(int), lambda m: m, "uint8 (H, W, 3), not int64 (4, 6, 3)"),
        (lambda i: i[..., 0], lambda m: m, "uint8 (H, W, 3), not uint8 (4, 6)"),
        (lambda i: i, lambda m: m * np.uint8(255), "bool (4, 6), not uint8 (4, 6)"),
        (lambda i: i, lambda m: m.T, "bool (4, 6), not bool (6, 4)"),
    ],
)
def test_pixels_in_memory_of_another_kind_would_be_taken_for_empty(image, mask, found):
    held = HeldFrames({"a": image(np.zeros((4, 6, 3), np.uint8))}, {"a": mask(np.eye(4, 6) > 0)})
    with pytest.raises(ValueError, match=re.escape(found)):
        FrameDataset("mine", [FrameRecord("v", "0", "a", "a")], held)[0]
