"""Layouts and names as they are found: what pairs, what is refused, what is said."""

import shutil

import numpy as np
import pytest
from small_sets import five, frames, mask, masks, picture

from vsodlib.cli.main import main
from vsodlib.data import FrameDataset, concat, open_dataset
from vsodlib.data.folders import numbers, pair
from vsodlib.inference.score_folder import score_folder

# Maps and truth


@pytest.mark.parametrize(
    "form", ["{}", "frame_{:05d}", "{:05d}_pred", "clip_{:03d}", "img-{}.v2", "v2_{:02d}"]
)
def test_maps_pair_by_number(form, tmp_path):
    masks(tmp_path / "gt/clip2", five())
    masks(tmp_path / "maps/clip2", five(form))
    assert score_folder(tmp_path / "maps", gt=tmp_path / "gt")["J"]["mean"] == 1


def test_numbers():
    assert numbers(["a2_010", "a2_011"]) == {"a2_010": 10, "a2_011": 11}
    assert numbers(["100", "101"]) == {"100": 100, "101": 101}
    assert numbers(["a2_7"]) == {"a2_7": 7}
    assert numbers(["1_2", "2_1"]) is None and numbers(["x", "1"]) is None and numbers([]) is None
    assert pair(["frame_1"], ["00001"], "", "") == {"00001": "frame_1"}


@pytest.mark.parametrize(
    ("of_truth", "of_maps"),
    [
        ((1, 12), (0, 12)),  # truth 1-12, maps 0-11
        ((0, 12), (1, 12)),
        ((1, 12), (0, 11)),  # and the last map is missing
        ((1, 11), (0, 12)),  # and the last frame has no truth: names alone cannot tell
        ((2, 10), (0, 12)),
    ],
)
@pytest.mark.parametrize("form", ["{:05d}", "f_{}"])
def test_shifted_numbers_are_refused(of_truth, of_maps, form, tmp_path):
    start, count = of_truth
    masks(tmp_path / "gt/clip", [f"{k:05d}" for k in range(start, start + count)], start=0)
    first, count = of_maps
    masks(tmp_path / "maps/clip", [form.format(k) for k in range(first, first + count)], start=0)
    for allowed in (False, True):
        with pytest.raises(ValueError, match="shifted against each other"):
            score_folder(tmp_path / "maps", gt=tmp_path / "gt", allow_missing_first=allowed)


def test_truth_that_begins_later_is_no_shift(tmp_path, capsys):
    masks(tmp_path / "gt/clip", five(start=2), start=2)
    masks(tmp_path / "maps/clip", [f"{k:05d}" for k in range(9)])
    assert score_folder(tmp_path / "maps", gt=tmp_path / "gt")["J"]["mean"] == 1
    said = "4 maps have no truth and are not scored: clip/00000.png, clip/00001.png, clip/00007.png"
    assert said in capsys.readouterr().err


def test_strays_and_other_sequences_are_named(tmp_path, capsys):
    for video in "ab":
        masks(tmp_path / "gt" / video, five())
    for video in "abc":
        masks(tmp_path / "maps/deep/er" / video, five())
    picture(tmp_path / "gt/preview.png", mask(0))
    picture(tmp_path / "maps/sheet.png", mask(0))
    result = score_folder(tmp_path / "maps", gt=tmp_path / "gt")
    assert (result["sequences"], result["J"]["mean"]) == (2, 1)
    said = capsys.readouterr().err
    assert "preview.png lie outside the sequences and are left out" in said
    assert "6 maps have no truth and are not scored: deep/er/c/00000.png" in said


def test_formats_and_zips(tmp_path):
    for suffix in (".tif", ".TIFF", ".pbm", ".pgm", ".ppm", ".webp", ".BMP", ".gif"):
        truth = masks(tmp_path / f"gt{suffix}/clip", five(), suffix).parent
        assert score_folder(truth, gt=truth)["J"]["mean"] == 1
    packed = shutil.make_archive(str(tmp_path / "maps"), "zip", truth)
    assert score_folder(packed, gt=packed)["J"]["mean"] == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "other/0.npy").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"no pictures in .* holds files like 0\.npy"):
        score_folder(truth, gt=tmp_path / "other")
    masks(tmp_path / "twice/x/clip", five())
    masks(tmp_path / "twice/y/clip", five())
    with pytest.raises(ValueError, match="are both maps of frame 00000 of clip"):
        score_folder(tmp_path / "twice", gt=truth)


def test_truth_beside_pictures_is_preferred(tmp_path):
    frames(tmp_path / "gt/clip", five())
    masks(tmp_path / "gt/clip/GroundTruth", five(), ".pgm")
    frames(tmp_path / "gt/other", five())
    masks(tmp_path / "gt/other", five(), ".pgm")
    maps = masks(tmp_path / "maps/clip", five()).parent
    masks(tmp_path / "maps/other", five())
    assert score_folder(maps, gt=tmp_path / "gt")["J"]["mean"] == 1


def test_two_truths_of_one_frame_are_refused(tmp_path):
    maps = masks(tmp_path / "maps/clip", five()).parent
    masks(tmp_path / "gt/clip/GT", five())
    masks(tmp_path / "gt/clip/GT", five(), ".bmp")  # the same again
    frames(tmp_path / "gt/clip/Imgs", five())
    assert score_folder(maps, gt=tmp_path / "gt")["frames"] == 5
    masks(tmp_path / "gt/clip/labels", five(), start=4)
    said = r"clip/GT/00000\.png and .*clip/labels/00000\.png are both masks of frame 00000 of clip"
    with pytest.raises(ValueError, match=said):
        score_folder(maps, gt=tmp_path / "gt")
    with pytest.raises(ValueError, match=said):
        open_dataset(f"folder:{tmp_path / 'gt'}")


# One's own


def test_folders_of_videos_and_of_stills(tmp_path, capsys):
    for video in "ab":
        frames(tmp_path / "frames" / video, five("{:03d}"))
        masks(tmp_path / "masks" / video, five("mask_{:05d}"))
    dataset = FrameDataset.from_folders(tmp_path / "frames", tmp_path / "masks")
    assert {video: len(of) for video, of in dataset.videos.items()} == {"a": 5, "b": 5}
    np.testing.assert_array_equal(dataset.mask(3), mask(3) > 0)
    frames(tmp_path / "e/images", "xyz")
    masks(tmp_path / "e/masks", "xyz")
    stills = open_dataset(f"folder:{tmp_path / 'e'}", "train")
    assert stills.videos == {"x": [0], "y": [1], "z": [2]}
    assert "3 pictures in no video's folder are read as still images" in capsys.readouterr().err
    assert len(concat([dataset, stills])) == 13
    with pytest.raises(FileNotFoundError, match="no folder"):
        FrameDataset.from_folders(tmp_path / "frames", tmp_path / "nowhere")
    frames(tmp_path / "f", five(start=1))
    with pytest.raises(ValueError, match="shifted against each other"):
        FrameDataset.from_folders(tmp_path / "f", masks(tmp_path / "g", five()))
    with pytest.raises(ValueError, match="not one of 5 frames pairs with one of 3 masks"):
        FrameDataset.from_folders(tmp_path / "f", tmp_path / "e/masks")


def test_masks_side_by_side_for_one_video_or_none(tmp_path):
    frames(tmp_path / "images/a", five())
    masks(tmp_path / "masks", five())
    inside = masks(tmp_path / "images/a/alpha", five())  # which says nothing of masks
    dataset = FrameDataset.from_folders(tmp_path / "images/a", inside)
    assert len(dataset.labelled()) == len(dataset) == 5
    shutil.rmtree(inside)
    for top in ("both", "shifted"):
        shutil.copytree(tmp_path / "images/a", tmp_path / top / "images/a")
        masks(tmp_path / top / "masks", five(start=top == "shifted"))
    pair = tmp_path / "images", tmp_path / "masks"
    assert len(FrameDataset.from_folders(*pair).labelled()) == 5
    with pytest.raises(ValueError, match="shifted against each other"):
        open_dataset(f"folder:{tmp_path / 'shifted'}")
    frames(tmp_path / "images/b", five())
    frames(tmp_path / "both/images/b", five())
    for opened in (
        lambda: FrameDataset.from_folders(*pair),
        lambda: open_dataset(f"folder:{tmp_path / 'both'}"),
    ):
        with pytest.raises(ValueError, match="Each of several videos has a frame for"):
            opened()


@pytest.mark.parametrize(
    ("images", "truth"),
    [("images", "ground_truth_mask"), ("DUTS-TE-Image", "DUTS-TE-Mask"), ("Src", "GT_mask")],
)
def test_folders_as_sets_of_stills_call_them(images, truth, tmp_path, capsys):
    frames(tmp_path / "DUTS-TE" / images, five())
    frames(tmp_path / "DUTS-TE/depth", five())
    maps = masks(tmp_path / "DUTS-TE" / truth, five())
    for top in (tmp_path, tmp_path / "DUTS-TE"):  # which is no video's
        assert len(open_dataset(f"folder:{top}").labelled().videos) == 5
        assert "depth/00000.jpg, " in capsys.readouterr().err
    picture(tmp_path / "set/ECSSD" / images / "0.jpg", 90, (9, 9))
    frames(tmp_path / "set/ECSSD" / images, five())
    masks(tmp_path / "set/ECSSD" / truth, five())
    with pytest.raises(
        ValueError, match=r"one size\. \(Still images\? Name the folder right above"
    ):
        open_dataset(f"folder:{tmp_path / 'set'}").check_sizes()
    assert "all frames are of one video, ECSSD" in capsys.readouterr().err
    assert score_folder(maps, gt=tmp_path / "DUTS-TE")["J"]["mean"] == 1


def test_the_meaning_of_masks_is_found_and_said_once(tmp_path, capsys):
    frames(tmp_path / "images", five())
    for k, name in enumerate(five()):
        picture(tmp_path / "masks" / f"{name}.png", mask(k) // 255)
    open_dataset(f"folder:{tmp_path}").in_memory()  # by several threads
    assert capsys.readouterr().err.count(": 0/1.") == 1


def test_a_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    frames(tmp_path / "mine/images", five())
    masks(tmp_path / "mine/masks", five())
    assert len(open_dataset("folder:~/mine")) == 5


def test_sixty_frames_train_without_five_options(tmp_path, capsys):
    for video in "abc":
        frames(tmp_path / "d/JPEGImages/480p" / video, five())
        masks(tmp_path / "d/Annotations/480p" / video, five())
    words = ["train", "--random-weights", "--height", "32", "--width", "48", "--steps", "1"]
    run = ["--datasets", f"folder:{tmp_path / 'd'}", "--out", str(tmp_path / "run")]
    assert main([*words, *run]) == 0
    said = capsys.readouterr().err
    assert "batch_size 8, image_fraction 0, to fit the data" in said


def test_one_set_by_two_names_is_refused(tmp_path, capsys):
    """What one name holds out the other would train on."""
    frames(tmp_path / "d/images", five())
    masks(tmp_path / "d/masks", five())
    names = [f"folder:{tmp_path / 'd'}", f"folder:{tmp_path}/./d/"]
    words = ["train", "--random-weights", "--height", "32", "--width", "48", "--steps", "1"]
    words += ["--datasets", *names, "--hold-out", f"{names[0]}=1"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 2
    assert f"{names[0]} and {names[1]} are the same data: name one" in capsys.readouterr().err


def test_all_conflicts_at_once_and_an_unknown_name_first(tmp_path, capsys):
    words = ["--datasets", f"folder:{tmp_path}", "nothing", "--out", str(tmp_path / "run")]
    assert main(["train", *words, "--frames-per-video", "5", "--scale-min", "0"]) == 2
    said = capsys.readouterr().err
    order = ["no data set 'nothing'", "0 frames and 0 masks", "scale_min", "frames_per_video (5)"]
    assert [said.index(part) for part in order] == sorted(said.index(part) for part in order)
    words += ["--hold-out", "x=1", "--channels", "0", "--initial", "none", "--resume"]
    words += ["--first-step", "9", "--steps", "9", "--device", "none", "--backbone", "none"]
    assert main(["train", *words]) == 2
    said = capsys.readouterr().err
    order = ["'nothing'", "from step 9 to step 9", "not 'x=1'", "channels", "--initial begins"]
    assert [said.index(part) for part in order] == sorted(said.index(part) for part in order)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--first-step", "2", "--resume"], "--first-step goes on from weights"),
        (["--last-step", "4"], "cannot go from step 0 to step 4"),
        (["--initial", "lite-davis", "--first-step", "2", "--last-step", "1"], "step 2 to step 1"),
        (["--initial", "lite-davis", "--channels", "8"], "channels is 128, not 8"),
        (["--freeze-stages", "9", "--freeze-batch-norm"], "has 5 stages; 9 cannot be frozen"),
        (["--hold-out", "folder:d=5"], "Holding 5 out leaves nothing of 5"),
        (["--phases", "0.5 mix=folder:d:1,synthetic:1"], "The mix names folder:d, synthetic, but"),
        (["--batch-size", "1"], "A batch of 1 leaves batch norms nothing"),
        (["--mix", "synthetic=1"], "--datasets and --mix name other data sets"),
        (["--height", "8"], "height must be 16 to 8192 pixels, got 8"),
        (["--backbone", "hf-hub:x"], "no backbone 'hf-hub:x'"),
    ],
)
def test_contradictions_are_told_before_anything_is_decoded(
    words, said, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(FrameDataset, "in_memory", lambda *_: pytest.fail("decoded"))
    frames(tmp_path / "d/images", five())
    masks(tmp_path / "d/masks", five())
    words = ["--datasets", "folder:d", "--out", "run", "--steps", "3", *words]
    assert main(["train", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_level_that_the_object_lies_above(tmp_path, capsys, monkeypatch):
    """`vsod train` advises to name it, so it takes it."""
    monkeypatch.chdir(tmp_path)
    frames(tmp_path / "d/images", five())
    for name in five():
        picture(tmp_path / "d/masks" / f"{name}.png", np.where(mask(9) > 0, 128, mask(0)))
    run = ["--datasets", "folder:d", "--out", "run", "--random-weights", "--steps", "1"]
    words = ["train", *run, "--height", "32", "--width", "48"]
    assert main(words) == 2
    assert "(--foreground)" in capsys.readouterr().err
    assert main([*words, "--foreground", "200"]) == 0
    assert '"foreground": 200' in (tmp_path / "run/last.json").read_text()
    assert main(["data", "check", "d", "--foreground", "200"]) == 0
    assert main([*words, "--foreground", "255", "--out", "other"]) == 2
    assert "shows an object (object above 255)" in capsys.readouterr().err


def test_mixes_of_videos_and_stills_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames(tmp_path / "a=b/Imgs/v", five())
    masks(tmp_path / "a=b/GT/v", five())
    frames(tmp_path / "d/images", five())
    masks(tmp_path / "d/masks", five())
    mix = ["--mix", "folder:a=b=1", "folder:d=1", "--phases", "0.5 mix=folder:a=b:1,folder:d:3"]
    words = ["--random-weights", "--height", "32", "--width", "48", "--steps", "2", "--out", "run"]
    assert main(["train", *mix, *words, "--batch-size", "4", "--frames-per-video", "1"]) == 0
    assert main(["train", *mix[:3], *words[:-1], "other"]) == 0  # 6 of 12 frames are of videos


def test_of_a_mask_in_two_formats_nothing_is_missed(tmp_path, capsys):
    frames(tmp_path / "images/clip", five())
    masks(tmp_path / "masks/clip", five())
    picture(tmp_path / "masks/clip/00001.jpg", mask(1))
    assert open_dataset(f"folder:{tmp_path}").records[1].mask == "masks/clip/00001.png"
    assert " have no " not in capsys.readouterr().err
