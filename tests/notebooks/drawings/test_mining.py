import numpy as np
import pytest
from drawings.circle import ATTRACT, REPEL
from drawings.mining import error_against_similarity, framed, push_by_background
from matplotlib.colors import to_rgba

PICTURES = np.random.default_rng(0).integers(0, 255, (3, 12, 20, 3), np.uint8)


def test_framed_pictures_and_captions():
    rows = {
        "hard": [(PICTURES[0], "0.3", ATTRACT), (PICTURES[1], "0.1", None)],
        "easy": [(PICTURES[2], "0.0", REPEL)],
    }
    figure = framed(rows)
    first, second, third, empty = figure.axes
    assert [a.images[0].get_array()[0, 0].tolist() for a in (first, second, third)] == [
        picture[0, 0].tolist() for picture in PICTURES
    ]
    assert [a.get_xlabel() for a in figure.axes] == ["0.3", "0.1", "0.0", ""]
    assert [a.get_ylabel() for a in (first, third)] == ["hard", "easy"]
    assert not empty.images
    shown = [all(s.get_visible() for s in a.spines.values()) for a in figure.axes]
    assert shown == [True, False, True, False]
    assert first.spines["left"].get_edgecolor() == to_rgba(ATTRACT)
    with pytest.raises(ValueError, match="at least one picture"):
        framed({"hard": []})


def test_error_against_similarity_has_a_panel_per_side_and_clip():
    error, similarity = np.array([0.1, 0.5, 0.9]), np.array([0.8, 0.2, 0.5])
    chosen = np.array([False, True, True])
    fish, star = (error, similarity, chosen), (error, -similarity, ~chosen)
    sides = {"p": {"fish": fish, "star": star}, "n": {"fish": fish, "star": star}}
    figure = error_against_similarity(sides)
    first, second, below, _ = figure.axes
    hollow, filled, line = first.lines
    hollow_star, _, line_star = second.lines
    np.testing.assert_allclose(hollow.get_xydata(), [[10, 0.8]])
    np.testing.assert_allclose(filled.get_xydata(), [[50, 0.2], [90, 0.5]])
    assert hollow.get_markerfacecolor() == "none" and filled.get_markerfacecolor() != "none"
    np.testing.assert_allclose(hollow_star.get_xydata(), [[50, -0.2], [90, -0.5]])
    # By hand: means 0.5 and 0.5, slope (-0.4 * 0.3 + 0.4 * 0) / (2 * 0.16) = -0.375.
    np.testing.assert_allclose(line.get_xydata(), [[10, 0.65], [90, 0.35]])
    assert line_star.get_ydata()[0] < line_star.get_ydata()[1]
    assert below.lines[0].get_color() == hollow.get_color() != hollow_star.get_color()
    assert hollow.get_color() not in (ATTRACT, REPEL)
    assert [axes.get_title() for axes in figure.axes] == ["fish", "star", "", ""]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["chosen", "left out"]
    with pytest.raises(ValueError, match="at least one side with a clip"):
        error_against_similarity({"p": {}})


def test_push_by_background_shows_every_share_in_the_order_of_likeness():
    likeness = np.array([0.5, 0.7, 0.6])
    shares = {"hard": np.array([0.0, 0.8, 0.2]), "all": np.array([0.2, 0.5, 0.3])}
    figure = push_by_background(likeness, shares)
    (axes,) = figure.axes
    hard, everyone = axes.lines
    np.testing.assert_allclose(hard.get_ydata(), [0, 20, 80])
    np.testing.assert_allclose(everyone.get_ydata(), [20, 30, 50])
    assert (everyone.get_xdata() > hard.get_xdata()).all(), "next to each other"
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == ["0\n0.500", "2\n0.600", "1\n0.700"]
    assert {hard.get_color(), everyone.get_color()}.isdisjoint({ATTRACT, REPEL})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["hard", "all"]
    with pytest.raises(ValueError, match="1 to 4 ways with 3 shares"):
        push_by_background(likeness, {"hard": likeness[:2]})
    with pytest.raises(ValueError, match=r"got \{\}"):
        push_by_background(likeness, {})
