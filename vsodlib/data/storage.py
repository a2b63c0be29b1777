"""A data set on disk: a folder or one zip of it, read through the same four calls."""

import errno
import lzma
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from posixpath import normpath
from typing import Any

from vsodlib.files import check_size, inside, leads_out, read_file

MOST_FOLDERS = 100_000
"""Far more than any data set known here has; links that fan out again and again reach it."""
UNREADABLE = (
    EOFError, IndexError, OSError, RuntimeError, UnicodeDecodeError, lzma.LZMAError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile raises for damaged archives."""


class Storage:
    """Read-only files of a data set, in a folder or in one zip archive.

    The archive is opened on first use and once per process, so a `Storage` can be pickled and
    handed to the workers of a DataLoader.

    Args:
        path: a folder or a zip file.
        inside: a folder within it to which all other paths are relative ("" for the top).

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: `path` is a file but not a zip archive.
    """

    def __init__(self, path: str | os.PathLike[str], inside: str = "") -> None:
        self.path = Path(path)
        self.inside = inside.strip("/")
        self._opened: tuple[int, zipfile.ZipFile, dict[str, zipfile.ZipInfo]] | None = None
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path} does not exist.")
        self.is_zip = self.path.is_file()
        if self.is_zip:
            self._archive()

    def __repr__(self) -> str:
        return f"Storage({self.locate('')!r})"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def locate(self, path: str) -> str:
        """Where a file is on disk, or, for messages, within the archive."""
        full = self._full(path)
        return os.path.join(self.path, full) if full else str(self.path)

    def read(self, path: str) -> bytes:
        """The bytes of one file.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the archive is damaged there, the path leads out of the data set, or the
                file is too large for a picture or no regular file.
        """
        if not self.is_zip:
            try:
                return read_file(self.locate(path))
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                raise FileNotFoundError(f"{self.locate(path)} does not exist.") from None
        try:
            archive, members = self._archive()
            member = members[self._full(path)]
            # Asked for so many bytes, deflate makes no more, whatever the header hides; others do.
            check_size(self.path / member.filename, member.file_size)
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise zipfile.BadZipFile("it is packed neither by deflate nor plainly")
            with archive.open(member) as packed:
                return packed.read(member.file_size)
        except KeyError:
            raise FileNotFoundError(f"{self.locate(path)} does not exist.") from None
        except UNREADABLE as error:
            raise ValueError(f"{self.locate(path)} cannot be read: {error}.") from error

    def exists(self, path: str) -> bool:
        """Whether `path` is a file here."""
        if self.is_zip:
            return self._full(path) in self._archive()[1]
        return os.path.isfile(self.locate(path))

    def has_folder(self, path: str) -> bool:
        """Whether `path` is a folder here."""
        if self.is_zip:
            full = self._full(path)
            return not full or any(name.startswith(full + "/") for name in self._archive()[1])
        return os.path.isdir(self.locate(path))

    def list(self, prefix: str = "") -> list[str]:
        """All files below the folder `prefix`, sorted; hidden files are left out.

        Links to folders are followed, but not to a folder that they lie in.

        Raises:
            OSError: a folder cannot be read.
            ValueError: there are more than `MOST_FOLDERS` folders.
        """
        full = self._full(prefix)
        if self.is_zip:
            start = full + "/" if full else ""
            found = [name for name in self._archive()[1] if name.startswith(start)]
        else:
            found = _walk(self.path, full)
        cut = len(self.inside) + 1 if self.inside else 0
        relative = (name[cut:] for name in found)
        return sorted(name for name in relative if not _is_hidden(name))

    def _full(self, path: str) -> str:
        """A path below the folder or archive: that of the data set first."""
        path = path.strip("/")
        if leads_out(path):
            inside(self.path, path)
        return f"{self.inside}/{path}" if self.inside and path else self.inside or path

    def _archive(self) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
        """The zip of this process, and path -> member."""
        # A handle inherited through fork shares its file position with the parent: reopen.
        if self._opened is None or self._opened[0] != os.getpid():
            try:
                archive = zipfile.ZipFile(self.path)
            except UNREADABLE as error:
                raise ValueError(
                    f"{self.path} is neither a folder nor a readable zip archive ({error})."
                ) from None
            for name in archive.namelist():
                inside(self.path, name)
            files = [member for member in archive.infolist() if not member.is_dir()]
            # Some archivers write ./a/b or a\b for a/b.
            members = {normpath(file.filename.replace("\\", "/")): file for file in files}
            self._opened = os.getpid(), archive, members
        return self._opened[1:]


def find_storage(
    name: str, folder: str, markers: Sequence[str], start: Path, any_layout: bool = False
) -> Storage:
    """The storage of one data set under `start`, a folder or zip.

    Looked for, in this order: `start/folder`, `start/folder.zip`, `start` itself; a zip may hold
    `folder` or its contents.

    Args:
        name: what `vsod data fetch` calls the data set (for the message).
        folder: the folder's usual name, e.g. "DAVIS".
        markers: folders inside it any of which tells it apart, e.g. "JPEGImages".
        any_layout: whether its name alone is enough.

    Raises:
        FileNotFoundError: nothing there looks like the data set; says how to get it.
        ValueError: a file that is not a zip archive.
    """
    named = any_layout and start.stem.lower() == folder.lower()
    for path in (start if named else start / folder, start / f"{folder}.zip", start):
        if not path.exists():
            continue
        storage = Storage(path)
        for below in ("", folder):
            if any(storage.has_folder(f"{below}/{marker}") for marker in markers):
                return Storage(path, below)
        if any_layout and path.stem.lower() == folder.lower():
            return storage
        if any_layout and storage.is_zip and storage.has_folder(folder):
            return Storage(path, folder)
    if start.exists():
        what = f"{start} holds no {folder} folder with {' or '.join(markers)} in it"
    else:
        what = f"The data root {start} does not exist"
    raise FileNotFoundError(
        f"{what}: get it with `vsod data fetch {name}`, or set VSOD_DATA to the folder that holds "
        f"{folder} (data/README.md tells more)."
    )


def data_root(root: str | os.PathLike[str] | None = None) -> Path:
    """`root` where given, else the environment variable `VSOD_DATA`, else `data/`."""
    return Path(root if root is not None else os.environ.get("VSOD_DATA") or "data")


def _walk(root: Path, top: str) -> list[str]:
    """The files below `root / top`, relative to `root`; a folder within itself is left out."""
    found: list[str] = []
    if not Path(root, top).is_dir():
        return found
    above = frozenset(_identity(str(folder)) for folder in Path(root, top).resolve().parents)
    waiting, folders = [(top, above)], 0
    while waiting:  # no recursion: trees may be thousands deep
        folder, above = waiting.pop()
        place = f"{root}/{folder}"  # a Path would be taken apart again and again
        try:
            here = _identity(place)
            entries = [] if here in above else list(os.scandir(place))
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # nothing that deep can be opened by its path
                continue
            raise
        folders, below = folders + 1, above | {here}
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if _is_folder(entry):
                waiting.append((name, below))
            else:
                found.append(name)
        if folders + len(waiting) > MOST_FOLDERS:
            raise ValueError(f"{root / top} has more than {MOST_FOLDERS} folders; name a data set.")
    return found


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))
