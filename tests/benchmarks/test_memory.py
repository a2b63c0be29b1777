"""Peak memory of a call."""

import pytest
import torch

from benchmarks.memory import peak_memory


def allocate(megabytes, kept):
    """A call that fills memory and drops it, then fills `kept` again."""
    base = torch.ones(kept, 2**20, dtype=torch.uint8)

    def call():
        for size in (megabytes, kept):
            del_me = torch.ones(size, 2**20, dtype=torch.uint8)
            del del_me
        return base

    return call


@pytest.mark.slow
def test_peak_memory_is_what_is_held_at_once():
    peaks = peak_memory(allocate, [(100, 40), (30, 60)])
    if None in peaks:
        pytest.skip("memory is gauged on Linux only")
    assert [round(peak / 2**20) for peak in peaks] == pytest.approx([100, 60], abs=5)


def test_peak_memory_without_proc(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.memory.CLEAR_REFS", tmp_path / "nothing")
    assert peak_memory(allocate, [(1, 1)] * 2) == [None, None]
