"""Saliency maps of frames with a trained network."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from vsodlib.data.video_files import Video, VideoWriter, read_video
from vsodlib.files import write_file
from vsodlib.model.inter_frame import spread_out
from vsodlib.model.vsodnet import VSODNet


def video_references(net: VSODNet, source: str | Path) -> np.ndarray | None:
    """The same of a video file or folder of frames, which is read once for it.

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


def overlay(
    frame: np.ndarray,
    saliency: np.ndarray,
    colour: tuple[int, int, int] = (213, 94, 0),
    alpha: float = 0.6,
) -> np.ndarray:
    """Tint a frame where it is salient: (1 - alpha s) frame + alpha s colour, per pixel.

    Args:
        frame: np.uint8 (H, W, 3), RGB.
        saliency: s, float (H, W) in [0, 1].
        colour: RGB, 0 to 255; vermilion, told apart by colour-blind readers too.
        alpha: strength of the tint where s = 1, in [0, 1].

    Returns:
        np.uint8 (H, W, 3), RGB.

    Raises:
        ValueError: the map is not of the frame's size.
    """
    if saliency.shape != frame.shape[:2]:
        raise ValueError(f"A map of shape {saliency.shape} does not fit a frame {frame.shape}.")
    weight = np.float32(alpha) * saliency.astype(np.float32)
    return cv2.blendLinear(frame, np.full_like(frame, colour), 1 - weight, weight)


def predict_video(
    source: str | int | Path,
    out_dir: str | Path,
    predictor: Callable[[np.ndarray], np.ndarray],
    batch_size: int = 8,
    progress: bool = True,
    resume: bool = True,
    overlay: bool = True,
    predictor_name: str = "",
) -> dict[str, int | float]:
    """Write `maps/*.png` (8 bits, named 00000, 00001, ... or as the images of a folder),
    `overlay.mp4` and `run.json` (what the maps were made from) to `out_dir`.

    Frames stream through in batches. Every file appears complete or not at all, so an interrupted
    run is continued by calling again; Ctrl-C is also how a webcam recording ends.

    Args:
        source: as in `read_video`.
        out_dir: created if need be; may hold an earlier run only if that was of the same frames.
        predictor: np.uint8 (B, H, W, 3) RGB -> float (B, H, W) in [0, 1].
        batch_size: the largest B; the last batch, or one that is resumed, may be smaller.
        progress: show a progress bar.
        resume: keep maps that an earlier run wrote.
        overlay: write the overlay video.
        predictor_name: e.g. the checkpoint; kept in `run.json` so that maps of two networks never
            mix.

    Returns:
        `frames` in all, `kept` from an earlier run, `seconds` of this call and `fps`, the newly
        predicted frames per second including reading and writing.

    Raises:
        FileNotFoundError, ValueError: as `read_video`; an unreadable frame, naming it; `out_dir` is
            a file or holds other maps; the predictor returns something else than promised.
        OSError: the disk is full; what is written stays and is kept by the next call.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
    out_dir = Path(out_dir)
    if out_dir.exists() and not out_dir.is_dir():
        raise ValueError(f"{out_dir} is a file; the output needs a folder.")
    film = out_dir / "overlay.mp4"
    if film.exists() and not isinstance(source, int) and Path(source).resolve() == film.resolve():
        raise ValueError(f"{film} would be overwritten by its own overlay; choose another folder.")
    video = read_video(source)
    maps = out_dir / "maps"
    _claim(out_dir, maps, video, predictor_name)

    count = kept = 0
    started = time.perf_counter()
    writer = VideoWriter(film, video.fps) if overlay else nullcontext()
    bar = tqdm(desc="predict", total=video.length, unit="frame", leave=False, disable=not progress)
    with bar, writer as write, _ends_with_ctrl_c(video):
        while frames := list(islice(video, batch_size)):
            paths = [maps / _map_name(video, count + k) for k in range(len(frames))]
            shape = frames[0].shape[:2]
            values = [_read_map(path, shape) if resume else None for path in paths]
            todo = [k for k, value in enumerate(values) if value is None]
            if todo:
                batch = np.stack([frames[k] for k in todo])
                for k, saliency in zip(todo, _checked(predictor(batch), batch), strict=True):
                    values[k] = np.rint(saliency * 255).astype(np.uint8)
                    write_file(paths[k], cv2.imencode(".png", values[k])[1].tobytes())
            if write:
                for frame, value in zip(frames, values, strict=True):
                    write(_tinted(frame, value))
            count += len(frames)
            kept += len(frames) - len(todo)
            bar.update(len(frames))
    seconds = time.perf_counter() - started
    return {
        "frames": count,
        "kept": kept,
        "seconds": round(seconds, 3),
        "fps": round((count - kept) / seconds, 3),
    }


def _tinted(frame: np.ndarray, value: np.ndarray) -> np.ndarray:
    return overlay(frame, value / np.float32(255))


def _claim(out_dir: Path, maps: Path, video: Video, predictor_name: str) -> None:
    """Note in `run.json` what the maps are made from; refuse a folder that holds other maps."""
    run = {
        "source": Path(video.source).name,
        "frames": video.length,
        "height": video.height,
        "width": video.width,
        "first_frame": video.digest,
        "predictor": predictor_name,
    }
    if video.names and len({Path(name).stem for name in video.names}) < len(video.names):
        raise ValueError(
            f"{video.source} holds images that differ only in their suffix, so their maps would "
            "have one name; give a folder of frames alone."
        )
    note = out_dir / "run.json"
    if next(maps.glob("*.png"), None):
        try:
            before = json.loads(note.read_text())
        except (FileNotFoundError, ValueError):
            before = {}
        if video.live or before != run:
            told = ", ".join(
                f"{key} {value}" for key, value in before.items() if run.get(key) != value
            )
            raise ValueError(
                f"{maps} already holds maps of another run ({told or 'unknown'}); choose another "
                "folder or delete it."
            )
    maps.mkdir(parents=True, exist_ok=True)
    write_file(note, (json.dumps(run, indent=2) + "\n").encode())


def _map_name(video: Video, index: int) -> str:
    return f"{Path(video.names[index]).stem if video.names else f'{index:05d}'}.png"


def _read_map(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """A map that an earlier run wrote, or None where there is none of this shape."""
    try:
        with Image.open(path) as picture:
            value = np.array(picture)
    except (OSError, SyntaxError):  # a power cut may leave an empty file behind
        return None
    return value if value.shape == shape and value.dtype == np.uint8 else None


def _checked(saliency: np.ndarray, batch: np.ndarray) -> np.ndarray:
    """What the predictor returned, if it is what it promised."""
    if saliency.shape != batch.shape[:3]:
        raise ValueError(
            f"The predictor must return {batch.shape[:3]} for frames {batch.shape}, "
            f"got {saliency.shape}."
        )
    low, high = saliency.min(), saliency.max()
    if not (low >= 0 and high <= 1):  # also False for nan
        raise ValueError(f"The predictor must return values in [0, 1], got {low} to {high}.")
    return saliency


@contextmanager
def _ends_with_ctrl_c(video: Video) -> Iterator[None]:
    """A webcam has no last frame: there Ctrl-C is the regular end, elsewhere an interruption."""
    try:
        yield
    except KeyboardInterrupt:
        if not video.live:
            raise
