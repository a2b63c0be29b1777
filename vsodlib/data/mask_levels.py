"""The meaning of levels in masks and maps, decided over the set that they belong to.

People store one and the same mask as 0 and 1, as 0 and 255 (65535 with 16 bits), as object numbers
0, 1, 2, ..., by a palette, or with soft edges from a JPEG or a smooth filter. One file cannot tell:
an object of level 1 looks like noise, a void label of 255 like the object. So a sample of the set
is read first, and every file read later is held against it; one that contradicts it is refused by
name. The truth is read so:

    files that reach beyond 127             above 127 is object (0/255, soft edges)
    none does, and none is blurred          above 0 is object (0/1, object numbers, palettes)
    some hold 0 and 1, others 0 and 255     each by its own rule

Areas of several levels, white among them, may be objects and a void label, grey values of objects,
or annotators who disagree: whoever knows declares `foreground` and `void`. Maps of these three
kinds are masks; where a set holds anything else, all its levels are grey.
"""

import os
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from posixpath import dirname

import cv2
import numpy as np

from vsodlib.data.image_files import MaskFile
from vsodlib.notes import note

SAMPLE = 150
"""About so many files are read to learn what a set holds: first, middle and last of every folder,
where there are not too many, and others evenly."""
HALF = 127
DARK, BRIGHT = 25, 229
"""Up to the one a level of a blurred file is background, above the other it is white."""
AREA = np.ones((5, 5), np.uint8)
"""Where all of this has one level, that is no edge."""
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
SHARE = 0.01
"""A level counts where it fills this share of what is not black."""
FEW = 64
"""A file with more levels than these is no drawing of objects by number."""
BINARY = {"numbers": (1,), "white": (255,)}
"""Kinds that may meet in one set, where they hold these levels alone."""


@dataclass(frozen=True)
class Found:
    """What one file shows."""

    place: str
    kind: str
    """"empty", "numbers" (all levels in the lower half), "dark" (the same, but blurred), "white"
    (one level beyond that counts), "areas" (several levels, one of them white)."""
    levels: tuple[int, ...]
    """Those that count, ascending."""
    clean: bool
    """Whether there are no others."""

    def __str__(self) -> str:
        shown = ", ".join(map(str, (0, *self.levels[:6])))
        return f"{self.place} holds the levels {shown}{', ...' if len(self.levels) > 6 else ''}"


def look(file: MaskFile, levels: np.ndarray) -> Found:
    """Which levels count in a file, and what kind of mask that makes it.

    Args:
        file: where `levels` come from.
        levels: (H, W) uint8, void pixels 0.
    """
    top, whole = int(levels.max()), np.count_nonzero(levels)
    if not top:
        return Found(file.place, "empty", (), True)
    if np.count_nonzero(levels == top) == whole:
        present = np.array([top])
    else:
        area = np.bincount(levels.ravel(), minlength=256)
        present = 1 + np.flatnonzero(area[1:])
    every = tuple(present.tolist())
    if file.numbered:
        return Found(file.place, "areas" if top == 255 else "numbers", every, True)
    if top <= HALF:
        drawn = not file.lossy and len(every) <= FEW and not _nested(levels, every)
        return Found(file.place, "numbers" if drawn else "dark", every, drawn)
    if len(every) == 1:
        return Found(file.place, "white", every, True)
    middle = present[(present > DARK) & (present <= BRIGHT)]
    # One level between white and black that nowhere meet is a rim of void, not an edge.
    rim = top > BRIGHT and not file.lossy and len(middle) == 1
    rim = rim and not np.any(levels[cv2.dilate(levels, CROSS) > BRIGHT] <= DARK)
    if file.lossy or (np.any((present > DARK) & (present < 255)) and not rim):
        # Blurred edges: middle levels count where they fill areas, which a way to white does not.
        counting = middle
        even = cv2.dilate(levels, AREA) == cv2.erode(levels, AREA)
        if len(every) == 2 and every[0] > DARK and not file.lossy:
            # One level is an edge only near the brighter one, unless it is nearly white itself.
            counting = present[:1]
            even = (levels == cv2.dilate(levels, AREA)) | (levels > BRIGHT)
        area = np.bincount(levels[even], minlength=256)
    else:
        counting = present[present <= BRIGHT]
    known = {int(level) for level in counting if area[level] > SHARE * whole}
    if not known and len(middle):
        # Edges lead up to white; what mostly leads nowhere are small areas of many levels.
        peaks = (levels > DARK) & (levels <= BRIGHT) & (levels == cv2.dilate(levels, AREA[:3, :3]))
        known = set(middle.tolist()) if 2 * np.count_nonzero(peaks) > whole else known
    shown = tuple(sorted(known | {255 if top > BRIGHT else top}))
    return Found(file.place, "areas" if len(shown) > 1 else "white", shown, shown == every)


def _nested(levels: np.ndarray, every: Sequence[int]) -> bool:
    """Whether levels rise from the background step by step, as blurred ones do."""
    if len(every) <= 2:
        return False
    return 2 * int(levels[cv2.erode(levels, CROSS) == 0].max(initial=0)) < every[-1]


def sample(paths: Sequence[str]) -> list[str]:
    """At most about `SAMPLE` of the paths, spread over their folders."""
    folders = defaultdict(list)
    for path in paths:
        folders[dirname(path)].append(path)
    spread = [f[k] for f in folders.values() for k in (0, len(f) // 2, len(f) - 1)]
    spread = spread if len(spread) < SAMPLE else []
    even = paths[:: -(-len(paths) // (SAMPLE - len(spread))) or 1]
    return list(dict.fromkeys([*spread, *even]))


@dataclass(eq=False)
class _Levels(ABC):
    """What was found in a set so far."""

    name: str
    """Of the set, for messages."""
    seen: dict[str, Found] = field(default_factory=dict, init=False)
    """Kind -> a file of it, one that is not `BINARY` where there is one."""
    counts: Counter[str] = field(default_factory=Counter, init=False)
    learned: bool = field(default=False, init=False)

    def learn(
        self, paths: Sequence[str], load: Callable[[str], MaskFile], refuse: bool = True
    ) -> None:
        """Look at a sample of the set's files, and at the others until one is not empty.

        Files that cannot be read are passed over; they are refused when they are read.

        Raises:
            ValueError: where `refuse`, a file that contradicts the others.
        """
        first = sample(paths)
        known = set(first)
        rest = (path for path in paths if path not in known)
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoders release the interpreter's lock
            found = list(filter(None, pool.map(lambda path: self._try(path, load), first)))
        while all(one.kind == "empty" for one in found) and (path := next(rest, None)):
            found += filter(None, [self._try(path, load)])
        for one in found:
            self._count(one)
        if {"grey", "numbers"} <= self.seen.keys():  # nearly black maps, or masks and an odd file
            odd = "grey" if self.counts["grey"] < self.counts["numbers"] else "numbers"
            del self.seen[odd]
        # Of kinds that exclude each other the more frequent one is right.
        white, numbers = self.seen.get("white"), self.seen.get("numbers")
        if white and numbers and not (_binary(white) and _binary(numbers)):
            del self.seen["white" if self.counts["white"] < self.counts["numbers"] else "numbers"]
        self.learned = True
        if refuse:
            for one in found:
                self.agree(one)
            self.report(found, len(paths))

    def _try(self, path: str, load: Callable[[str], MaskFile]) -> Found | None:
        try:
            return self.look(load(path))
        except (OSError, ValueError):
            return None

    def _count(self, found: Found) -> None:
        self.counts[found.kind] += 1
        if found.kind not in self.seen or not _binary(found):
            self.seen[found.kind] = found

    @abstractmethod
    def look(self, file: MaskFile) -> Found:
        """What one file shows."""

    @abstractmethod
    def agree(self, found: Found) -> None:
        """Hold one more file against the set; a ValueError where it contradicts it."""

    @abstractmethod
    def report(self, found: Sequence[Found], count: int) -> None:
        """Say how the set is read, where that is out of the ordinary; refuse empty truth."""

    def binary(self) -> str | None:
        """In words how masks without grey are read; None: there is grey, or nothing was found."""
        white, numbers = self.seen.get("white"), self.seen.get("numbers")
        if white and numbers:
            return "0/1 in some, 0/255 in others, both object"
        if numbers:
            return "0/1" if _binary(numbers) else "object numbers, all of them object"
        return "0/255" if white and _binary(white) else None


def _binary(found: Found) -> bool:
    return found.clean and found.levels == BINARY.get(found.kind)


def _eight_bits(levels: np.ndarray) -> np.ndarray:
    """16-bit levels as v / 257, rounded."""
    return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _goes_deep(file: MaskFile) -> bool:
    """Whether a file uses the range of 16 bits; others hold levels of 8 in them."""
    return file.levels.dtype == np.uint16 and bool(file.levels.max() > 255)


@dataclass(eq=False)
class TruthLevels(_Levels):
    """The masks of a data set or folder."""

    foreground: int | Callable[[str], int] | None = None
    """Levels above this are object, by video where it is a function; None: recognised."""
    void: int | None = None
    """Pixels of this level count as neither; None: there are none."""

    def __post_init__(self) -> None:
        if self.void == 0 and not self.foreground:
            raise ValueError(
                "Where level 0 does not count (--void), say which level the object lies above "
                "(--foreground), or there is no background."
            )

    def look(self, file: MaskFile) -> Found:
        levels = self._known(file)
        if isinstance(self.foreground, int) and "colours" not in file.notes:
            levels = np.where(levels > self.foreground, levels, 0)
        return look(file, levels)

    def mask(self, file: MaskFile, video: str = "") -> np.ndarray:
        """The object, (H, W) bool.

        Raises:
            ValueError: the file contradicts the others of the set, or itself.
        """
        levels = self._known(file)
        if self.foreground is not None:
            # Colours have no order, and a set's own levels are grey; the numbers of a palette have.
            if callable(self.foreground):
                return levels > (0 if file.numbered else self.foreground(video))
            return levels > (0 if "colours" in file.notes else self.foreground)
        found = look(file, levels)
        self.agree(found)
        return levels > (0 if found.kind == "numbers" else HALF)

    def _known(self, file: MaskFile) -> np.ndarray:
        """Levels of 8 bits, 0 where they are void."""
        levels = self.read(file)
        return levels if self.void is None else np.where(levels == self.void, 0, levels)

    def read(self, file: MaskFile) -> np.ndarray:
        """Levels of 8 bits, void ones included."""
        levels = file.levels
        if levels.dtype == np.uint16:
            top = int(levels.max())
            if 255 < top < 32768:
                raise ValueError(
                    f"{file.place} is a 16-bit file whose highest level is {top}, neither white "
                    "nor one of 8 bits; save it as 0 and 255."
                )
            # An object of number 1 beside a void label of 65535 must not vanish.
            deep = np.maximum(_eight_bits(levels), levels > 0)
            levels = levels.astype(np.uint8) if top <= 255 else deep
        return levels

    def agree(self, found: Found) -> None:
        if self.foreground is not None:
            return
        white, numbers = self.seen.get("white"), self.seen.get("numbers")
        if found.kind == "areas":
            raise ValueError(
                f"{found}, which may be objects, void or doubt: say which level the object lies "
                "above (--foreground) and which level does not count (--void)."
            )
        if found.kind == "dark" and not (white and found.levels[-1] <= DARK):
            raise ValueError(
                f"{found}, blurred and none above {HALF}; save it as 0 and 255, or say which level "
                "the object lies above (--foreground)."
            )
        other = {"white": numbers, "numbers": white}.get(found.kind)
        if other and not (_binary(found) and _binary(other)):
            raise ValueError(
                f"{found}, but {other}: the masks of {self.name} must be alike; save them as 0 and "
                "255, or say which level the object lies above (--foreground)."
            )
        if found.kind != "empty":
            self._count(found)

    def report(self, found: Sequence[Found], count: int) -> None:
        if found and all(one.kind == "empty" for one in found):
            raise ValueError(
                f"Not one of the {count} masks of {self.name} shows an object"
                + ("." if self.void == self.foreground is None else f" ({self.meaning}).")
            )
        if found and not callable(self.foreground) and self.meaning != "0/255":
            note(f"masks of {self.name}: {self.meaning}.")

    @property
    def meaning(self) -> str:
        """How the set is read, in words."""
        void = "" if self.void is None else f", level {self.void} does not count"
        if self.foreground is not None:
            level = "each video's level" if callable(self.foreground) else self.foreground
            return f"object above {level}{void}"
        return (self.binary() or f"grey, object above {HALF}") + void


@dataclass(eq=False)
class MapLevels(_Levels):
    """The maps or masks of someone's method."""

    deep: bool = field(default=False, init=False)
    """Whether 16-bit files use their range."""

    def look(self, file: MaskFile) -> Found:
        levels, deep = file.levels, _goes_deep(file)
        self.deep |= deep and not self.learned
        if file.numbered:
            return Found(file.place, "white" if levels.any() else "empty", (255,), True)
        if levels.dtype == np.uint16:
            levels = _eight_bits(levels) if deep else levels.astype(np.uint8)
        found = look(file, levels)
        # A network may leave its maps dark: those have many levels, or no background of 0.
        few = len(found.levels) <= 1 or found.levels[-1] <= DARK
        dark = found.kind == "numbers" and (
            deep or (found.levels != (1,) and not (few and levels.min() == 0))
        )
        if dark or found.kind in ("dark", "areas") or not found.clean:
            return Found(found.place, "grey", found.levels, False)
        return found

    def map(self, file: MaskFile) -> tuple[np.ndarray, tuple[str, ...]]:
        """The map (H, W), uint8 or of 16-bit files float32 in [0, 1], and what was converted.

        Raises:
            ValueError: a colour picture, or a file that contradicts the others.
        """
        if "colours" in file.notes:
            raise ValueError(f"{file.place} is a colour image; a map or mask must be grey.")
        levels, notes = file.levels, file.notes
        if file.numbered:
            return (levels > 0).astype(np.uint8) * 255, notes
        if _goes_deep(file) and not self.deep:
            raise ValueError(f"{file.place} goes beyond level 255, other 16-bit maps do not.")
        found = self.look(file)
        self.agree(found)
        if found.kind == "numbers" and "grey" not in self.seen:
            how = "0/1 levels" if _binary(found) else "object numbers"
            return (levels > 0).astype(np.uint8) * 255, (*notes, how)
        if levels.dtype == np.uint16 and self.deep and (_goes_deep(file) or not _binary(found)):
            return levels.astype(np.float32) / np.float32(65535), notes
        return levels.astype(np.uint8), notes

    def agree(self, found: Found) -> None:
        if "grey" in self.seen:
            return
        white, numbers = self.seen.get("white"), self.seen.get("numbers")
        other = {"numbers": white, "white": numbers, "grey": numbers}.get(found.kind)
        if other and not (_binary(found) and _binary(other)):
            raise ValueError(
                f"{found}, but {other}: levels of grey or numbers of objects? Save all maps of "
                f"{self.name} with levels from 0 to 255."
            )
        self._count(found)

    def report(self, found: Sequence[Found], count: int) -> None:
        dark = [one.place for one in found if one.kind == "numbers"]
        if "grey" in self.seen and dark:
            some = f"{len(dark)} of {len(found)} maps looked at ({dark[0]}, ...)"
            note(f"{some} hold few levels above 0: read as nearly black among grey ones.")
        elif found and max(max(one.levels, default=0) for one in found) <= HALF:
            what = self.meaning if "numbers" in self.seen else "no level above half of white"
            note(f"maps of {self.name}: {what}.")
        elif "numbers" in self.seen:
            note(f"maps of {self.name}: {self.meaning}.")

    @property
    def meaning(self) -> str:
        """How the maps are read, in words."""
        words = None if "grey" in self.seen else self.binary()
        return words or ("levels of grey" if {"grey", "white"} & self.seen.keys() else "all black")
