"""Measures of whole maps of attention against loops and hand-worked numbers."""

import math

import attention_rows
import pytest
import torch

from vsodlib.analysis.attention import effective_positions

NAN = float("nan")


def loop_shares(row):
    total = sum(abs(v) for v in row.flatten().tolist())
    return [abs(v) / total for v in row.flatten().tolist()]


def test_row_entropy_by_hand():
    rows = torch.zeros(4, 2, 2)
    rows[0, 1, 0] = 7  # one place
    rows[1] = 0.3  # even
    rows[2, 0] = torch.tensor([0.5, 0.5])  # two of four: log 2 / log 4
    rows[3, 0] = torch.tensor([-3.0, 1.0])  # the size counts
    quarters = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(4)
    expected = torch.tensor([0.0, 1.0, 0.5, quarters])
    torch.testing.assert_close(attention_rows.row_entropy(rows), expected)


def test_row_entropy_is_a_logarithm_of_effective_positions():
    rows = torch.rand(3, 5, 4, 6)
    entropy = attention_rows.row_entropy(rows)
    assert entropy.shape == (3, 5)
    torch.testing.assert_close(24**entropy, effective_positions(rows))


def test_row_entropy_errors():
    with pytest.raises(ValueError, match="two positions"):
        attention_rows.row_entropy(torch.ones(3, 1, 1))
    with pytest.raises(ValueError, match="not all of them zero"):
        attention_rows.row_entropy(torch.zeros(2, 2))


def test_mass_inside_by_loop():
    torch.manual_seed(0)
    rows, mask = torch.randn(2, 3, 4, 5), torch.rand(4, 5)
    mass = attention_rows.mass_inside(rows, mask)
    assert mass.shape == (2, 3)
    for b in range(2):
        for q in range(3):
            loop = zip(loop_shares(rows[b, q]), mask.flatten().tolist(), strict=True)
            assert mass[b, q].item() == pytest.approx(sum(p * m for p, m in loop), abs=1e-6)
    torch.testing.assert_close(attention_rows.mass_inside(rows, 1 - mask), 1 - mass)
    torch.testing.assert_close(attention_rows.mass_inside(-2 * rows, mask), mass)


def test_chance_is_the_mass_of_an_even_row():
    mask = torch.rand(4, 5)
    even = attention_rows.mass_inside(torch.ones(4, 5), mask).item()
    assert attention_rows.chance_level(mask) == pytest.approx(even)
    assert attention_rows.chance_level(torch.tensor([[True, False, False, False]])) == 0.25


def test_mean_within_by_hand():
    values = torch.tensor([[1.0, 2.0], [3.0, 8.0]])
    weights = torch.tensor([[1.0, 0.5], [0.0, 0.5]])
    assert attention_rows.mean_within(values, weights) == pytest.approx(3)
    assert attention_rows.mean_within(values, 1 - weights) == pytest.approx(4)
    assert math.isnan(attention_rows.mean_within(values, torch.zeros(2, 2)))
    with pytest.raises(ValueError, match=r"\(2, 2\) and weights \(4,\)"):
        attention_rows.mean_within(values, weights.flatten())


@pytest.mark.parametrize("bad", [-0.1, 1.1, NAN])
def test_masks_are_shares(bad):
    mask = torch.tensor([[0.0, bad]])
    rows = torch.ones(2, 1, 2)
    for measure in (
        lambda: attention_rows.mass_inside(rows, mask),
        lambda: attention_rows.chance_level(mask),
        lambda: attention_rows.mean_within(torch.ones(1, 2), mask),
        lambda: attention_rows.measure_rows(rows, mask),
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
    found = attention_rows.measure_rows(rows, mask)
    expected = attention_rows.RowMeasures(
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
    found = attention_rows.measure_rows(apart, mask)
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
    found = attention_rows.measure_rows(same, mask)
    assert (found.overlap, found.inside_from_ground, found.entropy_from_ground) == (1, 1, 0)


@pytest.mark.parametrize("full", [0.0, 1.0])
def test_measure_rows_of_a_side_that_is_not_there(full):
    found = attention_rows.measure_rows(torch.ones(4, 2, 2), torch.full((2, 2), full))
    missing, there = ("ground", "object") if full else ("object", "ground")
    assert found.chance == full and math.isnan(found.overlap)
    for name in ("inside", "entropy"):
        assert math.isnan(getattr(found, f"{name}_from_{missing}"))
        assert not math.isnan(getattr(found, f"{name}_from_{there}"))


def test_measure_rows_needs_every_position():
    mask = torch.ones(2, 3)
    for rows in (torch.ones(5, 2, 3), torch.ones(6, 3, 2), torch.ones(1, 6, 2, 3)):
        with pytest.raises(ValueError, match="one per position"):
            attention_rows.measure_rows(rows, mask)
