import base64
import io

import numpy as np
import pytest
from PIL import Image

from vsodlib.viz.widgets.pixel_picker import pick_pixel

H, W = 32, 48
FRAME = np.full((H, W, 3), 90, np.uint8)


def open_jpeg(data):
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


class Look:
    """Grey as bright as five times the picked row, and every call noted."""

    def __init__(self):
        self.calls = []

    def __call__(self, pixel):
        self.calls.append(pixel)
        return {"row": np.full((H, W, 3), 5 * pixel[0], np.uint8), "frame": FRAME}


def test_starts_in_the_middle_and_looks_once():
    look = Look()
    picker = pick_pixel(FRAME, look)
    assert picker.pixel == (16, 24) and look.calls == [(16, 24)]
    assert picker.size == (H, W) and picker.step == 16
    assert pick_pixel(FRAME, look, pixel=(0, 0), step=4).pixel == (0, 0)


def test_picking_redraws_panels_and_caption():
    look = Look()
    picker = pick_pixel(FRAME, look, panel_width=96)
    sheet = open_jpeg(picker.get_state()["_panels"])
    assert sheet.shape == (24 + 64, 2 * 96 + 6, 3) and abs(sheet[50, 40, 0] - 80) < 4
    picker.pixel = (31, 2)
    assert look.calls[-1] == (31, 2) and picker.caption == "row 31, column 2"
    assert abs(open_jpeg(picker.get_state()["_panels"])[50, 40, 0] - 155) < 4
    assert picker.panels()["row"][0, 0, 0] == 155


def test_the_frame_is_sent_as_wide_as_a_panel():
    frame = open_jpeg(pick_pixel(FRAME, Look(), panel_width=96).get_state()["_frame"])
    assert frame.shape == (64, 96, 3) and (abs(frame - 90) < 4).all()


def test_without_a_kernel_a_picture_of_the_present_state_stays():
    picker = pick_pixel(FRAME, Look(), panel_width=96)
    for pixel in ((16, 24), (4, 40)):
        picker.pixel = pixel
        bundle, metadata = picker._repr_mimebundle_()
        assert picker.caption in metadata["image/jpeg"]["alt"]
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert bundle["text/plain"] == f"PixelPicker at row {pixel[0]}, column {pixel[1]}"
        shown = open_jpeg(base64.b64decode(bundle["image/jpeg"]))
        assert shown.shape[1] == 3 * 96 + 2 * 6, "the frame and both panels"
        marked = np.argwhere(abs(shown[24:, :96] - 90).max(axis=2) > 40).mean(axis=0)
        np.testing.assert_allclose(marked, 2 * np.array(pixel), atol=3)


@pytest.mark.parametrize("pixel", [(-1, 0), (H, 0), (0, W)])
def test_a_pixel_outside_is_refused_and_nothing_changes(pixel):
    look = Look()
    with pytest.raises(ValueError, match="lies outside the 32x48 frame"):
        pick_pixel(FRAME, look, pixel=pixel)
    picker = pick_pixel(FRAME, look)
    with pytest.raises(ValueError, match="lies outside the 32x48 frame"):
        picker.pixel = pixel
    assert picker.pixel == (16, 24) and look.calls == [(16, 24)]


def test_frame_and_step_are_checked():
    for frame in (FRAME[..., 0], FRAME.astype(float), FRAME[..., :2]):
        with pytest.raises(ValueError, match="frame must be uint8"):
            pick_pixel(frame, Look())
    with pytest.raises(ValueError, match="step must be at least 1"):
        pick_pixel(FRAME, Look(), step=0)
