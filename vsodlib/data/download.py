"""Data sets from their official homes: resumed where they broke off, checked, extracted atomically.

No home publishes a checksum that we could verify, and three of them speak plain HTTP, so the
SHA-256 of every archive is recorded in `checksums.json` beside the data. Carry that file to the
next machine and `fetch` there refuses an archive that differs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vsodlib.data.transfer import download, extract

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


@dataclass(frozen=True)
class Availability:
    """A row of `vsod data list`."""

    name: str
    path: Path | None
    """Where it is (a folder, or a zip of it), or None."""
    fetchable: bool
    licence: str
    home: str


def available(root: str | Path) -> list[Availability]:
    """Which data sets `root` holds, and where the others come from."""
    rows = []
    for source in SOURCES:
        folder, packed = Path(root, source.folder), Path(root, f"{source.folder}.zip")
        path = folder if _filled(folder) else packed if packed.is_file() else None
        rows.append(Availability(source.name, path, bool(source.urls), source.licence, source.home))
    return rows


def fetch(name: str, root: str | Path, progress: bool = True) -> Path:
    """Download a data set from its official home into `root` and return its folder.

    A broken download is kept as `ARCHIVE.part` and continued by the next call. An archive that
    already lies in `root` is used in place of a download. Nothing appears at the final folder
    before every file has been extracted and its CRC checked.

    Args:
        name: a name of `SOURCES`, as in `open_dataset`.
        root: the data root; created if need be.
        progress: show progress bars.

    Raises:
        ValueError: an unknown name; a set that must be fetched by hand; a folder that is there but
            incomplete; a damaged or unsafe archive; an archive that differs from `checksums.json`.
        OSError: the server cannot be reached, or the disk is full.
    """
    source = next((source for source in SOURCES if source.name == name), None)
    if source is None:
        known = ", ".join(source.name for source in SOURCES)
        raise ValueError(f"No data set is called {name!r}; choose one of {known}.")
    root = Path(root)
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

    root.mkdir(parents=True, exist_ok=True)
    downloaded, archives = [], []
    for url in source.urls:
        archive = root / url.rpartition("/")[2]
        archives.append(archive)
        if not archive.is_file():
            download(url, archive, progress)
            downloaded.append(archive)
    aside = root / f".{source.folder}.extracting"
    shutil.rmtree(aside, ignore_errors=True)  # what a killed run left
    aside.mkdir()
    try:
        for url, archive in zip(source.urls, archives, strict=True):
            entry = _compare(root / RECORDS, url, archive)
            extract(archive, aside, progress)
            _record(root / RECORDS, url, entry)
        inner = _unwrap(aside, source)
        if target.exists():
            target.rmdir()  # empty, or we would not be here
        inner.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for archive in downloaded:
        archive.unlink()
    return target


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


def _records(path: Path) -> dict:
    try:
        return json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        raise ValueError(f"{path} is not readable as JSON ({error}); mend or delete it.") from None


def _compare(path: Path, url: str, archive: Path) -> dict:
    """The record of this archive, equal to the one made before, if any."""
    with open(archive, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    entry = {
        "size": archive.stat().st_size,
        "sha256": digest,
        "date": datetime.now(UTC).date().isoformat(),
    }
    before = _records(path).get(url, entry)
    if before["sha256"] != digest:
        raise ValueError(
            f"{archive} ({entry['size']} bytes, SHA-256 {digest}) is not the file that {path} "
            f"recorded on {before['date']} ({before['size']} bytes, SHA-256 {before['sha256']}): "
            "delete the archive to download it again, or that record to accept it."
        )
    return before


def _record(path: Path, url: str, entry: dict) -> None:
    records = _records(path)
    if records.get(url) != entry:
        aside = path.with_name(path.name + ".part")
        aside.write_text(json.dumps(records | {url: entry}, indent=2, sort_keys=True) + "\n")
        aside.replace(path)
