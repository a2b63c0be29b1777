"""`open_dataset`: what is there, and what is said where it is not."""

import shutil

import numpy as np
import pytest
from small_sets import five, frames, mask, masks, picture, zipped

from vsodlib.data import DATASETS, FOLDERS, open_dataset
from vsodlib.inference.score_folder import score_folder


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


def test_synthetic_needs_no_data(tmp_path, monkeypatch):
    monkeypatch.setenv("VSOD_DATA", str(tmp_path / "nowhere"))
    assert DATASETS[-1] == "synthetic"
    with pytest.raises(ValueError, match="splits train and val, not 'test'"):
        open_dataset("synthetic", "test")
    assert open_dataset("synthetic", "val").name == "synthetic"


LAYOUTS = {
    "Imgs and ground-truth": ("{top}/clip/Imgs", "{top}/clip/ground-truth"),
    "one folder too many": ("{top}/{top}/clip/Imgs", "{top}/{top}/clip/GT"),
    "another name": ("{top}/clip/frames", "{top}/clip/GT_object_level"),
    "JPEGImages": ("JPEGImages/clip", "Annotations/clip"),
    "JPEGImages in the split": ("{top}/JPEGImages/clip", "{top}/Annotations/clip"),
    "frames beside a tree": ("{top}/clip", "GT/clip"),
    "frames beside a tree in the split": ("{top}/clip", "{top}/GT/clip"),
    "side by side": ("{top}/clip", "{top}/clip"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("name", "folder", "split", "top", "clip"),
    [
        ("fbms", "FBMS", "test", "Testset", "cars1"),
        ("visal", "ViSal", "test", "ViSal", "boat"),
        ("davsod", "DAVSOD", "easy", "Easy-35", "select_0007"),
    ],
)
def test_layouts_as_they_are_found(layout, name, folder, split, top, clip, tmp_path):
    images, truth = (
        tmp_path / folder / part.format(top=top).replace("clip", clip) for part in LAYOUTS[layout]
    )
    frames(images, five())
    masks(truth, five()[::2])
    picture(images.parent / "GT_instance_level/00000.png", mask(3)) if "Imgs" in str(
        images
    ) else None
    for root in (tmp_path, tmp_path / folder):
        dataset = open_dataset(name, split, root)
        assert {video: len(of) for video, of in dataset.videos.items()} == {clip: 5}
        labelled = dataset.labelled()
        assert [record.frame for record in labelled.records] == ["00000", "00002", "00004"]
        np.testing.assert_array_equal(labelled.mask(1), mask(1) > 0)
        maps = masks(tmp_path / "maps" / clip, five()[::2]).parent
        assert score_folder(maps, name, root=root)["J"]["mean"] == 1


def test_parts_of_ones_own(tmp_path, capsys):
    for part in ("train", "val"):
        frames(tmp_path / part / "clip/Imgs", five())
        masks(tmp_path / part / "clip/GT", five())
    assert len(open_dataset(f"folder:{tmp_path}", "train")) == 5
    assert len(open_dataset(f"folder:{tmp_path}")) == 10
    with pytest.raises(FileNotFoundError, match="folders train, val, but not test"):
        open_dataset(f"folder:{tmp_path}", "test")
    shutil.rmtree(tmp_path / "train")
    assert len(open_dataset(f"folder:{tmp_path}", "train")) == 5  # val may be a video
    said = capsys.readouterr().err
    assert "has the folder val, but not train: all of it is taken" in said
    assert "all frames are of one video, clip." in said


def test_parts_of_still_images_are_no_videos(tmp_path, capsys):
    for part, names in (("train", five()), ("val", five(start=3))):
        frames(tmp_path / "images" / part, names)
        masks(tmp_path / "masks" / part, names)
    both = open_dataset(f"folder:{tmp_path}")
    assert [len(of) for of in both.videos.values()] == [1] * 10
    assert list(both.videos)[2:5] == ["00002", "train/00003", "train/00004"]
    assert "has the folders train, val: all of them are taken" in capsys.readouterr().err


def test_parts_by_other_words_and_what_lies_beside_them(tmp_path, capsys):
    for part in ("Training/a", "validation/b", "c"):
        frames(tmp_path / part / "Imgs", five())
        masks(tmp_path / part / "GT", five())
    assert list(open_dataset(f"folder:{tmp_path}", "train").videos) == ["a"]
    assert list(open_dataset(f"folder:{tmp_path}", "val").videos) == ["b"]
    said = capsys.readouterr().err
    assert "c/GT/00000.png, " in said and "validation" not in said and "Training" not in said


@pytest.mark.parametrize("as_zip", [False, True])
def test_the_lists_of_a_folder_deeper_hold(as_zip, drawn, tmp_path, capsys):
    """Whoever trains on it does not train on val."""
    picture(drawn / "preview.png", mask(0))
    place = zipped(drawn, tmp_path / "d.zip") if as_zip else drawn
    assert len(open_dataset(f"folder:{place}", "train").videos) == 3
    assert (
        "preview.png lie outside its folders of frames and masks and are" in capsys.readouterr().err
    )
    with pytest.raises(ValueError, match=r"^DAVIS has the splits train and val, not 'test'"):
        open_dataset(f"folder:{place}", "test")


def test_lists_without_masks_beside_them_are_others(tmp_path):
    """VOC's, whose folder Annotations holds no masks; what lies there is read as it is found."""
    frames(tmp_path / "VOC/clip/Imgs", five())
    masks(tmp_path / "VOC/clip/GT", five())
    for place in ("ImageSets/Segmentation/val.txt", "Annotations/00000.xml"):
        (tmp_path / "VOC" / place).parent.mkdir(parents=True)
        (tmp_path / "VOC" / place).touch()
    assert len(open_dataset(f"folder:{tmp_path}").labelled()) == 5


def test_names_that_lead_nowhere_are_refused():
    with pytest.raises(FileNotFoundError, match="~nobody-here/x does not exist"):
        open_dataset("folder:~nobody-here/x")
    with pytest.raises(ValueError, match=r"There is no data set 'folder:'; .* or folder:PATH"):
        open_dataset("folder:")
    with pytest.raises(ValueError, match="drawn, not read; `vsod data make-synthetic`"):
        score_folder("maps", "synthetic")
