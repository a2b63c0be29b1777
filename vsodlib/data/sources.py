"""Sources: the films, folders of frames, photographs or camera that a path stands for."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsodlib.data.folders import is_picture, listed, natural
from vsodlib.data.image_files import SUFFIXES, animation_length, is_photograph, shown_size
from vsodlib.data.video_files import Video, read_images, read_video
from vsodlib.notes import note

FILM_SUFFIXES = (
    ".3g2", ".3gp", ".asf", ".avi", ".dv", ".flv", ".m2t", ".m2ts", ".m4v", ".mkv", ".mod", ".mov",
    ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".tod", ".ts", ".vob", ".webm", ".wmv",
)  # fmt: skip
"""What is taken for a film in a folder; a file named by itself may end as it likes."""
UNREAD_SUFFIXES = (".heic", ".heif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw")
"""Photographs that no library here opens; a folder's are named, not passed over in silence."""


@dataclass(frozen=True)
class Source:
    """A video or a set of photographs."""

    name: str
    """For the folder of its maps."""
    place: str
    """Where it is, for messages: a path, or the number of a camera."""
    out: Path
    """Where its maps go unless another folder is named: next to the source."""
    photographs: tuple[Path, ...] = ()
    """Pictures that are no frames of a video; none: `place` holds a video."""

    def open(self) -> Video:
        """Its frames, or its photographs one after the other.

        Raises:
            FileNotFoundError, ValueError: as `read_video`; one of `UNREAD_SUFFIXES`.
        """
        if self.place.lower().endswith(UNREAD_SUFFIXES):  # FFmpeg would show a part of it
            raise ValueError(f"{self.place}: nothing here reads it; save it as JPEG.")
        if self.photographs:
            return read_images(list(self.photographs), self.place, mixed=True)
        return read_video(self.place)


def find_sources(places: Sequence[str | int | Path]) -> list[Source]:
    """The videos and photographs that these paths stand for, in their order.

    A file is a film, an animated picture or a photograph; loose photographs of one folder go
    together. A folder of images holds frames where all are of one size, named alike but for
    numbers, and no camera noted that it took them; else photographs. Films and animated pictures
    among them count too. A folder without images stands for all films in it and in its folders,
    and for their images.

    Raises:
        FileNotFoundError: a path does not exist.
        ValueError: a URL, a folder without images or films; one path that is in no list.
    """
    found: list[Source] = []
    loose: dict[Path, list[Path]] = {}
    if isinstance(places, str | Path):
        raise ValueError(f"Give a list of paths, [{str(places)!r}], not one path.")
    for place in map(os.path.expanduser, map(str, places)):  # no shell does it in a notebook
        path = Path(place)
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://", place):
            raise ValueError(f"{place} is an address, not a path: download it, then give the file.")
        if place.isdecimal() and not path.exists():
            found.append(Source(f"camera-{place}", place, Path(f"camera-{place}-saliency")))
        elif not path.exists():
            raise FileNotFoundError(f"{path} does not exist.")
        elif path.is_dir():
            folder = path.resolve() if path.name in ("", "..") else path
            if not (held := _in_folder(folder, _beside(folder.parent, folder.name))):
                raise ValueError(
                    f"{folder} holds no images ({', '.join(SUFFIXES)}), no films, "
                    "and no folder of these."
                )
            found += held
        elif is_picture(path.name) and animation_length(path) == 1:
            loose.setdefault(path.parent, []).append(path)
        else:
            found.append(Source(path.stem, place, _beside(path.parent, path.stem)))
    for folder, paths in loose.items():
        files = list(dict.fromkeys(paths))
        name = files[0].stem if len(files) == 1 else folder.resolve().name
        place = str(files[0] if len(files) == 1 else folder)
        found.append(Source(name, place, _beside(folder, name), tuple(files)))
    return found


def _in_folder(folder: Path, out: Path, deeper: bool = True) -> list[Source]:
    """What a folder stands for, and where it has no images what each folder in it does."""
    visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    inside = sorted(visible, key=lambda path: natural(path.name))
    if not deeper and {"maps", "run.json"} <= {path.name for path in inside}:
        return []  # what an earlier run made of something else here
    if others := [path.name for path in inside if path.suffix.lower() in UNREAD_SUFFIXES]:
        note(f"{folder}: left out, as nothing here reads them: {listed(others)}. Save as JPEG.")
    films = [path for path in inside if path.suffix.lower() in FILM_SUFFIXES and path.is_file()]
    pictures = [path for path in inside if is_picture(path.name)]
    moving = [path for path in pictures if animation_length(path) > 1]
    found = [Source(path.stem, str(path), out / path.stem) for path in films + moving]
    if files := [path for path in pictures if path not in moving]:
        photographs = () if not moving and _are_frames(files) else tuple(files)
        found.insert(0, Source(folder.name, str(folder), out, photographs))
    elif deeper:
        for path in filter(Path.is_dir, inside):
            found += _in_folder(path, out / path.name, deeper=False)
    return found


def _beside(folder: Path, name: str) -> Path:
    return folder / f"{name}-saliency"


def _are_frames(files: list[Path]) -> bool:
    """Whether images are of one size, named alike but for numbers, and without a camera's note."""
    named_alike = len({re.sub(r"[0-9]+", "#", file.stem) for file in files}) == 1
    if len(files) == 1 or not named_alike or is_photograph(files[0]):
        return False
    return len({shown_size(file) for file in files} - {None}) <= 1
