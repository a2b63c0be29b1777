"""A number traced to its protocol."""

from dataclasses import replace

import numpy as np
import pytest
from scored_streams import shifted

from vsodlib.metrics import Protocol, explain, score_frames
from vsodlib.metrics.scoring import ArrayFrame


def arrays(**options):
    return [ArrayFrame(*frame) for frame in shifted(**options)]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("davis2016", {}),
        ("davsod", {}),
        ("frames", {}),
        ("davis2016", {"skip_ends": False}),
        ("davis2016", {"maximum": "frame", "beta_squared": 1.0}),
        ("frames", {"stretch": True}),
    ],
)
def test_a_number_is_traced(preset, changes, workers):
    """What a protocol gives is found, and with no more changes than that protocol needs."""
    protocol = replace(Protocol.preset(preset), **changes)
    result = score_frames(shifted(), protocol)
    text = f"{result['max_f']:.7f}"
    hit, ways = explain(arrays(), text, workers=workers, progress=False)
    assert hit
    (way,) = [w for w in ways if w.measure == "max_f"]
    assert way.value == pytest.approx(result["max_f"], abs=1e-9)
    assert len(way.changes) <= len(changes)
    again = replace(Protocol.preset(way.protocol), **way.changes)
    assert score_frames(shifted(), again)["max_f"] == pytest.approx(result["max_f"], abs=1e-9)


def test_percent_and_decimals():
    J = score_frames(shifted(), measures="J")["J"]["mean"]
    for text in (f"{J:.2f}", f"{J:.5f}", f"{100 * J:.1f}", f"{100 * J:.4f}"):
        hit, ways = explain(arrays(), text, progress=False)
        assert hit and "J mean" in [way.measure for way in ways], text
    hit, ways = explain(arrays(), f"{J + 0.002:.4f}", ["J"], progress=False)
    assert (hit, len(ways)) == (False, 3)  # the nearest
    result = score_frames(shifted())
    both = (result["J"]["mean"] + result["F"]["mean"]) / 2
    assert "J&F mean" in [w.measure for w in explain(arrays(), f"{both:.6f}", progress=False)[1]]
    for odd in ("a", "0,83", "nan", "-1", ""):
        with pytest.raises(ValueError, match="as it is printed"):
            explain(arrays(), odd)


@pytest.mark.parametrize("preset", ["davis2016", "frames"])
def test_pairs_with_an_end_count_where_ends_do(preset):
    frames, seen = [], set()
    for video, name, prediction, truth in shifted():
        video = "goat" if video == "v0" else video  # T leaves it out under one of the two
        if video not in seen:  # of the first frame half an object
            prediction = prediction * (np.arange(len(truth)) > np.nonzero(truth)[0].mean())[:, None]
        frames.append((video, name, prediction, truth))
        seen.add(video)
    names = ["T", "consistency"]
    result = score_frames(frames, preset, names)
    held = [ArrayFrame(*frame) for frame in frames]
    for name in names:
        hit, ways = explain(held, f"{result[name]:.6f}", [name], progress=False)
        assert hit and (ways[0].protocol, ways[0].changes) == (preset, {})


def test_measures_of_pairs_are_traced():
    result = score_frames(shifted(), measures=["consistency", "weighted_f"])
    for name in ("consistency", "weighted_f"):
        for workers in (1, 2):
            hit, ways = explain(
                arrays(), f"{result[name]:.6f}", [name], workers=workers, progress=False
            )
            assert hit and (ways[0].measure, ways[0].changes) == (name, {})
