"""Run times of calls that take turns."""

import time

import pytest

from benchmarks import clocks
from benchmarks.clocks import now, run_times


class Clock:
    """A clock that only the timed calls move."""

    def __init__(self, monkeypatch):
        self.time = 0.0
        monkeypatch.setattr(clocks, "now", lambda: self.time)

    def call(self, name, seconds, seen):
        def run():
            seen.append(name)
            self.time += seconds

        return run


def test_calls_take_turns(monkeypatch):
    clock, seen = Clock(monkeypatch), []
    seconds = run_times({"a": clock.call("a", 1, seen), "b": clock.call("b", 2, seen)}, 3)
    assert seen == ["a", "b"] * 4  # the first turn warms up
    assert seconds == {"a": [1, 1, 1], "b": [2, 2, 2]}


@pytest.mark.parametrize(("limit", "turns"), [(0, 1), (2, 3), (2.5, 3), (100, 50)])
def test_the_limit_stops_turns_but_not_the_first(monkeypatch, limit, turns):
    call = Clock(monkeypatch).call("a", 1, [])
    assert len(run_times({"a": call}, 50, limit=limit)["a"]) == turns


def test_the_clock_counts_seconds():
    start = now()
    time.sleep(0.02)
    assert now() - start >= 0.02
