"""What a path stands for: each kind of source, made here."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from small_clips import clip, write_folder

from vsodlib.data.sources import find_sources
from vsodlib.data.video_files import write_video


def kinds(places) -> list[tuple[str, int]]:
    """Name and number of photographs (0: a video) of each source."""
    return [(source.name, len(source.photographs)) for source in find_sources(places)]


def photograph(path: Path, shape=(48, 64), **options) -> Path:
    Image.fromarray(np.zeros((*shape, 3), np.uint8)).save(path, **options)
    return path


def test_numbered_images_of_one_size_are_frames(tmp_path):
    folder = write_folder(tmp_path / "frames", clip(12))
    assert kinds([folder]) == [("frames", 0)]
    assert len(list(find_sources([folder])[0].open())) == 12
    assert find_sources([folder])[0].out == tmp_path / "frames-saliency"


def test_one_bad_frame_makes_no_photographs_of_the_others(tmp_path):
    folder = write_folder(tmp_path / "frames", clip(5))
    (folder / "f3.png").write_bytes(b"")
    assert kinds([folder]) == [("frames", 0)]


def test_images_of_several_sizes_or_names_are_photographs(tmp_path):
    folder = write_folder(tmp_path / "sizes", clip(3))
    photograph(folder / "f3.png", (50, 50))
    assert kinds([folder]) == [("sizes", 4)]
    named = write_folder(tmp_path / "names", clip(3))
    photograph(named / "cat.png")
    assert kinds([named]) == [("names", 4)]
    assert kinds([write_folder(tmp_path / "one", clip(1))]) == [("one", 1)]
    assert kinds([named / "cat.png"] * 2) == [("cat", 1)]  # named twice, it is one


def test_cameras_note_makes_photographs(tmp_path):
    exif = Image.Exif()
    exif[0x0110] = "a phone"
    folder = tmp_path / "phone"
    folder.mkdir()
    for k in range(3):
        photograph(folder / f"IMG_{k}.jpg", exif=exif)
    assert kinds([folder]) == [("phone", 3)]


def test_turned_photographs_of_one_stored_size_have_two_shown_sizes(tmp_path):
    upright = Image.Exif()
    upright[0x0112] = 6
    folder = tmp_path / "turned"
    folder.mkdir()
    photograph(folder / "f0.png")
    photograph(folder / "f1.png", exif=upright)
    assert kinds([folder]) == [("turned", 2)]


def test_loose_photographs_of_a_folder_go_together(tmp_path):
    paths = [photograph(tmp_path / f"{name}.png") for name in "ab"]
    (source,) = find_sources(paths)
    assert source.name == tmp_path.name and source.photographs == tuple(paths)
    (one,) = find_sources(paths[:1])
    assert (one.name, one.out) == ("a", tmp_path / "a-saliency")


def test_animated_picture_is_a_video_and_pages_are_not(tmp_path):
    first, *others = map(Image.fromarray, clip(4))
    for suffix in ("gif", "webp", "png", "tif"):
        first.save(tmp_path / f"{suffix}.{suffix}", save_all=True, append_images=others)
    places = [tmp_path / f"{suffix}.{suffix}" for suffix in ("gif", "webp", "png", "tif")]
    assert kinds(places) == [("gif", 0), ("webp", 0), ("png", 0), ("tif", 1)]


def test_animated_pictures_of_a_folder_are_no_frames_of_one_video(tmp_path):
    first, *others = map(Image.fromarray, clip(4))
    for name in ("a1", "a2"):
        first.save(tmp_path / f"{name}.gif", save_all=True, append_images=others)
    assert kinds([tmp_path]) == [("a1", 0), ("a2", 0)]
    assert len(list(find_sources([tmp_path])[0].open())) == 4
    photograph(tmp_path / "cat.png")
    assert kinds([tmp_path]) == [(tmp_path.name, 1), ("a1", 0), ("a2", 0)]


def test_a_raw_photograph_is_no_film_of_what_ffmpeg_finds_in_it(tmp_path):
    photograph(tmp_path / "a.dng", format="TIFF")  # as which it begins
    (source,) = find_sources([tmp_path / "a.dng"])
    with pytest.raises(ValueError, match=r"a\.dng: nothing here reads it; save it as JPEG"):
        source.open()


def test_folder_of_sequences_and_of_films(tmp_path):
    (tmp_path / "all").mkdir()
    for name in ("s10", "s9"):
        write_folder(tmp_path / "all" / name, clip(3))
    write_folder(tmp_path / "all" / "stills", clip(1))
    write_video(tmp_path / "all" / "film.webm", clip(3), 10)
    found = find_sources([tmp_path / "all"])
    assert [source.name for source in found] == ["film", "s9", "s10", "stills"]
    assert {source.out.parent for source in found} == {tmp_path / "all-saliency"}


@pytest.mark.parametrize(
    ("suffix", "kind", "codec"),
    [
        ("3g2", "3g2", "mpeg4"),
        ("DV", "dv", "dvvideo"),
        ("m2t", "mpegts", "mpeg2video"),
        ("MOD", "mpeg", "mpeg2video"),
        ("mxf", "mxf", "mpeg2video"),
        ("TOD", "mpegts", "mpeg2video"),
        ("VOB", "vob", "mpeg2video"),
    ],
)
def test_films_of_tapes_discs_and_recorders(tmp_path, suffix, kind, codec):
    with av.open(str(tmp_path / f"tape.{suffix}"), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = 576, 720
        for frame in [*map(av.VideoFrame.from_ndarray, clip(5, 576, 720)), None]:
            container.mux(stream.encode(frame))
    (source,) = find_sources([tmp_path])
    video = source.open()
    assert (source.name, video.fps, len(list(video))) == ("tape", 25, 5)
    assert video.length is not None and video.length <= 5


def test_films_beside_photographs_are_not_lost(tmp_path):
    (tmp_path / "dcim").mkdir()
    photographs = tuple(photograph(tmp_path / "dcim" / f"{name}.png") for name in ("cat", "dog"))
    write_video(tmp_path / "dcim" / "film.webm", clip(3), 10)
    (tmp_path / "dcim" / "masks").mkdir()
    photograph(tmp_path / "dcim" / "masks" / "cat.png")
    pictures, film = find_sources([tmp_path / "dcim"])
    assert (pictures.photographs, pictures.out) == (photographs, tmp_path / "dcim-saliency")
    assert (film.name, film.out) == ("film", tmp_path / "dcim-saliency" / "film")
    (tmp_path / "years").mkdir()
    (tmp_path / "dcim").rename(tmp_path / "years" / "2025")
    outs = [source.out for source in find_sources([tmp_path / "years"])]
    assert outs == [tmp_path / "years-saliency" / "2025" / part for part in ("", "film")]


def test_photographs_that_nothing_here_opens_are_named(tmp_path, capsys):
    photograph(tmp_path / "cat.jpg")
    (tmp_path / "dog.HEIC").write_bytes(b"not opened")
    (tmp_path / "notes.txt").write_text("not a picture")
    assert kinds([tmp_path]) == [(tmp_path.name, 1)]
    said = capsys.readouterr().err
    assert "left out, as nothing here reads them: dog.HEIC. Save as JPEG." in said
    assert "notes.txt" not in said


def test_photographs_that_nothing_opens_are_named_in_a_folder_of_their_own_too(tmp_path, capsys):
    (tmp_path / "all" / "trip").mkdir(parents=True)
    (tmp_path / "all" / "trip" / "dog.HEIC").write_bytes(b"not opened")
    with pytest.raises(ValueError, match="holds no images"):
        find_sources([tmp_path / "all"])
    assert "trip: left out, as nothing here reads them: dog.HEIC" in capsys.readouterr().err
    write_folder(tmp_path / "all" / "s1", clip(3))
    assert kinds([tmp_path / "all"]) == [("s1", 0)]
    assert "trip: left out, as nothing here reads them: dog.HEIC" in capsys.readouterr().err


def test_folders_of_films_in_a_folder_count_and_what_vsod_made_there_does_not(tmp_path):
    for name in ("cam1", "cam1-saliency"):
        (tmp_path / "all" / name).mkdir(parents=True)
    write_video(tmp_path / "all" / "cam1" / "film.webm", clip(3), 10)
    write_video(tmp_path / "all" / "cam1-saliency" / "overlay.webm", clip(3), 10)
    (tmp_path / "all" / "cam1-saliency" / "maps").mkdir()
    (tmp_path / "all" / "cam1-saliency" / "run.json").write_text("{}")
    (source,) = find_sources([tmp_path / "all"])
    assert source.out == tmp_path / "all-saliency" / "cam1" / "film"


def test_no_folder_is_listed_twice(tmp_path, monkeypatch):
    (tmp_path / "all").mkdir()
    for name in ("s1", "s2"):
        write_folder(tmp_path / "all" / name, clip(3))
    once, listed = Path.iterdir, []
    monkeypatch.setattr(Path, "iterdir", lambda path: listed.append(path.name) or once(path))
    find_sources([tmp_path / "all"])
    assert listed == ["all", "s1", "s2"]


def test_the_working_directory_has_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(write_folder(tmp_path / "frames", clip(3)))
    (source,) = find_sources(["."])
    assert (source.name, source.out) == ("frames", tmp_path / "frames-saliency")


def test_the_home_folder_may_be_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    photograph(tmp_path / "a.png")
    (source,) = find_sources(["~/a.png"])
    assert source.photographs == (tmp_path / "a.png",) and source.out.parent == tmp_path


def test_camera(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (source,) = find_sources([0])
    assert (source.name, source.place, str(source.out)) == ("camera-0", "0", "camera-0-saliency")


def test_what_is_no_source_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.mp4 does not exist"):
        find_sources([tmp_path / "none.mp4"])
    for address in ("https://example.org/a.mp4", "rtsp://camera/1", "file:///a.mp4"):
        with pytest.raises(ValueError, match=f"{address} is an address, .* download it"):
            find_sources([address])
    with pytest.raises(ValueError, match=r"Give a list of paths, \['clip.mp4'\], not one path"):
        find_sources("clip.mp4")
    with pytest.raises(ValueError, match=r"holds no images .* no films, and no folder of these"):
        find_sources([tmp_path])
