"""Rankings, differences and ablations show the numbers they are given."""

import numpy as np
import pytest

from vsodlib.viz import scores as score_plots


def labels(axes):
    return [text.get_text() for text in axes.get_yticklabels()]


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


def test_lanes_with_own_series_leaves_the_others_grey():
    rows = {"video": {"a": 0.1, "ours": 0.2, "b": 0.3, "twin": 0.4}}
    (axes,) = score_plots.lanes(rows, label="J", own=["ours", "twin"]).axes
    a, ours, b, twin = (line.get_color() for line in axes.lines)
    assert a == b and len({a, ours, twin}) == 3
