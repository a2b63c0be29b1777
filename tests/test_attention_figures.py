import pytest
from matplotlib.colors import to_rgb

from vsodlib.attention_figures import mass_against_chance
from vsodlib.figure import PALETTE, to_png

OBJECT = ([0.1, 0.4, 0.2], [0.5, 0.9, float("nan")])
GROUND = ([0.1, 0.4], [0.05, 0.3])


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
