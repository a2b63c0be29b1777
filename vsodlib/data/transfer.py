"""HTTP downloads that survive a broken connection, and zip archives kept inside their folder."""

from __future__ import annotations

import errno
import json
import re
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage
from pathlib import Path, PureWindowsPath
from ssl import SSLError
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm.auto import tqdm

CHUNK = 1 << 18
TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""
ATTEMPTS = 4
"""Tries in a row that bring no new byte before `download` gives up."""
PAUSE = 1.0
"""Seconds before the second try; doubled before each further one."""


def download(url: str, path: Path, progress: bool = True) -> None:
    """Bring `url` to `path`, trying again as long as tries bring new bytes.

    What has arrived is kept as `NAME.part` when the connection breaks, the process is interrupted
    or the disk fills up; the next call goes on there, provided that the server proves (206,
    Content-Range, unchanged ETag or date) that it still has the same file. Else it starts again.

    Raises:
        ConnectionError: the server refuses, or `ATTEMPTS` tries in a row brought nothing.
        OSError: the disk is full.
    """
    part = path.with_name(path.name + ".part")
    tries = most = 0
    while True:
        try:
            _transfer(url, part, progress)
            break
        except HTTPError as error:
            if error.code == 416:  # the server has fewer bytes than we: ours are of another file
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code not in (408, 429):
                raise ConnectionError(f"{url} answered {error.code} {error.reason}.") from None
            problem = error
        except URLError as error:
            problem = error.reason
        except (HTTPException, ConnectionError, TimeoutError, SSLError) as error:
            problem = error
        size = part.stat().st_size if part.exists() else 0
        tries, most = (1, size) if size > most else (tries + 1, most)
        if tries >= ATTEMPTS:
            kept = f"; {part} keeps {size} bytes for the next call" if size else ""
            raise ConnectionError(f"{url} could not be downloaded: {problem}{kept}.") from None
        time.sleep(PAUSE * 2 ** (tries - 1))
    part.rename(path)
    _state(part).unlink(missing_ok=True)


def _transfer(url: str, part: Path, progress: bool) -> None:
    """One connection: append to `part` if the server proves that it goes on with the same file."""
    state = _read_state(part)
    # Without a validator nothing tells whether the file has changed since: start again.
    known = part.exists() and state.get("url") == url and state["validator"] is not None
    offset = part.stat().st_size if known else 0
    if offset and offset == state["size"]:
        return  # complete, but the process died before renaming it
    headers = {"User-Agent": "vsodlib", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": state["validator"]}
    with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as response:
        if response.status == 206:
            if not _continues(response.headers, offset, state):
                part.unlink()
                raise ConnectionError("the server went on with another piece or file")
        else:  # it ignores ranges, or the file has changed
            offset = 0
            length = response.headers["Content-Length"]
            state = {
                "url": url,
                "validator": _validator(response.headers),
                "size": int(length) if length else None,
            }
            part.unlink(missing_ok=True)  # before its state, so that the two never disagree
            _state(part).write_text(json.dumps(state))
        _need_space(part.parent, (state["size"] or 0) - offset)
        with (
            disk_full_named(part),
            open(part, "ab") as file,
            _bar(part.stem, state["size"], offset, progress) as bar,
        ):
            while chunk := response.read1(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    size = part.stat().st_size
    if state["size"] is not None and size < state["size"]:
        raise ConnectionError(f"broke off after {size} of {state['size']} bytes")


def _read_state(part: Path) -> dict[str, Any]:
    try:
        return json.loads(_state(part).read_text())
    except (FileNotFoundError, ValueError):  # ValueError: the process died while writing it
        return {}


def _state(part: Path) -> Path:
    """Beside NAME.part: of which file (URL, validator, size) it is the beginning."""
    return part.with_name(part.name + ".json")


def _validator(headers: HTTPMessage) -> str | None:
    """What If-Range may hold: a strong ETag, or else the date of the last change."""
    etag = headers["ETag"]
    return etag if etag and not etag.startswith("W/") else headers["Last-Modified"]


def _continues(headers: HTTPMessage, offset: int, state: dict[str, Any]) -> bool:
    """Whether a 206 answer starts at `offset` of the file that `state` describes."""
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers["Content-Range"] or "")
    return (
        span is not None
        and int(span[1]) == offset
        and span[2] in ("*", str(state["size"]))
        and _validator(headers) in (None, state["validator"])
    )


def extract(archive: Path, folder: Path, progress: bool = True) -> None:
    """Unzip `archive` into `folder`, checking every member's CRC; macOS litter is left out.

    Raises:
        ValueError: damaged, not a zip archive, or a member that would leave `folder` (an absolute
            path, "..", a link); then nothing is written.
        OSError: the disk is full.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [
                member
                for member in zipped.infolist()
                if not member.is_dir()
                and not re.search(r"(^|/)(__MACOSX/|\.DS_Store$)", member.filename)
            ]
            for member in members:
                # A Windows path takes / and \ as separators and knows drives: the stricter reading.
                path = PureWindowsPath(member.filename)
                link = stat.S_ISLNK(member.external_attr >> 16)
                if path.drive or path.root or ".." in path.parts or link:
                    raise ValueError(
                        f"{archive} holds {member.filename!r}, which would land outside the "
                        "target folder; nothing was extracted, do not use this archive."
                    )
            size = sum(member.file_size for member in members)
            _need_space(archive.parent, size)
            with _bar(f"extract {archive.name}", size, 0, progress) as bar:
                for member in members:
                    path = folder / member.filename
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with (
                        zipped.open(member) as packed,
                        disk_full_named(path),
                        open(path, "wb") as file,
                    ):
                        while chunk := packed.read(CHUNK):
                            file.write(chunk)
                            bar.update(len(chunk))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"{archive} is damaged or no zip archive ({error}); delete it and fetch again."
        ) from None


def _bar(name: str, total: int | None, initial: int, progress: bool) -> tqdm:
    return tqdm(
        desc=name,
        total=total,
        initial=initial,
        unit="B",
        unit_scale=True,
        leave=False,
        disable=not progress,
    )


def _need_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OSError(
            errno.ENOSPC, f"No space for {size / 1e6:.1f} MB, {free / 1e6:.1f} MB free", str(folder)
        )


@contextmanager
def disk_full_named(path: Path) -> Iterator[None]:
    """A full disk's error does not say which file it hit: add the name."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
