import numpy as np
import pytest
from drawings import embeddings as embedding_plots
from matplotlib.colors import to_hex

from vsodlib.viz.pictures import COLORS
from vsodlib.viz.style import PALETTE

FRONT = np.array([True, False, True, True, False])
VIDEO = np.array(["b", "b", "b", "a", "a"])
POINTS = np.array([[0.0, 0], [5, 5], [1, 0], [3, 3], [6, 6]])


def test_sides_tells_them_by_colour_and_marker():
    figure = embedding_plots.sides({"one": POINTS, "two": -POINTS}, FRONT)
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    for sign, axes in zip((1, -1), figure.axes, strict=True):
        back, front = axes.lines
        np.testing.assert_array_equal(front.get_xydata(), sign * POINTS[FRONT])
        np.testing.assert_array_equal(back.get_xydata(), sign * POINTS[~FRONT])
        assert (front.get_color(), back.get_color()) == (COLORS["foreground"], COLORS["background"])
        assert front.get_marker() != back.get_marker()
    keys = figure.legends[0].get_texts()
    assert [text.get_text() for text in keys] == ["foreground", "background"]


def test_paths_joins_the_foregrounds_of_a_video_in_order():
    (axes,) = embedding_plots.paths({"one": POINTS}, FRONT, VIDEO).axes
    back, front, path_b, first_b, path_a, first_a = axes.lines
    np.testing.assert_array_equal(back.get_xydata(), POINTS[~FRONT])
    np.testing.assert_array_equal(front.get_xydata(), POINTS[FRONT])
    np.testing.assert_array_equal(path_b.get_xydata(), [[0, 0], [1, 0]])
    np.testing.assert_array_equal(path_a.get_xydata(), [[3, 3]])
    assert path_b.get_linestyle() == "-"
    np.testing.assert_array_equal(first_b.get_xydata(), [[0, 0]])
    np.testing.assert_array_equal(first_a.get_xydata(), [[3, 3]])
    assert to_hex(path_a.get_color()) == to_hex(PALETTE[1])


def test_paths_names_every_video_even_one_without_foreground():
    video = np.array(["b", "b", "b", "a", "none"])
    (axes,) = embedding_plots.paths({"one": POINTS}, FRONT, video).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["b", "a", "none"]


def test_paths_gives_five_videos_a_panel_and_each_map_a_row():
    video = np.array(list("abcdef"))
    points = np.arange(12.0).reshape(6, 2)
    figure = embedding_plots.paths({"one": points, "two": points}, np.full(6, True), video)
    places = [axes.get_subplotspec() for axes in figure.axes]
    assert [(p.rowspan.start, p.colspan.start) for p in places] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [axes.get_ylabel() for axes in figure.axes] == ["one", "", "two", ""]
    names = [axes.get_legend() and axes.get_legend().get_texts() for axes in figure.axes]
    assert names[:2] == [None, None]
    assert [[t.get_text() for t in texts] for texts in names[2:]] == [list("abcde"), ["f"]]


def test_similarities_puts_foregrounds_first_and_videos_together():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((5, 3))
    figure = embedding_plots.similarities({"one": vectors}, FRONT, VIDEO)
    axes = figure.axes[0]
    shown = axes.collections[0].get_array().reshape(5, 5)
    order = [0, 2, 3, 1, 4]  # b, b, a in front; b, a behind
    np.testing.assert_allclose(shown, vectors[order] @ vectors[order].T)
    edges = {line.get_ydata()[0]: line.get_linewidth() for line in axes.lines[::2]}
    assert sorted(edges) == [2, 3, 4] and max(edges, key=edges.get) == 3
    assert axes.get_ylim() == (5, 0)
    low, high = axes.collections[0].get_clim()
    assert (low, high) == (pytest.approx(shown.min()), 1)
    # One video: the sides still have their line.
    one = embedding_plots.similarities({"one": vectors}, FRONT, np.full(5, "a")).axes[0]
    assert [line.get_ydata()[0] for line in one.lines[::2]] == [3]


def test_similarities_share_one_scale():
    near, opposite = np.eye(5), np.diag([1.0, -1, 1, 1, 1]) + np.eye(5, k=1)
    figure = embedding_plots.similarities({"near": near, "opposite": opposite}, FRONT, VIDEO)
    first, second = (axes.collections[0].get_clim() for axes in figure.axes[:2])
    assert first == second == ((opposite @ opposite.T).min(), 1) and first[0] < 0


def test_a_panel_is_needed():
    for draw in (
        lambda: embedding_plots.sides({}, FRONT),
        lambda: embedding_plots.paths({}, FRONT, VIDEO),
        lambda: embedding_plots.similarities({}, FRONT, VIDEO),
    ):
        with pytest.raises(ValueError, match="at least one panel"):
            draw()
