"""Which measures there are, and which choices make a protocol."""

import json

import numpy as np
import pytest
from scored_streams import by_hand, stream

from vsodlib.metrics import (
    Protocol,
    score_frames,
)
from vsodlib.metrics.protocol import DEFAULT


def test_measures_that_do_not_exist():
    for measures in (["J", "maxF"], "maxF"):
        with pytest.raises(ValueError, match="No measure maxF; there are J, F, max_f"):
            score_frames(stream(), measures=measures)
    with pytest.raises(ValueError, match="No measure asked for"):
        score_frames(stream(), measures=[])


def test_davsod_stretches():
    result = score_frames(stream(), "davsod", [*DEFAULT, "weighted_f"])
    a, b = by_hand("a", range(1, 6), True), by_hand("b", range(1, 3), True)
    expected = np.mean([np.mean([s.mae for s in v["scores"]]) for v in (a, b)])
    assert result["mae"] == pytest.approx(expected)
    assert result["mae"] != pytest.approx(score_frames(stream())["mae"], abs=1e-4)
    assert result["protocol"]["stretch"] is True
    assert result["weighted_f"] == pytest.approx(
        np.mean([np.mean(a["weighted_f"]), np.mean(b["weighted_f"])])
    )
    assert result["J"] == score_frames(stream())["J"]  # masks come from the map as it is


def test_refused_options():
    with pytest.raises(ValueError, match="No protocol 'davis'"):
        score_frames(stream(), "davis")
    with pytest.raises(ValueError, match="workers"):
        score_frames(stream(), workers=0)
    for bad in (
        {"average": "video"},
        {"maximum": "last"},
        {"centroid_ties": "odd"},
        {"mask_threshold": 0.0},
        {"beta_squared": 0.0},
    ):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Protocol(**bad)


def test_result_is_json_and_names_the_protocol():
    result = score_frames(stream(), measures="all")
    text = json.dumps(result, allow_nan=False)
    assert json.loads(text)["protocol"] == json.loads(
        json.dumps(Protocol.preset("davis2016").to_dict())
    )
    needed = {"protocol", "mae", "max_f", "mean_f", "s_measure", "e_measure", "weighted_f"}
    assert needed | {"J", "F", "T", "per_sequence"} <= result.keys()
