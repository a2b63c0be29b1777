"""Files that are whole or not there."""

import errno
import itertools
import os
from pathlib import PureWindowsPath

import pytest

from vsodlib.files import (
    check_writable,
    disk_full_named,
    leads_out,
    read_json,
    write_file,
    write_json,
)
from vsodlib.notes import one_line


def test_unwritable_places_are_named(tmp_path):
    (tmp_path / "file").touch()
    check_writable(None, tmp_path / "new" / "a.json")
    for path in (tmp_path, tmp_path / "file" / "a.json", tmp_path / "file" / "b" / "a.json"):
        with pytest.raises(PermissionError, match=f"{path} cannot be written; name a file"):
            check_writable(path)
    (tmp_path / "last.safetensors").touch()
    with pytest.raises(FileExistsError, match=r"last\.json is the record of a checkpoint"):
        check_writable(tmp_path / "last.json")


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_file(path, b"before")

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"No space left on device: .*a\.json") as error:
        write_file(path, b"after")
    assert error.value.errno == errno.ENOSPC
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"before"]


def test_a_record_is_read_back_from_a_new_folder(tmp_path):
    write_json(tmp_path / "new" / "a.json", {"J": 0.5, "by": ["a", None]})
    assert read_json(tmp_path / "new" / "a.json") == {"J": 0.5, "by": ["a", None]}


def test_the_longest_names_can_be_written(tmp_path):
    for letter in ("x", "é"):
        name = 251 // len(letter.encode()) * letter + ".png"
        write_file(tmp_path / name, b"data")
        assert (tmp_path / name).read_bytes() == b"data"


def test_full_disk_is_one_sentence_with_the_file(tmp_path):
    path = tmp_path / "full.part"
    path.symlink_to("/dev/full")
    with (
        pytest.raises(OSError, match=r"No space left on device.*full\.part"),
        disk_full_named(path),
        open(path, "ab") as file,
    ):
        file.write(b"x")


def test_what_leads_out_is_what_windows_would_say():
    """Every short path of a few telling characters, against the standard library."""
    for length in range(6):
        for characters in itertools.product("a1:/\\.\0", repeat=length):
            path = "".join(characters)
            # From Python 3.12 on anything before a colon is a drive; for Windows a letter is.
            plain = path if path[:2] == "a:" else path[:1] + path[1:2].replace(":", "_") + path[2:]
            read = PureWindowsPath(plain)
            expected = bool(read.drive or read.root or ".." in read.parts or "\0" in path)
            assert leads_out(path) == expected, repr(path)


def test_names_of_files_stay_on_one_line_and_do_not_steer_the_terminal():
    assert one_line("a  b.jpg does\n  not exist.\n") == "a  b.jpg does not exist."
    assert one_line("a\nvsod: b \x1b[2J\udcff.jpg") == r"a vsod: b \x1b[2J\udcff.jpg"
