"""Freed memory stays with the process."""

import ctypes
import subprocess
import sys

import pytest

from vsodlib.training import allocator
from vsodlib.training.allocator import keep_freed_memory, return_freed_memory

# Page faults of ten allocations of 40 MB, in a process that has loaded the library as a user has.
FAULTS = """
import resource
import torch
from vsodlib import VSODNet
from vsodlib.training.allocator import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
torch.ones(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep):
    script = FAULTS.format(keep=keep)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return int(run.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no glibc")
def test_memory_is_used_again():
    assert 3 * faults(keep=True) < faults(keep=False)


def test_other_c_libraries(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    assert not keep_freed_memory()
    assert not return_freed_memory()
