import numpy as np
import pytest

from vsodlib import ablation_plots
from vsodlib.figure import PALETTE

SCORES = {"baseline": {0: 0.5, 2: 0.7}, "+ more": {0: 0.6}}


def segments(axes, color):
    """The straight lines of a colour: [(x0, y0), (x1, y1)] of each."""
    from matplotlib.colors import to_hex

    found = [c for c in axes.collections if to_hex(c.get_color()[0]) == to_hex(color)]
    return [segment.tolist() for c in found for segment in c.get_segments()]


def test_by_seed_joins_the_scores_of_a_seed():
    figure = ablation_plots.by_seed({"J": SCORES, "F": {"+ more": {2: 0.1}}})
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
    figure = ablation_plots.by_seed({name: SCORES for name in "wxyz"}, columns=3)
    assert [axes.get_title() for axes in figure.axes] == list("wxyz")


def test_by_seed_needs_seeds_and_not_too_many():
    for panels in ({}, {"J": {}}, {"J": {"baseline": {}}}):
        with pytest.raises(ValueError, match="got 0"):
            ablation_plots.by_seed(panels)
    with pytest.raises(ValueError, match="got 8"):
        ablation_plots.by_seed({"J": {"baseline": dict.fromkeys(range(8), 0.5)}})


def test_gains_shows_seeds_interval_and_the_published_value():
    ours = {"J": {"a": [1.0, 2.0, 6.0], "b": [-1.0]}, "T": {"a": [0.5, 0.5], "c": []}}
    figure = ablation_plots.gains(ours, {"J": {"a": 4.0, "unknown": 9.0}}, label="points")
    first, second = figure.axes
    zero, dots_a, diamond, dots_b, dots_c = first.lines
    assert set(zero.get_xdata()) == {0}
    assert dots_a.get_xdata().tolist() == [1, 2, 6] and len(set(dots_a.get_ydata())) == 1
    assert dots_b.get_xdata().tolist() == [-1] and not len(dots_c.get_xdata())
    assert (diamond.get_marker(), diamond.get_color()) == ("D", PALETTE[1])
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
    figure = ablation_plots.gains(ours, {}, label="", one_scale=False)
    first, second = figure.axes
    assert first.get_xlim()[1] < 10 < second.get_xlim()[1]
    assert "paper" not in [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(ablation_plots.gains(dict.fromkeys("vwxyz", ours["J"]), {}, label="").axes) == 5


def test_gains_refuses_nothing_and_strangers():
    for ours in ({}, {"J": {}}):
        with pytest.raises(ValueError, match="at least one row"):
            ablation_plots.gains(ours, {}, label="")
    with pytest.raises(ValueError, match="no panel for S"):
        ablation_plots.gains({"J": {"a": [1.0]}}, {"S": {"a": 1.0}}, label="")
