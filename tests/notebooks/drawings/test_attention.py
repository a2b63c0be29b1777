"""Signed maps, what positions read, kernels, whole matrices, and the mass on the object against
chance."""

import numpy as np
import pytest
from drawings import attention as attention_plots
from drawings.attention import mass_against_chance
from matplotlib.colors import to_rgb

from vsodlib.viz.style import PALETTE, to_png


def test_kernels_share_one_scale():
    filters = {"a": np.full((2, 3, 3), 0.5), "b": -np.ones((2, 3, 3))}
    axes = attention_plots.kernels(filters, column_labels=["x", "y"]).axes
    *axes, bar = axes
    assert bar.get_ylabel() == "weight"
    assert len(axes) == 4 and {a.collections[0].get_clim() for a in axes} == {(-1, 1)}
    assert [a.get_title() for a in axes] == ["x", "y", "", ""]
    assert [a.get_ylabel() for a in axes] == ["a", "", "b", ""]
    asymmetric = np.arange(9.0).reshape(1, 3, 3)
    drawn = attention_plots.kernels({"a": asymmetric}).axes[0]
    np.testing.assert_array_equal(drawn.collections[0].get_array(), asymmetric[0])
    assert drawn.get_ylim() == (3, 0), "the first row is on top"


OBJECT = ([0.1, 0.4, 0.2], [0.5, 0.9, float("nan")])
GROUND = ([0.1, 0.4], [0.05, 0.3])


def test_matrices_keep_the_size_of_an_entry():
    figure = attention_plots.matrices({"N": np.eye(40), "c": -np.eye(10)})
    figure.draw_without_rendering()
    large, small = figure.axes
    inches = [axes.get_window_extent().width / axes.get_xlim()[1] for axes in (large, small)]
    assert inches[0] == pytest.approx(inches[1], rel=0.05)
    np.testing.assert_array_equal(small.collections[0].get_array(), -np.eye(10))
    assert large.collections[0].get_clim() == (-1, 1)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["N", "c"]


def points(axes):
    """Series -> (points, colour, marker); the diagonal has no name."""
    return {
        line.get_label(): (list(zip(*line.get_data(), strict=True)), line)
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


def test_points_lie_where_the_numbers_say():
    figure = mass_against_chance({"self": {"from the object": OBJECT, "from the ground": GROUND}})
    drawn, blank = figure.axes
    assert drawn.get_title() == "self" and not blank.axison
    assert points(drawn)["from the object"][0][:2] == [(0.1, 0.5), (0.4, 0.9)]
    assert points(drawn)["from the ground"][0] == [(0.1, 0.05), (0.4, 0.3)]
    diagonal = drawn.lines[0]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == list(points(drawn))
    assert len(to_png(figure)) > 5000


def test_a_series_looks_alike_in_all_panels():
    panels = {"a": {"one": OBJECT, "two": GROUND}, "b": {"two": GROUND}, "c": {"one": OBJECT}}
    figure = mass_against_chance(panels)
    a, b, c, _ = figure.axes
    looks = [
        (to_rgb(line.get_color()), line.get_marker())
        for line in (points(x)[n][1] for x, n in ((a, "one"), (c, "one"), (a, "two"), (b, "two")))
    ]
    assert looks[0] == looks[1] and looks[2] == looks[3] and looks[0] != looks[2]
    assert looks[0][0] == to_rgb(PALETTE[0])
    assert [x.get_subplotspec().rowspan.start for x in (a, b, c)] == [0, 0, 1]


def test_the_legend_names_every_series():
    figure = mass_against_chance({"a": {"one": OBJECT}, "b": {"one": OBJECT, "two": GROUND}})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "two"]


def test_bad_panels():
    with pytest.raises(ValueError, match="at least one panel"):
        mass_against_chance({})
    with pytest.raises(ValueError, match=r"'self', 'all': 1 areas and 2 masses"):
        mass_against_chance({"self": {"all": ([0.1], [0.1, 0.2])}})


def test_signed_picture_by_hand():
    values = np.array([[0.0, 2.0, -2.0, 1.0, 9.0]])
    picture = attention_plots.signed_picture(values, largest=2)
    full = np.round(
        255 * np.array([to_rgb(attention_plots.POSITIVE), to_rgb(attention_plots.NEGATIVE)])
    )
    np.testing.assert_array_equal(picture[0, :3], [[255] * 3, *full])
    np.testing.assert_allclose(picture[0, 3], (255 + full[0]) / 2, atol=1)
    np.testing.assert_array_equal(picture[0, 4], full[0])
    np.testing.assert_array_equal(attention_plots.signed_picture(values)[0, 4], full[0])
    assert (attention_plots.signed_picture(np.zeros((2, 2))) == 255).all()


def test_reading_picture_marks_the_largest_weight():
    rows = np.zeros((2, 3, 4))
    rows[0, 1, 2], rows[1, 2, 0] = 1, 1
    frame = np.random.default_rng(0).integers(0, 255, (33, 50, 3), np.uint8)
    picture = attention_plots.reading_picture(frame, [(2, 2), (2, 47)], rows, stride=16)
    assert (picture[[24, 32], [40, 8], 1] > 60 + picture[[24, 32], [40, 8], 0].astype(int)).all()
    assert (picture[2, [2, 47]] == 70).all(), "the queries"
    with pytest.raises(ValueError, match="1 pixels and 2 rows"):
        attention_plots.reading_picture(frame, [(2, 2)], rows, stride=16)
