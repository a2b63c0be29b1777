"""Measures of attention rows against loops and hand-worked numbers."""

import math

import numpy as np
import pytest
import torch

from vsodlib.analysis import attention as measures
from vsodlib.analysis.attention import effective_positions, share_inside

NAN = float("nan")


def loop_shares(row):
    total = sum(abs(v) for v in row.flatten().tolist())
    return [abs(v) / total for v in row.flatten().tolist()]


def test_mask_on_grid_counts_pixels():
    mask = np.random.default_rng(0).random((11, 18)) > 0.6
    grid = measures.mask_on_grid(mask, 4)
    assert grid.dtype == torch.float32 and grid.shape == (3, 5)
    for i in range(3):
        for j in range(5):
            square = mask[4 * i : 4 * i + 4, 4 * j : 4 * j + 4]  # smaller at the border
            assert grid[i, j].item() == pytest.approx(square.sum() / square.size)
    torch.testing.assert_close(measures.mask_on_grid(mask, 1), torch.from_numpy(mask).float())
    assert measures.mask_on_grid(np.ones((5, 7), bool), 3).eq(1).all()


@pytest.mark.parametrize(
    "mask", [np.ones((4, 4)), np.ones((1, 4, 4), bool), np.ones((0, 4), bool)], ids=str
)
def test_only_masks_go_on_a_grid(mask):
    with pytest.raises(ValueError, match=r"bool \(H, W\)"):
        measures.mask_on_grid(mask, 2)


def test_mask_on_grid_needs_a_stride():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        measures.mask_on_grid(np.ones((4, 4), bool), 0)


def test_central_pixel_is_on_the_object():
    square = np.zeros((9, 12), bool)
    square[2:5, 6:11] = True
    assert measures.central_pixel(square) == (3, 8)
    ring = np.ones((7, 7), bool)
    ring[1:6, 1:6] = False
    assert measures.central_pixel(ring) == (0, 3), "of four equally near ones the first"
    with pytest.raises(ValueError, match="empty mask"):
        measures.central_pixel(np.zeros((4, 4), bool))


def test_row_entropy_by_hand():
    rows = torch.zeros(4, 2, 2)
    rows[0, 1, 0] = 7  # one place
    rows[1] = 0.3  # even
    rows[2, 0] = torch.tensor([0.5, 0.5])  # two of four: log 2 / log 4
    rows[3, 0] = torch.tensor([-3.0, 1.0])  # the size counts
    quarters = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(4)
    expected = torch.tensor([0.0, 1.0, 0.5, quarters])
    torch.testing.assert_close(measures.row_entropy(rows), expected)


def test_row_entropy_is_a_logarithm_of_effective_positions():
    rows = torch.rand(3, 5, 4, 6)
    entropy = measures.row_entropy(rows)
    assert entropy.shape == (3, 5)
    torch.testing.assert_close(24**entropy, effective_positions(rows))


def test_row_entropy_errors():
    with pytest.raises(ValueError, match="two positions"):
        measures.row_entropy(torch.ones(3, 1, 1))
    with pytest.raises(ValueError, match="not all of them zero"):
        measures.row_entropy(torch.zeros(2, 2))


def test_mass_inside_by_loop():
    torch.manual_seed(0)
    rows, mask = torch.randn(2, 3, 4, 5), torch.rand(4, 5)
    mass = measures.mass_inside(rows, mask)
    assert mass.shape == (2, 3)
    for b in range(2):
        for q in range(3):
            loop = zip(loop_shares(rows[b, q]), mask.flatten().tolist(), strict=True)
            assert mass[b, q].item() == pytest.approx(sum(p * m for p, m in loop), abs=1e-6)
    torch.testing.assert_close(measures.mass_inside(rows, 1 - mask), 1 - mass)
    torch.testing.assert_close(measures.mass_inside(-2 * rows, mask), mass)


def test_chance_is_the_mass_of_an_even_row():
    mask = torch.rand(4, 5)
    even = measures.mass_inside(torch.ones(4, 5), mask).item()
    assert measures.chance_level(mask) == pytest.approx(even)
    assert measures.chance_level(torch.tensor([[True, False, False, False]])) == 0.25


def test_mean_within_by_hand():
    values = torch.tensor([[1.0, 2.0], [3.0, 8.0]])
    weights = torch.tensor([[1.0, 0.5], [0.0, 0.5]])
    assert measures.mean_within(values, weights) == pytest.approx(3)
    assert measures.mean_within(values, 1 - weights) == pytest.approx(4)
    assert math.isnan(measures.mean_within(values, torch.zeros(2, 2)))
    with pytest.raises(ValueError, match=r"\(2, 2\) and weights \(4,\)"):
        measures.mean_within(values, weights.flatten())


@pytest.mark.parametrize("bad", [-0.1, 1.1, NAN])
def test_masks_are_shares(bad):
    mask = torch.tensor([[0.0, bad]])
    rows = torch.ones(2, 1, 2)
    for measure in (
        lambda: measures.mass_inside(rows, mask),
        lambda: measures.chance_level(mask),
        lambda: measures.mean_within(torch.ones(1, 2), mask),
        lambda: measures.measure_rows(rows, mask),
    ):
        with pytest.raises(ValueError, match="between 0 and 1"):
            measure()


def test_measure_rows_by_loop():
    torch.manual_seed(1)
    h, w = 3, 4
    rows, mask = torch.randn(h * w, h, w), torch.rand(h, w).round(decimals=1)
    m, shares = mask.flatten().tolist(), [loop_shares(row) for row in rows]
    inside = [sum(p * k for p, k in zip(row, m, strict=True)) for row in shares]
    entropy = [-sum(p * math.log(p) for p in row) / math.log(h * w) for row in shares]
    sides = (m, [1 - k for k in m])

    def mean(values, weights):
        return sum(v * k for v, k in zip(values, weights, strict=True)) / sum(weights)

    columns = list(zip(*shares, strict=True))
    p, q = ([mean(column, side) for column in columns] for side in sides)
    found = measures.measure_rows(rows, mask)
    expected = measures.RowMeasures(
        chance=sum(m) / (h * w),
        inside_from_object=mean(inside, sides[0]),
        inside_from_ground=mean(inside, sides[1]),
        entropy_from_object=mean(entropy, sides[0]),
        entropy_from_ground=mean(entropy, sides[1]),
        overlap=sum(min(a, b) for a, b in zip(p, q, strict=True)),
    )
    for name, value in vars(expected).items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-6), name


def test_measure_rows_at_its_extremes():
    mask = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    apart = torch.block_diag(torch.ones(2, 2), torch.ones(2, 2)).view(4, 1, 4)
    found = measures.measure_rows(apart, mask)
    assert vars(found) == pytest.approx(
        {
            "chance": 0.5,
            "inside_from_object": 1,
            "inside_from_ground": 0,
            "entropy_from_object": 0.5,
            "entropy_from_ground": 0.5,
            "overlap": 0,
        },
        abs=1e-6,
    )
    same = torch.tensor([0.0, 3.0, 0.0, 0.0]).expand(4, 1, 4)
    found = measures.measure_rows(same, mask)
    assert (found.overlap, found.inside_from_ground, found.entropy_from_ground) == (1, 1, 0)


@pytest.mark.parametrize("full", [0.0, 1.0])
def test_measure_rows_of_a_side_that_is_not_there(full):
    found = measures.measure_rows(torch.ones(4, 2, 2), torch.full((2, 2), full))
    missing, there = ("ground", "object") if full else ("object", "ground")
    assert found.chance == full and math.isnan(found.overlap)
    for name in ("inside", "entropy"):
        assert math.isnan(getattr(found, f"{name}_from_{missing}"))
        assert not math.isnan(getattr(found, f"{name}_from_{there}"))


def test_measure_rows_needs_every_position():
    mask = torch.ones(2, 3)
    for rows in (torch.ones(5, 2, 3), torch.ones(6, 3, 2), torch.ones(1, 6, 2, 3)):
        with pytest.raises(ValueError, match="one per position"):
            measures.measure_rows(rows, mask)


def test_effective_positions_by_hand():
    rows = torch.zeros(3, 2, 4)
    rows[0, 1, 2] = 5  # one place, whatever its weight
    rows[1] = 0.125  # evenly over all
    rows[2, 0, :2] = torch.tensor([0.75, 0.25])
    by_hand = math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    torch.testing.assert_close(effective_positions(rows), torch.tensor([1.0, 8.0, by_hand]))


def test_share_inside_by_hand():
    rows = torch.tensor([[[1.0, 2.0, 0.0], [1.0, 0.0, 4.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    torch.testing.assert_close(share_inside(rows, mask), torch.tensor([3 / 8, 0.0]))
    half = torch.tensor([[0.0, 0.5, 0.0], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(share_inside(rows, half), torch.tensor([5 / 8, 1.0]))


def test_rows_must_be_weights():
    signed = torch.tensor([[1.0, -1.0]])
    for rows in (signed, torch.zeros(1, 2)):
        with pytest.raises(ValueError, match="non-negative"):
            effective_positions(rows)
        with pytest.raises(ValueError, match="non-negative"):
            share_inside(rows, torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"\(1, 2\) and the mask \(2, 1\)"):
        share_inside(torch.ones(1, 2), torch.ones(2, 1))
