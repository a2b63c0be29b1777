"""The commands `vsod data ...`: list, fetch, check, pack or make data."""

from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional

from vsodlib.cli.options import Command, Count, DataRoot, MaskLevels, MaybeCount


@dataclass(kw_only=True)
class List(DataRoot, Command):
    """Tell which data sets are here, and where the others are."""

    def run(self) -> None:
        from vsodlib.data import data_root
        from vsodlib.data.download import available

        root = data_root(self.data)
        print(f"Data root: {root}")
        for source, path in available(root):
            how = "`vsod data fetch`" if source.urls else "by hand"
            place = str(path or f"not here, {how}")
            print(f"{source.name:12} {place:42} {source.licence}; {source.home}")


@dataclass(kw_only=True)
class Fetch(DataRoot, Command):
    """Download a data set from its official home; resumes, verifies, extracts."""

    name: Positional[str]
    """Data set, as `vsod data list` names it."""

    def run(self) -> None:
        from vsodlib.data import data_root
        from vsodlib.data.download import fetch

        print(fetch(self.name, data_root(self.data)))


@dataclass(kw_only=True)
class Check(MaskLevels, Command):
    """Report every missing, damaged or odd file."""

    root: Positional[str | None] = None
    """Data root; None: $VSOD_DATA, else data/."""
    name: str | None = None
    """One data set; None: every one found."""

    def run(self) -> None:
        from vsodlib.data import data_root
        from vsodlib.data.check import check

        root = data_root(self.root)
        problems = check(root, self.name, self.foreground, self.void)
        for problem in problems:
            print(problem)
        if problems:
            raise ValueError(f"{len(problems)} problems in {root}.")
        print("No problems.")


@dataclass(kw_only=True)
class Pack(Command):
    """Write a smaller copy of a data set into one zip, or into parts."""

    root: Positional[str]
    """Data root."""
    height: Count
    """Rows of the packed frames, at least 16; smaller frames stay."""
    out: str
    """The zip to write, e.g. DAVIS-288.zip; parts are called DAVIS-288-1.zip ..."""
    name: str = "davis2016"
    """Data set to pack."""
    split: str | None = None
    """Part of the data set, e.g. train; None: all of it."""
    format: Literal["jpg", "webp", "avif"] = "jpg"
    """Format of the packed frames."""
    quality: Count = 90
    """Quality of the packed frames, 1 to 100."""
    every: Count = 1
    """Keep every so manieth frame."""
    max_mib: MaybeCount = None
    """Split into parts of so many MiB; None: one zip."""

    def run(self) -> None:
        from vsodlib.data.pack import pack

        how = (self.split, self.format, self.quality, self.every, self.max_mib)
        for path in pack(self.root, self.height, self.out, self.name, *how):
            print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB")


@dataclass(kw_only=True)
class MakeSynthetic(Command):
    """Draw clips of moving shapes with exact masks, in the layout of DAVIS."""

    out: str
    """Folder to write, which becomes a data root."""
    videos: Count = 16
    """Videos in all, a quarter of them for val."""
    frames: Count = 24
    """Frames per video."""
    height: Count = 240
    """Rows of a frame."""
    width: Count = 432
    """Columns of a frame."""
    seed: int = 0
    """Another seed draws other clips."""

    def run(self) -> None:
        from vsodlib.data.synthetic import make_synthetic

        sizes = (self.videos, self.frames, self.height, self.width)
        print(make_synthetic(self.out, *sizes, self.seed))
