"""From frames to one number: ends, sequences, the place of the maximum."""

from dataclasses import replace

import numpy as np
import pytest
from scored_streams import by_hand, stream

from vsodlib.metrics import (
    Protocol,
    score_frames,
    statistics,
)


def test_davis2016_leaves_out_the_ends_and_averages_sequences():
    result = score_frames(stream(), measures="all")
    a, b = by_hand("a", range(1, 6)), by_hand("b", range(1, 3))
    assert result["frames"] == 7
    assert result["sequences"] == 2
    assert result["per_sequence"]["a"]["per_frame"]["name"] == [f"{k:05d}" for k in range(1, 6)]

    def twice(value):
        return np.mean([np.mean(value(a)), np.mean(value(b))])

    assert result["mae"] == pytest.approx(twice(lambda v: [s.mae for s in v["scores"]]))
    assert result["s_measure"] == pytest.approx(twice(lambda v: [s.s_measure for s in v["scores"]]))
    assert result["mean_f"] == pytest.approx(twice(lambda v: [s.mean_f for s in v["scores"]]))
    assert result["e_measure"] == pytest.approx(twice(lambda v: [s.mean_e for s in v["scores"]]))
    assert result["adaptive_f"] == pytest.approx(
        twice(lambda v: [s.adaptive_f for s in v["scores"]])
    )
    assert result["adaptive_e"] == pytest.approx(
        twice(lambda v: [s.adaptive_e for s in v["scores"]])
    )
    for key in ("weighted_f", "T", "consistency"):
        assert result[key] == pytest.approx(twice(lambda v, key=key: v[key])), key
    for key in ("J", "F"):
        parts = [statistics(v[key]) for v in (a, b)]
        for part in ("mean", "recall", "decay"):
            expected = np.mean([getattr(s, part) for s in parts])
            assert result[key][part] == pytest.approx(expected), (key, part)
    # The maximum is taken last, of the mean curve.
    curve = np.mean([np.mean([s.f_curve for s in v["scores"]], 0) for v in (a, b)], 0)
    assert result["max_f"] == pytest.approx(curve.max())
    np.testing.assert_allclose(result["curves"]["f_curve"], curve)
    assert result["per_sequence"]["b"]["per_frame"]["T"][0] is None
    assert result["per_sequence"]["b"]["per_frame"]["J"] == pytest.approx(b["J"])


def test_frames_pools_everything():
    result = score_frames(stream(), "frames", "all")
    a, b = by_hand("a", range(7)), by_hand("b", range(4))
    assert result["frames"] == 11
    assert result["mae"] == pytest.approx(np.mean([s.mae for s in a["scores"] + b["scores"]]))
    assert result["J"]["mean"] == pytest.approx(np.mean(a["J"] + b["J"]))
    assert result["T"] == pytest.approx(np.mean(a["T"] + b["T"]))
    assert result["consistency"] == pytest.approx(np.mean(a["consistency"] + b["consistency"]))
    decays = [statistics(v["F"]).decay for v in (a, b)]
    assert result["F"]["decay"] == pytest.approx(np.mean(decays))


@pytest.mark.parametrize("maximum", ["data set", "sequence", "frame"])
def test_where_the_maximum_is_taken(maximum):
    protocol = replace(Protocol.preset("davis2016"), maximum=maximum)
    result = score_frames(stream(), protocol)
    curves = [
        np.array([s.f_curve for s in by_hand(v, range(1, n))["scores"]])
        for v, n in (("a", 6), ("b", 3))
    ]
    expected = {
        "data set": np.mean([c.mean(0) for c in curves], 0).max(),
        "sequence": np.mean([c.mean(0).max() for c in curves]),
        "frame": np.mean([c.max(1).mean() for c in curves]),
    }
    assert result["max_f"] == pytest.approx(expected[maximum])
    assert result["protocol"]["maximum"] == maximum


def test_mean_t_leaves_out_unstable_sequences():
    result = score_frames(
        (("goat" if v == "a" else v, n, p, g) for v, n, p, g in stream()), measures="T"
    )
    assert result["T"] == pytest.approx(result["per_sequence"]["b"]["T"])
    assert result["per_sequence"]["goat"]["T"] > 0
    only = score_frames((("goat", n, p, g) for v, n, p, g in stream() if v == "a"), measures="T")
    assert only["T"] is None
