import numpy as np
import pytest
from drawings import cost as cost_plots
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from vsodlib.viz.style import PALETTE

PANELS = {
    "parameters, M": {"paper": {"backbone": 42.0, "ASPP": 15.5}, "lite": {"backbone": 3.0}},
    "multiply-adds, G": {"lite": {"backbone": 5.0, "ASPP": 2.0}},
}


def boxes(axes, color):
    """(left, width, middle of the height) of the bars of a colour that have a width."""
    found = [b for b in axes.patches if to_hex(b.get_facecolor()) == color.lower()]
    places = [(b.get_x(), b.get_width(), b.get_y() + b.get_height() / 2) for b in found]
    return [place for place in places if place[1]]


def test_stacked_puts_parts_end_to_end():
    figure = cost_plots.stacked(PANELS)
    first, second = figure.axes
    assert [axes.get_title() for axes in figure.axes] == list(PANELS)
    np.testing.assert_allclose(boxes(first, PALETTE[0]), [(0, 42, 0), (0, 3, 1)])
    np.testing.assert_allclose(boxes(first, PALETTE[1]), [(42, 15.5, 0)])
    # A bar has its place everywhere, and a part its colour.
    np.testing.assert_allclose(boxes(second, PALETTE[1]), [(5, 2, 1)])
    assert [text.get_text() for text in first.get_yticklabels()] == ["paper", "lite"]
    assert first.get_ylim()[0] > first.get_ylim()[1]
    keys = [text.get_text() for text in figure.legends[0].get_texts()]
    assert keys == ["backbone", "ASPP"]


def test_stacked_marks_published_totals():
    figure = cost_plots.stacked(PANELS, {"parameters, M": {"lite": 4.5}})
    (diamond,) = figure.axes[0].lines
    assert diamond.get_xydata().tolist() == [[4.5, 1]]
    assert not figure.axes[1].lines
    assert figure.legends[0].get_texts()[-1].get_text() == "published"


@pytest.mark.parametrize("published", [{"seconds": {"lite": 1.0}}, {"parameters, M": {"tiny": 1}}])
def test_stacked_refuses_a_total_without_a_bar(published):
    with pytest.raises(ValueError, match="no bar for"):
        cost_plots.stacked(PANELS, published)


def test_stacked_refuses_what_it_cannot_show():
    for panels in ({}, {"G": {}}, {"G": {"lite": {}}}):
        with pytest.raises(ValueError, match="got 0"):
            cost_plots.stacked(panels)
    with pytest.raises(ValueError, match="got 8"):
        cost_plots.stacked({"G": {"lite": dict.fromkeys("abcdefgh", 1.0)}})
    with pytest.raises(ValueError, match="cannot be negative: G, b, -1"):
        cost_plots.stacked({"G": {"lite": {"a": 1.0, "b": -1.0}}})


MACHINES = {"CPU": {"lite": [(2.0, 0.05), (8.0, 0.2)]}, "GPU": {"COSNet": [(1000.0, 0.5)]}}


def test_work_and_time_joins_the_sizes_of_a_network():
    figure = cost_plots.work_and_time(MACHINES)
    (axes,) = figure.axes
    lite, cosnet = [line for line in axes.lines if len(line.get_xdata())]
    assert lite.get_xydata().tolist() == [[2, 0.05], [8, 0.2]]
    assert cosnet.get_xydata().tolist() == [[1000, 0.5]]
    assert lite.get_color() != cosnet.get_color() and lite.get_marker() != cosnet.get_marker()
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert {t.get_text(): t.xy for t in axes.texts} == {"lite": (8, 0.2), "COSNet": (1000, 0.5)}
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["CPU", "GPU"]


def test_work_and_time_writes_no_name_over_another_or_over_a_point():
    published = {"COSNet": (1148.5, 0.45), "AGNN": (1921.0, 0.55), "AnDiff": (726.8, 0.36)}
    published |= {"MGA": (2265.7, 0.29), "Chen et al.": (425.7, 0.26)}
    crowd = {"GPU": {name: [pair] for name, pair in published.items()}}
    figure = cost_plots.work_and_time(crowd)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    names = [text.get_window_extent(canvas.get_renderer()) for text in figure.axes[0].texts]
    points = figure.axes[0].transData.transform(list(published.values()))
    for i, box in enumerate(names):
        assert not any(box.overlaps(other) for other in names[:i])
        assert not any(box.contains(*point) for point in points)


def test_work_and_time_draws_the_rate_of_a_machine_over_its_own_networks():
    figure = cost_plots.work_and_time(MACHINES, {"CPU": 100})
    (dotted,) = [line for line in figure.axes[0].lines if line.get_linestyle() == ":"]
    assert dotted.get_xydata().tolist() == [[2, 0.02], [8, 0.08]]
    assert dotted.get_color() == PALETTE[0]
    assert "a plain matrix product" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_work_and_time_refuses_nothing_a_crowd_and_strangers():
    for machines in ({}, {"CPU": {}}, {"CPU": {"lite": []}}):
        with pytest.raises(ValueError, match="got 0 pairs"):
            cost_plots.work_and_time(machines)
    with pytest.raises(ValueError, match="1 to 4 machines, got 5 pairs of 5"):
        cost_plots.work_and_time({m: {"lite": [(1.0, 1.0)]} for m in "abcde"})
    with pytest.raises(ValueError, match="no network of TPU"):
        cost_plots.work_and_time(MACHINES, {"TPU": 100})
