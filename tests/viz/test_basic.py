import subprocess
import sys

import numpy as np
import pytest

from vsodlib import viz
from vsodlib.viz.pictures import COLORS

FRAMES = np.random.default_rng(0).integers(0, 255, (7, 20, 30, 3), np.uint8)
MAPS = np.linspace(0, 1, 7)[:, None, None] * np.ones((7, 20, 30))
MASKS = MAPS > 0.5


def texts(figure):
    return [text.get_text() for text in figure.texts]


def shown(figure):
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def test_grid_shows_each_picture_in_its_place_with_square_pixels():
    figure = viz.grid([[FRAMES[0], None], [MAPS[3], MASKS[6]]], row_labels=["a", "b"])
    np.testing.assert_array_equal(shown(figure)[0], FRAMES[0])
    assert [picture[0, 0, 0] for picture in shown(figure)[1:]] == [128, 255]
    # The original positions: the active ones are already shrunk to the picture's aspect.
    first, below, right = (axes.get_position(original=True) for axes in figure.axes)
    assert first.x0 == below.x0 and below.x1 < right.x0
    assert first.y0 > below.y1 and right.y0 == pytest.approx(below.y0)
    width, height = figure.get_size_inches()
    assert first.width * width / (first.height * height) == pytest.approx(30 / 20)
    assert all(
        box.x0 >= 0 and box.y0 > -1e-9 and box.x1 < 1 + 1e-9 and box.y1 <= 1
        for box in (first, below, right)
    )


@pytest.mark.parametrize(
    "rows, labels, message",
    [
        ([], {}, "at least one"),
        ([[]], {}, "at least one"),
        ([[MASKS[0]]], {"row_labels": ["a", "b"]}, "2 row labels for 1 rows"),
        ([[MASKS[0]] * 3], {"column_labels": ["a"]}, "1 column labels for 3 columns"),
    ],
)
def test_grid_refuses_what_it_cannot_lay_out(rows, labels, message):
    with pytest.raises(ValueError, match=message):
        viz.grid(rows, **labels)


def test_strip_spreads_over_the_clip():
    figure = viz.strip(FRAMES, MAPS, MASKS, count=3)
    assert texts(figure) == ["t = 0", "t = 3", "t = 6", "frame", "saliency", "mask"]
    np.testing.assert_array_equal(shown(figure)[1], FRAMES[3])
    assert len(shown(viz.strip(FRAMES[:2]))) == 2
    with pytest.raises(ValueError, match="equally long"):
        viz.strip(FRAMES, MAPS[:5])


def test_curves_draws_the_series_told_apart_without_colour():
    series = {f"clip {i}": [i, i + 1.0, np.nan] for i in range(9)}
    figure = viz.curves(series, x_label="frame", y_label="IoU", x=[10, 20, 30], y_range=(0, 12))
    lines = figure.axes[0].lines
    np.testing.assert_array_equal(lines[2].get_xydata()[:2], [[10, 2], [20, 3]])
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 9
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert figure.axes[0].get_ylim() == (0, 12)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(series)
    assert not viz.curves({"one": [1, 2]}, x_label="", y_label="").legends


def test_curves_may_become_logarithmic():
    axes = viz.curves({"a": [1e-6, 1e-2], "b": [1e-4, 1]}, x_label="", y_label="").axes[0]
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    assert 1e-7 < low < 1e-6 and 1 < high < 10


def test_dots_shows_every_value_and_the_mean():
    groups = {"bear": {"ours": [0.2, 0.3, 0.7, np.nan]}, "cow": {"ours": [0.5], "prior": [0.1]}}
    axes = viz.dots(groups, label="IoU", value_range=(0, 1)).axes[0]
    dots = {tuple(dot) for line in axes.lines for dot in line.get_xydata().round(3)}
    assert dots == {(0.2, -0.2), (0.3, -0.2), (0.7, -0.2), (0.5, 0.8), (0.1, 1.2)}
    means = sorted(bar.get_segments()[0][0, 0] for bar in axes.collections)
    assert means == pytest.approx([0.1, 0.4, 0.5])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["bear", "cow"]
    assert axes.get_xlim() == (0, 1)


def test_heat_shares_one_scale_and_marks_the_centre():
    low, high = np.full((4, 6), 0.1), np.full((4, 6), 0.8)
    figure = viz.heat({"low": low, "high": high}, label="share")
    first, second = figure.axes[:2]
    assert first.collections[0].get_clim() == second.collections[0].get_clim() == (0, 0.8)
    assert first.lines[0].get_xydata().tolist() == [[3, 2]]
    assert first.get_ylim() == (4, 0)


def test_batches_boxes():
    figure = viz.batches([[("bear", "3"), ("bear", "9")], [("cow", "1"), ("bear", "0")]])
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["3", "9", "1", "0"]
    boxes = [patch.get_facecolor() for patch in axes.patches[:4]]
    assert boxes[0] == boxes[1] == boxes[3] != boxes[2]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["bear", "cow"]


def test_batches_colours_differ_beyond_the_palette():
    row = [(f"video {i:02d}", "0") for i in range(14)]
    boxes = viz.batches([row]).axes[0].patches[:14]
    assert len({box.get_facecolor() for box in boxes}) == 14


@pytest.mark.parametrize(
    "draw",
    [
        lambda: viz.curves({}, x_label="", y_label=""),
        lambda: viz.dots({}, label=""),
        lambda: viz.heat({}, label=""),
        lambda: viz.batches([[]]),
    ],
)
def test_nothing_to_draw(draw):
    with pytest.raises(ValueError, match="needs at least one"):
        draw()


def test_package_and_figures_need_neither_pyplot_nor_ipywidgets():
    code = "import sys, vsodlib.viz; print({'matplotlib.pyplot', 'ipywidgets'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_series_never_share_a_colour_with_one_that_has_its_own():
    lines = (
        viz.curves({"other": [1], "fish": [2], "red": [3]}, x_label="", y_label="").axes[0].lines
    )
    other, fish, red = (line.get_color() for line in lines)
    assert len({other, fish, red}) == 3 and red == "#CC0000"


def test_a_demo_clip_keeps_its_colour_in_every_chart():
    one = viz.curves({"fish": [1], "star": [2]}, x_label="", y_label="").axes[0].lines
    other = viz.curves({"star": [1], "positives": [2]}, x_label="", y_label="").axes[0].lines
    assert other[1].get_color() == COLORS["foreground"], "a side has the colour of its meaning"
    assert one[1].get_color() == other[0].get_color() != one[0].get_color()


def test_grid_draws_a_scale_below_its_pictures():
    bare, scaled = (viz.grid([[MAPS[3]]], scale=s) for s in (None, ("share", "Greens", 0, 2)))
    assert len(scaled.axes) == len(bare.axes) + 1
    bar = scaled.axes[-1]
    assert bar.get_xlabel() == "share" and bar.get_xlim() == (0, 2)
    assert scaled.get_figheight() > bare.get_figheight()
