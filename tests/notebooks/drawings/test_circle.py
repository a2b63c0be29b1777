"""The forces of Eq. 9 against its gradient, and what its figures hold."""

import math

import numpy as np
import pytest
import torch
from drawings.circle import (
    ATTRACT,
    REPEL,
    circle,
    pull_and_push,
    temperatures,
)
from matplotlib.colors import to_rgba
from unit_circle import NEGATIVES, POINTS, POSITIVES

from vsodlib.losses.contrastive import Regions, contrastive_loss


@pytest.mark.parametrize("temperature", [0.1, 2.0])
def test_forces_are_the_gradient_of_the_librarys_loss(temperature):
    """With embeddings of length 1, dL/du_r of a sample is dL/d(u·u_r) times u."""
    regions = Regions(
        torch.tensor(POINTS, requires_grad=True),
        torch.tensor(POSITIVES | (np.arange(5) == 0)),
        torch.zeros(5, dtype=torch.int64),
        torch.arange(5),
        torch.zeros(5),
    )
    loss = contrastive_loss(regions, temperature=temperature, normalize=False)[0]
    loss.backward()
    force = pull_and_push(POINTS @ POINTS[0], POSITIVES, NEGATIVES, temperature)
    expected = -force[1:, None] / temperature * POINTS[0]
    np.testing.assert_allclose(regions.embeddings.grad[1:], expected, atol=1e-9)
    assert force[POSITIVES].sum() == pytest.approx(1 - math.exp(-loss.item()))


def test_forces_by_hand():
    """One positive and one negative, both at right angles: each holds half of the sum."""
    force = pull_and_push(np.zeros(3), np.array([0, 1, 0], bool), np.array([0, 0, 1], bool))
    np.testing.assert_allclose(force, [0, 0.5, -0.5])


def test_forces_of_many_anchors_at_once_and_without_overflow():
    similarity = np.array([[0.3, 900.0, 1, 2, 3], [0.3, -900.0, -800, 700, 1]])
    force = pull_and_push(similarity, POSITIVES, NEGATIVES)
    np.testing.assert_allclose(force, [[0, 0, 0, 0, 0], [0, 0, 1, -1, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("negatives", "temperature", "message"),
    [(NEGATIVES, 0, "temperature must be positive"), (NEGATIVES & False, 1, "needs a positive")],
)
def test_forces_refuse(negatives, temperature, message):
    with pytest.raises(ValueError, match=message):
        pull_and_push(np.zeros(5), POSITIVES, negatives, temperature)


def points_of(axes):
    return np.concatenate([line.get_xydata() for line in axes.lines if line.get_marker() in "os"])


def test_circle_shows_every_region_in_its_colour_and_shape():
    front, video = np.array([1, 1, 0, 0, 1], bool), np.array([0, 0, 0, 1, 1])
    figure = circle({"before": POINTS, "after": POINTS[::-1]}, front, video)
    assert [axes.get_title() for axes in figure.axes] == ["before", "after"]
    for axes in figure.axes:
        assert len(points_of(axes)) == 5
    lines = figure.axes[0].lines
    drawn = {(line.get_marker(), line.get_color()): line.get_xydata() for line in lines}
    np.testing.assert_allclose(drawn["o", ATTRACT], POINTS[:2])
    inner = drawn["s", REPEL][0] / POINTS[3]
    assert 0 < inner[0] < 1 and inner[0] == pytest.approx(inner[1]), "on a ring of its own"
    assert len(figure.legends[0].get_texts()) == 4
    assert not figure.axes[0].texts


def test_circle_draws_forces_along_the_tangent_at_most_a_third_long():
    outward, sideways = 5 * POINTS, 7 * POINTS @ np.array([[0, 1], [-1, 0]])
    front, video = POSITIVES, np.zeros(5, int)
    figure = circle({"a": POINTS, "b": POINTS}, front, video, [outward, sideways])
    assert len(figure.axes[0].texts) == 0 and len(figure.axes[1].texts) == 5
    arrow = figure.axes[1].texts[0]
    moved = np.subtract(arrow.xy, arrow.xyann)
    assert np.linalg.norm(moved) == pytest.approx(1 / 3)
    assert moved @ POINTS[0] == pytest.approx(0, abs=1e-12)


def test_circle_refuses():
    with pytest.raises(ValueError, match="got 0 and 1"):
        circle({}, POSITIVES, np.zeros(5))
    with pytest.raises(ValueError, match="got 1 and 5"):
        circle({"a": POINTS}, POSITIVES, np.arange(5))


def test_temperatures_bars_are_forces_that_add_up_to_q():
    figure = temperatures(POINTS, 0, POSITIVES, NEGATIVES, [0.05, 5])
    top_sharp, _, sharp, soft = figure.axes
    heights = [[bar.get_height() for bar in axes.patches] for axes in (sharp, soft)]
    for four, temperature in zip(heights, (0.05, 5), strict=True):
        force = pull_and_push(POINTS @ POINTS[0], POSITIVES, NEGATIVES, temperature)
        np.testing.assert_allclose(four, force[1:])
        q = force[POSITIVES].sum()
        assert sum(four[:2]) == pytest.approx(q) and sum(four[2:]) == pytest.approx(-q)
    colors = [bar.get_facecolor() for bar in sharp.patches]
    assert colors == [to_rgba(c) for c in (ATTRACT, ATTRACT, REPEL, REPEL)]
    assert top_sharp.get_title() == "τ = 0.05, q = 0.00"
    assert [text.get_text() for text in top_sharp.texts] == ["1", "2", "3", "4"]
    one = temperatures(POINTS, 0, POSITIVES, NEGATIVES, [0.05])
    assert [bar.get_height() for bar in one.axes[1].patches] == heights[0]
    with pytest.raises(ValueError, match="at least one temperature"):
        temperatures(POINTS, 0, POSITIVES, NEGATIVES, [])
