import numpy as np
import pytest
from matplotlib.colors import to_rgb

from vsodlib.viz.pictures import (
    COLORS,
    comparison,
    on_checkerboard,
    outline,
    same_length,
    tint,
    to_picture,
)

GREY = np.full((2, 3, 3), 100, np.uint8)


def color(name):
    return np.round(255 * np.array(to_rgb(COLORS[name]))).astype(int)


def test_to_picture_keeps_frames_and_greys_maps_and_masks():
    assert to_picture(GREY) is GREY
    np.testing.assert_array_equal(
        to_picture(np.array([[0.0, 0.5, 1.0]], np.float32)),
        np.array([[[0] * 3, [128] * 3, [255] * 3]], np.uint8),
    )
    np.testing.assert_array_equal(
        to_picture(np.array([[False, True]])), np.array([[[0] * 3, [255] * 3]], np.uint8)
    )


@pytest.mark.parametrize("low, high", [(-0.1, 0.5), (0, 1.1), (0, np.nan)])
def test_to_picture_refuses_maps_outside_zero_to_one(low, high):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        to_picture(np.array([[low, high]]))


@pytest.mark.parametrize(
    "array", [np.zeros((2, 3), np.uint8), np.zeros((3, 2, 3)), np.zeros((2, 3, 4), np.uint8)]
)
def test_to_picture_names_what_it_received(array):
    with pytest.raises(ValueError, match=str(array.dtype)):
        to_picture(array)


def test_tint_mixes_by_weight():
    weight = np.array([[0.0, 0.5, 1.0], [0.0, 0.0, 0.0]])
    mixed = tint(GREY, weight, "white", strength=0.5)
    # 100; 0.75 * 100 + 0.25 * 255 = 138.75; 0.5 * 100 + 0.5 * 255 = 177.5, rounded to even
    assert mixed[0, :, 0].tolist() == [100, 139, 178]
    assert (mixed[1] == 100).all()
    assert (GREY == 100).all()


def test_outline_is_the_border_and_nothing_else():
    frame, mask = np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), bool)
    mask[2:7, 2:7] = True
    drawn = outline(frame, mask, "white").any(axis=2)
    expected = np.zeros((9, 9), bool)
    expected[1:8, 1:8] = True
    expected[3:6, 3:6] = False
    np.testing.assert_array_equal(drawn, expected)


def test_on_checkerboard_shows_the_board_where_it_is_clear():
    layer = np.zeros((4, 6, 4), np.uint8)
    layer[:, :, :3] = (250, 0, 20)
    layer[0, :, 3] = (0, 51, 255, 0, 51, 255)
    shown = on_checkerboard(layer, square=2)
    assert shown.shape == (4, 6, 3) and shown.dtype == np.uint8
    naive = np.zeros((4, 6, 3))
    for i, j, c in np.ndindex(4, 6, 3):
        board = 200 if (i // 2 + j // 2) % 2 else 240
        a = layer[i, j, 3] / 255
        naive[i, j, c] = a * layer[i, j, c] + (1 - a) * board
    np.testing.assert_allclose(shown, naive, atol=0.51)


def test_on_checkerboard_refuses_other_pictures_and_squares():
    with pytest.raises(ValueError, match=r"\(H, W, 4\), got uint8 \(2, 3, 3\)"):
        on_checkerboard(GREY)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        on_checkerboard(np.zeros((2, 3, 4), np.uint8), square=0)


def test_comparison_colours_hits_misses_and_false_alarms():
    prediction = np.array([[True, True, False], [False, False, False]])
    mask = np.array([[True, False, True], [False, False, False]])
    picture = comparison(GREY, prediction, mask).astype(int)
    pale = 100 // 2 + 100
    for column, name in enumerate(("hit", "false alarm", "missed")):
        np.testing.assert_allclose(picture[0, column], 0.3 * pale + 0.7 * color(name), atol=1.5)
    assert (picture[1] == pale).all()


@pytest.mark.parametrize("draw", [tint, outline])
def test_sizes_must_agree(draw):
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\)"):
        draw(GREY, np.zeros((3, 2), bool))


def test_comparison_checks_both_masks():
    right, wrong = np.zeros((2, 3), bool), np.zeros((2, 2), bool)
    for pair in ((right, wrong), (wrong, right)):
        with pytest.raises(ValueError, match="height and width must agree"):
            comparison(GREY, *pair)
    for other in (right * np.uint8(255), right * 0.5):
        for pair in ((right, other), (other, right)):
            with pytest.raises(ValueError, match="Only masks of bool can be compared"):
                comparison(GREY, *pair)


def test_same_length():
    assert same_length({"frames": np.zeros((4, 2)), "masks": np.zeros((4, 9))}) == 4
    for layers in ({"a": np.zeros(4), "b": np.zeros(3)}, {"a": np.zeros(0)}):
        with pytest.raises(ValueError, match="equally long"):
            same_length(layers)
