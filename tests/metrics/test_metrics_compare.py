"""Two sets of scores against one another, and a number traced to its protocol."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from vsodlib.metrics import Protocol, compare, explain, score_frames
from vsodlib.metrics.scoring import ArrayFrame

H, W = 36, 48


def stream(shift=3, videos=6, frames=4):
    """Maps that miss their discs by `shift` pixels, more in the later videos."""
    rows, columns = np.mgrid[:H, :W]
    for v in range(videos):
        for k in range(frames):
            g = (rows - 18) ** 2 + (columns - 15 - k) ** 2 < 60 + 15 * v
            moved = np.roll(g, shift + v // 3, 1).astype(np.float32)
            yield f"v{v}", f"{k:05d}", cv2.GaussianBlur(moved, (0, 0), 1.5) * 0.9, g


@pytest.fixture(scope="module")
def good():
    return score_frames(stream(2), measures="all")


@pytest.fixture(scope="module")
def bad():
    return score_frames(stream(5), measures="all")


def test_the_better_one_is_found(good, bad):
    found = compare(bad, json.loads(json.dumps(good)))
    assert found["sequences"] == [f"v{k}" for k in range(6)]
    assert found["left_out"] == []
    for name in ("J", "F", "max_f", "s_measure", "weighted_f"):
        row = found["measures"][name]
        expected = {
            v: _value(good["per_sequence"][v][name]) - _value(bad["per_sequence"][v][name])
            for v in found["sequences"]
        }
        assert row["per_sequence"] == pytest.approx(expected)
        assert row["difference"] == pytest.approx(np.mean(list(expected.values())))
        assert row["difference"] == pytest.approx(row["second"] - row["first"])
        assert 0 < row["interval"][0] < row["difference"] < row["interval"][1]
        assert (row["verdict"], row["second_better"], row["first_better"]) == ("second", 6, 0)
    # Of errors the smaller is better, whichever way round the two are given.
    mae = found["measures"]["mae"]
    assert mae["difference"] < 0
    assert (mae["verdict"], mae["second_better"]) == ("second", 6)
    back = compare(good, bad)["measures"]
    assert (back["mae"]["verdict"], back["J"]["verdict"]) == ("first", "first")
    assert back["J"]["interval"] == pytest.approx(
        [-x for x in found["measures"]["J"]["interval"][::-1]], abs=0.02
    )


def _value(cell):
    return cell["mean"] if isinstance(cell, dict) else cell


def test_no_difference_stays_open(good):
    other = json.loads(json.dumps(good))
    for k, row in enumerate(other["per_sequence"].values()):
        row["J"]["mean"] += 0.02 * (-1) ** k
        row["mae"] = None if k else row["mae"]  # one sequence alone
    found = compare(good, other)["measures"]
    low, high = found["J"]["interval"]
    assert low < 0 < high
    assert (found["J"]["verdict"], found["J"]["second_better"]) == ("open", 3)
    assert (found["mae"]["interval"], found["mae"]["verdict"]) == (None, "open")
    assert found["F"]["difference"] == 0


def test_sequences_of_one_alone_are_left_out(good, bad):
    fewer = score_frames((f for f in stream(5) if f[0] not in ("v1", "v4")), measures="J")
    found = compare(good, fewer)
    assert found["left_out"] == ["v1", "v4"]
    assert found["measures"].keys() == {"J"}
    assert len(found["measures"]["J"]["per_sequence"]) == 4
    named = score_frames((("goat" if v == "v0" else v, *f) for v, *f in stream(5)), measures="T")
    found = compare(named, named)
    assert "goat" in found["sequences"]
    assert "goat" not in found["measures"]["T"]["per_sequence"]


def test_what_does_not_compare(good):
    with pytest.raises(ValueError, match=r"protocols differ in .*average.*skip_ends"):
        compare(good, score_frames(stream(), "frames"))
    other = score_frames((("x" + v, *rest) for v, *rest in stream()))
    with pytest.raises(ValueError, match="no sequence in common"):
        compare(good, other)
    with pytest.raises(ValueError, match="no measure in common"):
        compare(score_frames(stream(), measures="J"), score_frames(stream(), measures="mae"))
    for odd in ([], {}, {"protocol": {}}, {"protocol": [], "per_sequence": {}}):
        with pytest.raises(ValueError, match="no scores"):
            compare(good, odd)
        with pytest.raises(ValueError, match="no scores"):
            compare(odd, good)
    odd = {"protocol": good["protocol"], "per_sequence": {"v0": {"J": {"mean": "x"}}, "v1": 7}}
    with pytest.raises(ValueError, match="no measure in common"):
        compare(good, odd)


def arrays(**options):
    return [ArrayFrame(*frame) for frame in stream(**options)]


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
    result = score_frames(stream(), protocol)
    text = f"{result['max_f']:.7f}"
    hit, ways = explain(arrays(), text, workers=workers, progress=False)
    assert hit
    (way,) = [w for w in ways if w.measure == "max_f"]
    assert way.value == pytest.approx(result["max_f"], abs=1e-9)
    assert len(way.changes) <= len(changes)
    again = replace(Protocol.preset(way.protocol), **way.changes)
    assert score_frames(stream(), again)["max_f"] == pytest.approx(result["max_f"], abs=1e-9)


def test_percent_and_decimals():
    J = score_frames(stream(), measures="J")["J"]["mean"]
    for text in (f"{J:.2f}", f"{J:.5f}", f"{100 * J:.1f}", f"{100 * J:.4f}"):
        hit, ways = explain(arrays(), text, progress=False)
        assert hit and "J mean" in [way.measure for way in ways], text
    hit, ways = explain(arrays(), f"{J + 0.002:.4f}", ["J"], progress=False)
    assert (hit, len(ways)) == (False, 3)  # the nearest
    result = score_frames(stream())
    both = (result["J"]["mean"] + result["F"]["mean"]) / 2
    assert "J&F mean" in [w.measure for w in explain(arrays(), f"{both:.6f}", progress=False)[1]]
    for odd in ("a", "0,83", "nan", "-1", ""):
        with pytest.raises(ValueError, match="as it is printed"):
            explain(arrays(), odd)


def test_measures_of_pairs_are_traced():
    result = score_frames(stream(), measures=["consistency", "weighted_f"])
    for name in ("consistency", "weighted_f"):
        for workers in (1, 2):
            hit, ways = explain(
                arrays(), f"{result[name]:.6f}", [name], workers=workers, progress=False
            )
            assert hit and (ways[0].measure, ways[0].changes) == (name, {})
