"""Regions on a grid, and pairs."""

import numpy as np
import pytest
import torch
from drawings.circle import ATTRACT, REPEL
from drawings.contrast import arrows, gradients, on_grid, pairs
from matplotlib.colors import to_rgb
from unit_circle import NEGATIVES, POINTS, POSITIVES


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


def test_gradients_end_where_automatic_differentiation_says():
    figure = gradients(POINTS, 0, POSITIVES, NEGATIVES, [0.1, 1.0])
    for axes, temperature in zip(figure.axes, (0.1, 1.0), strict=True):
        u = torch.tensor(POINTS[0], requires_grad=True)
        s = torch.tensor(POINTS) @ u / temperature
        chosen = torch.tensor(POSITIVES | NEGATIVES)
        (s[chosen].logsumexp(0) - s[torch.tensor(POSITIVES)].logsumexp(0)).backward()
        step = -temperature * u.grad.numpy()
        pull, push, total, along = (np.array(text.xy) - POINTS[0] for text in axes.texts)
        np.testing.assert_allclose(total, step, atol=1e-12)
        np.testing.assert_allclose(pull + push, step, atol=1e-12)
        np.testing.assert_allclose(along, step - (step @ POINTS[0]) * POINTS[0], atol=1e-12)
    with pytest.raises(ValueError, match="at least one temperature"):
        gradients(POINTS, 0, POSITIVES, NEGATIVES, [])


def test_arrows_reach_their_vectors():
    figure = arrows({"a": (np.array([0.6, 0.8, 0]), ATTRACT), "b": (np.array([0, 0, 1]), REPEL)})
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["a", "b"]
    np.testing.assert_allclose(axes.texts[0].get_position_3d(), [0.66, 0.88, 0])
    with pytest.raises(ValueError, match="at least one vector"):
        arrows({})
