"""Frames out of video files, image folders and webcams, and into video files.

Videos are written as MPEG-4 Part 2 (`mp4v`), the one MP4 codec that the wheels of
opencv-python-headless can encode (they hold no H.264 encoder): VLC, mpv and OpenCV play it,
browsers do not. `ffmpeg -i overlay.mp4 -c:v libx264 web.mp4` makes a copy for a web page.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from PIL import Image

from vsodlib.data.image_files import SUFFIXES

FOLDER_FPS = 24.0
"""Frames per second of a folder of images (as DAVIS), and of a video that does not tell."""


class Video:
    """An iterator over the frames of a video, each np.uint8 (H, W, 3), RGB; made by `read_video`.

    Attributes:
        source: what `read_video` was given, for messages.
        fps: frames per second.
        length: number of frames, None where it is unknown before the end (webcam, some files).
        names: file names of the frames of a folder, in order; None for other sources.
        live: whether it is a webcam, which never ends by itself.
        height, width: of every frame.
        digest: of the first frame's pixels, to tell apart videos of one name and size.

    Raises:
        ValueError: there are no frames; later, while iterating: a frame cannot be read, or is of
            another size than the first.
    """

    def __init__(
        self,
        source: str,
        frames: Iterator[np.ndarray],
        fps: float,
        length: int | None = None,
        names: list[str] | None = None,
        live: bool = False,
    ) -> None:
        first = next(frames, None)
        if first is None:
            raise ValueError(f"{source} has no frames that OpenCV can decode.")
        self.source = source
        self.fps = round(fps, 2) if 0 < fps < 1000 else FOLDER_FPS  # 0 or nan: the file is silent
        self.length = length
        self.names = names
        self.live = live
        self.height, self.width, _ = first.shape
        self.digest = hashlib.sha256(first.tobytes()).hexdigest()[:12]
        self._frames = chain([first], frames)
        self._index = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> np.ndarray:
        frame = next(self._frames, None)
        if frame is None:
            # Headers may be off by a few frames; one that is far off tells of a damaged file.
            if self.length and self._index < 0.95 * self.length:
                warnings.warn(
                    f"{self.source} announces {self.length} frames, but only {self._index} can be "
                    "decoded; it may be damaged.",
                    stacklevel=2,
                )
            raise StopIteration
        if frame.shape[:2] != (self.height, self.width):
            H, W, _ = frame.shape
            name = self.names[self._index] if self.names else f"frame {self._index}"
            raise ValueError(
                f"{name} of {self.source} is {W}x{H}, the frames before are "
                f"{self.width}x{self.height}; all frames of a video must have one size."
            )
        self._index += 1
        return frame


def read_video(source: str | int | Path) -> Video:
    """The frames of a video file, of a folder of images in natural order, or of a webcam.

    Nothing but the current frame is held in memory.

    Args:
        source: a path, or the number of a webcam (`0`, `"0"`).

    Returns:
        An iterator of np.uint8 (H, W, 3) RGB frames with `fps`, `length`, `height`, `width`.

    Raises:
        FileNotFoundError: no such file or folder.
        ValueError: a folder without images, a file without frames, no such webcam.
    """
    path = Path(str(source))
    if path.is_dir():
        files = sorted(
            (
                file
                for file in path.iterdir()
                if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
            ),
            key=lambda file: _natural(file.name),
        )
        if not files:
            raise ValueError(f"{path} holds no images ({', '.join(SUFFIXES)}).")
        names = [file.name for file in files]
        return Video(str(path), map(_read_image, files), FOLDER_FPS, len(files), names)
    live = str(source).isdigit() and not path.exists()
    if not live and not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    with _quiet():
        if live:
            capture = cv2.VideoCapture(int(source))
        else:  # absolute: FFmpeg takes what stands before a colon, as in 12:30.mp4, for a protocol
            capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        what = f"Webcam {source} cannot be opened" if live else f"{path} is not a readable video"
        raise ValueError(f"{what}; see `vsod predict --help` for what can be read.")
    announced = 0 if live else int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return Video(
        f"webcam {source}" if live else str(path),
        _captured(capture),
        capture.get(cv2.CAP_PROP_FPS),
        announced if announced > 0 else None,
        live=live,
    )


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write RGB frames as an MPEG-4 video, aside first and renamed when complete.

    Args:
        path: should end in `.mp4`.
        frames: np.uint8 (H, W, 3), all of one size; an odd last row or column is left out.
        fps: frames per second.

    Raises:
        FileNotFoundError: the folder of `path` does not exist.
        ValueError: no frames, frames of mixed size or type, a suffix OpenCV cannot write.
        OSError: the file could not be written to its end, as on a full disk.
    """
    with VideoWriter(Path(path), fps) as write:
        for frame in frames:
            write(frame)


class VideoWriter:
    """Writes frames to a video file aside, which `with` renames when its block ends well.

        with VideoWriter(Path("clip.mp4"), fps=24) as write:
            write(frame)

    Args, raises: as `write_video`.
    """

    def __init__(self, path: Path, fps: float) -> None:
        if not path.parent.is_dir():
            raise FileNotFoundError(f"The folder {path.parent} does not exist.")
        self.path = path
        self.fps = round(fps, 2)  # MPEG-4 knows no frame rate finer than 1/65535 s
        self.count = 0
        self.shape: tuple[int, ...] = ()
        self._aside = path.absolute().with_name(f".{path.stem}.part{path.suffix}")
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, frame: np.ndarray) -> None:
        """Append one frame, np.uint8 (H, W, 3), RGB."""
        if self._writer is None:
            self._open(frame)
        # OpenCV would leave out a frame of another size without a word.
        if frame.shape != self.shape or frame.dtype != np.uint8:
            raise ValueError(
                f"Frame {self.count} for {self.path} is {frame.dtype} {frame.shape}; "
                f"it must be uint8 {self.shape}, as the first."
            )
        with _quiet():
            self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self.count += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            with _quiet():
                self._writer.release()
        try:
            if kind is None:
                self._finish()
        finally:
            self._aside.unlink(missing_ok=True)

    def _open(self, frame: np.ndarray) -> None:
        if frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"A frame for {self.path} must be (H, W, 3), got {frame.shape}.")
        H, W, _ = self.shape = frame.shape
        with _quiet():
            self._writer = cv2.VideoWriter(
                str(self._aside), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"mp4v"), self.fps, (W, H)
            )
        if not self._writer.isOpened():
            raise ValueError(
                f"{self.path} cannot be opened for writing at {W}x{H} and {self.fps} frames per "
                "second; use a name ending in .mp4."
            )

    def _finish(self) -> None:
        if self._writer is None:
            raise ValueError(f"There are no frames to write to {self.path}.")
        # OpenCV does not report a failed write, but such a file lacks its index of frames.
        with _quiet():
            capture = cv2.VideoCapture(str(self._aside), cv2.CAP_FFMPEG)
        written = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        if written != self.count:
            free = shutil.disk_usage(self.path.parent).free / 1e6
            raise OSError(
                f"{self.path} could not be written to its end ({free:.1f} MB are free there)."
            )
        os.replace(self._aside, self.path)


def _captured(capture: cv2.VideoCapture) -> Iterator[np.ndarray]:
    try:
        while True:
            with _quiet():
                good, frame = capture.read()
            if not good:
                return
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


def _read_image(path: Path) -> np.ndarray:
    # Pillow, because OpenCV fills what is missing of a truncated JPEG with grey and says nothing.
    try:
        with Image.open(path) as picture:
            if picture.mode[0] in "IF":  # Pillow would cut these at 255: nearly all white
                raise ValueError("16-bit or float grey; save it with 8 bits")
            return np.array(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be decoded ({error}).") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV's and FFmpeg's own complaints off the screen: ours name the file."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read when FFmpeg is first used
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _natural(name: str) -> list[tuple[int, int | str]]:
    """A sort key by which frame2 comes before frame10."""
    return [
        (0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part
    ]
