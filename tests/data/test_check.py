"""`check` finds every fault at once; `pack` writes a smaller data set or nothing."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodlib.data.check import check
from vsodlib.data.synthetic import make_synthetic

H, W = 48, 64
FRAMES, MASKS = "DAVIS/JPEGImages/480p", "DAVIS/Annotations/480p"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("drawn")
    make_synthetic(root / "DAVIS", videos=2, frames=4, height=H, width=W)
    return root


def grey(path: Path, values) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


def found(root: Path, name: str | None = None) -> dict[str, str]:
    return {str(Path(p.path).relative_to(root)): p.message for p in check(root, name)}


def test_sound_data_has_no_problems(drawn):
    assert check(drawn) == [] and check(drawn / "DAVIS", "davis2016") == []


def test_all_problems_at_once(root):
    a, b = "synthetic-00000", "synthetic-05000"
    (root / FRAMES / a / "00000.jpg").unlink()
    path = root / FRAMES / a / "00001.jpg"
    path.write_bytes(path.read_bytes()[:700])
    (root / FRAMES / a / "00002.jpg").write_bytes(b"")
    (root / MASKS / a / "00003.png").write_text("no picture")
    grey(root / MASKS / b / "00000.png", np.zeros((10, 20)))
    grey(root / MASKS / b / "00001.png", np.full((H, W), 7))
    cv2.imwrite(str(root / FRAMES / b / "00002.jpg"), np.zeros((20, 30, 3), np.uint8))
    grey(root / MASKS / b / "00009.png", np.zeros((H, W)))
    problems = found(root)
    cut = problems.pop(f"{FRAMES}/{a}/00001.jpg")
    assert cut.startswith("cannot be decoded: ") and "truncated" in cut
    assert problems == {
        f"{FRAMES}/{a}/00000.jpg": "does not exist",
        f"{FRAMES}/{a}/00002.jpg": "is empty",
        f"{MASKS}/{a}/00003.png": "is not a picture (or cut off in its first bytes)",
        f"{MASKS}/{b}/00000.png": "20x10, but its frame is 64x48",
        f"{MASKS}/{b}/00001.png": f"holds the levels 0, 7, but {root}/{MASKS}/{a}/00000.png holds "
        "the levels 0, 255: the masks of davis2016 must be alike; save them as 0 and 255, or say "
        "which level the object lies above (--foreground)",
        f"{FRAMES}/{b}/00002.jpg": "30x20, but the first frame of its video is 64x48",
        f"{MASKS}/{b}/00002.png": "64x48, but its frame is 30x20",
        f"{MASKS}/{b}/00009.png": "mask without a frame",
    }


def test_what_no_list_names_is_no_fault(root):
    for kind in (FRAMES, MASKS):
        shutil.copytree(root / kind / "synthetic-00000", root / kind / "gold-fish")
    assert check(root) == []
    (root / FRAMES / "gold-fish/00001.jpg").unlink()
    assert found(root) == {f"{MASKS}/gold-fish/00001.png": "mask without a frame"}


def test_unpaired_and_left_out_frames_without_lists(root):
    shutil.rmtree(root / "DAVIS/ImageSets")
    for kind in (FRAMES, MASKS):
        (root / kind / "synthetic-00000").rename(root / kind / "bear")
        (root / kind / "synthetic-05000").rename(root / kind / "camel")
    (root / MASKS / "bear/00002.png").unlink()
    (root / FRAMES / "camel/00001.jpg").unlink()
    assert found(root) == {
        f"{FRAMES}/bear/00002.jpg": "frame without a mask",
        f"{FRAMES}/camel/00001.jpg": "frame left out",
        f"{MASKS}/camel/00001.png": "mask without a frame",
    }


def test_every_so_manieth_frame_leaves_none_out(root):
    for kind in (FRAMES, MASKS):
        for number in (3, 1):
            (path,) = (root / kind / "synthetic-00000").glob(f"0000{number}.*")
            path.rename(path.with_stem(f"0000{2 * number}")) if number == 3 else path.unlink()
    (root / "DAVIS/ImageSets/480p/train.txt").write_text("synthetic-00000\n")
    assert found(root) == {f"{FRAMES}/synthetic-00000/00004.jpg": "frame left out"}


def test_zip_is_checked_too(root, tmp_path):
    (root / MASKS / "synthetic-00000/00001.png").write_bytes(b"?")
    shutil.make_archive(str(tmp_path / "d"), "zip", root)
    (problem,) = check(tmp_path / "d.zip")
    assert str(problem) == (
        f"{tmp_path}/d.zip/{MASKS}/synthetic-00000/00001.png: "
        "is not a picture (or cut off in its first bytes)"
    )


def test_every_data_set_below_the_root_is_checked(root):
    rgb = np.full((H, W, 3), 9)
    soft = np.zeros((H, W))
    soft[:24], soft[24, :10] = 255, 100  # soft edges are normal for images
    for number, mask in enumerate((soft, np.full((H, W), 100), soft > 0, soft)):
        grey(root / f"DUTS-TR/DUTS-TR-Image/{number}.jpg", rgb)
        grey(root / f"DUTS-TR/DUTS-TR-Mask/{number}.png", mask)
    grey(root / "DUTS-TR/DUTS-TR-Image/4.jpg", rgb)
    grey(root / "FBMS/Testset/cars1/cars1_01.jpg", rgb)
    grey(root / "FBMS/Testset/cars1/cars1_02.jpg", rgb)
    grey(root / "FBMS/Testset/cars1/GroundTruth/cars1_01.pgm", soft)
    grey(root / "FBMS/Testset/cars1/GroundTruth/cars1_07.pgm", soft)
    problems = found(root)
    for number, levels in ((1, "0, 100"), (2, "0, 1")):
        fault = problems.pop(f"DUTS-TR/DUTS-TR-Mask/{number}.png")
        assert re.match(
            rf"holds the levels {levels}, but .*/[03].png holds the levels 0, 255", fault
        )
    assert problems == {
        "DUTS-TR/DUTS-TR-Image/4.jpg": "frame without a mask",
        "FBMS/Testset/cars1/GroundTruth/cars1_07.pgm": "mask without a frame",
    }
    assert found(root, "fbms").keys() == {"FBMS/Testset/cars1/GroundTruth/cars1_07.pgm"}
    assert check(root, "davis2016") == []


def test_half_grey_masks_of_images(tmp_path):
    mask = np.zeros((H, W))
    mask[:20], mask[20:30] = 255, 150
    grey(tmp_path / "DUTS-TR/DUTS-TR-Image/1.jpg", np.zeros((H, W, 3)))
    grey(tmp_path / "DUTS-TR/DUTS-TR-Mask/1.png", mask)
    (fault,) = found(tmp_path).values()
    assert fault.startswith(
        "holds the levels 0, 150, 255, which may be objects, void or doubt: say"
    )


def test_frames_as_in_davis_with_masks_elsewhere(tmp_path):
    for video in ("birdfall", "drift"):  # SegTrack v2
        grey(tmp_path / f"JPEGImages/{video}/{video}_00000.jpg", np.zeros((H, W, 3)))
        grey(tmp_path / f"GroundTruth/{video}/{video}_00000.png", np.eye(H, W) * 255)
    assert check(tmp_path) == []
    (tmp_path / "GroundTruth/drift/drift_00000.png").write_text("no picture")
    assert found(tmp_path).keys() == {"GroundTruth/drift/drift_00000.png"}


def test_what_a_folder_is_taken_for_is_said(tmp_path, capsys):
    for path in ("a_1.jpg", "GroundTruth/a_1.ppm"):  # drawn on white, as FBMS alone has it
        picture = np.full((H, W, 3), 255 if path[0] == "G" else 0)
        picture[9:20, 9:20, 0] = 0
        grey(tmp_path / "Testset/a" / path, picture)
    assert check(tmp_path) == []
    assert f"is read as fbms; --name folder:{tmp_path} reads" in capsys.readouterr().err
    (fault,) = check(tmp_path, f"folder:{tmp_path}")
    assert fault.message == "is a colour image without a black background"


def test_frames_in_a_folder_called_as_those_of_msra10k(tmp_path):
    grey(tmp_path / "Imgs/clip/00000.png", np.zeros((H, W, 3)))  # not .jpg as there
    grey(tmp_path / "GT/clip/00000.png", np.eye(H, W) * 255)
    assert check(tmp_path) == []


def test_nothing_to_check(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"The data root .*nowhere does not exist"):
        check(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="holds no data set known here"):
        check(tmp_path)
    with pytest.raises(FileNotFoundError, match="vsod data fetch visal"):
        check(tmp_path, "visal")
    (tmp_path / "DAVIS/JPEGImages/480p").mkdir(parents=True)
    assert [p.message for p in check(tmp_path)] == ["holds no frames of davis2016"]
    grey(tmp_path / "FBMS/Testset/cars1/cars1_01.jpg", np.zeros((H, W, 3)))
    assert [p.message for p in check(tmp_path, "fbms")] == ["not one of the frames has a mask"]


def test_masks_alone_are_told_of_once(tmp_path):
    for mask in ("FBMS/Testset/cars1/GroundTruth/cars1_{}_gt.png", f"{MASKS}/dog/0000{{}}.png"):
        for number in (1, 9):
            grey(tmp_path / mask.format(number), np.eye(H, W) * 255)
    assert [p.message for p in check(tmp_path)] == [
        f"holds no frames of {name}" for name in ("davis2016", "fbms")
    ]


def test_a_mask_in_two_formats_is_not_without_a_frame(tmp_path):
    folder = tmp_path / "FBMS/Testset/cars1"
    grey(folder / "cars1_1.jpg", np.zeros((H, W, 3)))
    for suffix in ("png", "pgm"):
        grey(folder / f"GroundTruth/cars1_1_gt.{suffix}", np.eye(H, W) * 255)
    assert check(tmp_path) == []
