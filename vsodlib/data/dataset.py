"""Frames and masks of videos: one record per frame, one data set class for every source.

A still image is a video of one frame. Masks may be missing (sparsely annotated sets): such
frames have `mask=None` in their record and no "mask" in their item.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Self, TypeVar

import numpy as np
from tqdm.auto import tqdm

from vsodlib.config import profile
from vsodlib.data.image_files import MaskFile, decode_image, decode_mask, image_size, resize_rows
from vsodlib.data.mask_levels import TruthLevels
from vsodlib.data.storage import Storage

Item = TypeVar("Item")
_LEARNING = Lock()


@dataclass(frozen=True)
class FrameRecord:
    """One frame: its video, its name within it, where image and mask lie in a `Storage`."""

    video: str
    frame: str
    image: str
    mask: str | None
    dataset: str = ""
    """The name of its own, in several put together."""

    @property
    def truth(self) -> str:
        """`mask`, of a frame that has one."""
        assert self.mask is not None, f"frame {self.frame} of {self.video} has no mask"
        return self.mask


@dataclass(eq=False)
class StoredFrames:
    """Pixels decoded from files on every call."""

    storage: Storage
    masks: Sequence[str]
    """All mask files of the set, which together tell what their levels mean."""
    levels: TruthLevels
    white_background: tuple[str, ...] = ()
    """Suffixes of the masks that are drawn on white."""

    def image(self, record: FrameRecord) -> np.ndarray:
        return decode_image(self.storage.read(record.image), self.storage.locate(record.image))

    def mask(self, record: FrameRecord) -> np.ndarray:
        file = self.mask_file(record.truth)
        if record.image:
            H, W = image_size(self.storage.read(record.image), self.storage.locate(record.image))
            h, w = file.levels.shape
            if (h, w) != (H, W):
                turned = " (turned by its EXIF note? Save it upright)" * ((h, w) == (W, H))
                raise ValueError(
                    f"{file.place} is {w}x{h}, but its frame {record.image} is {W}x{H}{turned}."
                )
        self.learn()
        return self.levels.mask(file, record.video)

    def counted(self, record: FrameRecord) -> np.ndarray | None:
        void = self.levels.void  # where there is none, no file is read again
        return None if void is None else self.levels.read(self.mask_file(record.truth)) != void

    def mask_file(self, path: str) -> MaskFile:
        """A mask's levels as its file holds them."""
        white = path.lower().endswith(self.white_background)
        return decode_mask(self.storage.read(path), self.storage.locate(path), white)

    def learn(self) -> None:
        """Find out what the levels of the set mean, once.

        Raises:
            ValueError: masks that contradict each other, or are all empty.
        """
        with _LEARNING:  # threads that read masks all begin with this
            if not self.levels.learned:
                self.levels.learn(self.masks, self.mask_file)


@dataclass(eq=False)
class HeldFrames:
    """Pixels held in memory, by the paths of their records."""

    images: dict[str, np.ndarray]
    """np.uint8 (H, W, 3)."""
    masks: dict[str, np.ndarray]
    """np.bool_ (H, W)."""

    def image(self, record: FrameRecord) -> np.ndarray:
        image = self.images[record.image]
        if image.dtype != np.uint8 or image.shape[2:] != (3,):
            found = f"{image.dtype} {image.shape}"
            raise ValueError(f"{record.image} in memory must be uint8 (H, W, 3), not {found}.")
        return image

    def mask(self, record: FrameRecord) -> np.ndarray:
        mask, size = self.masks[record.truth], self.image(record).shape[:2]
        if mask.dtype != bool or mask.shape != size:
            found = f"{mask.dtype} {mask.shape}"
            raise ValueError(f"Mask {record.truth} in memory must be bool {size}, not {found}.")
        return mask

    def counted(self, record: FrameRecord) -> None:
        return None


Frames = StoredFrames | HeldFrames


class FrameDataset:
    """Frames with masks, grouped by video; a map-style data set for torch's `DataLoader`.

        >>> from vsodlib import FrameDataset, open_dataset
        >>> dataset = open_dataset("synthetic", "val")
        >>> dataset, isinstance(dataset, FrameDataset)
        (FrameDataset('synthetic', 8 videos, 96 frames), True)
        >>> dataset.image(0).shape, dataset.mask(0).dtype
        ((192, 336, 3), dtype('bool'))

    Args:
        records: one per frame; frames of a video in temporal order.
        sources: where the pixels come from, one for all records or one per record.
        transform: applied to every item of `dataset[i]`, never to `image(i)` and `mask(i)`.

    Attributes:
        videos: video name -> indices of its frames, in temporal order.

    Raises:
        ValueError: no records, or another number of sources.
    """

    def __init__(
        self,
        name: str,
        records: Sequence[FrameRecord],
        sources: Frames | Sequence[Frames],
        transform: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        if not records:
            raise ValueError(f"{name} holds no frames.")
        self.name = name
        self.records = list(records)
        self.sources = list(sources) if isinstance(sources, Sequence) else [sources] * len(records)
        if len(self.sources) != len(self.records):
            raise ValueError(f"{name}: {len(self.sources)} sources for {len(records)} records.")
        self.transform = transform
        self.videos: dict[str, list[int]] = {}
        for index, record in enumerate(self.records):
            self.videos.setdefault(record.video, []).append(index)

    @classmethod
    def from_folders(
        cls,
        frames: str | os.PathLike[str],
        masks: str | os.PathLike[str],
        foreground: int | None = None,
        void: int | None = None,
    ) -> Self:
        """Frames of one folder with the masks of another: a folder per video in both, or pictures
        side by side, which count as still images.

        Args:
            frames, masks: the folders; frame and mask pair by name, else by the number in it.
            foreground: mask levels above this are object; None: recognised (`mask_levels`).
            void: mask level of pixels that do not count (`counted`); `mask` has them as background.

        Raises:
            FileNotFoundError: a folder that is not there.
            ValueError: nothing pairs, numbers that are shifted against each other, or masks whose
                levels contradict each other.
        """
        from vsodlib.data.folders import folder_records

        storage, records = folder_records(Path(frames), Path(masks))
        name = Path(frames).absolute().name
        levels = TruthLevels(name, foreground, void)
        found = [record.mask for record in records if record.mask]
        return cls(name, records, StoredFrames(storage, found, levels))

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        return f"FrameDataset({self.name!r}, {len(self.videos)} videos, {len(self)} frames)"

    @property
    def storage(self) -> Storage | None:
        """The folder or zip the first frame comes from; None when it is held in memory."""
        return getattr(self.sources[0], "storage", None)

    @property
    def levels(self) -> str | None:
        """How the masks of the first frame's set are read, in words; None: held in memory."""
        source = self.sources[0]
        return source.levels.meaning if isinstance(source, StoredFrames) else None

    def image(self, index: int) -> np.ndarray:
        """One frame, np.uint8 (H, W, 3), RGB.

        Raises:
            FileNotFoundError, ValueError: the file is missing or damaged; names it.
        """
        return self.sources[index].image(self.records[index])

    def mask(self, index: int) -> np.ndarray:
        """Its salient object, np.bool_ (H, W).

        Raises:
            FileNotFoundError: the mask's file is missing.
            ValueError: the frame is not annotated, the file is damaged or of another size.
        """
        record = self.records[index]
        if record.mask is None:
            raise ValueError(f"{self.name}: frame {record.frame} of {record.video} has no mask.")
        return self.sources[index].mask(record)

    def counted(self, index: int) -> np.ndarray | None:
        """The pixels whose truth is known, np.bool_ (H, W); None: all (no void was declared).

        Raises:
            FileNotFoundError, ValueError: as `mask`.
        """
        return self.sources[index].counted(self.records[index])

    def images(self, indices: Sequence[int]) -> np.ndarray:
        """Frames of one video, np.uint8 (T, H, W, 3), RGB.

        Raises:
            FileNotFoundError, ValueError: as `image`, or frames that differ in size; names one.
        """
        frames = [self.image(index) for index in indices]
        for index, frame in zip(indices, frames, strict=True):
            if frame.shape != frames[0].shape:
                record, (H, W, _), (h, w, _) = self.records[index], frames[0].shape, frame.shape
                raise ValueError(
                    f"{self.name}: frame {record.frame} of {record.video} is {w}x{h}, others of "
                    f"this video are {W}x{H}; all frames of a video must have one size. (Still "
                    "images? Name the folder right above theirs.)"
                )
        return np.stack(frames)

    def check_sizes(self) -> None:
        """Refuse a video whose frames differ in size, by the ValueError of `images`."""
        for indices in self.videos.values():
            self.images(indices)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One sample, transformed: `image` uint8 (3, H, W), `mask` uint8 {0, 1} (1, H, W), `video`,
        `frame`, `index`; frames without annotation have no `mask`.
        """
        import torch  # here: what lists or scores data needs none of it
        from torchvision import tv_tensors

        record = self.records[index]
        image = torch.from_numpy(self.image(index)).permute(2, 0, 1)
        item: dict[str, Any] = {"image": tv_tensors.Image(image)}
        if record.mask is not None:
            mask = torch.from_numpy(self.mask(index).view(np.uint8))
            item["mask"] = tv_tensors.Mask(mask[None])
        item |= {"video": record.video, "frame": record.frame, "index": index}
        return self.transform(item) if self.transform else item

    def subset(self, videos: Iterable[str]) -> Self:
        """The frames of these videos, which must be here, in the order of this data set."""
        wanted = set(videos)
        if unknown := sorted(wanted - self.videos.keys()):
            raise ValueError(f"{self.name} has no video {', '.join(unknown)}.")
        return self._pick([i for i, record in enumerate(self.records) if record.video in wanted])

    def spread_out(self, count: int) -> list[str]:
        """`count` videos, fewer than there are, evenly spaced by name: the same ones every time."""
        names = sorted(self.videos)
        if count >= len(names):
            raise ValueError(f"Holding {count} out leaves nothing of {len(names)} in {self.name}.")
        return [names[(2 * k + 1) * len(names) // (2 * count)] for k in range(count)]

    def labelled(self) -> Self:
        """Only the frames that have a mask; a ValueError where there are none."""
        kept = [i for i, record in enumerate(self.records) if record.mask is not None]
        if not kept:
            raise ValueError(f"{self.name} has {len(self)} frames, but not one of them has a mask.")
        return self._pick(kept)

    def in_memory(self, height: int | None = None) -> Self:
        """A copy whose frames and masks are decoded once and kept as arrays.

        Args:
            height: rows to resize to, keeping the aspect (area averages; masks are cut at one
                half), of frames that have more; None keeps the size.

        Raises:
            ValueError: fewer than 16 rows, or a damaged file; names it.
        """
        if height is not None and height < 16:
            raise ValueError(f"height must be at least 16 rows, got {height!r}.")

        def decode(index: int) -> tuple[np.ndarray, np.ndarray | None]:
            image = self.image(index)
            target = None if height is None else min(height, len(image))
            bare = self.records[index].mask is None
            mask = None if bare else resize_rows(self.mask(index), target)
            return resize_rows(image, target), mask

        with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoders release the interpreter's lock
            decoded = pool.map(decode, range(len(self)))
            pairs = list(watched(decoded, f"Reading {self.name}", len(self)))
        images = {str(k): image for k, (image, _) in enumerate(pairs)}
        masks = {str(k): mask for k, (_, mask) in enumerate(pairs) if mask is not None}
        rows = enumerate(self.records)
        records = [replace(row, image=str(k), mask=row.mask and str(k)) for k, row in rows]
        return type(self)(self.name, records, HeldFrames(images, masks), self.transform)

    def _pick(self, indices: list[int]) -> Self:
        records = [self.records[i] for i in indices]
        return type(self)(self.name, records, [self.sources[i] for i in indices], self.transform)


def watched(
    items: Iterable[Item], what: str, total: int | None = None, unit: str = "frame"
) -> Iterable[Item]:
    """The same behind a progress bar, which goes when all is done; the profile `smoke` has none."""
    return tqdm(items, what, total, leave=False, unit=unit, disable=profile() == "smoke")


def concat(datasets: Sequence[FrameDataset]) -> FrameDataset:
    """One data set or more as one; a video whose name is taken gets "#2", "#3", ... behind it."""
    if not datasets:
        raise ValueError("concat needs at least one data set.")
    records, sources, taken = [], [], set()
    for dataset in datasets:
        names = {}
        for video in dataset.videos:
            name, number = video, 2
            while name in taken:
                name, number = f"{video}#{number}", number + 1
            names[video] = name
            taken.add(name)
        records += [
            replace(record, video=names[record.video], dataset=record.dataset or dataset.name)
            for record in dataset.records
        ]
        sources += dataset.sources
    name = "+".join(dataset.name for dataset in datasets)
    return FrameDataset(name, records, sources, datasets[0].transform)
