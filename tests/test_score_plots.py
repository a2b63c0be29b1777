import numpy as np
import pytest

from vsodlib import score_plots
from vsodlib.figure import PALETTE
from vsodlib.pictures import comparison


def labels(axes):
    return [text.get_text() for text in axes.get_yticklabels()]


def dots(axes):
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines]


def test_ranked_puts_the_best_on_top_of_every_panel():
    panels = {"DAVIS": {"a": 1.0, "b": 3.0, "c": np.nan}, "FBMS": {"a": 5.0, "b": 4.0}}
    first, second = score_plots.ranked(panels, label="maxF", highlight=["b"]).axes
    assert labels(first) == ["b", "a"] and labels(second) == ["a", "b"]
    assert dots(first) == [(3.0, 0), (1.0, 1)]
    assert [line.get_color() == PALETTE[1] for line in first.lines] == [True, False]
    assert first.get_title() == "DAVIS" and first.get_ylim()[0] > first.get_ylim()[1]
    (lowest,) = score_plots.ranked(
        {"DAVIS": panels["DAVIS"]}, label="MAE", higher_is_better=False
    ).axes
    assert labels(lowest) == ["a", "b"]


def test_ranked_leaves_no_empty_frame():
    figure = score_plots.ranked({k: {"a": 1.0} for k in "xyz"}, label="")
    assert [axes.get_title() for axes in figure.axes] == ["x", "y", "z"]


@pytest.mark.parametrize("panels", [{}, {"DAVIS": {}}, {"DAVIS": {"a": np.nan}}])
def test_ranked_refuses_an_empty_panel(panels):
    with pytest.raises(ValueError, match="a value in each"):
        score_plots.ranked(panels, label="")


def test_lanes_draws_a_marker_per_series_in_its_row():
    rows = {"top": {"J": 0.5, "F": 0.6}, "below": {"F": 0.1}}
    figure = score_plots.lanes(
        rows, label="score", value_range=(0, 1), band=(0.2, 0.3), band_label="gap"
    )
    (axes,) = figure.axes
    of_j, of_f = axes.lines
    np.testing.assert_array_equal(of_j.get_xydata(), [[0.5, 0], [np.nan, 1]])
    np.testing.assert_array_equal(of_f.get_xydata(), [[0.6, 0], [0.1, 1]])
    assert of_j.get_marker() != of_f.get_marker() and of_j.get_color() != of_f.get_color()
    assert labels(axes) == ["top", "below"] and axes.get_xlim() == (0, 1)
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    spans = [line.get_segments()[0][:, 0].tolist() for line in axes.collections]
    assert spans == [[0.5, 0.6], [0.1, 0.1]]
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_width()) == (0.2, pytest.approx(0.1))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["gap", "J", "F"]


def test_lanes_needs_series_and_not_too_many():
    assert not score_plots.lanes({"a": {"J": 1.0}}, label="").legends
    assert not score_plots.lanes({"a": {"J": np.nan}}, label="").axes[0].collections
    with pytest.raises(ValueError, match="got 0"):
        score_plots.lanes({}, label="")
    with pytest.raises(ValueError, match="got 8"):
        score_plots.lanes({"a": {str(k): 1.0 for k in range(8)}}, label="")


def test_at_level_shows_what_passes_and_where_it_is_on_the_curves():
    saliency = np.array([[0.0, 0.5], [0.5, 1.0]])
    mask = np.array([[True, False], [True, True]])
    curves = {"F": np.linspace(0, 1, 256)}
    figure = score_plots.at_level(saliency, mask, curves, 127)  # floor(255 x 0.5) = 127
    by_title = {axes.get_title(): axes for axes in figure.axes}
    found = by_title["at level 127"].images[0].get_array()
    white = np.full((2, 2, 3), 255, np.uint8)
    np.testing.assert_array_equal(found, comparison(white, saliency > 0.4, mask))
    hit, missed, false = found[1, 1].tolist(), found[0, 0].tolist(), found[0, 1].tolist()
    assert found[1, 0].tolist() == hit and len({*map(tuple, (hit, missed, false))}) == 3
    marker = by_title[""].lines[1]
    assert (marker.get_xdata()[0], marker.get_ydata()[0]) == (127, curves["F"][127])
    higher = score_plots.at_level(saliency, mask, curves, 128)
    picture = next(a for a in higher.axes if "128" in a.get_title()).images[0].get_array()
    assert picture[1, 0].tolist() == missed


def test_at_level_refuses_other_levels_and_no_curve():
    picture = np.zeros((2, 2)), np.zeros((2, 2), bool)
    for level in (-1, 256):
        with pytest.raises(ValueError, match=f"got {level}"):
            score_plots.at_level(*picture, {"F": np.zeros(256)}, level)
    with pytest.raises(ValueError, match="at least one curve"):
        score_plots.at_level(*picture, {}, 3)
