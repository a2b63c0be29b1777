"""Regions on a grid, and pairs."""

from __future__ import annotations

import numpy as np
import pytest
from drawings.contrast import on_grid, pairs
from matplotlib.colors import to_rgb

from vsodlib.viz.contrast import ATTRACT


def test_on_grid_colours_cells_and_draws_lines():
    frame = np.full((6, 8, 3), 100, np.uint8)
    picture = on_grid(frame, np.array([[0.0, 1.0], [0.5, 0.0]]))
    assert picture.shape == frame.shape
    assert (picture[1, 1] == 100).all(), "a cell without a share is as it was"
    full = np.round(0.25 * 100 + 0.75 * 255 * np.array(to_rgb(ATTRACT)))
    np.testing.assert_allclose(picture[1, 6], full, atol=1)
    assert (picture[3, 1] > 100).all() and (picture[1, 4] > picture[1, 5]).all(), "lines"
    assert (picture[4, 1] != picture[1, 1]).any()


def test_pairs_colours_every_cell():
    positives = np.array([[0, 1, 0, 0], [1, 0, 0, 0]], bool)
    negatives = np.array([[0, 0, 1, 0], [0, 0, 1, 1]], bool)
    front = np.array([1, 1, 0, 0], bool)
    panels = {"chosen": (positives, negatives), "all": (positives, ~positives)}
    figure = pairs(panels, np.array([0, 1]), ["f0", "f1", "b0", "b1"], front)
    axes = figure.axes[0]
    kinds = np.asarray(axes.collections[0].get_array()).reshape(2, 4)
    np.testing.assert_array_equal(kinds, [[0, 1, 2, 0], [1, 0, 2, 2]])
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[0.5, 0.5], [1.5, 1.5]])
    assert axes.lines[1].get_xdata()[0] == 2, "between foreground and background"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["f0", "f1"]
    assert [axes.get_title() for axes in figure.axes] == ["chosen", "all"]
    with pytest.raises(ValueError, match="at least one panel"):
        pairs({}, np.array([0]), ["a"], front)
