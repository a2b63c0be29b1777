"""Rankings, intervals, thresholds, ablations seed by seed."""

import numpy as np
import pytest
from drawings import scores as score_plots

from vsodlib.viz.pictures import COLORS, comparison
from vsodlib.viz.style import PALETTE

SCORES = {"baseline": {0: 0.5, 2: 0.7}, "+ more": {0: 0.6}}


def labels(axes):
    return [text.get_text() for text in axes.get_yticklabels()]


def dots(axes):
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines]


def test_ranked_puts_the_best_on_top_of_every_panel():
    panels = {"DAVIS": {"a": 1.0, "b": 3.0, "c": np.nan}, "FBMS": {"a": 5.0, "b": 4.0}}
    first, second = score_plots.ranked(panels, label="maxF", highlight=["b"]).axes
    assert labels(first) == ["b", "a"] and labels(second) == ["a", "b"]
    assert dots(first) == [(3.0, 0), (1.0, 1)]
    assert [line.get_color() == COLORS["paper"] for line in first.lines] == [True, False]
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


def test_ranked_gives_the_paper_and_ourselves_colours_of_their_own():
    (axes,) = score_plots.ranked(
        {"J": {"a": 1, "b": 2, "c": 3}}, label="", highlight=["a"], own=["b"]
    ).axes
    colors = {text.get_text(): text.get_color() for text in axes.get_yticklabels()}
    assert len({colors["a"], colors["b"], colors["c"]}) == 3


def test_intervals_are_pale_where_they_hold_zero():
    rows = {"lead": (0.1, 0.5, 0.9), "luck": (-0.2, 0.1, 0.4)}
    (axes,) = score_plots.intervals(rows, label="points").axes
    _, lead, luck = (line.get_color() for line in axes.lines)
    assert lead != luck
    with pytest.raises(ValueError, match="must rise"):
        score_plots.intervals({"a": (1, 0, 2)}, label="")
    with pytest.raises(ValueError, match="at least one row"):
        score_plots.intervals({}, label="")


def test_two_maxima_writes_both_numbers():
    curves = {"a": np.eye(256)[10] * 0.8, "b": np.eye(256)[200] * 0.6}
    figure = score_plots.two_maxima(curves)
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told[-2:] == ["mean of maxima 0.700", "maximum of mean 0.400"]
    with pytest.raises(ValueError, match="at least one curve"):
        score_plots.two_maxima({})


def segments(axes, color):
    """The straight lines of a colour: [(x0, y0), (x1, y1)] of each."""
    from matplotlib.colors import to_hex

    found = [c for c in axes.collections if to_hex(c.get_color()[0]) == to_hex(color)]
    return [segment.tolist() for c in found for segment in c.get_segments()]


def test_by_seed_joins_the_scores_of_a_seed():
    figure = score_plots.by_seed({"J": SCORES, "F": {"+ more": {2: 0.1}}})
    first, second = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["J", "F"]
    seed0, seed2 = first.lines
    np.testing.assert_array_equal(seed0.get_xydata(), [[0.5, 0], [0.6, 1]])
    np.testing.assert_array_equal(seed2.get_xydata(), [[0.7, 0], [np.nan, 1]])
    # A seed looks the same everywhere, a row has its place everywhere.
    np.testing.assert_array_equal(second.lines[1].get_xydata(), [[np.nan, 0], [0.1, 1]])
    assert seed2.get_marker() == second.lines[1].get_marker() != seed0.get_marker()
    assert [text.get_text() for text in first.get_yticklabels()] == ["baseline", "+ more"]
    assert first.get_ylim()[0] > first.get_ylim()[1]
    means = [(x, (y0 + y1) / 2) for (x, y0), (_, y1) in segments(first, "black")]
    assert means == [(pytest.approx(0.6), 0), (pytest.approx(0.6), 1)]
    keys = [text.get_text() for text in figure.legends[0].get_texts()]
    assert keys == ["seed 0", "seed 2", "mean"]


def test_by_seed_leaves_no_empty_frame():
    figure = score_plots.by_seed({name: SCORES for name in "wxyz"}, columns=3)
    assert [axes.get_title() for axes in figure.axes] == list("wxyz")


def test_by_seed_needs_seeds_and_not_too_many():
    for panels in ({}, {"J": {}}, {"J": {"baseline": {}}}):
        with pytest.raises(ValueError, match="got 0"):
            score_plots.by_seed(panels)
    with pytest.raises(ValueError, match="got 8"):
        score_plots.by_seed({"J": {"baseline": dict.fromkeys(range(8), 0.5)}})


def test_gains_shows_seeds_interval_and_the_published_value():
    ours = {"J": {"a": [1.0, 2.0, 6.0], "b": [-1.0]}, "T": {"a": [0.5, 0.5], "c": []}}
    figure = score_plots.gains(ours, {"J": {"a": 4.0, "unknown": 9.0}}, label="points")
    first, second = figure.axes
    zero, dots_a, diamond, dots_b, dots_c = first.lines
    assert set(zero.get_xdata()) == {0}
    assert dots_a.get_xdata().tolist() == [1, 2, 6] and len(set(dots_a.get_ydata())) == 1
    assert dots_b.get_xdata().tolist() == [-1] and not len(dots_c.get_xdata())
    assert (diamond.get_marker(), diamond.get_color()) == ("D", COLORS["paper"])
    assert diamond.get_xdata()[0] == 4
    # Ours and theirs share the lane of row 0, which ends half way to row 1.
    assert -0.5 < dots_a.get_ydata()[0] < 0 < diamond.get_ydata()[0] < 0.5
    lines = segments(first, PALETTE[0])
    # Mean 3; standard deviation sqrt((4 + 1 + 9) / 2), over sqrt(3) the standard error; Student.
    reach = 4.302653 * (14 / 2 / 3) ** 0.5
    (interval,) = [(x0, x1) for (x0, y0), (x1, y1) in lines if y0 == y1]
    assert interval == (pytest.approx(3 - reach), pytest.approx(3 + reach))
    assert [x0 for (x0, y0), (_, y1) in lines if y0 != y1] == [3, -1]
    assert len(second.lines) == 4, "zero, three rows of dots, no diamond"
    assert [text.get_text() for text in first.get_yticklabels()] == ["a", "b", "c"]
    assert figure.get_supxlabel() == "points"
    assert first.get_xlim() == second.get_xlim()


def test_gains_may_have_a_scale_a_panel_and_no_published_value():
    ours = {"J": {"a": [1.0, 2.0]}, "T": {"a": [10.0, 90.0]}}
    figure = score_plots.gains(ours, {}, label="", one_scale=False)
    first, second = figure.axes
    assert first.get_xlim()[1] < 10 < second.get_xlim()[1]
    assert "paper" not in [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(score_plots.gains(dict.fromkeys("vwxyz", ours["J"]), {}, label="").axes) == 5


def test_gains_refuses_nothing_and_strangers():
    for ours in ({}, {"J": {}}):
        with pytest.raises(ValueError, match="at least one row"):
            score_plots.gains(ours, {}, label="")
    with pytest.raises(ValueError, match="no panel for S"):
        score_plots.gains({"J": {"a": [1.0]}}, {"S": {"a": 1.0}}, label="")


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
