"""Any video or photographs in; maps, overlays, cut-outs and new backgrounds out."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from zlib import crc32

import cv2
import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from vsodlib.config import check_counts
from vsodlib.data.image_files import UNREADABLE
from vsodlib.data.sources import Source, find_sources
from vsodlib.data.video_files import FORMATS, Frame, Video, VideoWriter, images_in, read_video
from vsodlib.files import read_json, sole_process, unlinked, write_file
from vsodlib.inference.cutout import Background, cutout, fitting_map
from vsodlib.inference.motion import Motion
from vsodlib.inference.overlap import ahead, behind
from vsodlib.inference.predict import predict_maps
from vsodlib.inference.sheet import ContactSheet
from vsodlib.model.inter_frame import spread_out
from vsodlib.model.vsodnet import VSODNet
from vsodlib.notes import one_line

BATCH_PIXELS = 16_000_000
"""Pixels of the frames that are predicted together, at most, so that large ones fit in memory."""
LONGEST = 4
"""Up to this ratio of its sides a frame has the rows that are asked for; a longer strip has fewer,
so that the network never sees more pixels than of a frame of this ratio."""


@dataclass(frozen=True)
class Outputs:
    """What is written beside the maps: films for a video, one picture each for photographs.

    Raises:
        ValueError: a kind of cut-out that is not listed; as `Background`.
    """

    overlay: bool = True
    """The frame, tinted where it is salient."""
    cutout: str | None = None
    """The object on a transparent background: `webm`, `mov` (ProRes 4444), or `png` pictures."""
    background: str | None = None
    """The object before another background: see `Background`."""
    sheet: bool = False
    """Twelve moments on one page, `sheet.png`."""

    def __post_init__(self) -> None:
        if self.cutout not in (None, "webm", "mov", "png"):
            raise ValueError(f"A cut-out is webm, mov or png, not {self.cutout!r}.")
        if self.background:
            Background(self.background)


def overlay(
    frame: np.ndarray,
    saliency: np.ndarray,
    colour: tuple[int, int, int] = (127, 63, 255),
    alpha: float = 0.6,
) -> np.ndarray:
    """Tint a frame where it is salient: (1 - alpha s) frame + alpha s colour, per pixel.

    Args:
        frame: np.uint8 (H, W, 3), RGB.
        saliency: s, float (H, W) in [0, 1], or uint8, v / 255.
        colour: RGB, 0 to 255; violet, which few scenes hold and no other picture here uses.
        alpha: strength of the tint where s = 1, in [0, 1].

    Returns:
        np.uint8 (H, W, 3), RGB.

    Raises:
        ValueError: as `fitting_map`.
    """
    weight = np.float32(alpha) * fitting_map(frame, saliency).astype(np.float32)
    return cv2.blendLinear(frame, np.full_like(frame, colour), 1 - weight, weight)


def video_references(net: VSODNet, source: str | Path) -> np.ndarray | None:
    """`reference_frames` of a video file or folder of frames, which is read once for it.

    Raises:
        ValueError: a webcam or file of unknown length, a single frame, or as `read_video`.
    """
    if not net.config.inter_frame_attention:
        return None
    video = read_video(source)
    if video.length is None:
        raise ValueError(
            f"This network compares frames over the whole video, but the length of {source} is "
            "not known; give a folder of frames."
        )
    wanted = spread_out(video.length)
    return np.stack([frame for k, frame in enumerate(video) if k in wanted])


def predict_sources(
    net: VSODNet,
    places: Sequence[str | int | Path],
    out: str | Path | None = None,
    outputs: Outputs = Outputs(),
    height: int | None = None,
    flip: bool = False,
    batch_size: int = 8,
    bf16: bool = False,
    progress: bool = True,
    network_name: str = "",
    refine: bool = False,
    motion: bool = False,
) -> Iterator[dict[str, Any]]:
    """Write maps of every video and photograph that the paths stand for (see `find_sources`).

    Args:
        net: in evaluation mode.
        out: the folder to write to; with several sources, one folder in it for each. None: beside
            each source, `NAME-saliency`.
        height, flip, batch_size, refine: as in `predict_maps`; a strip gets fewer rows: `LONGEST`.
        bf16: compute in bfloat16: faster on processors that have it, maps change a little.
        network_name: kept in `run.json` so that maps of two never mix; "": a sum of its weights.
        motion: weigh the maps of each video by what moves, see `Motion`.

    Yields:
        As each source is done, what `predict_video` returns with `source` and `out`; where it fails
        and others follow, `source` and `error`, a sentence.

    Raises:
        FileNotFoundError, ValueError: as `find_sources`; a single source that cannot be read; two
            that would be written to one folder.
        OSError: the disk is full.
    """
    sources = find_sources(places)
    folders = [source.out if out is None else Path(out) / source.name for source in sources]
    if out is not None and len(sources) == 1:
        folders = [Path(out)]
    if twice := next((folder for folder in folders if folders.count(folder) > 1), None):
        both = [source.place for source, f in zip(sources, folders, strict=True) if f == twice]
        raise ValueError(
            f"The maps of {' and '.join(both)} would go to one folder {twice}; give one at a time."
        )
    if not network_name:
        sums = 0
        for weights in net.state_dict().values():
            sums = crc32(weights.double().cpu().numpy().tobytes(), sums)
        network_name = f"weights {sums:08x}"
    name = f"{network_name}, height {height or net.input_height}, flip {flip}"
    name += ", bf16" * bf16 + ", refined" * refine
    device = next(net.parameters()).device.type
    for source, folder in zip(sources, folders, strict=True):
        try:
            references = None if source.photographs else video_references(net, source.place)

            def predictor(frames: np.ndarray, others: np.ndarray | None = references) -> np.ndarray:
                rows = rows_that_fit(height or net.input_height, *frames.shape[1:3])
                with torch.autocast(device, torch.bfloat16, enabled=bf16):
                    return predict_maps(net, frames, rows, flip, batch_size, others, refine=refine)

            weigh = Motion() if motion and not source.photographs else None
            label = name + ", motion" * (weigh is not None)
            summary = predict_video(
                source, folder, predictor, batch_size, progress, True, outputs, label, weigh
            )
        except (ValueError, FileNotFoundError) as error:
            if len(sources) == 1:
                raise
            yield {"source": source.place, "error": str(error)}
        else:
            yield {"source": source.place, "out": str(folder)} | summary


def rows_that_fit(rows: int | None, height: int, width: int) -> int:
    """The rows at which the network sees a frame: those asked for, else its own `height`; fewer of
    a long strip (see `LONGEST`).
    """
    rows = rows or height
    return min(rows, max(16, round(rows * (LONGEST * height / width) ** 0.5)))


def predict_video(
    source: str | int | Path | Source,
    out_dir: str | Path,
    predictor: Callable[[np.ndarray], np.ndarray],
    batch_size: int = 8,
    progress: bool = True,
    resume: bool = True,
    outputs: Outputs = Outputs(),
    predictor_name: str = "",
    motion: Motion | None = None,
) -> dict[str, Any]:
    """Write `maps/*.png` (8 bits, named 00000, 00001, ... or as the images of a folder), films or
    pictures as `outputs` says, and `run.json` (what the maps were made from) to `out_dir`.

    Frames stream through in batches, read and written by threads of their own. Every file appears
    complete or not at all, so an interrupted run is continued by calling again. Ctrl-C is how a
    camera's recording ends; elsewhere too the films then hold what is done, and play.

    Args:
        source: as in `read_video`, or from `find_sources`.
        out_dir: created if need be; may hold an earlier run only if that was of the same frames.
        predictor: np.uint8 (B, H, W, 3) RGB -> float (B, H, W) in [0, 1].
        batch_size: the largest B; less of large frames, at the end, or where a run is resumed.
        resume: keep maps that an earlier run wrote, if they bear the time of their source; with
            `motion` up to the first that is missing.
        predictor_name: e.g. the checkpoint; kept in `run.json` so that maps of two never mix.
        motion: what weighs the maps after the predictor, new for each video.

    Returns:
        `frames` in all, `kept` from an earlier run, `seconds` of this call and `fps`, the newly
        predicted frames per second including reading and writing; `damage`, sentences about what
        could not be read, or "".

    Raises:
        FileNotFoundError, ValueError: as `read_video`; an unreadable frame, naming it; `out_dir` is
            a file, is the source, holds other maps or is written by another process; the predictor
            breaks its promise.
        OSError: the disk is full; what is written stays and is kept by the next call.
    """
    check_counts(batch_size=batch_size)
    out_dir = Path(out_dir)
    photographs = source.photographs if isinstance(source, Source) else ()
    video = source.open() if isinstance(source, Source) else read_video(source)
    place = Path(video.source).resolve()
    _check_apart(place, out_dir.resolve())
    maps = out_dir / "maps"
    taken = _times(place, photographs)

    count = kept = 0
    started, label = time.perf_counter(), one_line(Path(video.source).name)
    options: dict[str, Any] = {"unit": "frame", "leave": False, "disable": not progress}
    # A camera has no last frame: there Ctrl-C is the regular end, elsewhere an interruption.
    ending = suppress(*([KeyboardInterrupt] if video.live else []))
    with (
        _claimed(out_dir, maps, video, predictor_name),
        tqdm(desc=label, total=video.length, **options) as bar,
        _products(out_dir, video, outputs) as write,
        behind() as later,
        ending,
    ):
        for frames in ahead(_batches(video, batch_size)):
            names = [Path(f.name).stem or f"{count + k:05d}" for k, f in enumerate(frames)]
            shape = frames[0].pixels.shape[:2]
            values = []
            for name in names:
                path = maps / f"{name}.png"
                values.append(_read_map(path, shape, taken(name)) if resume else None)
                resume &= not (motion and values[-1] is None)  # later maps hold something of it
            todo = [frame.pixels for frame, v in zip(frames, values, strict=True) if v is None]
            found = iter(_predicted(predictor, np.stack(todo)) if todo else ())
            for frame, name, value in zip(frames, names, values, strict=True):
                if value is None:
                    saliency = motion(frame.pixels, next(found)) if motion else next(found)
                    value = np.rint(saliency * 255).astype(np.uint8)
                    later(_write_picture, maps / f"{name}.png", value, taken(name))
                elif motion:
                    motion.skip(frame.pixels, value)
                later(write, frame, name, value)
            count += len(frames)
            kept += len(frames) - len(todo)
            bar.update(len(frames))
    seconds = time.perf_counter() - started
    return {
        "frames": count,
        "kept": kept,
        "seconds": round(seconds, 3),
        "fps": round((count - kept) / seconds, 3),
        "damage": " ".join(video.damage),
    }


def _check_apart(place: Path, out: Path) -> None:
    """Refuse to write over a source, or into a file."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; the output needs a folder.")
    if place.is_relative_to(out):
        product = Path(*place.relative_to(out).parts[:1]).stem
        if product in ("", "overlay", "cutout", "background", "sheet"):
            product = product or "maps"
            raise ValueError(f"{place} would be overwritten by its own {product}; choose a folder.")


def _times(place: Path, photographs: Sequence[Path]) -> Callable[[str], float | None]:
    """When the file of each frame was changed last, by the frame's name; None of a camera."""
    pictures = photographs or (images_in(place) if place.is_dir() else ())
    times = {path.stem: path.stat().st_mtime for path in pictures if path.exists()}
    film = place.stat().st_mtime if place.is_file() else None
    return lambda name: times.get(name, film)


def _batches(video: Video, size: int) -> Iterator[list[Frame]]:
    """Frames that follow each other, all of one shape."""
    for (H, W, _), frames in groupby(video.timed(), lambda frame: frame.pixels.shape):
        while batch := list(islice(frames, max(1, min(size, BATCH_PIXELS // (H * W))))):
            yield batch


@contextmanager
def _products(
    out_dir: Path, video: Video, outputs: Outputs
) -> Iterator[Callable[[Frame, str, np.ndarray], None]]:
    """A function that takes a frame, its name and its 8-bit map into everything that is wanted."""
    wanted: dict[str, tuple[Callable[..., np.ndarray], str]] = {}  # name -> maker, suffix
    opaque = ".jpg" if video.mixed else ".webm"
    if outputs.overlay:
        wanted["overlay"] = overlay, opaque
    if outputs.cutout:
        wanted["cutout"] = cutout, ".png" if video.mixed else f".{outputs.cutout}"
    if outputs.background:
        wanted["background"] = Background(outputs.background), opaque
    films: dict[str, VideoWriter] = {}
    sheet = ContactSheet() if outputs.sheet else None

    def write(frame: Frame, name: str, value: np.ndarray) -> None:
        saliency = value / np.float32(255)
        for product, (make, suffix) in wanted.items():
            picture = make(frame.pixels, saliency)
            if product in films:
                films[product](picture, frame.time, frame.duration)
            else:
                _write_picture(out_dir / product / f"{name}{suffix}", picture)
        if sheet:
            sheet.add(frame.pixels, overlay(frame.pixels, saliency))

    with ExitStack() as stack:
        for product, (_, suffix) in wanted.items():
            if suffix in FORMATS:
                path = out_dir / f"{product}{suffix}"
                film = VideoWriter(path, video.fps, video.sound, video.start)
                films[product] = stack.enter_context(film)
            else:
                unlinked(out_dir, f"{product}/0").parent.mkdir(parents=True, exist_ok=True)
        try:
            yield write
        finally:
            if sheet and sheet.count:
                _write_picture(out_dir / "sheet.png", sheet.page())


def _write_picture(path: Path, picture: np.ndarray, taken: float | None = None) -> None:
    """Write grey, RGB or RGBA uint8, with the time at which its source was `taken`."""
    if picture.ndim == 3:
        swap = cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
        picture = cv2.cvtColor(picture, swap)
    write_file(path, cv2.imencode(path.suffix, picture)[1].tobytes())
    if taken is not None:
        with suppress(OSError):  # of a disk that does not allow it: predicted again next time
            os.utime(path, (taken, taken))


@contextmanager
def _claimed(out_dir: Path, maps: Path, video: Video, predictor_name: str) -> Iterator[None]:
    """Keep other processes out of a folder, and note in `run.json` what its maps are made from;
    refuse one that holds other maps.
    """
    unlinked(out_dir, "maps/0").parent.mkdir(parents=True, exist_ok=True)
    run: dict[str, Any] = {"source": Path(video.source).name, "predictor": predictor_name}
    if not video.mixed:  # photographs come and go
        run |= {"frames": video.length, "height": video.height, "width": video.width}
        run["first_frame"] = video.digest
    note = out_dir / "run.json"
    with sole_process(out_dir):
        if next(maps.glob("*.png"), None):
            try:
                before = read_json(note)
            except (FileNotFoundError, ValueError):
                before = {}
            if video.live or before != run:
                told = ", ".join(f"{key} {v}" for key, v in before.items() if run.get(key) != v)
                raise ValueError(
                    f"{maps} already holds maps of another run ({told or 'unknown'}); choose "
                    "another folder or delete it."
                )
        write_file(note, (json.dumps(run, indent=2) + "\n").encode())
        yield


def _read_map(path: Path, shape: tuple[int, int], taken: float | None) -> np.ndarray | None:
    """A map that an earlier run wrote, or None where there is none of this shape, and of a source
    `taken` then: another camera's photograph may have its name, and be older than the map.
    """
    try:
        other = taken is not None and abs(path.stat().st_mtime - taken) > 2  # as FAT rounds
        if other or not path.is_file():
            return None
        with Image.open(path, formats=("PNG",)) as picture:
            value = np.array(picture)
    except UNREADABLE:  # a power cut may leave an empty file behind
        return None
    return value if value.shape == shape and value.dtype == np.uint8 else None


def _predicted(predictor: Callable[[np.ndarray], np.ndarray], batch: np.ndarray) -> np.ndarray:
    """What the predictor returns, if it is what it promised."""
    saliency = predictor(batch)
    if saliency.shape != batch.shape[:3]:
        raise ValueError(
            f"The predictor must return {batch.shape[:3]} for frames {batch.shape}, "
            f"got {saliency.shape}."
        )
    low, high = saliency.min(), saliency.max()
    if not (low >= 0 and high <= 1):  # also False for nan
        raise ValueError(f"The predictor must return values in [0, 1], got {low} to {high}.")
    return saliency
