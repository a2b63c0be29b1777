"""Freed memory stays with the process."""

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vsodlib.data.video_files import write_video
from vsodlib.training import allocator
from vsodlib.training.allocator import keep_freed_memory

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


# Resident kilobytes after 400 and after 2000 frames, which tracemalloc would not see: FFmpeg's.
RESIDENT = """
import sys
import cv2
from vsodlib.training.allocator import keep_freed_memory
assert keep_freed_memory()
found = []
capture = cv2.VideoCapture(sys.argv[1])
for k in range(2001):
    assert capture.read()[0]
    if k in (400, 2000):
        status = open("/proc/self/status").read()
        found.append(int(status.split("VmRSS:")[1].split()[0]))
print(found[1] - found[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_decoding_a_video_keeps_its_size(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (96, 160, 3), np.uint8) for _ in range(3)]
    write_video(tmp_path / "v.webm", (frames[k % 3] for k in range(2001)), 25)
    command = [sys.executable, "-c", RESIDENT, str(tmp_path / "v.webm")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) < 400  # a quarter of a kilobyte a frame; it was one


def test_other_c_libraries(monkeypatch):
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: object())
    assert not keep_freed_memory()
