"""Pictures and masks out of files of every kind."""

import io
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, TiffImagePlugin
from small_sets import H, W

from vsodlib.data.image_files import decode_image, decode_mask, resize_rows, write_map


def test_resize_rows_averages_areas_and_cuts_masks_at_one_half():
    stripes = np.tile(np.uint8([0, 0, 0, 200]), (4, 4))[..., None].repeat(3, 2)
    np.testing.assert_array_equal(resize_rows(stripes, 1), np.full((1, 4, 3), 50))
    mask = np.array([[1, 0, 0, 0], [0, 1, 1, 0]], bool)  # 2x2 blocks hold one half, one quarter
    np.testing.assert_array_equal(resize_rows(mask, 1), [[True, False]])
    assert resize_rows(mask, 2) is mask


def test_mask_formats(tmp_path):
    values = np.array([[0, 1], [2, 255]], np.uint8)

    def decoded(image: Image.Image, kind: str = "PNG") -> np.ndarray:
        file = io.BytesIO()
        image.save(file, kind)
        return decode_mask(file.getvalue(), "x").levels

    grey = Image.fromarray(values)
    palette = Image.fromarray(values, "L").convert("P")
    palette.putpalette([200] * 768)  # the indices count, not their colours
    np.testing.assert_array_equal(decoded(grey), values)
    np.testing.assert_array_equal(decoded(palette), values)
    np.testing.assert_array_equal(decoded(grey.convert("LA")), values)
    rgba = np.dstack([values, values * 0, values * 0, values * 0 + 255])
    np.testing.assert_array_equal(decoded(Image.fromarray(rgba)) > 0, values > 0)
    np.testing.assert_array_equal(
        decoded(Image.fromarray(values > 0)), np.uint8(255) * (values > 0)
    )


def test_deep_grey_frames_are_refused_not_cut_at_255():
    data = io.BytesIO()
    Image.fromarray(np.full((H, W), 20_000, np.uint16)).save(data, "PNG")
    with pytest.raises(ValueError, match=r"a\.png is 16-bit .*8 bits"):
        decode_image(data.getvalue(), "a.png")


def test_a_large_photograph_is_no_attack(tmp_path):
    """Pillow warns of a "DOS attack" from 89 megapixels on; phones take 108."""
    Image.new("RGB", (64, 48)).save(tmp_path / "large.jpg")
    read = "Image.MAX_IMAGE_PIXELS = 2000; print(shown_size(Path(sys.argv[1])))"
    code = f"import sys; from vsodlib.data.image_files import *; {read}"
    words = [sys.executable, "-c", code, str(tmp_path / "large.jpg")]
    found = subprocess.run(words, capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("(48, 64)\n", "")


@pytest.mark.parametrize("kind", ["AVIF", "GIF", "TIFF"])
def test_a_picture_with_any_byte_changed_or_cut_off_is_read_or_refused(kind, monkeypatch):
    """Pillow raises TypeError, IndexError, ZeroDivisionError, RuntimeError, struct.error ..."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    file = io.BytesIO()
    first, second = (Image.fromarray(np.full((8, 8, 3), v, np.uint8)) for v in (0, 255))
    first.save(file, kind, save_all=True, append_images=[second])
    whole = file.getvalue()
    for at in range(len(whole)):
        changed = bytes([*whole[:at], whole[at] ^ 255, *whole[at + 1 :]])
        for data in (whole[:at], changed):
            try:
                decode_mask(data, "a.x")
            except ValueError as error:
                assert str(error).startswith("a.x ")


def test_readers_of_other_formats_are_not_loaded(tmp_path):
    Image.new("L", (W, H)).save(tmp_path / "a.png")
    code = "import sys; from vsodlib.data.image_files import decode_mask as read;"
    code += "read(open(sys.argv[1], 'rb').read(), ''); print('PIL.EpsImagePlugin' in sys.modules)"
    asked = [sys.executable, "-c", code, str(tmp_path / "a.png")]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colour_channels_of_16_bits_keep_their_lower_half(suffix):
    values = np.zeros((H, W, 3), np.uint16)
    values[2:5, 3:6] = 1
    file = decode_mask(cv2.imencode(suffix, values)[1].tobytes(), "a")
    np.testing.assert_array_equal(file.levels, values[..., 0])
    values[..., 2] = 7
    with pytest.raises(ValueError, match="a holds 16-bit colours"):
        decode_mask(cv2.imencode(suffix, values)[1].tobytes(), "a")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_masks_that_programs_read_differently_are_refused(kind):
    """Pillow turns TIFF alone, OpenCV others, too; of 16 bits Pillow takes white for black."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Orientation] = 3
    Image.fromarray(np.eye(H, W, dtype=np.uint8)).save(file, kind, exif=exif)
    with pytest.raises(ValueError, match="a is turned by its EXIF note"):
        decode_mask(file.getvalue(), "a")
    tags, file = TiffImagePlugin.ImageFileDirectory_v2(), io.BytesIO()
    tags[ExifTags.Base.PhotometricInterpretation] = 0
    Image.fromarray(np.eye(H, W, dtype=np.uint16)).save(file, "TIFF", tiffinfo=tags)
    with pytest.raises(ValueError, match="a stores white as 0"):
        decode_mask(file.getvalue(), "a")


@pytest.mark.parametrize("level", [255, -0.1, np.nan])
def test_a_map_that_would_wrap_around_is_not_written(tmp_path, level):
    with pytest.raises(ValueError, match=r"must be float in \[0, 1\]"):
        write_map(tmp_path / "map.png", np.full((H, W), level))
    assert not list(tmp_path.iterdir())
