"""A smaller copy of a data set in one zip."""

import errno
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_sets import five, frames, masks

from vsodlib.data import open_dataset
from vsodlib.data.check import check
from vsodlib.data.pack import pack
from vsodlib.data.synthetic import make_synthetic
from vsodlib.files import sole_process

H, W = 48, 64
FRAMES, MASKS = "DAVIS/JPEGImages/480p", "DAVIS/Annotations/480p"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("drawn")
    make_synthetic(root / "DAVIS", videos=2, frames=4, height=H, width=W)
    return root


def grey(path: Path, values) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


# pack


def test_pack_is_the_same_data_set_smaller(drawn, tmp_path):
    (out,) = pack(drawn, 24, tmp_path / "new/small.zip")
    assert [path.name for path in out.parent.iterdir()] == ["small.zip"]
    assert check(out) == []
    for split in ("train", "val"):
        whole, small = (open_dataset("davis2016", split, place) for place in (drawn, out))
        assert small.records == whole.records
        reduced = whole.in_memory(24)
        for index in range(len(whole)):
            np.testing.assert_array_equal(small.mask(index), reduced.mask(index))
            difference = small.image(index).astype(int) - reduced.image(index)
            assert small.image(index).shape == (24, 32, 3)
            assert np.abs(difference).mean() < 7  # JPEG; the next frame differs by 8
    with zipfile.ZipFile(out) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"DAVIS"}


def test_pack_of_colour_masks_and_sparse_annotation(tmp_path):
    for number in (1, 2):
        grey(tmp_path / f"FBMS/Testset/bear01/bear01_{number}.jpg", np.full((H, W, 3), 9))
    colours = np.full((H, W, 3), 255)
    colours[:24] = (0, 0, 255)
    grey(tmp_path / "FBMS/Testset/bear01/GroundTruth/bear01_2_gt.ppm", colours)
    small = open_dataset("fbms", "test", *pack(tmp_path, 24, tmp_path / "fbms.zip", "fbms"))
    assert [record.mask is None for record in small.records] == [True, False]
    assert small.mask(1)[:12].all() and not small.mask(1)[12:].any()


def test_a_packed_set_is_found_by_its_name_in_the_zip(tmp_path):
    frames(tmp_path / "FBMS/cars1/Imgs", five())
    masks(tmp_path / "FBMS/cars1/GT", five())
    (small,) = pack(tmp_path, 16, tmp_path / "small.zip", "fbms")
    assert len(open_dataset("fbms", "test", small)) == 5


def test_packed_masks_have_one_bit(drawn, tmp_path):
    (out,) = pack(drawn, 24, tmp_path / "small.zip")
    with zipfile.ZipFile(out) as archive:
        names = [name for name in archive.namelist() if name.startswith(MASKS)]
        modes = {Image.open(archive.open(name)).mode for name in names}
    assert len(names) == 8 and modes == {"1"}


@pytest.mark.parametrize("format", ["webp", "avif"])
def test_every_second_frame_in_another_format(drawn, tmp_path, format):
    (out,) = pack(drawn, 24, tmp_path / "small.zip", format=format, quality=80, every=2)
    whole, small = (open_dataset("davis2016", None, place) for place in (drawn, out))
    kept = [i for frames in whole.videos.values() for i in frames[::2]]
    expected = [whole.records[i] for i in kept]
    assert small.records == expected and len(small) == len(whole) / 2
    with zipfile.ZipFile(out) as archive:
        picture = Image.open(archive.open("DAVIS/" + small.records[0].image))
        assert picture.format == format.upper()
    difference = small.image(1).astype(int) - whole.in_memory(24).image(2)
    assert np.abs(difference).mean() < 8


def test_one_split_is_packed_alone(drawn, tmp_path):
    (out,) = pack(drawn, 24, tmp_path / "small.zip", split="train")
    whole, small = open_dataset("davis2016", "train", drawn), open_dataset("davis2016", None, out)
    assert small.records == whole.records


def test_parts_stay_below_their_size_and_hold_everything(tmp_path):
    make_synthetic(tmp_path / "big" / "DAVIS", videos=2, frames=12, height=240, width=432)
    parts = pack(tmp_path / "big", 240, tmp_path / "x.zip", quality=100, max_mib=1)
    assert [path.name for path in parts] == [f"x-{k}.zip" for k in range(1, len(parts) + 1)]
    assert len(parts) > 1 and all(path.stat().st_size <= 2**20 for path in parts)
    for part in parts:
        zipfile.ZipFile(part).extractall(tmp_path / "unpacked")
    whole, again = (open_dataset("davis2016", None, tmp_path / p) for p in ("big", "unpacked"))
    assert again.records == whole.records
    np.testing.assert_array_equal(again.mask(20), whole.mask(20))


def test_one_part_is_open_at_a_time(drawn, tmp_path, monkeypatch):
    archives, original = set(), zipfile.ZipFile.writestr

    def write(self, name, data):
        archives.add(self)
        assert [one for one in archives if one.fp] == [self]
        original(self, name, data)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", write)
    assert len(pack(drawn, 24, tmp_path / "x.zip", max_mib=1e-3)) == len(archives) > 2


def test_pack_refuses(drawn, tmp_path):
    with pytest.raises(ValueError, match="at least 16 rows, got 8"):
        pack(drawn, 8, tmp_path / "x.zip")
    with pytest.raises(ValueError, match="format must be one of jpg, webp, avif, got 'png'"):
        pack(drawn, 24, tmp_path / "x.zip", format="png")
    with pytest.raises(ValueError, match="quality is 1 to 100 and every at least 1, got 0 and 1"):
        pack(drawn, 24, tmp_path / "x.zip", quality=0)
    lock = sole_process(tmp_path / "x.zip", tmp_path / ".x.zip.lock")
    with lock, pytest.raises(ValueError, match=r"Another process is writing to .*x\.zip"):
        pack(drawn, 24, tmp_path / "x.zip")
    (tmp_path / "x.zip").write_text("mine")
    with pytest.raises(FileExistsError, match=r"x\.zip exists already"):
        pack(drawn, 24, tmp_path / "x.zip")
    with pytest.raises(FileNotFoundError, match="vsod data fetch davis2016"):
        pack(tmp_path, 24, tmp_path / "y.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_full_disk_leaves_nothing_behind(drawn, tmp_path, monkeypatch):
    written, original = [], zipfile.ZipFile.writestr

    def fills_up(self, name, data):
        written.append(name)
        if len(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, name, data)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fills_up)
    with pytest.raises(OSError, match="No space left"):
        pack(drawn, 24, tmp_path / "x.zip")
    assert len(written) == 4 and list(tmp_path.iterdir()) == []


def test_damaged_frame_stops_pack_and_leaves_nothing(root, tmp_path):
    (root / FRAMES / "synthetic-00000/00002.jpg").write_bytes(b"?")
    with pytest.raises(ValueError, match=r"00000/00002\.jpg is not a picture"):
        pack(root, 24, tmp_path / "x.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def by_sequence(root):
    for split, names in {"train": "synthetic-00000", "val": "synthetic-05000"}.items():
        (root / f"DAVIS/ImageSets/480p/{split}.txt").write_text(f"{names}\n")


def in_utf_16(root):
    path = root / "DAVIS/ImageSets/480p/train.txt"
    path.write_bytes(path.read_text().encode("utf-16"))


def with_a_mark(root):
    path = root / "DAVIS/ImageSets/480p/train.txt"
    path.write_bytes(path.read_text().encode("utf-8-sig"))


def with_a_space(root):
    for path in [*root.rglob("synthetic-00000")]:
        path.rename(path.with_name("my clip"))
    path = root / "DAVIS/ImageSets/480p/train.txt"
    path.write_text(path.read_text().replace("synthetic-00000", "my clip"))


@pytest.mark.parametrize("change", [by_sequence, in_utf_16, with_a_mark, with_a_space])
def test_packed_lists_name_what_the_lists_named(change, root, tmp_path):
    change(root)
    (out,) = pack(root, 24, tmp_path / "x.zip")
    for split in ("train", "val"):
        whole, small = (open_dataset("davis2016", split, place) for place in (root, out))
        assert small.records == whole.records


def test_frames_that_no_encoder_knows_by_their_name_become_png(root, tmp_path):
    for path in [*(root / FRAMES).glob("*/*.jpg")]:
        grey(path.with_suffix(".pgm"), np.asarray(Image.open(path).convert("L")))
        path.unlink()
    (root / "DAVIS/ImageSets").rename(tmp_path / "lists")
    whole, small = (
        open_dataset("davis2016", None, place)
        for place in (root, *pack(root, H, tmp_path / "x.zip"))
    )
    np.testing.assert_array_equal(small.image(1), whole.image(1))


def test_a_part_that_is_there_stays(drawn, tmp_path):
    (tmp_path / "x-2.zip").write_text("mine")
    with pytest.raises(FileExistsError, match=r"x-2\.zip exists already"):
        pack(drawn, 48, tmp_path / "x.zip", max_mib=1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ["x-2.zip"]
