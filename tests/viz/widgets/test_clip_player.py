import base64
import io

import numpy as np
import pytest
from PIL import Image

from vsodlib.viz.widgets.clip_player import clip_player

T, H, W = 5, 30, 40
FRAMES = np.repeat(np.arange(T, dtype=np.uint8) * 50, H * W * 3).reshape(T, H, W, 3)
MASKS = np.zeros((T, H, W), bool)
MASKS[:, :, :20] = True
MAPS = np.zeros((T, H, W), np.float32)
MAPS[:, :, :20] = 0.7
MAPS[1, :, :10] = 0.2


def open_jpeg(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_moving_the_slider_redraws():
    player = clip_player(FRAMES)
    assert player.frame.value == 2, "starts in the middle"
    before = open_jpeg(player.picture.value)
    player.frame.value = 4
    after = open_jpeg(player.picture.value)
    assert before[-5, 5].tolist() == [100] * 3 and after[-5, 5].tolist() == [200] * 3
    assert player.caption.value.startswith("frame 4 (0 to 4)")


def test_panels_follow_what_is_given():
    assert list(clip_player(FRAMES).panels()) == ["frame"]
    assert list(clip_player(FRAMES, masks=MASKS).panels()) == ["frame and true outline"]
    assert list(clip_player(FRAMES, MAPS).panels()) == ["frame", "saliency map"]
    panels = clip_player(FRAMES, MAPS, MASKS).panels()
    assert list(panels) == ["frame and true outline", "saliency map", "found, missed, false alarm"]
    assert all(picture.shape == (H, W, 3) for picture in panels.values())
    assert panels["saliency map"][0, 0, 0] == 178  # 0.7 * 255


def test_panels_stand_side_by_side_under_their_titles():
    width = 160
    sheet = open_jpeg(clip_player(FRAMES, MAPS, panel_width=width).picture.value)
    assert sheet.shape == (24 + 120, 2 * width + 6, 3)
    assert (sheet[30:, :150, 0] == 100).all() and sheet[30:, 170:240].mean() == pytest.approx(
        178, abs=2
    )
    assert sheet[:24].min() < 100, "titles are written"


def test_iou_by_hand():
    player = clip_player(FRAMES, MAPS, MASKS)
    assert player.iou() == 1
    player.frame.value = 1  # half of the object is below the threshold
    assert player.iou() == 0.5 and "IoU 0.500" in player.caption.value
    before = player.panels()["found, missed, false alarm"]
    player.threshold.value = 0.8
    assert player.iou() == 0
    assert (player.panels()["found, missed, false alarm"] != before).any()
    player.threshold.value = 0.0  # all 40 columns found, 20 of them right
    assert player.iou() == 0.5


def test_iou_of_nothing_found_where_nothing_is():
    player = clip_player(FRAMES, np.zeros((T, H, W)), np.zeros((T, H, W), bool))
    assert player.iou() == 1
    assert clip_player(FRAMES).iou() is None and "IoU" not in clip_player(FRAMES).caption.value


@pytest.mark.parametrize("maps, masks, there", [(MAPS, MASKS, True), (MAPS, None, False)])
def test_the_threshold_is_there_where_it_does_something(maps, masks, there):
    player = clip_player(FRAMES, maps, masks)
    controls = player.children[1].children
    assert player.frame in controls and (player.threshold in controls) == there


def test_without_a_kernel_a_picture_stays():
    player = clip_player(FRAMES, MAPS, MASKS)
    bundle, metadata = player._repr_mimebundle_()
    assert metadata["image/jpeg"]["alt"].startswith("Clip player at frame ")
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert base64.b64decode(bundle["image/jpeg"]) == player.picture.value
    assert "object at 0x" not in bundle["text/plain"]
    player.frame.value = 0
    assert base64.b64decode(player._repr_mimebundle_()[0]["image/jpeg"]) == player.picture.value


@pytest.mark.parametrize(
    "maps, masks, message",
    [
        (MAPS[:3], None, "equally long"),
        (MAPS, MASKS[:, :-1], "same height and width"),
        (MAPS[:, :, :-1], None, "same height and width"),
    ],
)
def test_layers_must_belong_together(maps, masks, message):
    with pytest.raises(ValueError, match=message):
        clip_player(FRAMES, maps, masks)
