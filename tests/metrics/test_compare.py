"""Two sets of scores against one another, and a number traced to its protocol."""

import copy
import json

import numpy as np
import pytest
from scored_streams import shifted

from vsodlib.metrics import compare, score_frames


@pytest.fixture(scope="module")
def good():
    return score_frames(shifted(2), measures="all")


@pytest.fixture(scope="module")
def bad():
    return score_frames(shifted(5), measures="all")


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
    fewer = score_frames((f for f in shifted(5) if f[0] not in ("v1", "v4")), measures="J")
    found = compare(good, fewer)
    assert found["left_out"] == ["v1", "v4"]
    assert found["measures"].keys() == {"J"}
    assert len(found["measures"]["J"]["per_sequence"]) == 4
    named = score_frames((("goat" if v == "v0" else v, *f) for v, *f in shifted(5)), measures="T")
    found = compare(named, named)
    assert "goat" in found["sequences"]
    assert "goat" not in found["measures"]["T"]["per_sequence"]


def test_what_does_not_compare(good):
    with pytest.raises(ValueError, match=r"protocols differ in .*average.*skip_ends"):
        compare(good, score_frames(shifted(), "frames"))
    other = score_frames((("x" + v, *rest) for v, *rest in shifted()))
    with pytest.raises(ValueError, match="no sequence in common"):
        compare(good, other)
    with pytest.raises(ValueError, match="no measure in common"):
        compare(score_frames(shifted(), measures="J"), score_frames(shifted(), measures="mae"))
    for odd in ([], {}, {"protocol": {}}, {"protocol": [], "per_sequence": {}}):
        with pytest.raises(ValueError, match="second of the two holds no scores"):
            compare(good, odd)
        with pytest.raises(ValueError, match="first of the two holds no scores"):
            compare(odd, good)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), pytest.param(10**400, id="huge"), True, "0.5", [1], -1.0]
)
def test_what_is_no_score_is_named(good, value):
    odd = copy.deepcopy(good)
    for cell in (value, {"mean": value}):
        odd["per_sequence"]["v1"]["J"] = cell
        with pytest.raises(ValueError, match=r"J of v1 in the second is .*, no score"):
            compare(good, odd)
        with pytest.raises(ValueError, match=r"J of v1 in the first is .*, no score"):
            compare(odd, good)
    odd["per_sequence"]["v1"] = value
    with pytest.raises(ValueError, match="of v1 in the second is 'missing', no score"):
        compare(good, odd)


def test_measures_of_one_alone_are_said(good, capsys):
    found = compare(good, score_frames(shifted(2)))
    assert "T" not in found["measures"]
    said = "Only one of the two has weighted_f, T, consistency; score both with the same measures."
    assert said in capsys.readouterr().err


def test_other_frames_are_said(good, capsys):
    odd = copy.deepcopy(good)
    odd["per_sequence"]["v1"]["frames"] += 3
    compare(good, odd)
    frames = good["per_sequence"]["v1"]["frames"]
    said = f"v1 has {frames} frames in the first and {frames + 3} in the second"
    assert said in capsys.readouterr().err
