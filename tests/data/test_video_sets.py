"""FBMS, ViSal and DAVSOD as they are published and as they are found."""

import numpy as np
import pytest
from PIL import Image
from small_sets import H, W, five, frames, masks, picture

from vsodlib.data import open_dataset
from vsodlib.data.check import check
from vsodlib.inference.score_folder import score_folder


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


def test_splits_of_which_one_lies_a_folder_deeper(tmp_path):
    for top in ("Easy-35", "DAVSOD/Normal-25"):
        frames(tmp_path / f"DAVSOD/{top}/{top[-2:]}/Imgs", five())
        masks(tmp_path / f"DAVSOD/{top}/{top[-2:]}/GT", five())
    assert list(open_dataset("davsod", None, tmp_path).videos) == ["35", "25"]
    assert check(tmp_path) == []


@pytest.mark.parametrize("wanted", ["{0}/", ""])
def test_visal_in_one_folder_knows_its_videos_by_name(wanted, tmp_path, capsys):
    for k, video in enumerate(("boat", "cat01", "cat02")):
        names = five(f"{video}_{{:03d}}")
        frames(tmp_path / "ViSal/Imgs", names)
        masks(tmp_path / "ViSal/GT", names[::2], start=k)
        masks(tmp_path / "maps" / wanted.format(video), names[::2], start=k)
    frames(tmp_path / "ViSal/Imgs", ["0001"])
    dataset = open_dataset("visal", "test", tmp_path)
    assert {v: len(i) for v, i in dataset.videos.items()} == {"boat": 5, "cat01": 5, "cat02": 5}
    assert "Imgs/0001.jpg lie in no video's folder and are left out" in capsys.readouterr().err
    scores = score_folder(tmp_path / "maps", "visal", root=tmp_path)
    assert (scores["sequences"], scores["J"]["mean"]) == (3, 1)


def test_videos_of_one_name_in_two_splits_stay_apart(tmp_path):
    for split, size in (("DAVSOD-TrainingSet", (H, W)), ("Easy-35", (W, H))):
        picture(tmp_path / f"DAVSOD/{split}/select_0001/Imgs/1.png", (9, 9, 9), size)
        picture(tmp_path / f"DAVSOD/{split}/select_0001/GT_object_level/1.png", 255, size)
    videos = open_dataset("davsod", None, tmp_path).videos
    assert list(videos) == ["train/select_0001", "easy/select_0001"]
    assert check(tmp_path) == []


def test_fbms_without_splits_knows_its_test_videos(tmp_path):
    for video in ("cars1", "cars2"):
        frames(tmp_path / f"FBMS/JPEGImages/{video}", five())
        masks(tmp_path / f"FBMS/Annotations/{video}", five())
    assert list(open_dataset("fbms", "test", tmp_path).videos) == ["cars1"]
    assert list(open_dataset("fbms", "train", tmp_path).videos) == ["cars2"]
    for video in ("cars1", "cars2"):
        frames(tmp_path / "flat/FBMS", five(f"{video}_{{:02d}}"))
        masks(tmp_path / "flat/FBMS", five(f"{video}_{{:02d}}")[::2], ".pgm")
    assert list(open_dataset("fbms", "test", tmp_path / "flat").labelled().videos) == ["cars1"]


def test_fbms_greys(tmp_path):
    """Static scenery of marple2 (51, 77), a dark object of marple7 (13), stray pixels (10)."""
    greys = np.repeat(np.uint8([[0, 10, 13, 26, 51, 77, 128, 255]]), 8, 0)
    for video in ("marple2", "marple7", "marple4"):
        frames(tmp_path / f"FBMS/Testset/{video}", ["x_01"])
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(
            tmp_path / f"FBMS/Testset/{video}/x_01.jpg"
        )
        picture(tmp_path / f"FBMS/Testset/{video}/GroundTruth/x_01.pgm", greys)
    dataset = open_dataset("fbms", "test", tmp_path)
    found = {r.video: int(dataset.mask(i)[0].sum()) for i, r in enumerate(dataset.records)}
    assert found == {"marple2": 2, "marple7": 6, "marple4": 5}
