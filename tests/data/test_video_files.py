"""Frames out of videos and into videos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodlib.data import video_files
from vsodlib.data.video_files import read_video, write_video

H, W = 48, 64


def clip(count: int = 11, height: int = H, width: int = W) -> list[np.ndarray]:
    """Frame t: red grows with t, a bright square wanders over a dark ground."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    for t, frame in enumerate(frames):
        frame[..., 0] = 10 * t
        frame[10:30, 2 * t : 2 * t + 20] = (10 * t, 200, 90)
    return list(frames)


@pytest.fixture
def film(tmp_path) -> Path:
    path = tmp_path / "clip.mp4"
    write_video(path, clip(), 12.5)
    return path


def write_folder(folder: Path, frames: list[np.ndarray], name: str = "f{}.png") -> Path:
    folder.mkdir()
    for t, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / name.format(t))
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_folder(tmp_path / "frames", clip())


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Reading


def test_video_comes_back_in_rgb_with_its_rate(film):
    frames = read_video(film)
    assert (frames.fps, frames.length, frames.height, frames.width) == (12.5, 11, H, W)
    assert not frames.live and frames.names is None
    decoded = list(frames)
    assert len(decoded) == 11
    for frame, original in zip(decoded, clip(), strict=True):
        assert frame.shape == (H, W, 3) and frame.dtype == np.uint8
        assert np.abs(frame.astype(int) - original).mean() < 6  # lossy; swapped channels: over 30


def test_folder_is_read_exactly_and_in_natural_order(folder):
    (folder / "notes.txt").write_text("")
    (folder / ".f0.png").write_text("hidden litter")
    frames = read_video(str(folder))
    assert frames.names == [f"f{t}.png" for t in range(11)]  # f2 before f10
    assert frames.fps == 24.0 and frames.length == 11
    np.testing.assert_array_equal(list(frames), clip())


def test_grey_and_palette_images_become_rgb(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    Image.fromarray(clip()[0][..., 1]).save(folder / "0.png")
    Image.fromarray(clip()[1]).convert("P").save(folder / "1.png")
    assert [frame.shape for frame in read_video(folder)] == [(H, W, 3)] * 2


class FakeCamera:
    """Stands in for cv2.VideoCapture(0): frames without end, and Ctrl-C after some."""

    def __init__(self, index: int, *backend: int) -> None:
        assert index == 0
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


@pytest.fixture
def camera(monkeypatch):
    capture = cv2.VideoCapture
    monkeypatch.setattr(
        video_files.cv2,
        "VideoCapture",
        lambda which, *rest: (FakeCamera if which == 0 else capture)(which, *rest),
    )


@pytest.mark.parametrize("source", [0, "0"])
def test_webcam_has_no_length(camera, source):
    frames = read_video(source)
    assert frames.live and frames.length is None and frames.fps == 30.0
    np.testing.assert_array_equal(next(frames), clip()[3][..., ::-1])


def test_missing_webcam_is_one_sentence(capfd):
    with pytest.raises(ValueError, match="Webcam 97 cannot be opened"):
        read_video("97")
    assert capfd.readouterr() == ("", "")


def test_file_named_by_digits_is_no_webcam(film, tmp_path, monkeypatch):
    film.rename(tmp_path / "0")
    monkeypatch.chdir(tmp_path)
    assert not read_video("0").live


def test_rate_that_the_file_does_not_tell():
    for silly in (0.0, float("nan"), 90_000.0):
        assert video_files.Video("x", iter(clip()), silly).fps == video_files.FOLDER_FPS
    assert video_files.Video("x", iter(clip()), 30_000 / 1001).fps == 29.97


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.mp4 does not exist"):
        read_video(tmp_path / "nothing.mp4")


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100, None])
def test_unreadable_video_is_named_and_opencv_stays_silent(tmp_path, film, content, capfd):
    path = tmp_path / "broken.mp4"
    path.write_bytes(film.read_bytes()[:-300] if content is None else content)
    with pytest.raises(ValueError, match=r"broken\.mp4 is not a readable video"):
        read_video(path)
    assert capfd.readouterr() == ("", "")


def test_video_without_frames_is_named():
    with pytest.raises(ValueError, match=r"empty\.mp4 has no frames"):
        video_files.Video("empty.mp4", iter(()), 24.0)


def test_video_far_shorter_than_announced_warns():
    with pytest.warns(UserWarning, match="announces 20 frames, but only 11"):
        list(video_files.Video("clip.avi", iter(clip()), 24.0, 20))


def test_folder_without_images_is_named(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        read_video(tmp_path)


def test_truncated_image_is_named(folder):
    path = folder / "f7.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8)).save(path)
    (folder / "f7.png").unlink()
    path.write_bytes(path.read_bytes()[:-1000])
    frames = read_video(folder)
    for _ in range(7):
        next(frames)
    with pytest.raises(ValueError, match=r"f7\.jpg cannot be decoded \(.*truncated"):
        next(frames)


def test_file_that_is_no_image_is_named(folder):
    (folder / "f0.png").write_text("text")
    with pytest.raises(ValueError, match=r"f0\.png cannot be decoded"):
        read_video(folder)


def test_mixed_sizes_are_named(folder):
    Image.fromarray(clip(height=50)[0]).save(folder / "f4.png")
    with pytest.raises(
        ValueError, match=r"f4\.png of .*frames is 64x50, the frames before are 64x48"
    ):
        list(read_video(folder))
    with pytest.raises(ValueError, match=r"frame 1 of film is 20x48"):
        list(video_files.Video("film", iter([clip()[0], clip(width=20)[0]]), 24.0))


# Writing


@pytest.mark.parametrize("fps", [24, 23.976, 30_000 / 1001, 59.9401, 240.123])
def test_every_usual_rate_can_be_written(tmp_path, fps):
    write_video(tmp_path / "clip.mp4", clip(), fps)
    frames = read_video(tmp_path / "clip.mp4")
    assert frames.fps == pytest.approx(fps, abs=0.01)
    assert len(list(frames)) == 11
    assert files(tmp_path) == ["clip.mp4"]


def test_odd_sizes_lose_their_last_row_and_column(tmp_path):
    write_video(tmp_path / "clip.mp4", clip(height=49, width=65), 24)
    frames = read_video(tmp_path / "clip.mp4")
    assert (frames.height, frames.width) == (48, 64)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], r"no frames to write to .*clip\.mp4"),
        ([clip()[0], clip(height=50)[0]], r"Frame 1 for .* is uint8 \(50, 64, 3\)"),
        ([clip()[0], clip()[0].astype(float)], r"Frame 1 for .* is float64"),
        ([clip()[0].astype(np.float32)], r"Frame 0 for .* is float32"),
        ([clip()[0][..., 0]], r"must be \(H, W, 3\), got \(48, 64\)"),
    ],
)
def test_frames_that_do_not_fit_leave_the_old_file(tmp_path, frames, message):
    (tmp_path / "clip.mp4").write_bytes(b"old")
    with pytest.raises(ValueError, match=message):
        write_video(tmp_path / "clip.mp4", frames, 24)
    assert files(tmp_path) == ["clip.mp4"]
    assert (tmp_path / "clip.mp4").read_bytes() == b"old"


def test_unwritable_kind_and_missing_folder_are_named(tmp_path, capfd):
    with pytest.raises(ValueError, match=r"clip\.txt cannot be opened for writing.*\.mp4"):
        write_video(tmp_path / "clip.txt", clip(), 24)
    with pytest.raises(FileNotFoundError, match="no/where does not exist"):
        write_video(tmp_path / "no" / "where" / "clip.mp4", clip(), 24)
    assert files(tmp_path) == []
    assert capfd.readouterr() == ("", "")


def test_video_cut_by_a_full_disk_is_seen(tmp_path, monkeypatch):
    release = cv2.VideoWriter.release

    class Cut:
        def __init__(self, path, *rest):
            self.path, self.writer = path, cv2.VideoWriter(path, *rest)

        def __getattr__(self, name):
            return getattr(self.writer, name)

        def release(self):
            release(self.writer)
            Path(self.path).write_bytes(Path(self.path).read_bytes()[:-300])

    fake = type(
        "cv2", (), {**vars(cv2), "VideoWriter": Cut, "VideoWriter_fourcc": cv2.VideoWriter_fourcc}
    )
    monkeypatch.setattr(video_files, "cv2", fake)
    with pytest.raises(OSError, match=r"clip\.mp4 could not be written to its end \([\d.]+ MB"):
        write_video(tmp_path / "clip.mp4", clip(), 24)
    assert files(tmp_path) == []


def test_deep_grey_frames_are_refused_not_cut_at_255(tmp_path):
    deep = write_folder(tmp_path / "deep", [np.full((H, W), 20_000, np.uint16)])
    with pytest.raises(ValueError, match=r"f0\.png cannot be decoded \(16-bit .*8 bits"):
        read_video(deep)
