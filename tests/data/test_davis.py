"""DAVIS: the lists, whatever their form, and what is done without them."""

import os
import shutil

import pytest
from small_sets import five, frames, masks, zipped

from vsodlib.data import open_dataset
from vsodlib.data.davis import SPLITS
from vsodlib.inference.score_folder import score_folder


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


@pytest.mark.parametrize("as_zip", [False, True])
def test_listed_file_missing(root, tmp_path, as_zip):
    (root / "DAVIS/Annotations/480p/synthetic-00001/00002.png").unlink()
    place = zipped(root / "DAVIS", tmp_path / "d.zip") if as_zip else root
    with pytest.raises(FileNotFoundError, match=r"00001/00002\.png does not exist \(1 of 18 files"):
        open_dataset("davis2016", "train", place)


def test_list_without_sequences(root):
    (root / "DAVIS/ImageSets/480p/val.txt").write_text("# none yet\n\n")
    with pytest.raises(ValueError, match=r"val\.txt names no sequence"):
        open_dataset("davis2016", "val", root)


def test_list_in_another_form(root):
    (root / "DAVIS/ImageSets/480p/val.txt").write_text("\nbear/00000.jpg\n")
    with pytest.raises(ValueError, match=r"val\.txt, line 2: expected .* got 'bear/00000.jpg'"):
        open_dataset("davis2016", "val", root)


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


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.replace("/", "\\").encode(),
        lambda text: text.replace("JPEG", "./JPEG").replace("480p/", "480p//").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: (text + text).encode(),
        lambda text: f"# of mine\n{text} #end\n".encode(),
        lambda text: text.replace("\n", "\n\n").replace("JPEG", "/JPEG").encode(),
    ],
)
@pytest.mark.parametrize("names_only", [False, True])
def test_lists_of_any_editor(encode, names_only, tmp_path, capsys):
    home = tmp_path / "DAVIS"
    frames(home / "JPEGImages/480p/my clip", five())
    masks(home / "Annotations/480p/my clip", five())
    frames(home / "JPEGImages/480p/other", five())
    masks(home / "Annotations/480p/other", five())
    place = "480p/my clip/{0}"
    lines = [f"JPEGImages/{place}.jpg Annotations/{place}.png".format(name) for name in five()]
    (home / "ImageSets/480p").mkdir(parents=True)
    text = "my clip\n" if names_only else "\n".join(lines) + "\n"
    (home / "ImageSets/480p/val.txt").write_bytes(encode(text))
    dataset = open_dataset("davis2016", "val", tmp_path)
    assert {video: len(of) for video, of in dataset.videos.items()} == {"my clip": 5}
    twice = encode("x\n").count(b"x") == 2
    assert ("more than once" in capsys.readouterr().err) == twice
    place = zipped(home, tmp_path / "d.zip")
    assert score_folder(home / "Annotations/480p", "davis2016", root=place)["J"]["mean"] == 1


def test_lists_of_another_year_hold_and_ones_own_dog_is_not_of_davis(tmp_path):
    for name in ("x", "dog", "z"):
        frames(tmp_path / "JPEGImages/480p" / name, five())
        masks(tmp_path / "Annotations/480p" / name, five())
    for place in ("2019", "2017", "."):
        lists = tmp_path / "ImageSets" / place
        lists.mkdir(parents=True, exist_ok=True)
        (lists / "train.txt").write_text("x\ndog\n")
        own = f"folder:{tmp_path}"
        assert list(open_dataset(own, "train").videos) == ["x", "dog"]
        with pytest.raises(FileNotFoundError, match=r"a list ImageSets/.*train\.txt, none of val"):
            open_dataset(own, "val")
        (lists / "val.txt").write_text("z\n")
        assert list(open_dataset(own, "val").videos) == ["z"]
        assert list(open_dataset("davis2016", "val", tmp_path).videos) == ["dog"]
        shutil.rmtree(tmp_path / "ImageSets")


def test_each_frame_counts_once_however_often_lists_name_it(tmp_path):
    home = tmp_path / "DAVIS"
    for name in "ab":
        frames(home / "JPEGImages/480p" / name, five())
        masks(home / "Annotations/480p" / name, five())
    lists = {part: home / f"ImageSets/480p/{part}.txt" for part in SPLITS}
    lists["val"].parent.mkdir(parents=True)
    pairs = "".join(f"JPEGImages/480p/b/{k}.jpg Annotations/480p/b/{k}.png\n" for k in five())
    lists["train"].write_text("a\nb\n")
    lists["val"].write_text("b\n" + pairs)
    for split, count in (("val", 5), (None, 10)):
        assert len(open_dataset("davis2016", split, tmp_path)) == count
    lists["val"].write_text(pairs + pairs.replace("Annotations/480p/b", "Annotations/480p/a"))
    with pytest.raises(ValueError, match=r"val\.txt gives frame 00000 of b twice: .* keep one"):
        open_dataset("davis2016", "val", tmp_path)


def test_pictures_in_no_folder_are_no_sequence(tmp_path, capsys):
    frames(tmp_path / "JPEGImages", five())
    masks(tmp_path / "Annotations", five())
    with pytest.raises(ValueError, match="holds no frames of davis2016"):
        open_dataset("davis2016", "val", tmp_path)
    said = capsys.readouterr().err
    assert "JPEGImages/00004.jpg lie in no video's folder and are left out" in said
    frames(tmp_path / "JPEGImages/clip", five())
    masks(tmp_path / "Annotations/clip", five())
    assert list(open_dataset("davis2016", "val", tmp_path).videos) == ["clip"]


def test_a_long_line_is_refused_at_once(root):
    """Going back through it again and again took 19 s for 48 kB, eight times that for twice."""
    (root / "DAVIS/ImageSets/480p/val.txt").write_text("a.jpg " * 10**5 + "/x\n")
    with pytest.raises(ValueError, match=r"line 1: expected the paths") as error:
        open_dataset("davis2016", "val", root)
    assert len(str(error.value)) < 500
