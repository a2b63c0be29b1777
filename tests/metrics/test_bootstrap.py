"""Intervals by resampling."""

import numpy as np
import pytest
from scored_streams import stream

from vsodlib.metrics import (
    score_frames,
)
from vsodlib.metrics.bootstrap import interval, resamples


def test_interval_of_a_mean():
    """As wide as Student's t has it, where plain percentiles would be too narrow."""
    values = np.random.default_rng(5).normal(size=12)
    means = np.concatenate([counts @ values / 12 for counts in resamples(12)])
    low, high = interval(means, 12)
    half = 2.201 * values.std(ddof=1) / np.sqrt(12)  # t of 11 degrees of freedom, 97.5 %
    assert (high - low) / 2 == pytest.approx(half, rel=0.06)
    assert (high - low) > 1.1 * np.diff(np.quantile(means, [0.025, 0.975]))
    assert interval(np.full(9, np.nan), 9) is None
    assert resamples(5).__next__().sum() == resamples(5).__next__().sum()


def test_intervals_over_sequences():
    """The bootstrap once more, one resample at a time, from the results of the sequences."""
    lengths = (("a", 7), ("b", 4), ("c", 5), ("d", 6))
    for protocol in ("davis2016", "frames"):
        result = score_frames(stream(lengths), protocol, "all")
        rows = list(result["per_sequence"].values())
        found = result["intervals"]
        assert (found["over"], found["units"], found["level"]) == ("sequences", 4, 0.95)
        counts = np.concatenate(list(resamples(4)))
        assert counts.shape == (found["resamples"], 4)
        assert (counts.sum(1) == 4).all()
        again = {"J": [], "mae": []}
        for drawn in counts:
            weights = drawn * [row["frames"] if protocol == "frames" else 1 for row in rows]
            again["J"].append(np.average([row["J"]["mean"] for row in rows], weights=weights))
            again["mae"].append(np.average([row["mae"] for row in rows], weights=weights))
        low, high = found["mae"]
        assert [low, high] == pytest.approx(interval(np.array(again["mae"]), 4))
        assert found["J"]["mean"] == pytest.approx(interval(np.array(again["J"]), 4))
        assert low < result["mae"] < high
        assert found["max_f"][0] <= result["max_f"] <= found["max_f"][1]
        assert len(found["T"]) == len(found["F"]["decay"]) == len(found["weighted_f"]) == 2
    assert score_frames(stream((("a", 7),)))["intervals"] is None
