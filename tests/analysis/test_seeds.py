"""Differences between rows, seed by seed."""

import math

import pytest

from vsodlib.analysis.seeds import Difference, paired_difference


def test_verdict_by_student_or_by_a_given_factor():
    # Two-sided 5 % of Student's t in printed tables: 4.303 for 2 degrees of freedom, 2.262 for 9.
    for seeds, factor in ((3, 4.303), (10, 2.262)):
        difference = Difference(seeds, 0.0, 0.1)
        assert difference.margin() == pytest.approx(0.1 * factor, abs=1e-4)
    assert Difference(3, 0.431, 0.1).verdict() == "above"
    assert Difference(3, -0.431, 0.1).verdict() == "below"
    assert Difference(3, 0.43, 0.1).verdict() == "within noise"
    assert Difference(3, 0.43, 0.1).verdict(factor=2) == "above"
    assert Difference(3, 0.2, 0.1).verdict(factor=2) == "within noise"


def test_paired_difference_worked_by_hand():
    found = paired_difference({0: 0.5, 1: 0.7, 2: 0.9, 9: 5.0}, {0: 0.4, 1: 0.5, 2: 0.6, 7: 1.0})
    assert (found.seeds, found.mean) == (3, pytest.approx(0.2))
    assert found.standard_error == pytest.approx(0.1 / math.sqrt(3))
    assert math.isnan(paired_difference({0: 1.0}, {0: 0.0}).standard_error)
    assert paired_difference({0: 1.0}, {0: 0.0}).verdict() == "one seed: unknown"
    with pytest.raises(ValueError, match="no seed in common"):
        paired_difference({0: 1.0}, {1: 1.0})
