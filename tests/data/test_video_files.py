"""Frames out of files that PyAV and Pillow write here, and films that PyAV reads again."""

import gc
import resource
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from small_clips import H, W, clip, tone, write_folder

from vsodlib.data import video_files
from vsodlib.data.video_files import Frame, VideoWriter, read_video, write_video


@pytest.fixture
def film(tmp_path) -> Path:
    path = tmp_path / "clip.webm"
    write_video(path, clip(), 12.5)
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_folder(tmp_path / "frames", clip())


class FakeCamera:
    """Stands in for cv2.VideoCapture(0): twenty frames, then Ctrl-C."""

    def __init__(self, number: int) -> None:
        assert number == 0
        self.left = 20

    def isOpened(self) -> bool:
        return True

    def get(self, what: int) -> float:
        return 30.0 if what == cv2.CAP_PROP_FPS else -1.0

    def read(self) -> tuple[bool, np.ndarray]:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return True, clip()[3]

    def release(self) -> None:
        pass


def timed(frames: list[np.ndarray]) -> Iterator[Frame]:
    return (Frame(frame, k / 24, 1 / 24) for k, frame in enumerate(frames))


def encode(
    path: Path,
    frames: list[np.ndarray],
    sar: Fraction | None = None,
    turn: int = 0,
    matrix: tuple[int, ...] | None = None,
    **options: str,
):
    """A film as a phone or a DVD may write it: PyAV's MPEG-4, which is not what we write."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        if sar:
            stream.codec_context.sample_aspect_ratio = sar
        stream.bit_rate = 4_000_000
        if turn:
            stream.set_display_rotation(turn)
        if matrix:
            a, b, c, d = (part << 16 for part in matrix)
            stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())
    return path


def encode_flat(path: Path, signals: np.ndarray, weights: tuple[float, float], height: int, **tags):
    """A film of flat frames of R'G'B' in [0, 1], in Y'CbCr of 10 bits with the weights of red and
    blue in its luma; `tags` are FFmpeg's names and numbers (ITU-T H.273).
    """
    red, blue = weights
    full = tags.get("color_range") == 2
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, height, "yuv444p10le"
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for r, g, b in signals:
            y = red * r + (1 - red - blue) * g + blue * b
            chroma = np.array([b - y, r - y]) / (2 - 2 * np.array([blue, red]))
            levels = [1023 * y if full else 64 + 876 * y]
            levels += list(512 + (1023 if full else 896) * chroma)
            frame = av.VideoFrame(64, height, "yuv444p10le")
            for plane, level in zip(frame.planes, levels, strict=True):
                plane.update(np.full(plane.buffer_size // 2, round(level), np.uint16).tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


BT601, BT709, BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Reading


def test_film_comes_back_in_rgb_with_its_rate(film):
    video = read_video(film)
    assert (video.fps, video.length, video.height, video.width) == (12.5, 11, H, W)
    assert not video.live and video.sound is None and video.damage == []
    decoded = list(video)
    assert len(decoded) == 11
    for frame, original in zip(decoded, clip(), strict=True):
        assert frame.shape == (H, W, 3) and frame.dtype == np.uint8
        assert np.abs(frame.astype(int) - original).mean() < 6  # lossy; swapped channels: over 30


def test_folder_is_read_exactly_and_in_natural_order(folder):
    (folder / "notes.txt").write_text("")
    (folder / ".f0.png").write_text("hidden litter")
    video = read_video(str(folder))
    assert video.fps == 24.0 and video.length == 11
    frames = list(video.timed())
    assert [frame.name for frame in frames] == [f"f{t}.png" for t in range(11)]  # f2 before f10
    assert [frame.time for frame in frames] == [t / 24 for t in range(11)]
    np.testing.assert_array_equal([frame.pixels for frame in frames], clip())


def test_grey_palette_and_transparent_images_become_rgb(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    Image.fromarray(clip()[0][..., 1]).save(folder / "0.png")
    Image.fromarray(clip()[1]).convert("P").save(folder / "1.png")
    clear = np.dstack([clip()[2], np.full((H, W), 255, np.uint8)])
    clear[:5, :, 3] = 0
    Image.fromarray(clear).save(folder / "2.png")
    frames = list(read_video(folder))
    assert [frame.shape for frame in frames] == [(H, W, 3)] * 3
    assert frames[2][:5].min() == 255  # white, as a viewer shows it
    np.testing.assert_array_equal(frames[2][5:], clip()[2][5:])


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, -1), (8, 1)])
def test_exif_turns_a_picture_upright(tmp_path, orientation, turns):
    picture = Image.fromarray(clip()[4])
    exif = picture.getexif()
    exif[0x0112] = orientation
    (tmp_path / "shots").mkdir()
    picture.save(tmp_path / "shots" / "a.png", exif=exif)
    np.testing.assert_array_equal(
        next(iter(read_video(tmp_path / "shots"))), np.rot90(clip()[4], turns)
    )


@pytest.mark.parametrize("suffix", ["gif", "webp", "avif", "png"])
def test_animated_pictures_keep_their_time_stamps(tmp_path, suffix):
    durations = [100, 50, 50, 200, 400]
    first, *others = [Image.fromarray(frame) for frame in clip(5)]
    path = tmp_path / f"clip.{suffix}"
    first.save(path, save_all=True, append_images=others, duration=durations, lossless=True)
    frames = list(read_video(path).timed())
    np.testing.assert_allclose([f.time for f in frames], [0, 0.1, 0.15, 0.2, 0.4], atol=1e-9)
    np.testing.assert_allclose([f.duration for f in frames], np.array(durations) / 1000)
    for frame, original in zip(frames, clip(5), strict=True):
        off = np.abs(frame.pixels.astype(int) - original)  # few colours: a palette holds them
        assert off.mean() < 6 if suffix == "avif" else off.max() == 0


def test_a_png_for_viewers_that_show_no_animation_is_no_frame_of_it(tmp_path):
    first, *others = map(Image.fromarray, clip(5))
    path = tmp_path / "clip.png"
    first.save(path, save_all=True, append_images=others, duration=50, default_image=True)
    video = read_video(path)
    assert video.length == 4
    np.testing.assert_array_equal(list(video), clip(5)[1:])


def test_animated_picture_cut_off(tmp_path):
    path = tmp_path / "clip.gif"
    noise = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    first, *others = map(Image.fromarray, noise)
    first.save(path, save_all=True, append_images=others, duration=100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 5 // 8])
    video = read_video(path)
    with pytest.warns(UserWarning, match=r"clip\.gif breaks off after 2 of 3 frames"):
        assert len(list(video)) == 2


def test_still_picture_is_a_video_of_one_frame(tmp_path):
    Image.fromarray(clip()[2]).save(tmp_path / "still.webp", lossless=True)
    video = read_video(tmp_path / "still.webp")
    assert video.length == 1
    np.testing.assert_array_equal(list(video), clip()[2:3])


@pytest.mark.parametrize("turn", [90, -90, 180])
def test_rotated_film_is_upright_as_in_opencv(tmp_path, turn):
    path = encode(tmp_path / "phone.mp4", clip(), turn=turn)
    video = read_video(path)
    capture = cv2.VideoCapture(str(path))
    for frame in video:
        expected = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
        assert frame.shape == expected.shape == ((H, W, 3) if turn == 180 else (W, H, 3))
        assert np.abs(frame.astype(int) - expected).mean() < 2
    capture.release()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("right", "down"), [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_film_is_shown_as_its_display_matrix_says(tmp_path, suffix, turned, right, down):
    a, b, c, d = (0, down, right, 0) if turned else (right, 0, 0, down)
    corners = np.zeros((48, 80, 3), np.uint8)
    corners[:16, :16], corners[:16, -16:], corners[-16:, :16] = 255, 170, 85
    path = encode(tmp_path / f"phone.{suffix}", [corners] * 2, matrix=(a, b, c, d))
    row, column = np.indices((48, 80))
    x, y = a * column + c * row, b * column + d * row
    shown = np.zeros((80, 48, 3) if turned else (48, 80, 3), np.uint8)
    shown[y - y.min(), x - x.min()] = corners
    for frame in read_video(path):
        assert frame.shape == shown.shape and np.abs(frame.astype(int) - shown).mean() < 6


def test_display_matrix_of_nothing_but_zeros_turns_nothing(tmp_path):
    video = read_video(encode(tmp_path / "a.mov", clip(2), matrix=(0, 0, 0, 0)))
    assert (video.height, video.width) == (H, W)


def test_film_whose_first_frame_alone_is_said_to_lie_on_its_side(tmp_path):
    with av.open(str(tmp_path / "phone.ts"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width = H, W
        container.start_encoding()
        said = "h264_metadata=display_orientation=insert:rotate=90"  # with key frames
        note = av.bitstream.BitStreamFilterContext(said, stream, stream)
        for frame in [*map(av.VideoFrame.from_ndarray, clip()), None]:
            for packet in stream.encode(frame):
                container.mux(note.filter(packet))
    assert [frame.shape for frame in read_video(tmp_path / "phone.ts")] == [(W, H, 3)] * 11


def test_mirrored_film_is_not_kept_in_memory(tmp_path):
    path = encode(tmp_path / "selfie.mov", clip(300), matrix=(-1, 0, 0, 1))
    gc.collect()
    gc.disable()  # or it would hide for a while what keeps itself alive
    try:
        assert sum(1 for _ in read_video(path)) == 300
        assert sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects()) < 5
    finally:
        gc.enable()


@pytest.mark.parametrize("matrix", [1, 5, 6, None])
@pytest.mark.parametrize("height", [48, 720])
@pytest.mark.parametrize("full", [False, True])
def test_colours_follow_the_tags_of_a_film(tmp_path, matrix, height, full):
    colours = np.array([(200, 40, 40), (40, 160, 60), (50, 60, 200), (255, 255, 255), (0, 0, 0)])
    tags = {"color_range": 2} if full else {}
    tags |= {"colorspace": matrix} if matrix else {}
    hd = matrix == 1 or (matrix is None and height == 720)
    path = encode_flat(tmp_path / "a.mkv", colours / 255, BT709 if hd else BT601, height, **tags)
    for frame, colour in zip(read_video(path), colours, strict=True):
        assert np.abs(frame.astype(int) - colour).max() <= 2


def pq(light: np.ndarray) -> np.ndarray:
    """The inverse EOTF of BT.2100, table 4: cd/m2 -> signal."""
    power = (light / 10_000) ** (2610 / 16_384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(light: np.ndarray) -> np.ndarray:
    """The inverse OOTF and the OETF of BT.2100, table 5, for a screen of 1000 cd/m2."""
    luma = light @ (BT2020[0], 1 - sum(BT2020), BT2020[1])
    scene = light / 1000 * (luma[:, None] / 1000) ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(
        scene <= 1 / 12, (3 * scene) ** 0.5, a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    )


@pytest.mark.parametrize(("encoded", "transfer"), [(pq, 16), (hlg, 18)])
def test_hdr_up_to_its_reference_white_looks_as_sdr_does(tmp_path, encoded, transfer):
    colours = np.array([(255, 255, 255), (128, 128, 128), (220, 180, 140), (200, 40, 40)])
    from_709 = np.array(  # BT.2087
        [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    )
    light = 203 * (colours / 255) ** 2.4 @ from_709.T  # BT.2408: white; BT.1886: 2.4
    light = np.concatenate([light, [[1000, 1000, 1000]]])
    tags = {"colorspace": 9, "color_primaries": 9, "color_trc": transfer, "color_range": 1}
    path = encode_flat(tmp_path / "phone.mkv", encoded(light), BT2020, 48, **tags)
    for frame, colour in zip(read_video(path), [*colours, (255, 255, 255)], strict=True):
        assert np.abs(frame.astype(int) - colour).max() <= 8


def test_colours_that_ffmpeg_cannot_convert_are_named(tmp_path):
    path = encode_flat(tmp_path / "ycgco.mkv", np.ones((2, 3)), BT709, 48, colorspace=8)
    with pytest.raises(ValueError, match=r"ycgco\.mkv has colours .* \(matrix 8 of ITU-T H\.273"):
        read_video(path)


def test_interlaced_film_shows_one_moment_a_frame(tmp_path):
    first, second = clip(20)[::2], clip(20)[1::2]
    frames = [frame.copy() for frame in first]
    for frame, later in zip(frames, second, strict=True):
        frame[1::2] = later[1::2]
    path = encode(tmp_path / "tape.avi", frames, flags="+ildct+ilme")
    decoded = list(read_video(path).timed())
    np.testing.assert_allclose([frame.time for frame in decoded], np.arange(10) / 10, atol=1e-3)
    for frame, woven, moment in zip(decoded, frames, second, strict=True):  # bottom field first
        assert np.abs(np.diff(woven.astype(int), axis=0))[11:28].mean() > 8
        assert np.abs(np.diff(frame.pixels.astype(int), axis=0))[11:28].mean() < 2
        assert np.abs(frame.pixels.astype(int) - moment).mean() < 6


@pytest.mark.parametrize(("sar", "turn", "shape"), [((3, 2), 0, (48, 96)), ((3, 2), 90, (96, 48))])
def test_pixels_that_are_not_square(tmp_path, sar, turn, shape):
    path = encode(tmp_path / "wide.mp4", clip(), Fraction(*sar), turn)
    video = read_video(path)
    assert (video.height, video.width) == shape
    assert {frame.shape[:2] for frame in video} == {shape}


def test_time_stamps_of_a_film_of_variable_rate(tmp_path):
    times, durations = [0, 0.04, 0.08, 0.5, 2.0], [0.04, 0.04, 0.42, 1.5, 3.0]
    with VideoWriter(tmp_path / "clip.webm", 25) as write:
        for frame, time, duration in zip(clip(5), times, durations, strict=True):
            write(frame, time, duration)
    video = read_video(tmp_path / "clip.webm")
    frames = list(video.timed())
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=1e-3)
    assert frames[-1].duration == pytest.approx(3.0)
    assert video.damage == []
    with av.open(str(tmp_path / "clip.webm")) as container:
        assert container.duration / 1e6 == pytest.approx(5.0, abs=0.01)


@pytest.fixture
def camera(monkeypatch):
    monkeypatch.setattr(video_files.cv2, "VideoCapture", FakeCamera)


@pytest.mark.parametrize("source", [0, "0"])
def test_camera_has_no_length(camera, source):
    video = read_video(source)
    assert video.live and video.length is None and video.fps == 30.0
    np.testing.assert_array_equal(next(iter(video)), clip()[3][..., ::-1])


def test_missing_camera_is_one_sentence(capfd):
    with pytest.raises(ValueError, match="Camera 97 cannot be opened"):
        read_video("97")
    assert capfd.readouterr() == ("", "")


def test_file_named_by_digits_is_no_camera(film, tmp_path, monkeypatch):
    film.rename(tmp_path / "0")
    monkeypatch.chdir(tmp_path)
    assert not read_video("0").live


def test_rate_that_the_file_does_not_tell():
    for silly in (0.0, float("nan"), 90_000.0):
        assert video_files.Video("x", timed(clip()), silly).fps == video_files.FOLDER_FPS
    assert video_files.Video("x", timed(clip()), 30_000 / 1001).fps == 29.97


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.mp4 does not exist"):
        read_video(tmp_path / "nothing.mp4")


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100, None])
def test_unreadable_film_is_named_and_ffmpeg_stays_silent(tmp_path, content, capfd):
    path = encode(tmp_path / "broken.mp4", clip())
    path.write_bytes(path.read_bytes()[:-300] if content is None else content)
    with pytest.raises(ValueError, match=r"broken\.mp4 is not a film that can be read \(Invalid"):
        read_video(path)
    assert capfd.readouterr() == ("", "")


def test_film_whose_clock_does_not_begin_at_zero_is_whole(tmp_path):
    for suffix in ("mkv", "webm", "mp4"):
        path = tmp_path / f"late.{suffix}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libvpx-vp9" if suffix == "webm" else "mpeg4", rate=10)
            stream.height, stream.width = H, W
            for t, pixels in enumerate(clip()):
                frame = av.VideoFrame.from_ndarray(pixels)
                frame.pts, frame.time_base = 20 + t, Fraction(1, 10)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        video = read_video(path)
        assert (len(list(video)), video.length, video.damage) == (11, 11, [])


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_joined_films_go_on_where_the_first_ends(tmp_path, suffix):
    path = tmp_path / f"joined.{suffix}"
    parts = []
    for layout in ("mono", "stereo"):  # as television changes it
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg2video", rate=25)
            stream.height, stream.width = H, W
            sound = container.add_stream("mp2", rate=48_000, layout=layout)
            for pixels in clip(25):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
            container.mux(stream.encode())
            wave = np.sin(np.arange(48_000) * 2 * np.pi * 440 / 48_000) * 16_000
            wave[12_000:] = 0  # a quarter of a second can be heard
            frame = av.AudioFrame.from_ndarray(np.int16(wave[None]), "s16", "mono")
            frame.rate = 48_000
            container.mux([*sound.encode(frame), *sound.encode()])
        parts.append(path.read_bytes())
    path.write_bytes(b"".join(parts))
    video = read_video(path)
    with VideoWriter(tmp_path / "copy.webm", 25, video.sound, video.start) as write:
        times = [write(*frame[:3]) or frame.time for frame in video.timed()]
    np.testing.assert_allclose(times, np.arange(50) / 25, atol=2e-3)
    wave, begin = sound_of(tmp_path / "copy.webm")
    loud = np.flatnonzero(np.abs(wave) > 0.3 * np.abs(wave).max()) / 48_000 + begin
    assert loud.max() == pytest.approx(1.25, abs=0.05)
    assert not np.any((loud > 0.35) & (loud < 0.9))


def test_film_that_changes_its_size_keeps_that_of_its_beginning(tmp_path):
    parts = [clip(10), clip(10, 2 * H, 2 * W)]
    for k, frames in enumerate(parts):
        with av.open(str(tmp_path / f"{k}.ts"), "w") as container:
            stream = container.add_stream("mpeg2video", rate=25)
            stream.height, stream.width = frames[0].shape[:2]
            for pixels in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
            container.mux(stream.encode())
    data = [(tmp_path / f"{k}.ts").read_bytes() for k in (0, 1)]
    (tmp_path / "call.ts").write_bytes(b"".join(data))
    decoded = list(read_video(tmp_path / "call.ts"))
    halved = [frame[::2, ::2] for frame in parts[1]]
    shown = parts[0][:9] + halved  # FFmpeg itself drops the last before the change
    for frame, original in zip(decoded, shown, strict=True):
        assert np.abs(frame.astype(int) - original).mean() < 8


def test_pictures_and_sound_without_a_decoder(tmp_path):
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    with pytest.raises(ValueError, match=r"drawing\.svg holds no pictures that can be decoded"):
        read_video(tmp_path / "drawing.svg")
    tone(tmp_path / "tone.wav", 1.0)
    with VideoWriter(tmp_path / "clip.webm", 10, tmp_path / "tone.wav") as write:
        for frame in clip(5):
            write(frame)
    data = (tmp_path / "clip.webm").read_bytes()
    (tmp_path / "clip.webm").write_bytes(data.replace(b"A_OPUS", b"A_NONE"))
    video = read_video(tmp_path / "clip.webm")
    assert video.sound is None and len(list(video)) == 5


def test_text_and_sound_are_no_films(tmp_path):
    (tmp_path / "notes.txt").write_text("A text, which FFmpeg would draw as a film.\n" * 50)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost/a.ts\n")
    tone(tmp_path / "tone.wav", 1.0)
    for name in ("notes.txt", "list.m3u8", "tone.wav"):
        with pytest.raises(ValueError, match=f"{name} (holds no pictures|is not a film)"):
            read_video(tmp_path / name)


def test_video_without_frames_is_named():
    with pytest.raises(ValueError, match=r"empty\.mp4 has no frames"):
        video_files.Video("empty.mp4", iter(()), 24.0)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_film_cut_off_gives_the_frames_before_the_break(tmp_path, share):
    write_video(tmp_path / "clip.webm", clip(60), 24)
    data = (tmp_path / "clip.webm").read_bytes()
    (tmp_path / "clip.webm").write_bytes(data[: int(share * len(data))])
    video = read_video(tmp_path / "clip.webm")
    with pytest.warns(UserWarning, match=r"clip\.webm breaks off \d\.\d s before the end"):
        decoded = list(video)
    assert 5 < len(decoded) < 59
    for frame, original in zip(decoded, clip(60), strict=False):
        assert np.abs(frame.astype(int) - original).mean() < 6


def test_avi_cut_off_is_told_by_its_count_of_frames(tmp_path):
    path = encode(tmp_path / "clip.avi", clip(150))
    data = path.read_bytes()
    assert len(list(read_video(path))) == 150  # without a warning, which would fail
    path.write_bytes(data[: len(data) * 9 // 10])
    with pytest.warns(UserWarning, match=r"clip\.avi breaks off \d\.\d s before the end"):
        assert 100 < len(list(read_video(path))) < 149


def test_film_with_a_hole_gives_what_is_behind_it_too(tmp_path):
    path = encode(tmp_path / "clip.mp4", clip(60))
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    path.write_bytes(data)
    video = read_video(path)
    with pytest.warns(UserWarning, match=r"clip\.mp4 is damaged: \d+ of its packets"):
        frames = list(video)
    assert 20 < len(frames) < 60
    assert np.abs(frames[-1].astype(int) - clip(60)[-1]).mean() < 20


def test_folder_without_images_is_named(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        read_video(tmp_path)


def test_truncated_image_is_named(folder):
    path = folder / "f7.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8)).save(path)
    (folder / "f7.png").unlink()
    path.write_bytes(path.read_bytes()[:-1000])
    frames = iter(read_video(folder))
    for _ in range(7):
        next(frames)
    with pytest.raises(ValueError, match=r"f7\.jpg cannot be decoded: .*truncated"):
        next(frames)


def test_file_that_is_no_image_is_named(folder):
    (folder / "f0.png").write_text("text")
    with pytest.raises(ValueError, match=r"f0\.png is not a picture"):
        read_video(folder)


def test_deep_grey_frames_are_refused_not_cut_at_255(tmp_path):
    deep = write_folder(tmp_path / "deep", [np.full((H, W), 20_000, np.uint16)])
    with pytest.raises(ValueError, match=r"f0\.png is 16-bit .*8 bits"):
        read_video(deep)


def test_mixed_sizes_are_named(folder):
    Image.fromarray(clip(height=50)[0]).save(folder / "f4.png")
    with pytest.raises(
        ValueError, match=r"f4\.png of .*frames is 64x50, the frames before are 64x48"
    ):
        list(read_video(folder))
    with pytest.raises(ValueError, match=r"frame 1 of film is 20x48"):
        list(video_files.Video("film", timed([clip()[0], clip(width=20)[0]]), 24.0))


def test_frames_in_which_nothing_can_be_seen_are_refused(tmp_path):
    dot = write_folder(tmp_path / "dot", [np.zeros((1, 1, 3), np.uint8)])
    with pytest.raises(ValueError, match=r"f0\.png is 1x1 pixels, too small .* 16 rows"):
        read_video(dot)
    with pytest.raises(ValueError, match=r"film is 65501x16 pixels; cut it"):
        video_files.Video("film", timed(clip(1, 16, 65_501)), 24.0)
    with pytest.raises(ValueError, match=r"film is 64x8 pixels"):
        video_files.Video("film", timed(clip(height=8)), 24.0)


def test_images_beside_their_masks_are_refused(folder):
    Image.fromarray(clip()[0]).save(folder / "f0.jpg")
    with pytest.raises(
        ValueError, match=r"suffix \(f0\.jpg, f0\.png\), .* give a folder of frames alone"
    ):
        read_video(folder)
    with pytest.raises(ValueError, match=r"only in their suffix.* rename one of them"):
        video_files.read_images(sorted(folder.iterdir()), "photographs", mixed=True)


def test_a_colon_in_a_name_is_no_protocol(film, tmp_path, monkeypatch):
    film.rename(tmp_path / "12:30.webm")
    monkeypatch.chdir(tmp_path)
    assert read_video("12:30.webm").length == 11
    write_video("13:00.webm", clip(), 24)
    assert read_video("13:00.webm").length == 11


# Writing


@pytest.mark.parametrize("fps", [24, 23.976, 30_000 / 1001, 59.9401, 240.123, np.float32(24)])
def test_every_usual_rate_can_be_written(tmp_path, fps):
    write_video(tmp_path / "clip.webm", clip(), fps)
    frames = list(read_video(tmp_path / "clip.webm").timed())
    np.testing.assert_allclose([f.time for f in frames], np.arange(11) / fps, atol=6e-4)
    assert files(tmp_path) == ["clip.webm"]


@pytest.mark.parametrize("fps", [0, -5, float("nan"), float("inf")])
def test_rates_that_no_film_has(tmp_path, fps):
    with pytest.raises(ValueError, match=f"fps must be above 0, got {fps}"):
        write_video(tmp_path / "clip.webm", clip(), fps)
    assert files(tmp_path) == []


def test_film_is_vp9_and_says_its_colours(film):
    with av.open(str(film)) as container:
        context = container.streams.video[0].codec_context
        assert context.name == "vp9" and context.pix_fmt == "yuv420p"
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (1, 1)  # BT.709, 16 to 235


def test_flat_colours_come_back(tmp_path):
    colours = [(250, 20, 20), (20, 200, 60), (30, 40, 220), (255, 255, 255), (0, 0, 0)]
    for suffix in (".webm", ".mov"):
        frames = [np.full((48, 64, 3), colour, np.uint8) for colour in colours]
        write_video(tmp_path / f"clip{suffix}", frames, 5)
        for frame, colour in zip(read_video(tmp_path / f"clip{suffix}"), colours, strict=True):
            assert np.abs(frame.astype(int) - colour).max() < 5


def test_odd_sizes_are_kept(tmp_path):
    write_video(tmp_path / "clip.webm", clip(height=49, width=65), 24)
    video = read_video(tmp_path / "clip.webm")
    assert (video.height, video.width) == (49, 65)


@pytest.mark.parametrize(("suffix", "codec", "close"), [("webm", "libvpx-vp9", 8), ("mov", "", 1)])
def test_transparency_is_kept(tmp_path, suffix, codec, close):
    path = tmp_path / f"clip.{suffix}"
    frames = [np.dstack([frame, frame[..., 1]]) for frame in clip()]
    write_video(path, frames, 24)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        # FFmpeg's own VP9 decoder leaves transparency out.
        context = av.CodecContext.create(codec, "r") if codec else stream.codec_context
        decoded = [f for packet in container.demux(stream) for f in context.decode(packet)]
    assert len(decoded) == 11
    for frame, original in zip(decoded, frames, strict=True):
        alpha = frame.to_ndarray(format="rgba")[..., 3]
        assert np.abs(alpha.astype(int) - original[..., 3]).mean() < close


def sound_of(path: Path) -> tuple[np.ndarray, float]:
    """The samples of a film's first channel, 48 000 a second, and when they begin."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "stereo", 48_000)
        decoded = list(container.decode(audio=0))
        samples = [f.to_ndarray()[0] for frame in decoded for f in resampler.resample(frame)]
    return np.concatenate(samples), decoded[0].time


@pytest.mark.parametrize("suffix", ["webm", "mov"])
@pytest.mark.parametrize("start", [0.0, 0.5])
def test_sound_goes_with_the_pictures(tmp_path, suffix, start):
    tone(tmp_path / "tone.wav", 4.0)  # heard until 2.0 s
    with VideoWriter(tmp_path / f"clip.{suffix}", 10, tmp_path / "tone.wav", start) as write:
        for frame in clip(30):
            write(frame)
    assert read_video(tmp_path / f"clip.{suffix}").sound == tmp_path / f"clip.{suffix}"
    wave, begin = sound_of(tmp_path / f"clip.{suffix}")
    loud = np.flatnonzero(np.abs(wave) > 0.1 * np.abs(wave).max())
    assert 0 <= begin < 0.1
    assert begin + loud.max() / 48_000 == pytest.approx(2.0 - start, abs=0.02)
    assert begin + len(wave) / 48_000 == pytest.approx(3.0, abs=0.1)  # as long as the pictures


@pytest.mark.parametrize("suffix", ["webm", "mov"])
def test_a_hole_in_the_sound_stays_as_long(tmp_path, suffix):
    wave = np.int16(16_000 * np.sin(np.arange(12_000) * 2 * np.pi * 440 / 48_000))
    with av.open(str(tmp_path / "tone.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for begin in (0, 72_000):
            frame = av.AudioFrame.from_ndarray(wave[None], "s16", "mono")
            frame.rate, frame.pts, frame.time_base = 48_000, begin, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
    with VideoWriter(tmp_path / f"clip.{suffix}", 10, tmp_path / "tone.mkv") as write:
        for frame in clip(30):
            write(frame)
    wave, begin = sound_of(tmp_path / f"clip.{suffix}")
    loud = np.flatnonzero(np.abs(wave) > 0.3 * np.abs(wave).max()) / 48_000 + begin
    assert loud[[0, -1]] == pytest.approx([0, 1.75], abs=0.02)
    assert not np.any((loud > 0.3) & (loud < 1.45))


def test_sound_that_needs_no_conversion_keeps_its_time(tmp_path):
    wave = np.int16(16_000 * np.sin(np.arange(96_000) * 2 * np.pi * 440 / 48_000))
    with av.open(str(tmp_path / "tone.mkv"), "w") as container:  # whose clock has milliseconds
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        for begin in range(0, 96_000, 4800):
            part = wave[begin : begin + 4800].repeat(2)[None]
            frame = av.AudioFrame.from_ndarray(part, "s16", "stereo")
            frame.rate, frame.pts, frame.time_base = 48_000, begin, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
    with VideoWriter(tmp_path / "clip.webm", 10, tmp_path / "tone.mkv") as write:
        for frame in clip(20):
            write(frame)
    with av.open(str(tmp_path / "clip.webm")) as container:
        times = [frame.time for frame in container.decode(audio=0)]
    assert max(times) == pytest.approx(2.0, abs=0.15) and np.diff(times).max() < 0.15


def test_sound_of_a_film_is_found(tmp_path):
    tone(tmp_path / "tone.wav", 2.0)
    with VideoWriter(tmp_path / "a.webm", 10, tmp_path / "tone.wav") as write:
        for frame in clip(15):
            write(frame)
    video = read_video(tmp_path / "a.webm")
    with VideoWriter(tmp_path / "b.webm", 10, video.sound, video.start) as write:
        for frame in video.timed():
            write(*frame[:3])
    a, b = (sound_of(tmp_path / name)[0] for name in ("a.webm", "b.webm"))
    size = min(len(a), len(b))
    assert abs(len(a) - len(b)) < 4800
    assert np.corrcoef(a[:size], b[:size])[0, 1] > 0.95


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], r"no frames to write to .*clip\.webm"),
        ([clip()[0], clip(height=50)[0]], r"Frame 1 for .* is uint8 \(50, 64, 3\)"),
        ([clip()[0], clip()[0].astype(float)], r"Frame 1 for .* is float64"),
        ([clip()[0].astype(np.float32)], r"must be uint8 .* got float32"),
        ([clip()[0][..., 0]], r"must be uint8 \(H, W, 3\) or \(H, W, 4\), got uint8 \(48, 64\)"),
    ],
)
def test_frames_that_do_not_fit_leave_the_old_file(tmp_path, frames, message):
    (tmp_path / "clip.webm").write_bytes(b"old")
    with pytest.raises(ValueError, match=message):
        write_video(tmp_path / "clip.webm", frames, 24)
    assert files(tmp_path) == ["clip.webm"]
    assert (tmp_path / "clip.webm").read_bytes() == b"old"


def test_unwritable_kind_and_missing_folder_are_named(tmp_path, capfd):
    with pytest.raises(ValueError, match=r"clip\.mp4 should end in \.webm or \.mov"):
        write_video(tmp_path / "clip.mp4", clip(), 24)
    with pytest.raises(FileNotFoundError, match="no/where does not exist"):
        write_video(tmp_path / "no" / "where" / "clip.webm", clip(), 24)
    assert files(tmp_path) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", ["webm", "mov"])
def test_full_disk_is_told_and_leaves_nothing(tmp_path, suffix):
    noise = list(np.random.default_rng(0).integers(0, 256, (30, 120, 160, 3), np.uint8))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match=f"File too large: .*clip\\.{suffix}"):
            write_video(tmp_path / f"clip.{suffix}", noise, 24)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(tmp_path) == []


def test_ctrl_c_leaves_a_film_of_what_is_done(tmp_path):
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "clip.webm", 24) as write:
        for frame in clip(7):
            write(frame)
        raise KeyboardInterrupt
    assert files(tmp_path) == ["clip.webm"]
    assert len(list(read_video(tmp_path / "clip.webm"))) == 7
