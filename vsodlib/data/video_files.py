"""Frames out of films, animated pictures, folders of images and cameras, and into films.

Films are read and written by PyAV, which brings FFmpeg in its wheel. What is written plays in
browsers: VP9 in WebM, with transparency where there is any; for film editors ProRes 4444 in MOV.
"""

import hashlib
import math
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import InitVar, dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, Self

import av
import cv2
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from vsodlib.data.folders import is_picture, listed, natural
from vsodlib.data.image_files import (
    SUFFIXES,
    UNREADABLE,
    animation_length,
    decode_image,
    image_header,
    over_white,
)
from vsodlib.files import read_file

FOLDER_FPS = 24.0
"""Frames per second of a folder of images (as DAVIS), and of a video that does not tell."""
SMALLEST = 16
"""Rows and columns that a frame needs: what one position of the network's features covers."""
LARGEST_FRAME = 1 << 26
"""Pixels of a film's frame: more than 8K has, and 200 MB once decoded."""
LARGEST_SIDE = 65_500
"""Rows or columns that can be written as JPEG."""
TICK = Fraction(1, 1000)
"""Seconds: the finest step of a WebM file's clock."""
SAMPLES = 48_000
"""Samples a second of the sound that is written."""
HOLE = 0.04
"""Seconds by which sound may be off its pictures before it is put right: hardly anyone hears it."""
UNSAID = 2
"""FFmpeg's number for a matrix that a film does not state, which PyAV has no name for."""
HDR = ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67
"""The transfer functions of BT.2100: PQ and HLG."""
NO_FILMS = ("tty", "bin", "xbin", "adf", "idf", "hls", "dash", "concat")
"""Formats in which FFmpeg would take any text for pictures, or follow links to other places."""
FORMATS = {  # suffix -> codec, its options, pixel format, that with transparency, codec of sound
    ".webm": (
        "libvpx-vp9",
        {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "8", "row-mt": "1"},
        "yuv420p",
        "yuva420p",
        "libopus",
    ),
    ".mov": ("prores_ks", {"profile": "4444"}, "yuv444p10le", "yuva444p10le", "pcm_s16le"),
}
av.logging.set_level(None)  # FFmpeg's own complaints stay off the screen: ours name the file


class Frame(NamedTuple):
    """`pixels` np.uint8 (H, W, 3), RGB; `time`, `duration` in seconds; `name`: of its file."""

    pixels: np.ndarray
    time: float
    duration: float
    name: str = ""


@dataclass(eq=False, repr=False)
class Video:
    """An iterator over the frames of a video, each np.uint8 (H, W, 3), RGB; made by `read_video`.

    Attributes:
        source: what `read_video` was given, for messages.
        fps: on average.
        length: number of frames as announced, None where it is unknown before the end (camera).
        live: whether it is a camera, which never ends by itself.
        sound: the file whose sound belongs to the frames, if any.
        start: when the first frame is shown on the clock of `sound`, seconds.
        height, width: of every frame, or of the first where `mixed`.
        mixed: whether the frames are pictures of their own that may differ in size.
        digest: of the first frame's pixels, to tell apart videos of one name and size.
        damage: a sentence for each thing that could not be read, all of them after the last frame.

    Raises:
        ValueError: there are no frames; later, while iterating: a frame cannot be read, or is of
            another size than the first.
    """

    source: str
    frames: InitVar[Iterator[Frame]]
    fps: float
    length: int | None = None
    live: bool = False
    mixed: bool = False
    sound: Path | None = None
    damage: list[str] = field(default_factory=list)

    def __post_init__(self, frames: Iterator[Frame]) -> None:
        first = next(frames, None)
        if first is None:
            raise ValueError(" ".join(self.damage) or f"{self.source} has no frames.")
        known = 0 < self.fps < 1000  # 0 or nan: the file is silent
        self.fps = round(self.fps, 2) if known else FOLDER_FPS
        self.start = first.time
        self.height, self.width, _ = first.pixels.shape
        _check_size(first.pixels, self.source)
        self.digest = hashlib.sha256(first.pixels.tobytes()).hexdigest()[:12]
        self._frames = chain([first], frames)
        self._index = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        for frame in self.timed():
            yield frame.pixels
        for sentence in self.damage:
            warnings.warn(sentence, stacklevel=2)

    def timed(self) -> Iterator[Frame]:
        """The frames that are left, each with its time since the first."""
        for frame in self._frames:
            if frame.pixels.shape[:2] != (self.height, self.width) and not self.mixed:
                H, W, _ = frame.pixels.shape
                name = frame.name or f"frame {self._index}"
                raise ValueError(
                    f"{name} of {self.source} is {W}x{H}, the frames before are "
                    f"{self.width}x{self.height}; all frames of a video must have one size."
                )
            self._index += 1
            yield frame._replace(time=frame.time - self.start)


def read_video(source: str | int | Path) -> Video:
    """The frames of a film, an animated picture, a folder of frames, or a camera.

    Frames are as a player shows them: upright, with square pixels, deinterlaced, and HDR as SDR.
    Nothing but a few are held in memory. A film that breaks off gives the frames before its break,
    then a warning.

    Args:
        source: a path, or the number of a camera (`0`, `"0"`).

    Returns:
        An iterator of np.uint8 (H, W, 3) RGB frames with `fps`, `length`, `height`, `width`.

    Raises:
        FileNotFoundError: no such file or folder.
        ValueError: a folder without images, a file without frames, no such camera.
    """
    path = Path(str(source))
    if str(source).isdecimal() and not path.exists():
        return _camera(int(str(source)))
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    if path.is_dir():
        return read_images(images_in(path), str(path))
    if not path.is_file():
        raise ValueError(f"{path} is not a regular file.")
    return _animation(path) if is_picture(path.name) else _film(path)


def images_in(folder: Path) -> list[Path]:
    """The images of a folder in natural order (frame2 before frame10), hidden files left out."""
    files = (path for path in folder.iterdir() if is_picture(path.name) and path.name[0] != ".")
    return sorted(files, key=lambda path: natural(path.name))


def read_images(files: list[Path], source: str, mixed: bool = False) -> Video:
    """Image files as the frames of a video, or `mixed`: as pictures of their own.

    A frame that cannot be decoded is an error; such a picture is left out and told of in `damage`.

    Raises:
        ValueError: no files.
    """
    if not files:
        raise ValueError(f"{source} holds no images ({', '.join(SUFFIXES)}).")
    alike = Counter(file.stem for file in files)
    if twins := [file.name for file in files if alike[file.stem] > 1]:
        raise ValueError(
            f"{source} holds images that differ only in their suffix ({listed(twins)}), so their "
            "maps would have one name; "
            f"{'rename one of them' if mixed else 'give a folder of frames alone'}."
        )
    damage: list[str] = []

    def frames() -> Iterator[Frame]:
        for index, file in enumerate(files):
            try:
                pixels = decode_image(read_file(file), str(file), as_shown=True)
                _check_size(pixels, str(file))
            except (OSError, ValueError) as error:
                if not mixed:
                    raise
                damage.append(str(error))
                continue
            yield Frame(pixels, index / FOLDER_FPS, 1 / FOLDER_FPS, file.name)

    return Video(source, frames(), FOLDER_FPS, len(files), mixed=mixed, damage=damage)


def _check_size(pixels: np.ndarray, place: str) -> None:
    H, W, _ = pixels.shape
    if min(H, W) < SMALLEST:
        raise ValueError(
            f"{place} is {W}x{H} pixels, too small to see anything in; it needs "
            f"{SMALLEST} rows and columns."
        )
    if max(H, W) > LARGEST_SIDE:
        raise ValueError(f"{place} is {W}x{H} pixels; cut it, no side may be over {LARGEST_SIDE}.")


def _animation(path: Path) -> Video:
    """An animated GIF, WebP, AVIF or PNG, or a still picture as a video of one frame."""
    length = animation_length(path)
    if length == 1:
        return read_images([path], str(path))
    damage: list[str] = []

    def frames() -> Iterator[Frame]:
        time = 0.0
        with image_header(path) as picture:
            apart = getattr(picture, "n_frames", 1) - length
            for index in range(length):
                try:
                    picture.seek(apart + index)
                    pixels = over_white(picture)
                except UNREADABLE as error:
                    damage.append(f"{path} breaks off after {index} of {length} frames ({error}).")
                    return
                duration = picture.info.get("duration", 0) / 1000
                duration = duration if duration > 0.01 else 0.1  # as browsers do
                yield Frame(pixels, time, duration)
                time += duration

    return Video(str(path), frames(), FOLDER_FPS, length, damage=damage)


def _camera(number: int) -> Video:
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture = cv2.VideoCapture(number) if number < 2**31 else None
    cv2.utils.logging.setLogLevel(level)
    if capture is None or not capture.isOpened():
        raise ValueError(f"Camera {number} cannot be opened; is it connected, and free?")

    def frames() -> Iterator[Frame]:
        started = perf_counter()
        try:
            while (shot := capture.read())[0]:
                pixels = cv2.cvtColor(shot[1], cv2.COLOR_BGR2RGB)
                yield Frame(pixels, perf_counter() - started, 1 / FOLDER_FPS)
        finally:
            capture.release()

    return Video(f"camera {number}", frames(), capture.get(cv2.CAP_PROP_FPS), live=True)


def _film(path: Path) -> Video:
    try:
        container = _opened(path)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path} is not a film that can be read ({reason}).") from None
    cover = av.stream.Disposition.attached_pic
    picture = [s for s in _readable(container.streams.video) if not s.disposition & cover]
    if not picture or container.format.name in NO_FILMS:
        container.close()
        raise ValueError(f"{path} holds no pictures that can be decoded.")
    stream = picture[0]
    if stream.width * stream.height > LARGEST_FRAME:
        container.close()
        raise ValueError(f"{path} has frames of {stream.width}x{stream.height} pixels, too large.")
    stream.codec_context.options = {"max_pixels": str(LARGEST_FRAME)}  # headers may be wrong
    fps = float(stream.average_rate or 0)
    if fps >= 1000:  # FFmpeg's dv demuxer gives its clock's
        fps = float(stream.guessed_rate or 0)
    begin, end = _span(container)
    damage: list[str] = []
    frames = _decoded(path, container, stream, damage)
    length = stream.frames or round((end - begin) * fps) or None
    sound = path if _readable(container.streams.audio) else None
    return Video(str(path), frames, fps, length, sound=sound, damage=damage)


def _span(container: Any) -> tuple[float, float]:
    """When a film begins and ends by what it announces, in seconds of its own clock."""
    begin = (container.start_time or 0) / av.time_base
    length = (container.duration or 0) / av.time_base
    from_zero = "matroska" in container.format.name  # others count their length from the begin
    return begin, max(begin, length if from_zero else begin + length)


def _readable(streams: Iterable[Any]) -> list[Any]:
    """Those for which FFmpeg has a decoder."""
    return [stream for stream in streams if stream.codec_context]


def _opened(path: Path) -> Any:
    # "file:", or FFmpeg takes what stands before a colon, as in 12:30.mp4, for a protocol.
    return av.open(f"file:{path.absolute()}", options={"protocol_whitelist": "file"})


def _decoded(path: Path, container: Any, stream: Any, damage: list[str]) -> Iterator[Frame]:
    """The frames of a film; `damage` tells where it breaks off, and of what is lost within."""
    stream.thread_type = "AUTO"
    size = max(1, round(stream.width * (stream.sample_aspect_ratio or 1))), stream.height
    longest = 1 / float(stream.average_rate or FOLDER_FPS)
    time, reached, lost = None, 0.0, 0

    def decoded() -> Iterator[av.VideoFrame]:
        nonlocal reached, lost
        for packet in _packets(container, [stream, *container.streams.audio]):
            if packet is not None and packet.pts is not None:
                ends = packet.pts + (packet.duration or 0)
                reached = max(reached, float(ends * packet.time_base))
            try:
                if packet is None or packet.stream is stream:
                    for frame in stream.decode(packet):
                        frame.time_base = stream.time_base  # None where nothing was left to read
                        yield frame
            except av.error.FFmpegError:
                lost += time is not None  # a recording may begin between two key frames

    with container:
        announced = _span(container)[1]
        if container.format.name == "avi":  # without its index the duration is but a guess
            announced = max(announced, stream.frames / float(stream.average_rate or FOLDER_FPS))
        convert = VideoReformatter()  # one, for its tables for HDR take it seconds
        for frame in _deinterlaced(decoded()):
            duration = float(frame.duration * frame.time_base) or longest
            before, time = time, frame.time
            if before is None:
                mirrored, turns = _orientation(frame)
            else:
                time = before + duration if time is None else max(time, before + 1e-3)
                longest = max(longest, time - before)
            time = time or 0.0
            try:
                pixels = _as_shown(convert, frame, size)
            except av.error.FFmpegError:
                raise ValueError(
                    f"{path} has colours of a kind that FFmpeg cannot convert to RGB (matrix "
                    f"{frame.colorspace} of ITU-T H.273); convert it to BT.709 first."
                ) from None
            pixels = np.rot90(pixels[::-1] if mirrored else pixels, turns)
            yield Frame(np.ascontiguousarray(pixels), time, duration)
    if lost:
        damage.append(f"{path} is damaged: {lost} of its packets cannot be decoded.")
    # A last frame of unknown duration is hardly shown for twice as long as any before it.
    missing = announced - reached
    if time is not None and missing > max(2 * longest, 0.01 * announced):
        damage.append(f"{path} breaks off {missing:.1f} s before the end that it announces.")


def _packets(container: Any, streams: list[Any]) -> Iterator[Any]:
    """The packets of these streams as far as they can be read; None: the end.

    Where films were joined, as recorders do, the clock goes back: it is made to go on.
    """
    latest: dict[Any, tuple[int, int]] = {}
    shifts = dict.fromkeys(streams, 0)
    try:
        for packet in container.demux(streams):
            if packet.dts is not None:
                stream, back = packet.stream, 0.5 / packet.time_base
                begin, end = latest.get(stream, (packet.dts, 0))
                if packet.dts + shifts[stream] < begin - back:
                    shifts[stream] = end - packet.dts
                packet.dts += shifts[stream]
                packet.pts = None if packet.pts is None else packet.pts + shifts[stream]
                latest[stream] = packet.dts, packet.dts + (packet.duration or 0)
            # An empty one without a time ends its stream, one with a time repeats a picture.
            if packet.size or packet.pts is None:
                yield packet
    except av.error.FFmpegError:
        yield None


def _deinterlaced(frames: Iterator[Any]) -> Iterator[Any]:
    """As many frames, those of two moments each through FFmpeg's filter bwdif."""
    graph, kind = None, None
    for frame in chain(frames, [None]):
        new = frame and (frame.width, frame.height, frame.format.name, frame.interlaced_frame)
        if graph and new != kind:
            graph.push(None)
            yield from _pulled(graph)
            graph = None
        if frame is None:
            return
        if frame.interlaced_frame:
            if graph is None:
                graph, kind = Graph(), new
                nodes = graph.add_buffer(frame), graph.add("bwdif", "send_frame")
                graph.link_nodes(*nodes, graph.add("buffersink")).configure()
            graph.push(frame)
            yield from _pulled(graph)
        else:
            yield frame


def _pulled(graph: Graph) -> Iterator[Any]:
    with suppress(BlockingIOError, EOFError):
        while True:
            yield graph.pull()


def _as_shown(convert: VideoReformatter, frame: av.VideoFrame, size: tuple[int, int]) -> np.ndarray:
    """A decoded frame in RGB, at the size that a film has with square pixels."""
    # Films that do not say so are in BT.709 from HD on, below it in BT.601, FFmpeg's own choice.
    unsaid = frame.colorspace == UNSAID and frame.height >= 720
    # libswscale shows BT.2408's white of HDR, 203 cd/m2, as white; what is brighter is cut off.
    wide = frame.color_trc in HDR or frame.color_primaries == ColorPrimaries.BT2020
    return convert.reformat(
        frame,
        *size,
        "rgb24",
        src_colorspace=Colorspace.ITU709 if unsaid else None,
        dst_color_trc=ColorTrc.BT709 if wide else None,
        dst_color_primaries=ColorPrimaries.BT709 if wide else None,
    ).to_ndarray()


def _orientation(frame: Any) -> tuple[bool, int]:
    """How a film is to be shown by its first frame: rows reversed or not, then quarter turns.

    Only that one is asked: it refers to itself from then on, and some films tell no other.
    """
    turns = round(frame.rotation / 90)
    with suppress(ValueError):  # PyAV 18 does not list every kind of data that a frame may carry
        if matrix := frame.side_data.get("DISPLAYMATRIX"):
            a, b, _, c, d = np.frombuffer(matrix, "i4")[:5].tolist()
            return a * d < b * c, turns if a or b else 0
    return False, turns


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write RGB frames as a film, aside first and renamed when complete.

    Args:
        path: ends in `.webm` (VP9, for browsers and everyone) or `.mov` (ProRes 4444, for editors).
        frames: np.uint8 (H, W, 3), or (H, W, 4) with transparency; all of one shape.

    Raises:
        FileNotFoundError: the folder of `path` does not exist.
        ValueError: no frames, frames of mixed size or type, another suffix.
        OSError: the file could not be written to its end, as on a full disk.
    """
    with VideoWriter(Path(path), fps) as write:
        for frame in frames:
            write(frame)


class VideoWriter:
    """Writes frames to a film aside, which `with` renames when its block ends well or by Ctrl-C.

        with VideoWriter(Path("clip.webm"), fps=24) as write:
            write(frame)

    Args:
        path, fps: as `write_video`.
        sound: a file whose sound goes with the frames, as far as these reach.
        start: where in `sound` the first frame stands, seconds.

    Raises:
        FileNotFoundError, ValueError, OSError: as `write_video`.
    """

    def __init__(
        self, path: Path, fps: float = FOLDER_FPS, sound: Path | None = None, start: float = 0.0
    ) -> None:
        if not path.parent.is_dir():
            raise FileNotFoundError(f"The folder {path.parent} does not exist.")
        if path.suffix not in FORMATS:
            raise ValueError(f"{path} should end in {' or '.join(FORMATS)}, to be a film.")
        if not 0 < fps < math.inf:
            raise ValueError(f"fps must be above 0, got {fps}.")
        self.path = path
        self.fps = Fraction(float(fps)).limit_denominator(1001)
        self.count = 0
        self.shape: tuple[int, ...] = ()
        self._aside = path.absolute().with_name(f".{path.stem}.part{path.suffix}")
        self._source, self._start = sound, start
        self._sound: _Sound | None = None
        self._container: Any = None
        self._durations: dict[int, int] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __call__(
        self, frame: np.ndarray, time: float | None = None, duration: float | None = None
    ) -> None:
        """Append one frame, np.uint8 (H, W, 3) RGB or (H, W, 4) RGBA.

        Args:
            time: seconds from the first frame to this one; None: by `fps`.
            duration: seconds that it is shown for; None: by `fps`.
        """
        if self._container is None:
            self._open(frame)
        if frame.shape != self.shape or frame.dtype != np.uint8:
            raise ValueError(
                f"Frame {self.count} for {self.path} is {frame.dtype} {frame.shape}; "
                f"it must be uint8 {self.shape}, as the first."
            )
        picture = av.VideoFrame.from_ndarray(frame, "rgba" if self.shape[2] == 4 else "rgb24")
        picture = picture.reformat(
            format=self._stream.pix_fmt,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        at = self.count / self.fps if time is None else time
        picture.pts = max(round(at / TICK), self._end)
        picture.time_base = TICK
        length = max(1, round((duration or 1 / self.fps) / TICK))
        self._durations[picture.pts] = length
        with self._told():
            self._mux(self._stream.encode(picture))
            if self._sound:
                self._sound.copy_until((picture.pts + length) * TICK)
        self._end = picture.pts + 1
        self.count += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        stopped = kind is not None and issubclass(kind, KeyboardInterrupt) and self.count
        try:
            if kind is None or stopped:
                self._finish()
        finally:
            if self._container is not None:
                with suppress(OSError, av.error.FFmpegError):
                    self._container.close()
            if self._sound:
                self._sound.close()
            self._aside.unlink(missing_ok=True)

    def _open(self, frame: np.ndarray) -> None:
        if frame.ndim != 3 or frame.shape[2] not in (3, 4) or frame.dtype != np.uint8:
            raise ValueError(
                f"A frame for {self.path} must be uint8 (H, W, 3) or (H, W, 4), "
                f"got {frame.dtype} {frame.shape}."
            )
        H, W, channels = self.shape = frame.shape
        codec, options, plain, clear, sound_codec = FORMATS[self.path.suffix]
        with self._told():
            self._aside.unlink(missing_ok=True)  # what a killed process left, or a link
            self._container = av.open(f"file:{self._aside}", "w")
            # VP9 cannot look ahead where there is transparency.
            options = options | ({"auto-alt-ref": "0"} if channels == 4 else {})
            self._stream = self._container.add_stream(codec, rate=self.fps, options=options)
            self._stream.width, self._stream.height = W, H
            self._stream.pix_fmt = clear if channels == 4 else plain
            context = self._stream.codec_context
            context.time_base = TICK
            context.color_primaries = context.color_trc = context.colorspace = Colorspace.ITU709
            context.color_range = ColorRange.MPEG
            context.thread_count = os.cpu_count() or 1
            if self._source:
                self._sound = _Sound(self._source, self._start, self._container, sound_codec)

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._container.mux(packet)

    def _finish(self) -> None:
        if self._container is None:
            raise ValueError(f"There are no frames to write to {self.path}.")
        with self._told():
            self._mux(self._stream.encode())
            if self._sound:
                self._sound.finish()
            self._container.close()
            os.replace(self._aside, self.path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the disk and of FFmpeg, with the film's name."""
        try:
            yield
        except (OSError, av.error.FFmpegError) as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None


class _Sound:
    """Carries the sound of one film over to another, as far as its pictures have come."""

    def __init__(self, path: Path, start: float, output: Any, codec: str) -> None:
        self._input = _opened(path)
        self._output, self._start = output, start
        self._stream = output.add_stream(codec, rate=SAMPLES, layout="stereo")
        self._frames = self._decoded()
        self._next = next(self._frames, None)
        self._count = 0

    def _decoded(self) -> Iterator[Any]:
        stream = _readable(self._input.streams.audio)[0]
        kind = None
        for packet in _packets(self._input, [stream]):
            with suppress(av.error.FFmpegError):  # of a damaged film, what can be heard
                for frame in stream.decode(packet):
                    new = frame.format.name, frame.layout.name, frame.sample_rate
                    if new != kind:  # as on television from one programme to the next
                        kind, resampler = new, av.AudioResampler("s16", "stereo", SAMPLES)
                    yield from resampler.resample(frame)

    def copy_until(self, time: Fraction) -> None:
        """Append the sound from where it is to `time`, seconds after the first frame.

        Holes become silence, as the samples of a MOV have no times; what overlaps is left out.
        """
        while self._next is not None and (end := self._count / SAMPLES) < time:
            frame, at = self._next, self._next.time - self._start
            slack = HOLE if self._count else 0
            if at > end + slack:
                gap = min(at, time, end + 1) - end  # a second at a time
                silence = np.zeros((1, 2 * max(1, round(gap * SAMPLES))), "i2")
                frame = av.AudioFrame.from_ndarray(silence, "s16", "stereo")
                frame.rate = SAMPLES
            else:
                self._next = next(self._frames, None)
                if at < end - slack:
                    continue
            frame.pts, frame.time_base = self._count, Fraction(1, SAMPLES)
            self._count += frame.samples
            self._output.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Append what the encoder still holds."""
        self._output.mux(self._stream.encode(None))

    def close(self) -> None:
        """Close the film whose sound it was."""
        self._input.close()
