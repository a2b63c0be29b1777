import numpy as np
import pytest
from matplotlib.colors import to_rgba

from vsodlib.contrast_plots import ATTRACT, REPEL
from vsodlib.mining_plots import error_against_similarity, framed

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


def test_error_against_similarity_separates_chosen_from_left_out():
    error, similarity = np.array([0.1, 0.5, 0.9]), np.array([0.8, 0.2, 0.4])
    chosen = np.array([False, True, True])
    figure = error_against_similarity({"p": (error, similarity, chosen)})
    hollow, filled = figure.axes[0].lines
    np.testing.assert_allclose(hollow.get_xydata(), [[0.1, 0.8]])
    np.testing.assert_allclose(filled.get_xydata(), [[0.5, 0.2], [0.9, 0.4]])
    assert hollow.get_markerfacecolor() == "none" and filled.get_markerfacecolor() == ATTRACT
    two = error_against_similarity({"p": (error, similarity, chosen), "n": (error, -error, chosen)})
    assert two.axes[1].lines[1].get_markerfacecolor() == REPEL
    with pytest.raises(ValueError, match="at least one panel"):
        error_against_similarity({})
