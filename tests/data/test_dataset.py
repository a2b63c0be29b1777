"""Readers, storage, and the data set class: every layout, every way to be wrong."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from vsodlib.data import DATASETS, FOLDERS, Storage, concat, open_dataset
from vsodlib.data.davis import SPLITS
from vsodlib.data.image_files import decode_image, decode_mask, resize_rows
from vsodlib.data.synthetic import make_synthetic

H, W = 48, 64


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """A data root with one small data set in DAVIS's layout: 3 training videos and 1 for val."""
    root = tmp_path_factory.mktemp("drawn")
    make_synthetic(root / "DAVIS", videos=4, frames=3, height=H, width=W)
    return root


@pytest.fixture
def root(drawn, tmp_path) -> Path:
    """A copy to break."""
    shutil.copytree(drawn, tmp_path / "root")
    return tmp_path / "root"


def zipped(folder: Path, out: Path, top: str = "") -> Path:
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{top}{path.relative_to(folder).as_posix()}")
    return out


def picture(path: Path, values, size=(H, W)) -> None:
    """Write an image: a number (grey), a colour, or an array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.asarray(values, np.uint8)
    if array.ndim < 2:
        array = np.broadcast_to(array, (*size, *array.shape))
    Image.fromarray(np.ascontiguousarray(array)).save(path)


# DAVIS


def test_splits_follow_the_lists(drawn):
    train, val = (open_dataset("davis2016", split, drawn) for split in ("train", "val"))
    assert (len(train.videos), len(train), len(val.videos), len(val)) == (3, 9, 1, 3)
    both = open_dataset("davis2016", None, drawn)
    assert [r.image for r in both.records] == [r.image for r in train.records + val.records]
    record = train.records[1]
    assert (record.video, record.frame) == ("synthetic-00000", "00001")
    assert record.image == "JPEGImages/480p/synthetic-00000/00001.jpg"
    assert record.mask == "Annotations/480p/synthetic-00000/00001.png"
    assert train.videos["synthetic-00001"] == [3, 4, 5]


def test_official_splits_are_30_and_20_disjoint_sequences():
    assert [len(SPLITS[split]) for split in ("train", "val")] == [30, 20]
    assert len(set(SPLITS["train"]) | set(SPLITS["val"])) == 50


def test_without_lists_the_official_sequences_are_found_on_disk(root):
    davis = root / "DAVIS"
    shutil.rmtree(davis / "ImageSets")
    for kind in ("JPEGImages", "Annotations"):
        (davis / kind / "480p/synthetic-00000").rename(davis / kind / "480p/bear")
        (davis / kind / "480p/synthetic-05000").rename(davis / kind / "480p/blackswan")
    assert list(open_dataset("davis2016", "train", root).videos) == ["bear"]
    assert list(open_dataset("davis2016", "val", root).videos) == ["blackswan"]


@pytest.mark.parametrize("top", ["", "DAVIS/"])
def test_folder_parent_and_zip_read_alike(drawn, tmp_path, top):
    archive = zipped(drawn / "DAVIS", tmp_path / "any-name.zip", top)
    wanted = open_dataset("davis2016", "val", drawn)
    for place in (drawn / "DAVIS", archive):
        found = open_dataset("davis2016", "val", place)
        assert found.records == wanted.records
        np.testing.assert_array_equal(found.image(1), wanted.image(1))
        np.testing.assert_array_equal(found.mask(1), wanted.mask(1))


def test_zip_beside_the_other_sets_and_the_environment_variable(drawn, tmp_path, monkeypatch):
    zipped(drawn / "DAVIS", tmp_path / "DAVIS.zip")
    monkeypatch.setenv("VSOD_DATA", str(tmp_path))
    assert len(open_dataset("davis2016")) == 12


def test_default_root_is_data(drawn, monkeypatch, tmp_path):
    monkeypatch.delenv("VSOD_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(drawn)
    assert len(open_dataset("davis2016")) == 12


def test_zip_is_read_by_forked_workers_and_survives_pickling(drawn, tmp_path):
    dataset = open_dataset("davis2016", "train", zipped(drawn / "DAVIS", tmp_path / "d.zip"))
    dataset.image(0)  # opens the archive here, before the workers inherit it
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy.image(3), dataset.image(3))
    loader = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context="fork")
    for index, item in enumerate(loader):
        assert item["index"] == index
        np.testing.assert_array_equal(item["image"].permute(1, 2, 0), dataset.image(index))


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


def test_resize_rows_averages_areas_and_cuts_masks_at_one_half():
    stripes = np.tile(np.uint8([0, 0, 0, 200]), (4, 4))[..., None].repeat(3, 2)
    np.testing.assert_array_equal(resize_rows(stripes, 1), np.full((1, 4, 3), 50))
    mask = np.array([[1, 0, 0, 0], [0, 1, 1, 0]], bool)  # 2x2 blocks hold one half, one quarter
    np.testing.assert_array_equal(resize_rows(mask, 1), [[True, False]])
    assert resize_rows(mask, 2) is mask


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


# Other layouts


def test_fbms_pairs_by_number_and_joins_all_objects(tmp_path):
    test = tmp_path / "FBMS/Testset"
    for number in (2, 10, 1):
        picture(test / f"bear01/bear01_{number:04d}.jpg", (9, 9, 9))
        picture(test / f"tennis/tennis{number}.jpg", (9, 9, 9))
    colours = np.full((H, W, 3), 255, np.uint8)
    colours[:8], colours[8:16] = (0, 0, 255), (128, 0, 0)
    picture(test / "bear01/GroundTruth/bear01_0010_gt.ppm", colours)
    picture(test / "bear01/GroundTruth/bear01_0002_PROB_gt.ppm", colours)
    greys = np.zeros((H, W), np.uint8)
    greys[:8], greys[8:12], greys[20] = 255, 40, 10  # 10 is stray
    picture(test / "tennis/GroundTruth/tennis2.pgm", greys)
    dataset = open_dataset("fbms", None, tmp_path)
    assert [record.frame for record in dataset.records] == (
        ["bear01_0001", "bear01_0002", "bear01_0010", "tennis1", "tennis2", "tennis10"]
    )
    assert [record.mask is not None for record in dataset.records] == (
        [False, False, True, False, True, False]
    )
    bear, tennis = dataset.mask(2), dataset.mask(4)
    assert bear[:16].all() and not bear[16:].any()
    assert tennis[:12].all() and not tennis[12:].any()


def test_fbms_with_separate_folders(tmp_path):
    picture(tmp_path / "FBMS/Trainingset/JPEGImages/cats02/00000.jpg", (9, 9, 9))
    picture(tmp_path / "FBMS/Trainingset/Annotations/cats02/00000.png", 255)
    dataset = open_dataset("fbms", "train", tmp_path)
    assert list(dataset.videos) == ["cats02"] and dataset.mask(0).all()
    with pytest.raises(FileNotFoundError, match="Testset does not exist"):
        open_dataset("fbms", "test", tmp_path)


@pytest.mark.parametrize("wrapped", ["", "ViSal/"])
def test_visal_masks_in_one_folder_pair_by_name(tmp_path, wrapped):
    for video in ("aeroplane", "boat", "boat2"):
        for number in (1, 2):
            picture(tmp_path / f"ViSal/{wrapped}{video}/{video}_{number:03d}.png", (9, 9, 9))
    picture(tmp_path / "ViSal/GroundTruth/boat2_001.bmp", 255)
    dataset = open_dataset("visal", None, tmp_path)
    assert {v: len(i) for v, i in dataset.videos.items()} == {"aeroplane": 2, "boat": 2, "boat2": 2}
    assert [r.frame for r in dataset.labelled().records] == ["boat2_001"]


def test_visal_and_davsod_with_a_mask_folder_per_video(tmp_path):
    picture(tmp_path / "ViSal/aeroplane/Imgs/1.jpg", (9, 9, 9))
    picture(tmp_path / "ViSal/aeroplane/GT/1.png", 255)
    assert open_dataset("visal", "test", tmp_path).mask(0).all()
    for split in ("DAVSOD-TrainingSet", "Easy-35"):
        picture(tmp_path / f"DAVSOD/{split}/select_0001/Imgs/0007.png", (9, 9, 9))
        picture(tmp_path / f"DAVSOD/{split}/select_0001/GT_object_level/0007.png", 255)
        picture(tmp_path / f"DAVSOD/{split}/select_0001/GT_instance_level/0007.png", 0)
    easy = open_dataset("davsod", "easy", tmp_path)
    assert len(easy) == 1 and easy.mask(0).all()
    assert len(open_dataset("davsod", None, tmp_path)) == 2


@pytest.mark.parametrize(
    ("name", "image", "mask"),
    [
        ("msra10k", "Imgs/7.jpg", "Imgs/7.png"),
        ("dut-omron", "DUT-OMRON-image/7.jpg", "pixelwiseGT-new-PNG/7.png"),
        ("duts-tr", "DUTS-TR-Image/7.jpg", "DUTS-TR-Mask/7.png"),
    ],
)
def test_image_sets(tmp_path, name, image, mask):
    picture(tmp_path / FOLDERS[name] / image, (10, 20, 30))
    soft = np.zeros((H, W), np.uint8)
    soft[:4], soft[4], soft[5] = 255, 128, 127
    picture(tmp_path / FOLDERS[name] / mask, soft)
    dataset = open_dataset(name, "train", tmp_path)
    assert dataset.videos == {"7": [0]}
    np.testing.assert_array_equal(dataset.mask(0), soft > 127)
    with pytest.raises(ValueError, match="only the split train, not 'val'"):
        open_dataset(name, "val", tmp_path)
    (tmp_path / FOLDERS[name] / mask).unlink()
    with pytest.raises(ValueError, match=r"1 of 1 frames have no mask.*7\.jpg"):
        open_dataset(name, None, tmp_path)


def test_mask_formats(tmp_path):
    values = np.array([[0, 1], [2, 255]], np.uint8)

    def decoded(image: Image.Image, kind: str = "PNG") -> np.ndarray:
        file = io.BytesIO()
        image.save(file, kind)
        return decode_mask(file.getvalue(), "x").levels

    grey = Image.fromarray(values)
    palette = Image.fromarray(values, "L").convert("P")
    palette.putpalette([200] * 768)  # the indices count, not their colours
    np.testing.assert_array_equal(decoded(grey), values)
    np.testing.assert_array_equal(decoded(palette), values)
    np.testing.assert_array_equal(decoded(grey.convert("LA")), values)
    rgba = np.dstack([values, values * 0, values * 0, values * 0 + 255])
    np.testing.assert_array_equal(decoded(Image.fromarray(rgba)) > 0, values > 0)
    np.testing.assert_array_equal(
        decoded(Image.fromarray(values > 0)), np.uint8(255) * (values > 0)
    )


# Errors


def test_missing_root_says_how_to_get_the_data(tmp_path, monkeypatch):
    with pytest.raises(
        FileNotFoundError, match=r"nowhere does not exist: get it with `vsod data fe"
    ):
        open_dataset("davis2016", root=tmp_path / "nowhere")
    monkeypatch.setenv("VSOD_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"holds no FBMS .*fetch fbms`, or set VSOD_DATA"):
        open_dataset("fbms")


def test_unknown_names_and_splits(drawn):
    with pytest.raises(ValueError, match="no data set 'davis'; choose one of davis2016, fbms"):
        open_dataset("davis", root=drawn)
    with pytest.raises(ValueError, match="splits train and val, not 'test'"):
        open_dataset("davis2016", "test", drawn)
    (drawn / "FBMS/Testset").mkdir(parents=True, exist_ok=True)
    with pytest.raises(ValueError, match="splits train, test, not 'val'"):
        open_dataset("fbms", "val", drawn)


def test_empty_folders(tmp_path):
    (tmp_path / "DAVIS/JPEGImages/480p").mkdir(parents=True)
    (tmp_path / "FBMS/Testset").mkdir(parents=True)
    for name in ("davis2016", "fbms"):
        with pytest.raises(ValueError, match=f"{FOLDERS[name]} holds no frames of {name}"):
            open_dataset(name, None, tmp_path)


def test_frames_without_masks(root, tmp_path):
    shutil.rmtree(root / "DAVIS/ImageSets")
    for kind in ("JPEGImages", "Annotations"):
        folder = root / f"DAVIS/{kind}/480p"
        (folder / "synthetic-00000").rename(folder / "bear")
    (root / "DAVIS/Annotations/480p/bear/00001.png").unlink()
    with pytest.raises(ValueError, match=r"1 of 3 frames have no mask, .*bear/00001\.jpg"):
        open_dataset("davis2016", "train", root)
    picture(tmp_path / "FBMS/Testset/cars1/cars1_01.jpg", (9, 9, 9))
    with pytest.raises(ValueError, match="fbms has 1 frames, but not one of them has a mask"):
        open_dataset("fbms", "test", tmp_path)


@pytest.mark.parametrize("as_zip", [False, True])
def test_listed_file_missing(root, tmp_path, as_zip):
    (root / "DAVIS/Annotations/480p/synthetic-00001/00002.png").unlink()
    place = zipped(root / "DAVIS", tmp_path / "d.zip") if as_zip else root
    with pytest.raises(FileNotFoundError, match=r"00001/00002\.png does not exist \(1 of 18 files"):
        open_dataset("davis2016", "train", place)


def test_list_in_another_form(root):
    (root / "DAVIS/ImageSets/480p/val.txt").write_text("\nbear/00000.jpg\n")
    with pytest.raises(ValueError, match=r"val\.txt, line 2: expected .* got 'bear/00000.jpg'"):
        open_dataset("davis2016", "val", root)


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


def test_damaged_archives(drawn, tmp_path):
    (tmp_path / "not.zip").write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"not\.zip is neither a folder nor a readable zip"):
        open_dataset("davis2016", root=tmp_path / "not.zip")
    archive = zipped(drawn / "DAVIS", tmp_path / "flipped.zip")
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        member = opened.getinfo("JPEGImages/480p/synthetic-05000/00001.jpg")
    data[member.header_offset + 200] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(ValueError, match=r"05000/00001\.jpg cannot be read: Bad CRC"):
        open_dataset("davis2016", "val", archive).image(1)


def test_storage(drawn, tmp_path):
    davis = drawn / "DAVIS"
    archive = zipped(davis, tmp_path / "d.zip", top="DAVIS/")
    (davis / ".hidden").write_text("x")
    for storage in (Storage(davis), Storage(archive, "DAVIS")):
        assert len(storage.list()) == 26 and len(storage.list("ImageSets")) == 2
        assert storage.list("Annotations/480p/synthetic-05000") == [
            f"Annotations/480p/synthetic-05000/{i:05d}.png" for i in range(3)
        ]
        assert storage.has_folder("ImageSets") and not storage.has_folder("ImageSet")
        assert not storage.exists("ImageSets") and storage.exists("ImageSets/480p/val.txt")
        assert storage.list("nowhere") == []
        with pytest.raises(FileNotFoundError, match="DAVIS/no does not exist"):
            storage.read("no")
    with pytest.raises(FileNotFoundError, match="nothing does not exist"):
        Storage(tmp_path / "nothing")


def test_synthetic_needs_no_data(tmp_path, monkeypatch):
    monkeypatch.setenv("VSOD_DATA", str(tmp_path / "nowhere"))
    assert DATASETS[-1] == "synthetic"
    with pytest.raises(ValueError, match="splits train and val, not 'test'"):
        open_dataset("synthetic", "test")
    assert open_dataset("synthetic", "val").name == "synthetic"


# Real data


@pytest.mark.skipif(
    not os.path.isdir(os.path.join(os.environ.get("VSOD_DATA", "data"), "DAVIS")),
    reason="DAVIS is not at hand (set VSOD_DATA)",
)
def test_davis_itself():
    train, val = (open_dataset("davis2016", split) for split in ("train", "val"))
    assert (len(train.videos), len(train)) == (30, 2079)
    assert (len(val.videos), len(val)) == (20, 1376)
    assert tuple(val.videos) == SPLITS["val"] and set(train.videos) == set(SPLITS["train"])
    assert val.image(0).shape == (480, 854, 3) and val.mask(0).mean() == pytest.approx(
        0.1, abs=0.02
    )


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


def test_deep_grey_frames_are_refused_not_cut_at_255():
    data = io.BytesIO()
    Image.fromarray(np.full((H, W), 20_000, np.uint16)).save(data, "PNG")
    with pytest.raises(ValueError, match=r"a\.png is 16-bit .*8 bits"):
        decode_image(data.getvalue(), "a.png")


def test_damaged_deflate_stream_is_named(root, tmp_path):
    path = tmp_path / "DAVIS.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(1000))
    data = bytearray(path.read_bytes())
    data[35:40] = b"\xff" * 5
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.txt cannot be read: Error"):
        Storage(path).read("a.txt")
