"""Data sets from their official homes: resumed where they broke off, checked, extracted atomically.

No home publishes a checksum that we could verify, and three of them speak plain HTTP, so the
SHA-256 of every archive is recorded in `checksums.json` next to the data. Carry that file to the
next machine and `fetch` there refuses an archive that differs.
"""

import errno
import hashlib
import json
import re
import shutil
import stat
import time
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from ssl import SSLError
from typing import Any, TypedDict
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm.auto import tqdm

from vsodlib.config import check_form
from vsodlib.data.storage import UNREADABLE
from vsodlib.files import disk_full_named, leads_out, read_json, sole_process, write_file

RECORDS = "checksums.json"


@dataclass(frozen=True)
class Source:
    """Where a data set lives and what its folder holds."""

    name: str
    """As in `open_dataset`."""
    folder: str
    """Its folder in the data root."""
    home: str
    licence: str
    urls: tuple[str, ...] = ()
    """Zip archives; together they make the folder. Empty: it must be fetched by hand."""
    contents: tuple[str, ...] = ()
    """Folders that a complete copy has; they also tell where an archive's wrapping ends."""
    by_hand: str = ""
    """How to get and lay out a set that no program can fetch."""


SOURCES = (
    Source(
        name="davis2016",
        folder="DAVIS",
        home="https://davischallenge.org/davis2016/code.html",
        licence="CC BY-NC 4.0; some sequences come from YouTube",
        urls=("https://graphics.ethz.ch/Downloads/Data/Davis/DAVIS-data.zip",),
        contents=("JPEGImages/480p", "Annotations/480p", "ImageSets/480p"),
    ),
    Source(
        name="fbms",
        folder="FBMS",
        home="https://lmb.informatik.uni-freiburg.de/resources/datasets/",
        licence="research only; see its home",
        urls=(
            "https://lmb.informatik.uni-freiburg.de/resources/datasets/fbms/FBMS_Trainingset.zip",
            "https://lmb.informatik.uni-freiburg.de/resources/datasets/fbms/FBMS_Testset.zip",
        ),
        contents=("Trainingset", "Testset"),
    ),
    Source(
        name="visal",
        folder="ViSal",
        home="https://github.com/shenjianbing/ViSalDataset",
        licence="free for research",
        by_hand="its home holds a RAR archive, and https://github.com/DengPingFan/DAVSOD links a "
        "zip of it under 'Popular Existing Datasets'; lay it out as <video>/Imgs/*.jpg and "
        "<video>/GT/*.png",
    ),
    Source(
        name="davsod",
        folder="DAVSOD",
        home="https://github.com/DengPingFan/DAVSOD",
        licence="academic use; see its home",
        by_hand="its home links to Google Drive and Baidu, which a person must click through; lay "
        "it out as DAVSOD-TrainingSet, DAVSOD-ValidationSet, Easy-35, Normal-25 and Difficult-20, "
        "each with <video>/Imgs/*.jpg and <video>/GT_object_level/*.png",
    ),
    Source(
        name="msra10k",
        folder="MSRA10K",
        home="https://mmcheng.net/msra10k/",
        licence="see its home",
        urls=("http://mftp.mmcheng.net/Data/MSRA10K_Imgs_GT.zip",),
        contents=("Imgs",),
    ),
    Source(
        name="dut-omron",
        folder="DUT-OMRON",
        home="http://saliencydetection.net/dut-omron/",
        licence="see its home",
        urls=(
            "http://saliencydetection.net/dut-omron/download/DUT-OMRON-image.zip",
            "http://saliencydetection.net/dut-omron/download/DUT-OMRON-gt-pixelwise.zip.zip",
        ),
        contents=("DUT-OMRON-image", "pixelwiseGT-new-PNG"),
    ),
    Source(
        name="duts-tr",
        folder="DUTS-TR",
        home="http://saliencydetection.net/duts/",
        licence="academic use; see its home",
        urls=("http://saliencydetection.net/duts/download/DUTS-TR.zip",),
        contents=("DUTS-TR-Image", "DUTS-TR-Mask"),
    ),
)


def available(root: str | Path) -> list[tuple[Source, Path | None]]:
    """Every data set, and where `root` holds it: a folder, a zip of it, `root` itself, or None."""
    rows: list[tuple[Source, Path | None]] = []
    for source in SOURCES:
        folder, packed = Path(root, source.folder), Path(root, f"{source.folder}.zip")
        itself = source.contents and all(Path(root, part).is_dir() for part in source.contents)
        place = Path(root) if itself else packed if packed.is_file() else None
        rows.append((source, folder if _filled(folder) else place))
    return rows


def fetch(name: str, root: str | Path, progress: bool = True) -> Path:
    """Download a data set from its official home into `root` and return its folder.

    A second call for the same set waits until the first has ended. A broken download is kept as
    `ARCHIVE.part` and continued by the next call. An archive that already lies in `root` is used in
    place of a download. Nothing appears at the final folder before every file has been extracted
    and its CRC checked.

    Args:
        name: a name of `SOURCES`, as in `open_dataset`.
        root: the data root; created if need be.

    Raises:
        ValueError: an unknown name; a set that must be fetched by hand; a folder that is there but
            incomplete; a damaged or unsafe archive; an archive that differs from `checksums.json`.
        OSError: the server cannot be reached, or the disk is full.
    """
    sources = {source.name: source for source in SOURCES}
    if name not in sources:
        raise ValueError(f"No data set is called {name!r}; choose one of {', '.join(sources)}.")
    root, source = Path(root), sources[name]
    target = root / source.folder
    if _filled(target):
        if missing := [part for part in source.contents if not (target / part).is_dir()]:
            raise ValueError(
                f"{target} exists but lacks {', '.join(missing)}; move it away and fetch again."
            )
        return target
    if target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file; move it away and fetch again.")
    if not source.urls:
        raise ValueError(
            f"{name} cannot be fetched by a program: {source.by_hand}, in {target} "
            f"(home: {source.home})."
        )

    with sole_process(target, root / f".{source.folder}.lock", wait=True):
        if not _filled(target):  # the other process may have brought it meanwhile
            _bring(source, root, target, progress)
    return target


def _bring(source: Source, root: Path, target: Path, progress: bool) -> None:
    """Download, extract to a folder of its own and rename."""
    archives = {url: root / url.rpartition("/")[2] for url in source.urls}
    missing = {url: archive for url, archive in archives.items() if not archive.is_file()}
    for url, archive in missing.items():
        download(url, archive, progress)
    target = target.resolve()  # it may be a link to an empty folder on a larger disk
    aside = target.with_name(f".{target.name}.extracting")
    shutil.rmtree(aside, ignore_errors=True)  # what a killed run left
    aside.mkdir(parents=True)
    try:
        for url, archive in archives.items():
            entry = _compare(root / RECORDS, url, archive)
            extract(archive, aside, progress)
            _record(root / RECORDS, url, entry)
        inner = _unwrap(aside, source)
        if target.exists():
            target.rmdir()  # empty, or we would not be here
        inner.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for archive in missing.values():
        archive.unlink()


def _filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _unwrap(folder: Path, source: Source) -> Path:
    """The folder that holds the contents, below any folders that only wrap it."""
    while any(not (folder / part).is_dir() for part in source.contents):
        inside = sorted(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir():
            raise ValueError(
                f"The archive of {source.name} does not hold {', '.join(source.contents)} but "
                f"{', '.join(path.name for path in inside) or 'nothing'}; see {source.home}."
            )
        folder = inside[0]
    return folder


class Entry(TypedDict):
    """What `checksums.json` says of the archive of a URL."""

    size: int
    sha256: str
    date: str


def _records(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{error} Mend or delete it.") from None


def _compare(path: Path, url: str, archive: Path) -> Entry:
    """The record of this archive, equal to the one made before, if any."""
    with open(archive, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size, date = archive.stat().st_size, datetime.now(UTC).date().isoformat()
    entry = Entry(size=size, sha256=digest, date=date)
    before = _records(path).get(url, entry)
    check_form(before, Entry, f"{path}: {url}")
    if before["sha256"] != digest:
        raise ValueError(
            f"{archive} ({entry['size']} bytes, SHA-256 {digest}) is not the file that {path} "
            f"recorded on {before['date']} ({before['size']} bytes, SHA-256 {before['sha256']}): "
            "delete the archive to download it again, or that record to accept it."
        )
    return before


def _record(path: Path, url: str, entry: Entry) -> None:
    with sole_process(path, path.with_name(f".{path.name}.lock"), wait=True):  # of other sets
        records = _records(path)
        if records.get(url) != entry:
            text = json.dumps(records | {url: entry}, indent=2, sort_keys=True) + "\n"
            write_file(path, text.encode())


BAR: dict[str, Any] = {"unit": "B", "unit_scale": True, "leave": False}
CHUNK = 1 << 18
TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""
ATTEMPTS = 4
"""Tries in a row that bring no new byte before `download` gives up."""
LARGEST_RATIO = 100
"""Pictures are compressed already: an archive of them unpacks to little more than its own size."""
PAUSE = 1.0
"""Seconds before the second try; doubled before each further one."""


class PartState(TypedDict):
    """Beside `NAME.part`: of which file it is the beginning."""

    url: str
    validator: str | None
    size: int | None


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
    problem: str | BaseException
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
        except (HTTPException, ConnectionError, TimeoutError, SSLError, ValueError) as error:
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
    state = _read_state(part) or PartState(url="", validator=None, size=None)
    # Without a validator nothing tells whether the file has changed since: start again.
    known = part.is_file() and not part.is_symlink() and state["url"] == url
    offset = part.stat().st_size if known and state["validator"] is not None else 0
    if offset and offset == state["size"]:
        return  # complete, but the process died before renaming it
    headers = {"User-Agent": "vsodlib", "Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": str(state["validator"])}
    with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as response:
        if response.status == 206:
            if not _continues(response.headers, offset, state):
                part.unlink(missing_ok=True)
                raise ConnectionError("the server went on with another piece or file")
        else:  # it ignores ranges, or the file has changed
            offset, length = 0, response.headers["Content-Length"]
            size = int(length) if length else None
            state = PartState(url=url, validator=_validator(response.headers), size=size)
            part.unlink(missing_ok=True)  # before its state, so that the two never disagree
            write_file(_state(part), json.dumps(state).encode())
        _need_space(part.parent, (state["size"] or 0) - offset)
        bar = tqdm(desc=part.stem, total=state["size"], initial=offset, disable=not progress, **BAR)
        with disk_full_named(part), open(part, "ab") as file, bar:
            while chunk := response.read1(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    arrived = part.stat().st_size
    if state["size"] is not None and arrived < state["size"]:
        raise ConnectionError(f"broke off after {arrived} of {state['size']} bytes")


def _read_state(part: Path) -> PartState | None:
    """None where there is none, or none that `_transfer` wrote."""
    try:
        state: Any = read_json(_state(part))
        check_form(state, PartState, "state")
    except (FileNotFoundError, ValueError):
        return None
    sendable = (state["validator"] or "").isascii() and (state["validator"] or "").isprintable()
    return state if sendable else None


def _state(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _validator(headers: HTTPMessage) -> str | None:
    """What If-Range may hold: a strong ETag, or else the date of the last change."""
    etag = headers["ETag"]
    return etag if etag and not etag.startswith("W/") else headers["Last-Modified"]


def _continues(headers: HTTPMessage, offset: int, state: PartState) -> bool:
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
            files = [member for member in zipped.infolist() if not member.is_dir()]
            litter = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$)")
            members = [member for member in files if not litter.search(member.filename)]
            for member in members:
                if leads_out(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
                    raise ValueError(
                        f"{archive} holds {member.filename!r}, which would land outside the "
                        "target folder; nothing was extracted, do not use this archive."
                    )
            size = sum(member.file_size for member in members)
            if size > LARGEST_RATIO * archive.stat().st_size:
                raise ValueError(
                    f"{archive} would unpack to {size / 1e6:.0f} MB, more than {LARGEST_RATIO} "
                    "times its size; do not use it."
                )
            _need_space(folder, size)
            name, hidden = f"extract {archive.name}", not progress
            with tqdm(desc=name, total=size, disable=hidden, **BAR) as bar:
                for member in members:
                    with disk_full_named(folder / member.filename):
                        zipped.extract(member, folder)
                    bar.update(member.file_size)
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.filename is not None:  # not of the archive
            raise
        raise ValueError(
            f"{archive} is damaged or no zip archive ({error}); delete it and fetch again."
        ) from None


def _need_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        what = f"No space for {size / 1e6:.1f} MB, {free / 1e6:.1f} MB free"
        raise OSError(errno.ENOSPC, what, str(folder))
