import numpy as np
import pytest
from matplotlib.colors import to_rgba

from vsodlib.viz.contrast import ATTRACT, REPEL
from vsodlib.viz.mining import error_against_similarity, framed, push_against_similarity

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


def test_error_against_similarity_tells_clips_and_chosen_apart():
    error, similarity = np.array([0.1, 0.5, 0.9]), np.array([0.8, 0.2, 0.5])
    chosen = np.array([False, True, True])
    fish, star = (error, similarity, chosen), (error, -similarity, ~chosen)
    figure = error_against_similarity({"p": {"fish": fish, "star": star}, "n": {"star": star}})
    left, right = figure.axes
    hollow, filled, line, hollow_star, _, line_star = left.lines
    np.testing.assert_allclose(hollow.get_xydata(), [[0.1, 0.8]])
    np.testing.assert_allclose(filled.get_xydata(), [[0.5, 0.2], [0.9, 0.5]])
    assert hollow.get_markerfacecolor() == "none" and filled.get_markerfacecolor() != "none"
    assert hollow.get_color() == filled.get_color() == line.get_color()
    np.testing.assert_allclose(hollow_star.get_xydata(), [[0.5, -0.2], [0.9, -0.5]])
    # By hand: means 0.5 and 0.5, slope (-0.4 * 0.3 + 0.4 * 0) / (2 * 0.16) = -0.375.
    np.testing.assert_allclose(line.get_xydata(), [[0.1, 0.65], [0.9, 0.35]])
    assert line_star.get_ydata()[0] < line_star.get_ydata()[1]
    looks = [(drawn.get_color(), drawn.get_marker()) for drawn in (hollow_star, right.lines[0])]
    assert looks[0] == looks[1] != (hollow.get_color(), hollow.get_marker())
    assert looks[0][0] not in (ATTRACT, REPEL)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["fish", "star", "chosen", "left out"]
    with pytest.raises(ValueError, match="got 0 and 0"):
        error_against_similarity({})
    with pytest.raises(ValueError, match="got 1 and 5"):
        error_against_similarity({"p": dict.fromkeys("abcde", fish)})


def test_push_against_similarity_shows_every_share():
    likeness = np.array([0.5, 0.7, 0.6])
    shares = {"hard": np.array([0.0, 0.8, 0.2]), "all": np.array([0.2, 0.5, 0.3])}
    figure = push_against_similarity(likeness, shares)
    (axes,) = figure.axes
    hard, everyone = axes.lines
    np.testing.assert_allclose(hard.get_xydata(), [[0.5, 0], [0.7, 80], [0.6, 20]])
    np.testing.assert_allclose(everyone.get_ydata(), [20, 50, 30])
    assert [text.get_text() for text in axes.texts] == ["0", "1", "2"]
    np.testing.assert_allclose([text.xy for text in axes.texts], [[0.5, 20], [0.7, 80], [0.6, 30]])
    assert {hard.get_color(), everyone.get_color()}.isdisjoint({ATTRACT, REPEL})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["hard", "all"]
    with pytest.raises(ValueError, match="1 to 4 ways with 3 shares"):
        push_against_similarity(likeness, {"hard": likeness[:2]})
    with pytest.raises(ValueError, match=r"got \{\}"):
        push_against_similarity(likeness, {})
