"""Videos and photographs in, maps and films out: on small clips that are written here."""

import errno
import json
import os
import shutil
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from small_clips import H, W, clip, tone, write_folder

from vsodlib import ModelConfig
from vsodlib.data import video_files
from vsodlib.data.sources import find_sources
from vsodlib.data.video_files import VideoWriter, read_video, write_video
from vsodlib.inference.motion import Motion
from vsodlib.inference.video import Outputs, overlay, predict_sources, predict_video, rows_that_fit
from vsodlib.model.vsodnet import Output


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
    path = tmp_path / "clip.webm"
    write_video(path, clip(), 12.5)
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_folder(tmp_path / "frames", clip())


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def camera(monkeypatch):
    """Twenty frames, then Ctrl-C."""

    class Camera:
        shots = 0

        def __init__(self, number):
            self.isOpened, self.release = lambda: True, lambda: None
            self.get = lambda key: 10.0

        def read(self):
            if self.shots == 20:
                raise KeyboardInterrupt
            self.shots += 1
            return True, clip()[3][..., ::-1]

    monkeypatch.setattr(video_files.cv2, "VideoCapture", Camera)


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
    assert files(out) == ["maps", "overlay.webm", "run.json"]
    maps = read_maps(out)
    assert len(maps) == 11
    for t, frame in enumerate(clip()):
        np.testing.assert_array_equal(maps[f"f{t}.png"], frame[..., 1])
    film = read_video(out / "overlay.webm")
    assert film.fps == 24.0
    for painted, frame in zip(film, clip(), strict=True):
        expected = overlay(frame, by_green(frame))
        assert np.abs(painted.astype(int) - expected).mean() < 6


def test_video_maps_are_numbered_and_keep_the_rate(film, tmp_path):
    out = tmp_path / "out"
    predict_video(str(film), str(out), by_green, progress=False)
    assert list(read_maps(out)) == [f"{t:05d}.png" for t in range(11)]
    assert read_video(out / "overlay.webm").fps == 12.5
    run = json.loads((out / "run.json").read_text())
    assert len(run.pop("first_frame")) == 12
    assert run == {"source": "clip.webm", "frames": 11, "height": H, "width": W, "predictor": ""}


def test_maps_round_to_the_nearest_level(tmp_path):
    folder = write_folder(tmp_path / "one", clip(1))
    values = np.linspace(0, 1, H * W, dtype=np.float32).reshape(1, H, W)
    predict_video(folder, tmp_path / "out", lambda frames: values, progress=False)
    np.testing.assert_array_equal(
        read_maps(tmp_path / "out")["f0.png"], np.floor(values[0] * 255 + 0.5).astype(np.uint8)
    )


def test_overlay_can_be_left_out(folder, tmp_path):
    predict_video(
        folder, tmp_path / "out", by_green, progress=False, outputs=Outputs(overlay=False)
    )
    assert files(tmp_path / "out") == ["maps", "run.json"]


def test_progress_bar_counts_frames(folder, tmp_path, capsys):
    predict_video(folder, tmp_path / "out", by_green)
    assert "/11" in capsys.readouterr().err
    predict_video(folder, tmp_path / "quiet", by_green, progress=False)
    assert capsys.readouterr().err == ""


def test_ctrl_c_keeps_maps_and_a_film_that_plays_and_a_rerun_continues(folder, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        predict_video(folder, out, Counting(breaks_at=2), batch_size=3, progress=False)
    assert files(out) == ["maps", "overlay.webm", "run.json"]
    assert list(read_maps(out)) == [f"f{t}.png" for t in range(6)]
    assert len(list(read_video(out / "overlay.webm"))) == 6
    predictor = Counting()
    summary = predict_video(folder, out, predictor, batch_size=4, progress=False)
    assert predictor.batches == [2, 3]  # frames 6-7 of the second batch, then 8-10
    assert summary["frames"] == 11 and summary["kept"] == 6
    straight = tmp_path / "straight"
    predict_video(folder, straight, by_green, progress=False)
    for one, other in zip(
        read_video(out / "overlay.webm"), read_video(straight / "overlay.webm"), strict=True
    ):
        np.testing.assert_array_equal(one, other)
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


def test_film_or_frame_changed_behind_a_first_frame_alike_is_predicted_again(folder, tmp_path):
    path = tmp_path / "clip.webm"
    for turn, kept in ((1, 0), (-1, 0), (-1, 11)):
        write_video(path, [clip()[0], *(frame[::turn] for frame in clip()[1:])], 24)
        os.utime(path, (1e9 + 100 * turn, 1e9 + 100 * turn))
        assert predict_video(path, tmp_path / "film", by_green, progress=False)["kept"] == kept
    predict_video(folder, tmp_path / "out", by_green, progress=False)
    Image.fromarray(clip()[5][::-1]).save(folder / "f5.png")
    os.utime(folder / "f5.png", (1e9, 1e9))
    assert predict_video(folder, tmp_path / "out", by_green, progress=False)["kept"] == 10
    np.testing.assert_array_equal(read_maps(tmp_path / "out")["f5.png"], clip()[5][::-1, :, 1])


@pytest.mark.parametrize("damage", ["empty", "cut", "size", "text"])
def test_damaged_map_is_predicted_again(folder, tmp_path, damage):
    out = tmp_path / "out"
    predict_video(folder, out, by_green, progress=False)
    path = out / "maps" / "f4.png"
    if damage == "size":
        Image.fromarray(clip(height=50)[4][..., 1]).save(path)
    else:
        path.write_bytes({"empty": b"", "cut": path.read_bytes()[:-40], "text": b"x" * 99}[damage])
    shutil.copystat(folder / "f4.png", path)
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
    with pytest.raises(ValueError, match=r"f9\.png is empty"):
        predict_video(folder, out, by_green, batch_size=2, progress=False)
    assert list(read_maps(out)) == [f"f{t}.png" for t in range(8)]
    Image.fromarray(clip()[9]).save(folder / "f9.png")
    assert predict_video(folder, out, by_green, progress=False)["kept"] == 8
    assert (out / "overlay.webm").exists()


def test_camera_ends_with_ctrl_c(camera, tmp_path):
    out = tmp_path / "out"
    summary = predict_video(0, out, by_green, batch_size=4, progress=False)
    assert summary["frames"] == 20 and len(read_maps(out)) == 20
    assert len(list(read_video(out / "overlay.webm"))) == 20
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
        predict_video(tmp_path / "overlay.webm", tmp_path, by_green)


def test_source_is_no_place_for_its_maps(folder, tmp_path):
    before = files(folder)
    with pytest.raises(ValueError, match=r"frames would be overwritten by its own maps; choose"):
        predict_video(folder, folder, by_green)
    assert files(folder) == before
    (tmp_path / "overlay").mkdir()
    for place in (tmp_path / "sheet.png", tmp_path / "overlay" / "cat.jpg"):
        Image.fromarray(clip(1)[0]).save(place)
        with pytest.raises(ValueError, match=r"overwritten by its own (sheet|overlay)"):
            predict_video(place, tmp_path, by_green)


def test_background_that_is_none_is_told_before_anything_is_written():
    with pytest.raises(ValueError, match="'no-colour' is neither"):
        Outputs(background="no-colour")


def test_missing_source_leaves_no_output(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing does not exist"):
        predict_video(tmp_path / "nothing", tmp_path / "out", by_green)
    assert files(tmp_path) == []


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
        source = tmp_path / f"{count}.webm"
        write_video(source, (frames[t % 4] for t in range(count)), 24)
        tracemalloc.start()
        predict_video(source, tmp_path / f"out{count}", by_green, batch_size=4, progress=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_a_folder_takes_one_process(folder, film, tmp_path):
    """Else `run.json` would be of one, maps of the other, and films of both."""
    out = tmp_path / "out"

    def during(frames: np.ndarray) -> np.ndarray:
        with pytest.raises(ValueError, match=r"Another process is writing to .*out: wait for it"):
            predict_video(film, out, by_green, progress=False)
        return by_green(frames)

    predict_video(folder, out, during, progress=False)
    assert files(out) == ["maps", "overlay.webm", "run.json"]
    assert json.loads((out / "run.json").read_text())["source"] == "frames"


def test_remains_of_a_killed_run_do_not_matter(folder, tmp_path):
    out = tmp_path / "out"
    (out / "maps").mkdir(parents=True)
    for remains in (".overlay.part.webm", ".run.json.part", "maps/.f4.png.part"):
        (out / remains).write_bytes(b"half")
    assert predict_video(folder, out, by_green, progress=False)["kept"] == 0
    assert files(out) == ["maps", "overlay.webm", "run.json"]
    assert len(read_maps(out)) == 11


def test_film_keeps_time_stamps_and_sound(tmp_path):
    tone(tmp_path / "tone.wav", 3.0)
    times = [0, 0.1, 0.15, 1.0, 2.0]
    with VideoWriter(tmp_path / "clip.webm", 10, tmp_path / "tone.wav") as write:
        for frame, time in zip(clip(5), times, strict=True):
            write(frame, time, 1.0 if time else 0.1)
    outputs = Outputs(cutout="mov", background="white")
    summary = predict_video(
        tmp_path / "clip.webm", tmp_path / "out", by_green, 2, False, outputs=outputs
    )
    assert summary["frames"] == 5 and summary["damage"] == ""
    for name in ("overlay.webm", "cutout.mov", "background.webm"):
        video = read_video(tmp_path / "out" / name)
        assert video.sound
        frames = list(video.timed())
        np.testing.assert_allclose([frame.time for frame in frames], times, atol=2e-3)
        with av.open(str(tmp_path / "out" / name)) as container:
            assert container.duration / 1e6 == pytest.approx(3.0, abs=0.1)


def test_film_cut_off_keeps_everything_before_and_says_so(tmp_path):
    path = tmp_path / "clip.webm"
    write_video(path, clip(60), 24)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    summary = predict_video(path, tmp_path / "out", by_green, progress=False)
    assert "breaks off" in summary["damage"]
    assert 5 < summary["frames"] < 59
    assert len(read_maps(tmp_path / "out")) == summary["frames"]
    assert len(list(read_video(tmp_path / "out" / "overlay.webm"))) == summary["frames"]


# Photographs


@pytest.fixture
def photographs(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, (height, width) in {"cat": (48, 64), "IMG 2": (64, 48), "z": (50, 50)}.items():
        Image.fromarray(clip(1, height, width)[0]).save(folder / f"{name}.png")
    return folder


def test_photographs_keep_names_and_sizes_and_give_no_film(photographs, tmp_path):
    (source,) = find_sources([photographs])
    outputs = Outputs(cutout="webm", background="blur", sheet=True)
    summary = predict_video(source, tmp_path / "out", by_green, progress=False, outputs=outputs)
    assert summary["frames"] == 3
    assert files(tmp_path / "out") == [
        *["background", "cutout", "maps", "overlay", "run.json", "sheet.png"]
    ]
    for name in ("cat", "IMG 2", "z"):
        picture = np.array(Image.open(photographs / f"{name}.png"))
        np.testing.assert_array_equal(read_maps(tmp_path / "out")[f"{name}.png"], picture[..., 1])
        for place in (f"overlay/{name}.jpg", f"cutout/{name}.png", f"background/{name}.jpg"):
            made = Image.open(tmp_path / "out" / place)
            assert made.size == picture.shape[1::-1]
            assert made.mode == ("RGBA" if "cutout" in place else "RGB")


def test_photograph_that_is_none_is_left_out_and_told(photographs, tmp_path):
    (photographs / "broken.jpg").write_text("no picture")
    Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(photographs / "dot.png")
    (source,) = find_sources([photographs])
    summary = predict_video(source, tmp_path / "out", by_green, progress=False)
    assert list(read_maps(tmp_path / "out")) == ["IMG 2.png", "cat.png", "z.png"]
    assert "broken.jpg is not a picture" in summary["damage"]
    assert "dot.png is 1x1 pixels, too small" in summary["damage"]


def test_photographs_that_are_new_or_changed_are_predicted_others_kept(photographs, tmp_path):
    def again() -> int:
        (source,) = find_sources([photographs])
        return predict_video(source, tmp_path / "out", by_green, progress=False)["kept"]

    assert (again(), again()) == (0, 3)
    Image.fromarray(255 - clip(1)[0]).save(photographs / "cat.png")
    later = (photographs / "cat.png").stat().st_mtime + 10
    os.utime(photographs / "cat.png", (later, later))
    Image.fromarray(clip(1)[0]).save(photographs / "new.png")
    assert again() == 2
    assert read_maps(tmp_path / "out")["cat.png"].max() == 255


def test_photograph_of_another_camera_does_not_keep_the_map_of_its_name(photographs, tmp_path):
    list(predict_sources(Oracle(), [photographs], tmp_path / "out", progress=False))
    for path in photographs.iterdir():
        with Image.open(path) as picture:
            Image.new("RGB", picture.size, "red").save(path)
        os.utime(path, (1e9, 1e9))  # before the maps
    (done,) = predict_sources(Oracle(), [photographs], tmp_path / "out", progress=False)
    assert done["kept"] == 0
    assert all(value.min() == 255 for value in read_maps(tmp_path / "out").values())


def test_photograph_that_leads_nowhere_is_left_out_and_told(photographs, tmp_path):
    (photographs / "dead.png").symlink_to(tmp_path / "nothing")
    (photographs / "folder.png").mkdir()
    (done,) = predict_sources(Oracle(), [photographs], tmp_path / "out", progress=False)
    assert done["frames"] == 3
    assert "dead.png" in done["damage"] and "folder.png" in done["damage"]


# Sources


class Oracle(torch.nn.Module):
    """Says that reddish pixels are salient; counts the images it has seen."""

    input_height = None
    config = ModelConfig.lite()

    def __init__(self):
        super().__init__()
        self.eval()
        self.nothing = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def forward(self, images):
        self.seen.append(tuple(images.shape))
        return Output(100 * (images[:, :1] - images[:, 1:2]), images)


class Alike(Oracle):
    """An Oracle that takes part in autocasting and notes what type it computed in."""

    types: list[torch.dtype] = []  # noqa: RUF012

    def forward(self, images):
        self.types.append((images.flatten(1) @ images.flatten(1).T).dtype)
        return super().forward(images)


def test_several_sources_go_to_folders_of_their_own(folder, film, photographs, tmp_path):
    done = list(
        predict_sources(
            Oracle(), [folder, film, photographs], tmp_path / "out", progress=False, height=48
        )
    )
    assert [summary["frames"] for summary in done] == [11, 11, 3]
    assert files(tmp_path / "out") == ["clip", "frames", "photos"]
    assert len(read_maps(tmp_path / "out" / "clip")) == 11


def test_maps_of_two_networks_without_names_do_not_mix(film, tmp_path):
    first, second = Oracle(), Oracle()
    with torch.no_grad():
        second.nothing += 1
    list(predict_sources(first, [film], tmp_path / "out", progress=False))
    with pytest.raises(ValueError, match="already holds maps of another run"):
        list(predict_sources(second, [film], tmp_path / "out", progress=False))
    (done,) = predict_sources(first, [film], tmp_path / "out", progress=False)
    assert done["kept"] == done["frames"]


def test_without_a_folder_maps_go_beside_the_source(film, tmp_path):
    (done,) = predict_sources(Oracle(), [film], progress=False)
    assert done["out"] == str(tmp_path / "clip-saliency")
    assert files(tmp_path / "clip-saliency") == ["maps", "overlay.webm", "run.json"]


def test_two_sources_of_one_name_need_folders_of_their_own(film, tmp_path):
    (tmp_path / "other").mkdir()
    shutil.copy(film, tmp_path / "other" / film.name)
    places = [film, tmp_path / "other" / film.name]
    done = [one["out"] for one in predict_sources(Oracle(), places, progress=False)]
    assert done == [str(tmp_path / "clip-saliency"), str(tmp_path / "other" / "clip-saliency")]
    with pytest.raises(ValueError, match=r"would go to one folder .*clip; give one at a time"):
        next(predict_sources(Oracle(), places, tmp_path / "out"))


def test_source_that_fails_does_not_stop_the_others(film, folder, tmp_path):
    (tmp_path / "broken.mp4").write_text("no film")
    places = [tmp_path / "broken.mp4", film]
    failed, done = predict_sources(Oracle(), places, tmp_path / "out", progress=False)
    assert "broken.mp4 is not a film" in failed["error"]
    assert done["frames"] == 11
    with pytest.raises(ValueError, match="is not a film"):
        list(predict_sources(Oracle(), places[:1], tmp_path / "other"))


def test_motion_weighs_films_and_goes_on_where_it_stopped(tmp_path, photographs):
    scene = (
        np.random.default_rng(0).integers(0, 256, (24, 60, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    )
    frames = np.stack([scene[:, 2 * t : 2 * t + 160] for t in range(9)])  # a camera that pans
    for t in range(9):
        frames[t, 30:60, 40 + 4 * t : 80 + 4 * t] = scene[:30, :40]  # something that moves
    write_folder(tmp_path / "pan", frames)
    expected, weigh = {}, Motion()
    for t, frame in enumerate(frames):
        expected[f"f{t}.png"] = np.rint(255 * weigh(frame, by_green(frame))).astype(np.uint8)
    assert np.abs(expected["f8.png"] - np.rint(255 * by_green(frames[8]))).max() > 25
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        stopped = Counting(breaks_at=2)
        predict_video(tmp_path / "pan", out, stopped, 2, False, motion=Motion())
    predict_video(tmp_path / "pan", out, by_green, 3, False, motion=Motion())
    for name, value in expected.items():
        np.testing.assert_array_equal(read_maps(out)[name], value)
    frames[4, :, ::2] = frames[4, :, 1::2]  # another frame, so that maps after it change too
    Image.fromarray(frames[4]).save(tmp_path / "pan/f4.png")
    os.utime(tmp_path / "pan/f4.png", (1e9, 1e9))
    assert predict_video(tmp_path / "pan", out, by_green, 3, False, motion=Motion())["kept"] == 4
    weigh = Motion()
    for t, frame in enumerate(frames):
        value = np.rint(255 * weigh(frame, by_green(frame))).astype(np.uint8)
        np.testing.assert_array_equal(read_maps(out)[f"f{t}.png"], value)
    sources = [tmp_path / "pan", photographs]
    for motion in (False, True):
        place = tmp_path / f"motion {motion}"
        list(predict_sources(Oracle(), sources, place, progress=False, motion=motion))
    with pytest.raises(ValueError, match="motion"):
        list(predict_sources(Oracle(), sources[:1], place / "pan", progress=False))
    (again,) = predict_sources(Oracle(), sources[1:], place / "photos", progress=False)
    assert again["kept"] == again["frames"]  # photographs know no motion
    same = {
        name: all(
            (value == other).all()
            for value, other in zip(
                read_maps(tmp_path / "motion False" / name).values(),
                read_maps(tmp_path / "motion True" / name).values(),
                strict=True,
            )
        )
        for name in ("pan", "photos")
    }
    assert same == {"pan": False, "photos": True}


def test_bf16_computes_in_bfloat16_and_is_noted(film, tmp_path):
    net = Alike()
    list(predict_sources(net, [film], tmp_path / "out", bf16=True, progress=False))
    assert net.types[-1] == torch.bfloat16
    assert "bf16" in json.loads((tmp_path / "out" / "run.json").read_text())["predictor"]
    list(predict_sources(net, [film], tmp_path / "plain", progress=False))
    assert net.types[-1] == torch.float32
    with pytest.raises(ValueError, match="another run"):
        list(predict_sources(net, [film], tmp_path / "out", progress=False))


def test_strip_is_not_blown_up(tmp_path):
    assert rows_that_fit(432, 480, 854) == 432
    assert rows_that_fit(None, 480, 854) == 480
    assert rows_that_fit(432, 1300, 48) == 432  # as narrow as it is
    rows = rows_that_fit(432, 48, 1300)
    assert rows * rows * 1300 / 48 == pytest.approx(4 * 432**2, rel=0.01)
    assert rows_that_fit(432, 16, 100_000) == 16
    net = Oracle()
    (tmp_path / "strip").mkdir()
    Image.fromarray(np.zeros((48, 1300, 3), np.uint8)).save(tmp_path / "strip.png")
    list(predict_sources(net, [tmp_path / "strip.png"], height=432, progress=False))
    _, _, height, width = net.seen[-1]
    assert height * width < 1.05 * 4 * 432**2
