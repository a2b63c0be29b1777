"""Files that are whole or not there, and files of strangers, which may be anything.

A folder, list, archive or record from elsewhere may hold names that lead out of it, links, devices,
files without end, and JSON of any shape: `inside`, `unlinked`, `read_file` and `read_json` meet
them. What is written goes to a fresh file in the same folder first (`aside`), so nothing is ever
half written, and nothing is written through a link.
"""

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LARGEST_FILE = 1 << 28
"""Bytes that one picture or list may have: more than any frame needs, less than a laptop has."""
LARGEST_JSON = 1 << 26
DEEPEST_JSON = 200
"""Lists and objects within one another; a checkpoint's record holds that of what it began with."""


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A fresh `.NAME.part` to write, renamed to `path` when the block ends well, else removed.

    Raises:
        OSError: no space, no permission; with the file's name.
    """
    _refuse_special(path)
    part = path.with_name(f".{path.name[-60:]}.part")  # a name of 255 bytes has no room for more
    try:
        part.unlink(missing_ok=True)  # what a killed process left, or a link to somewhere else
        yield part
        os.replace(part, path)
    except OSError as error:
        if isinstance(error, FileExistsError) or error.filename not in (None, part, str(part)):
            raise  # of another file, which its sentence names
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


class Busy(ValueError):
    """Another process writes there."""


@contextmanager
def sole_process(place: Path, lock: Path | None = None, wait: bool = False) -> Iterator[None]:
    """Keep other processes from writing to a folder, or a place that has another lock file,
    meanwhile: they are refused, or `wait`.

    Raises:
        Busy: another process has it.
    """
    from filelock import FileLock, Timeout  # 0.04 s that help does not take

    lock = lock or place / ".lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    try:
        held.acquire(blocking=False)
    except Timeout:
        if not wait:
            told = "wait for it, or choose another place"
            raise Busy(f"Another process is writing to {place}: {told}.") from None
        print(f"Another process is writing to {place}; waiting for it.", file=sys.stderr)
        held.acquire()
    try:
        yield
    finally:
        with suppress(OSError):  # who waits for a file without a name tries again: see filelock
            lock.unlink()
        held.release()


def _refuse_special(path: Path) -> None:
    """Refuse by an OSError what a file must not take the place of: pipes, devices, all of /dev."""
    if path.parent == Path("/dev") or (path.exists() and not path.is_file()):
        raise PermissionError(f"{path} cannot be written; name a file in another folder.")


@contextmanager
def disk_full_named(path: Path) -> Iterator[None]:
    """A full disk's error does not say which file it hit: add the name."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def write_file(path: Path, data: bytes) -> None:
    """Write a whole file or none; a full disk is reported with the file's name."""
    with aside(path) as part:
        part.write_bytes(data)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all, and the folder that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, (json.dumps(content, indent=1) + "\n").encode())


def check_writable(*paths: str | Path | None) -> None:
    """Refuse a place where no file can be written, or a checkpoint's JSON, by an OSError before the
    work, not after it.
    """
    for path in (p for p in paths if p is not None):
        folder = Path(path).parent
        with suppress(FileExistsError, NotADirectoryError):  # then it is no folder: see below
            folder.mkdir(parents=True, exist_ok=True)
        _refuse_special(Path(path))
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise PermissionError(f"{path} cannot be written; name a file in another folder.")
        if Path(path).suffix == ".json" and Path(path).with_suffix(".safetensors").exists():
            raise FileExistsError(f"{path} is the record of a checkpoint; name another file.")


def leads_out(path: str) -> bool:
    """Whether a path from elsewhere is absolute, names a drive, holds ".." or a null."""
    # As `PureWindowsPath` reads it, strictest of all, but not built for every file of a data set.
    parts = path.replace("\\", "/").split("/")
    drive = path[1:2] == ":" and path[0].isascii() and path[0].isalpha()
    return drive or parts[0] == "" != path or ".." in parts or "\0" in path


def inside(root: str | Path, path: str) -> Path:
    """`root / path` for a path from elsewhere; a ValueError where it `leads_out`."""
    if leads_out(path):
        raise ValueError(f"{path!r} leads out of {root}; do not use the list or names it is from.")
    return Path(root, path)


def unlinked(root: str | Path, path: str) -> Path:
    """`inside(root, path)` to write to; a ValueError also where a folder between them is a link."""
    place = inside(root, path)
    for folder in place.relative_to(root).parents[:-1]:
        if Path(root, folder).is_symlink():
            raise ValueError(f"{Path(root, folder)} is a link; nothing is written through it.")
    return place


def read_file(path: str | Path, largest: int = LARGEST_FILE) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: there is none, or it must not be read.
        ValueError: a device or pipe, which may have no end, or more than `largest` bytes.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise ValueError(f"{path} is not a regular file.")
    check_size(path, found.st_size, largest)
    return Path(path).read_bytes()


def check_size(path: str | Path, size: int, largest: int = LARGEST_FILE) -> None:
    """Refuse a file of more than `largest` bytes by a ValueError before it fills the memory."""
    if size > largest:
        raise ValueError(
            f"{path} has {size / 1e6:.0f} MB; at most {largest / 1e6:.0f} MB are read at once."
        )


def read_json(path: str | Path) -> dict[str, Any]:
    """The object that a JSON file holds; `config.check_form` tells whether it is what it should be.

    Raises:
        OSError: there is no such file, or it must not be read.
        ValueError: it is no JSON, no object, too large or too deep; names the file.
    """
    data = read_file(path, LARGEST_JSON)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not readable as JSON ({error}).") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path} must hold a JSON object, not {type(value).__name__}.")
    inside: list[Any] = [value]
    for _ in range(DEEPEST_JSON):
        layer = [list(one.values()) if isinstance(one, dict) else one for one in inside]
        inside = [one for values in layer for one in values if isinstance(one, dict | list)]
    if inside:
        raise ValueError(f"{path} is nested more than {DEEPEST_JSON} levels deep.")
    return value
