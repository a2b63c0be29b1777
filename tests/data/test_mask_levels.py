"""One meaning of a mask over a whole set, whatever people saved it as."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodlib.data import FrameDataset
from vsodlib.data.check import check
from vsodlib.inference.score_folder import score_folder

H, W = 72, 128
PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0]


def shape(k: int) -> np.ndarray:
    """Object numbers: 1 and 2 side by side, wandering."""
    numbers = np.zeros((H, W), np.uint8)
    numbers[10:50, 10 + k : 50 + k] = 1
    numbers[10:50, 50 + k : 80 + k] = 2
    return numbers


def save(path: Path, picture: np.ndarray | Image.Image, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(path, **options)


def write(folder: Path, make, suffix: str = ".png", videos: str = "ab", **options) -> Path:
    """Four masks of each video; `make` takes object numbers, video and frame."""
    for video in videos:
        for k in range(4):
            save(folder / video / f"{k:05d}{suffix}", make(shape(k), video, k), **options)
    return folder


def white(numbers: np.ndarray, *_) -> np.ndarray:
    return (numbers > 0).astype(np.uint8) * 255


def palette(numbers: np.ndarray, *_) -> Image.Image:
    picture = Image.fromarray(numbers, "P")
    picture.putpalette(PALETTE)
    return picture


def black_last(numbers: np.ndarray, *_) -> Image.Image:
    picture = Image.fromarray(np.uint8([3, 1, 2])[numbers], "P")
    picture.putpalette([255, 255, 0, *PALETTE[3:], 0, 0, 0])
    return picture


def colours(numbers: np.ndarray, *_) -> np.ndarray:
    return np.uint8([[0, 0, 0], [255, 0, 0], [255, 255, 255]])[numbers]


def filtered(method: int, numbers: np.ndarray) -> np.ndarray:
    small = cv2.resize(white(numbers), (W // 2, H // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (W, H), interpolation=method)


EXACT = {
    "0/1": (lambda n, *_: (n > 0).astype(np.uint8), ".png"),
    "0/255": (white, ".png"),
    "0/200": (lambda n, *_: (n > 0) * np.uint8(200), ".png"),
    "numbers": (lambda n, *_: n, ".png"),
    "VOC's greys": (lambda n, *_: np.uint8([0, 38, 75])[n], ".png"),
    "one grey": (lambda n, *_: (n > 0) * np.uint8(100), ".pgm"),
    "16 bit 0/1": (lambda n, *_: (n > 0).astype(np.uint16), ".png"),
    "16 bit numbers": (lambda n, *_: n.astype(np.uint16), ".png"),
    "16 bit 0/255": (lambda n, *_: (n > 0) * np.uint16(255), ".tif"),
    "16 bit 0/65535": (lambda n, *_: (n > 0) * np.uint16(65535), ".png"),
    "1 bit": (lambda n, *_: Image.fromarray(n > 0), ".png"),
    "palette": (palette, ".png"),
    "palette, black last": (black_last, ".png"),
    "three channels": (lambda n, *_: np.repeat(white(n)[..., None], 3, 2), ".bmp"),
    "four channels": (lambda n, *_: np.dstack([white(n)] * 3 + [n * 0 + 255]), ".PNG"),
    "0/1 beside 0/255": (lambda n, v, _: white(n) if v == "a" else np.minimum(n, 1), ".png"),
    "TIFF": (white, ".tiff"),
    "GIF": (white, ".gif"),
    "10/200": (lambda n, *_: np.where(n > 0, 200, 10).astype(np.uint8), ".png"),
    "half of 16 bits": (lambda n, v, _: (n > 0) * np.uint16(255 if v == "a" else 65535), ".png"),
    "0/1 beside 16 bit": (lambda n, v, _: (n > 0) * np.uint16(1 if v == "a" else 65535), ".png"),
    "40 numbers": (lambda n, *_: n * (1 + np.indices(n.shape)[1] % 20).astype(np.uint8), ".png"),
    "stray pixels": (lambda n, *_: np.where(np.indices(n.shape).sum(0) < 3, 10, white(n)), ".png"),
}


@pytest.mark.parametrize("name", EXACT)
def test_truth_is_read_as_it_was_meant(name, tmp_path):
    make, suffix = EXACT[name]
    truth = write(tmp_path / "gt", lambda *a: _keep(make(*a)), suffix)
    maps = write(tmp_path / "maps", white)
    result = score_folder(maps, gt=truth)
    assert (result["J"]["mean"], result["F"]["mean"], result["mae"]) == (1, 1, 0)
    frames = write(tmp_path / "frames", lambda *a: np.zeros((H, W, 3), np.uint8))
    dataset = FrameDataset.from_folders(frames, truth)
    for index, record in enumerate(dataset.records):  # as training and `evaluate` see it
        np.testing.assert_array_equal(dataset.mask(index), shape(int(record.frame)) > 0)
    save(tmp_path / "own/a/Imgs/0.jpg", np.zeros((H, W, 3), np.uint8))
    save(tmp_path / f"own/a/GT/0{suffix}", _keep(make(shape(0), "a", 0)))
    assert check(tmp_path / "own") == []


def _keep(picture):
    return picture if isinstance(picture, Image.Image) else Image.fromarray(np.asarray(picture))


@pytest.mark.parametrize("name", [name for name in EXACT if name[-3:] != "200"])
def test_masks_of_a_method_are_read_likewise(name, tmp_path):
    if name in ("stray pixels", "VOC's greys", "40 numbers"):
        pytest.skip("of a map these are levels of grey" if name[0] == "s" else "")
    make, suffix = EXACT[name]
    maps = write(tmp_path / "maps", lambda *a: _keep(make(*a)), suffix)
    result = score_folder(maps, gt=write(tmp_path / "gt", white))
    assert (result["J"]["mean"], result["max_f"], result["mae"]) == (1, 1, 0)


def test_dark_maps_of_a_network_are_grey(tmp_path, capsys):
    truth = write(tmp_path / "gt", white)
    even = write(tmp_path / "maps", lambda n, *_: 120 + n * 2)  # untrained: near one half
    result = score_folder(even, gt=truth)
    assert (result["J"]["mean"], result["levels"]["maps"]) == (0, "levels of grey")
    assert "no level above half of white" in capsys.readouterr().err


def test_dark_blurred_maps_are_grey(tmp_path, capsys):
    maps = write(tmp_path / "maps", lambda n, *_: filtered(cv2.INTER_LINEAR, n) // 12)
    result = score_folder(maps, gt=write(tmp_path / "gt", white))
    assert (result["J"]["mean"], result["levels"]["maps"]) == (0, "levels of grey")
    assert "no level above half of white" in capsys.readouterr().err


@pytest.mark.parametrize("top", [1000, 4095])
def test_dark_maps_of_16_bits_are_grey_and_said(top, tmp_path, capsys):
    maps = write(tmp_path / "maps", lambda n, *_: (n > 0) * np.uint16(top))
    result = score_folder(maps, gt=write(tmp_path / "gt", white))
    assert (result["J"]["mean"], result["levels"]["maps"]) == (0, "levels of grey")
    assert "no level above half of white" in capsys.readouterr().err


def test_maps_of_one_grey_are_levels(tmp_path):
    maps = write(tmp_path / "maps", lambda n, *_: (n > 0) * np.uint8(200))
    result = score_folder(maps, gt=write(tmp_path / "gt", white))
    assert (result["J"]["mean"], result["levels"]["maps"]) == (1, "levels of grey")


def test_colours_on_black_are_objects(tmp_path):
    truth = write(tmp_path / "gt", colours)
    result = score_folder(write(tmp_path / "maps", white), gt=truth)
    assert result["J"]["mean"] == 1
    assert result["levels"]["truth"] == "object numbers, all of them object"


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_jpeg_masks_are_cut_in_the_middle(quality, tmp_path):
    truth = write(tmp_path / "gt", white, ".jpg", quality=quality)
    result = score_folder(write(tmp_path / "maps", white), gt=truth)
    assert result["J"]["mean"] > 0.99
    # the same saved once more without loss
    again = write(tmp_path / "png", lambda n, v, k: Image.open(truth / v / f"{k:05d}.jpg"))
    assert score_folder(tmp_path / "maps", gt=again)["J"]["mean"] == result["J"]["mean"]


@pytest.mark.parametrize(
    "method", [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_AREA]
)
def test_filtered_masks_are_cut_in_the_middle(method, tmp_path):
    truth = write(tmp_path / "gt", lambda n, *_: filtered(method, n))
    result = score_folder(write(tmp_path / "maps", white), gt=truth)
    assert result["J"]["mean"] > 0.95
    assert result["levels"]["truth"] in ("grey, object above 127", "0/255")


def void(n: np.ndarray, *_) -> np.ndarray:
    border = cv2.dilate((n > 0).astype(np.uint8), np.ones((5, 5))) > (n > 0)
    return np.where(border, 255, n)


def heat(n: np.ndarray) -> Image.Image:
    """A picture in 256 colours, as GIF holds it."""
    picture = Image.fromarray((np.indices(n.shape).sum(0) % 120).astype(np.uint8), "P")
    picture.putpalette([value for k in range(256) for value in (k, 255 - k, 128)])
    return picture


def rim(n: np.ndarray, width: int) -> np.ndarray:
    """A thin line of doubt around the object."""
    objects = white(n)
    return np.where(cv2.dilate(objects, np.ones((width, width))) > objects, 128, objects)


def line(levels: np.ndarray, level: int) -> np.ndarray:
    """A thin object of its own, far from the others."""
    levels[60] = level
    return levels


def many(n: np.ndarray) -> np.ndarray:
    """Two hundred objects of four by four pixels."""
    numbers = np.zeros_like(n)
    for k in range(200):
        row, column = divmod(k, 20)
        numbers[6 * row : 6 * row + 4, 6 * column : 6 * column + 4] = k + 1
    return numbers


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (void, r"levels 0, 1, 2, 255, which may be objects, void or doubt"),
        (lambda n, v, k: void(n) if k == 2 and v == "b" else n, "0, 1, 2, 255, which may be"),
        (lambda n, *_: void(np.minimum(n, 1)), r"levels 0, 1, 255, which may be"),
        (lambda n, *_: np.uint8([0, 128, 255])[n], r"levels 0, 128, 255, which may be"),
        (lambda n, *_: rim(n, 3), r"levels 0, 128, 255, which may be"),
        (lambda n, *_: rim(n, 5), r"levels 0, 128, 255, which may be"),
        (lambda n, v, _: white(n) if v == "a" else n, r"must be alike"),
        (lambda n, *_: np.dstack([n * 0] * 3 + [white(n)]), "partly transparent"),
        (lambda n, *_: (np.indices(n.shape).sum(0) % 120).astype(np.uint8), "none above 127"),
        (lambda n, *_: np.random.default_rng(0).integers(0, 255, (H, W, 3), np.uint8), "colour im"),
        (lambda n, *_: np.full((H, W, 3), (9, 200, 9), np.uint8), "without a black background"),
        (lambda n, *_: n * 0, "Not one of the 8 masks .* shows an object"),
        (lambda n, *_: n.astype(np.uint16) * 300, "highest level is 600"),
        (lambda n, *_: np.uint16([0, 1, 65535])[n], "levels 0, 1, 255, which may be"),
        (lambda n, *_: filtered(cv2.INTER_LINEAR, n) // 5, "blurred and none above 127"),
        (lambda n, *_: line(white(n), 100), "levels 0, 100, 255, which may"),
        (lambda n, *_: many(n), "levels 0, 26, 27, .* which may be"),
        (lambda n, *_: np.where(rim(n, 5) == 128, 254, rim(n, 5)), "levels 0, 254, 255, which may"),
        (lambda n, *_: heat(n), r"colour image \([0-9]+ colours\)"),
    ],
)  # fmt: skip
def test_truth_that_may_mean_two_things_is_refused(make, said, tmp_path):
    truth = write(tmp_path / "gt", lambda *a: _keep(make(*a)))
    with pytest.raises(ValueError, match=said):
        score_folder(write(tmp_path / "maps", white), gt=truth)


def test_other_pixels_are_refused(tmp_path, capsys):
    maps = write(tmp_path / "maps", white)
    bad = shape(0).astype(np.float32)
    bad[0, 0] = np.nan
    for picture, suffix, said in (
        (bad, ".tif", "float pixels"),
        (Image.fromarray(white(shape(0))).convert("CMYK"), ".tif", "CMYK pixels"),
    ):
        truth = write(tmp_path / f"gt{said}", lambda *_, p=picture: p, suffix)
        with pytest.raises(ValueError, match=rf"a.00000{suffix} holds {said}"):
            score_folder(maps, gt=truth)
        assert "masks of" not in capsys.readouterr().err  # nothing was read
    pages = [Image.fromarray(white(shape(k))) for k in range(3)]
    save(tmp_path / "pages/a/0.tif", pages[0], save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match=r"0\.tif holds 3 pictures"):
        score_folder(maps, gt=tmp_path / "pages")


def test_jpeg_of_object_numbers_is_refused(tmp_path):
    truth = write(tmp_path / "gt", lambda n, *_: n, ".jpg")
    with pytest.raises(ValueError, match="blurred and none above 127"):
        score_folder(write(tmp_path / "maps", white), gt=truth)


@pytest.mark.parametrize("deep", [False, True])
def test_declared_void_does_not_count(deep, tmp_path):
    label = 65535 if deep else 255
    truth = write(tmp_path / "gt", lambda n, *_: np.where(void(n) == 255, label, n).astype("u2"))
    grown = write(tmp_path / "maps", lambda n, *_: (void(n) > 0) * np.uint8(255))
    result = score_folder(grown, gt=truth, void=255)
    assert (result["J"]["mean"], result["mae"]) == (1, 0)
    assert result["conversions"]["void left out"] == 8
    assert "level 255 does not count" in result["levels"]["truth"]
    assert score_folder(grown, gt=truth, foreground=0)["J"]["mean"] == 1  # void as object
    assert score_folder(grown, gt=truth, foreground=1)["J"]["mean"] < 0.7


def test_void_leaves_a_background(tmp_path):
    truth = write(tmp_path / "gt", lambda n, *_: n)
    first = write(tmp_path / "maps", lambda n, *_: white(n))
    with pytest.raises(ValueError, match="or there is no background"):
        score_folder(first, gt=truth, void=0)
    assert score_folder(first, gt=truth, foreground=1, void=0)["J"]["mean"] == pytest.approx(3 / 7)


def test_of_a_palette_the_numbers_are_levels(tmp_path):
    truth = write(tmp_path / "gt", palette)
    second = write(tmp_path / "maps", lambda n, *_: (n > 1) * np.uint8(255))
    assert score_folder(second, gt=truth, foreground=1)["J"]["mean"] == 1
    assert score_folder(second, gt=truth, void=1)["J"]["mean"] == 1


def test_empty_frames_among_others_are_counted_and_said(tmp_path, capsys):
    truth = write(tmp_path / "gt", lambda n, v, k: white(n) * (v == "a" and k > 1))
    result = score_folder(truth, gt=truth)
    assert result["conversions"] == {"empty ground truth": 6}
    assert "note: 6 of 8 ground truths show no object." in capsys.readouterr().err


@pytest.mark.parametrize("dark", [lambda n, k: np.minimum(n, 1) * (k != 2), lambda n, _: n])
def test_a_nearly_black_sequence_among_grey_maps_is_said(dark, tmp_path, capsys):
    soft = write(
        tmp_path / "maps",
        lambda n, v, k: cv2.GaussianBlur(white(n), (0, 0), 4) if v == "a" else dark(n, k),
    )
    score_folder(soft, gt=write(tmp_path / "gt", white))
    said = rf"note: [34] of [78] maps looked at \({soft / 'b'}/0000.\.png, \.\.\.\) hold few levels"
    assert re.search(said, capsys.readouterr().err)


def test_one_grey_map_among_masks_is_refused(tmp_path):
    masks = write(tmp_path / "maps", lambda n, v, k: rim(n, 5) if k == 2 else np.minimum(n, 1))
    with pytest.raises(
        ValueError, match=r"128, 255, but .* levels 0, 1: levels of grey or numbers"
    ):
        score_folder(masks, gt=write(tmp_path / "gt", white))


def test_a_palette_among_grey_maps_is_white(tmp_path, capsys):
    truth = write(tmp_path / "gt", white)
    mixed = write(tmp_path / "maps", lambda n, v, _: white(n) // 3 * 2 if v == "a" else palette(n))
    assert score_folder(mixed, gt=truth)["J"]["mean"] == 1
    assert "maps" not in capsys.readouterr().err
