"""Folders and zips, and how a data set is found in them."""

import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from small_sets import zipped
from torch.utils.data import DataLoader

from vsodlib.data import Storage, open_dataset
from vsodlib.data.download import extract


@pytest.mark.parametrize("top", ["", "DAVIS/"])
def test_folder_parent_and_zip_read_alike(drawn, tmp_path, top):
    archive = zipped(drawn / "DAVIS", tmp_path / "any-name.zip", top)
    wanted = open_dataset("davis2016", "val", drawn)
    for place in (drawn / "DAVIS", archive):
        found = open_dataset("davis2016", "val", place)
        assert found.records == wanted.records
        np.testing.assert_array_equal(found.image(1), wanted.image(1))
        np.testing.assert_array_equal(found.mask(1), wanted.mask(1))


@pytest.mark.parametrize("spelt", ["./{}".format, lambda name: name.replace("/", "\\")])
def test_zips_of_archivers_that_spell_paths_in_their_own_way(spelt, drawn, tmp_path):
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for path in filter(Path.is_file, drawn.rglob("*")):
            archive.writestr(spelt(path.relative_to(drawn).as_posix()), path.read_bytes())
    wanted, found = (
        open_dataset("davis2016", "val", place) for place in (drawn, tmp_path / "d.zip")
    )
    assert found.records == wanted.records
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


def test_damaged_deflate_stream_is_named(root, tmp_path):
    path = tmp_path / "DAVIS.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(1000))
    data = bytearray(path.read_bytes())
    data[35:40] = b"\xff" * 5
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.txt cannot be read: Error"):
        Storage(path).read("a.txt")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_an_archive_with_any_byte_changed_is_read_or_refused(method, tmp_path):
    """zipfile raises NotImplementedError, LZMAError, IndexError, UnicodeDecodeError ..."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as packed:
        packed.writestr("ä/0.jpg", bytes(99))
    whole = path.read_bytes()

    def read_all():
        storage = Storage(path)
        for name in storage.list():
            with suppress(FileNotFoundError):
                storage.read(name)

    for at in range(len(whole)):
        path.write_bytes(bytes([*whole[:at], whole[at] ^ 255, *whole[at + 1 :]]))
        for attempt in (read_all, lambda: extract(path, tmp_path / "out", progress=False)):
            try:
                attempt()
            except (ValueError, OSError) as error:
                assert "a.zip" in str(error) or "out" in str(error)
