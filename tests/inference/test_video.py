"""Video in, maps and overlay out: on small clips that OpenCV and Pillow write here."""

from __future__ import annotations

import errno
import json
import os
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodlib.data import video_files
from vsodlib.data.video_files import read_video, write_video
from vsodlib.inference.video import overlay, predict_video

H, W = 48, 64


def clip(count: int = 11, height: int = H, width: int = W) -> list[np.ndarray]:
    """Frame t: red grows with t, a bright square wanders over a dark ground."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    for t, frame in enumerate(frames):
        frame[..., 0] = 10 * t
        frame[10:30, 2 * t : 2 * t + 20] = (10 * t, 200, 90)
    return list(frames)


def by_green(frames: np.ndarray) -> np.ndarray:
    """A predictor: the square is salient."""
    return (frames[..., 1] / np.float32(255)).astype(np.float32)


class Counting:
    """A predictor that notes the batch sizes it was given, and may break off."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.batches: list[int] = []
        self.breaks_at = breaks_at

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        assert frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[3] == 3
        if len(self.batches) == self.breaks_at:
            raise KeyboardInterrupt
        self.batches.append(len(frames))
        return by_green(frames)


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


# Overlay


def test_overlay_by_hand():
    frame = np.full((1, 3, 3), 100, np.uint8)
    painted = overlay(frame, np.array([[0.0, 0.5, 1.0]]), colour=(200, 0, 100), alpha=0.5)
    # weights 0, 0.25, 0.5: red 100 + w 100, green 100 - w 100, blue unchanged
    assert painted.tolist() == [[[100, 100, 100], [125, 75, 100], [150, 50, 100]]]
    assert painted.dtype == np.uint8
    assert overlay(frame, np.ones((1, 3)), colour=(255, 255, 255), alpha=1).min() == 255


def test_overlay_refuses_a_map_of_another_size():
    with pytest.raises(ValueError, match=r"\(48, 63\) does not fit a frame \(48, 64, 3\)"):
        overlay(clip()[0], np.zeros((48, 63)))


# Predicting


def read_maps(out: Path) -> dict[str, np.ndarray]:
    return {path.name: np.array(Image.open(path)) for path in sorted((out / "maps").iterdir())}


def test_folder_maps_are_exact_and_named_as_the_frames(folder, tmp_path):
    out = tmp_path / "deep" / "out"
    predictor = Counting()
    summary = predict_video(folder, out, predictor, batch_size=4, progress=False)
    assert predictor.batches == [4, 4, 3]
    assert summary["frames"] == 11 and summary["kept"] == 0
    assert summary["fps"] == pytest.approx(11 / summary["seconds"], rel=0.1)
    assert files(out) == ["maps", "overlay.mp4", "run.json"]
    maps = read_maps(out)
    assert len(maps) == 11
    for t, frame in enumerate(clip()):
        np.testing.assert_array_equal(maps[f"f{t}.png"], frame[..., 1])
    film = read_video(out / "overlay.mp4")
    assert film.fps == 24.0
    for painted, frame in zip(film, clip(), strict=True):
        expected = overlay(frame, by_green(frame))
        assert np.abs(painted.astype(int) - expected).mean() < 6


def test_video_maps_are_numbered_and_keep_the_rate(film, tmp_path):
    out = tmp_path / "out"
    predict_video(str(film), str(out), by_green, progress=False)
    assert list(read_maps(out)) == [f"{t:05d}.png" for t in range(11)]
    assert read_video(out / "overlay.mp4").fps == 12.5
    run = json.loads((out / "run.json").read_text())
    assert len(run.pop("first_frame")) == 12
    assert run == {"source": "clip.mp4", "frames": 11, "height": H, "width": W, "predictor": ""}


def test_maps_round_to_the_nearest_level(tmp_path):
    folder = write_folder(tmp_path / "one", clip(1))
    values = np.linspace(0, 1, H * W, dtype=np.float32).reshape(1, H, W)
    predict_video(folder, tmp_path / "out", lambda frames: values, progress=False)
    np.testing.assert_array_equal(
        read_maps(tmp_path / "out")["f0.png"], np.floor(values[0] * 255 + 0.5).astype(np.uint8)
    )


def test_overlay_can_be_left_out(folder, tmp_path):
    predict_video(folder, tmp_path / "out", by_green, progress=False, overlay=False)
    assert files(tmp_path / "out") == ["maps", "run.json"]


def test_progress_bar_counts_frames(folder, tmp_path, capsys):
    predict_video(folder, tmp_path / "out", by_green)
    assert "/11" in capsys.readouterr().err
    predict_video(folder, tmp_path / "quiet", by_green, progress=False)
    assert capsys.readouterr().err == ""


def test_ctrl_c_keeps_valid_maps_and_a_rerun_continues(folder, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        predict_video(folder, out, Counting(breaks_at=2), batch_size=3, progress=False)
    assert files(out) == ["maps", "run.json"]
    assert list(read_maps(out)) == [f"f{t}.png" for t in range(6)]
    predictor = Counting()
    summary = predict_video(folder, out, predictor, batch_size=4, progress=False)
    assert predictor.batches == [2, 3]  # frames 6-7 of the second batch, then 8-10
    assert summary["frames"] == 11 and summary["kept"] == 6
    straight = tmp_path / "straight"
    predict_video(folder, straight, by_green, progress=False)
    assert (out / "overlay.mp4").read_bytes() == (straight / "overlay.mp4").read_bytes()
    for name, value in read_maps(straight).items():
        np.testing.assert_array_equal(read_maps(out)[name], value)


def test_complete_run_predicts_nothing_and_no_resume_predicts_all(folder, tmp_path):
    out = tmp_path / "out"
    predict_video(folder, out, by_green, progress=False)
    predictor = Counting()
    summary = predict_video(folder, out, predictor, progress=False)
    assert predictor.batches == [] and summary["kept"] == 11 and summary["fps"] == 0
    predict_video(folder, out, lambda frames: 0 * by_green(frames), progress=False, resume=False)
    assert all(value.max() == 0 for value in read_maps(out).values())


@pytest.mark.parametrize("damage", ["empty", "cut", "size", "text"])
def test_damaged_map_is_predicted_again(folder, tmp_path, damage):
    out = tmp_path / "out"
    predict_video(folder, out, by_green, progress=False)
    path = out / "maps" / "f4.png"
    if damage == "size":
        Image.fromarray(clip(height=50)[4][..., 1]).save(path)
    else:
        path.write_bytes({"empty": b"", "cut": path.read_bytes()[:-40], "text": b"x" * 99}[damage])
    assert predict_video(folder, out, by_green, progress=False)["kept"] == 10
    np.testing.assert_array_equal(read_maps(out)["f4.png"], clip()[4][..., 1])


def test_maps_of_another_video_or_network_are_not_mixed_in(folder, film, tmp_path):
    out = tmp_path / "out"
    predict_video(folder, out, by_green, progress=False, predictor_name="lite")
    for resume in (True, False):
        with pytest.raises(ValueError, match=r"another run .*predictor lite"):
            predict_video(folder, out, by_green, resume=resume, predictor_name="paper")
    with pytest.raises(ValueError, match="source frames"):
        predict_video(film, out, by_green, predictor_name="lite")
    (tmp_path / "b").mkdir()
    alike = write_folder(tmp_path / "b" / folder.name, [255 - frame for frame in clip()])
    with pytest.raises(ValueError, match="first_frame"):
        predict_video(alike, out, by_green, predictor_name="lite")
    (out / "run.json").unlink()
    with pytest.raises(ValueError, match=r"another run \(unknown\); choose another folder"):
        predict_video(folder, out, by_green, predictor_name="lite")
    assert len(read_maps(out)) == 11


def test_unreadable_frame_loses_nothing(folder, tmp_path):
    out = tmp_path / "out"
    (folder / "f9.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"f9\.png cannot be decoded"):
        predict_video(folder, out, by_green, batch_size=2, progress=False)
    assert list(read_maps(out)) == [f"f{t}.png" for t in range(8)]
    Image.fromarray(clip()[9]).save(folder / "f9.png")
    assert predict_video(folder, out, by_green, progress=False)["kept"] == 8
    assert (out / "overlay.mp4").exists()


def test_webcam_ends_with_ctrl_c(camera, tmp_path):
    out = tmp_path / "out"
    summary = predict_video(0, out, by_green, batch_size=4, progress=False)
    assert summary["frames"] == 20 and len(read_maps(out)) == 20
    assert len(list(read_video(out / "overlay.mp4"))) == 20
    with pytest.raises(ValueError, match="choose another folder"):
        predict_video(0, out, by_green, progress=False)


@pytest.mark.parametrize(
    ("predictor", "message"),
    [
        (
            lambda frames: by_green(frames)[:, None],
            r"must return \(8, 48, 64\) .* \(8, 1, 48, 64\)",
        ),
        (lambda frames: 2 * by_green(frames), r"in \[0, 1\], got 0\.0 to 1\.5"),
        (lambda frames: by_green(frames) - 1, r"in \[0, 1\], got -1\.0"),
        (lambda frames: by_green(frames) * np.nan, "got nan to nan"),
    ],
)
def test_predictor_that_breaks_its_promise(folder, tmp_path, predictor, message):
    with pytest.raises(ValueError, match=message):
        predict_video(folder, tmp_path / "out", predictor, progress=False)
    assert files(tmp_path / "out" / "maps") == []


def test_output_that_is_a_file_is_named(folder, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ValueError, match="out is a file"):
        predict_video(folder, tmp_path / "out", by_green)


def test_own_overlay_as_source_is_refused(folder, tmp_path):
    predict_video(folder, tmp_path, by_green, progress=False)
    with pytest.raises(ValueError, match="overwritten by its own overlay"):
        predict_video(tmp_path / "overlay.mp4", tmp_path, by_green)


def test_missing_source_leaves_no_output(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing does not exist"):
        predict_video(tmp_path / "nothing", tmp_path / "out", by_green)
    assert files(tmp_path) == []


def test_images_beside_their_masks_are_refused(folder, tmp_path):
    Image.fromarray(clip()[0]).save(folder / "f0.jpg")
    with pytest.raises(ValueError, match="differ only in their suffix"):
        predict_video(folder, tmp_path / "out", by_green)


def test_batch_size_must_be_positive(folder, tmp_path):
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        predict_video(folder, tmp_path / "out", by_green, batch_size=0)


def test_full_disk_names_the_map_and_a_rerun_goes_on(folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    replace, calls = os.replace, []

    def full(source, target):
        calls.append(target)
        if len(calls) == 6:  # run.json, then five maps
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match=r"No space left on device: .*f4\.png") as error:
            predict_video(folder, out, by_green, progress=False)
    assert error.value.errno == errno.ENOSPC
    assert files(out / "maps") == [f"f{t}.png" for t in range(4)]
    assert predict_video(folder, out, by_green, progress=False)["kept"] == 4


def test_memory_does_not_grow_with_the_length(tmp_path):
    frames = clip(4, 120, 160)
    peaks = []
    for count in (40, 160):
        source = tmp_path / f"{count}.mp4"
        write_video(source, (frames[t % 4] for t in range(count)), 24)
        tracemalloc.start()
        predict_video(source, tmp_path / f"out{count}", by_green, batch_size=4, progress=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_remains_of_a_killed_run_do_not_matter(folder, tmp_path):
    out = tmp_path / "out"
    (out / "maps").mkdir(parents=True)
    for remains in (".overlay.part.mp4", ".run.json.part", "maps/.f4.png.part"):
        (out / remains).write_bytes(b"half")
    assert predict_video(folder, out, by_green, progress=False)["kept"] == 0
    assert files(out) == ["maps", "overlay.mp4", "run.json"]
    assert len(read_maps(out)) == 11


def test_a_colon_in_a_name_is_no_protocol(film, tmp_path, monkeypatch):
    (tmp_path / "12:30.mp4").write_bytes(film.read_bytes())
    monkeypatch.chdir(tmp_path)
    predict_video("12:30.mp4", "10:15", by_green, progress=False)
    assert read_video("10:15/overlay.mp4").length == 11
