"""The state of a run is written whole, or stays as it was."""

import subprocess
import sys
import time

import pytest
import torch

from vsodlib.training.state import save_state


def test_state_is_written_aside(tmp_path):
    save_state(tmp_path / "state.pt", {"step": 1})
    save_state(tmp_path / "state.pt", {"step": 2})
    assert torch.load(tmp_path / "state.pt")["step"] == 2
    assert torch.load(tmp_path / "state.previous.pt")["step"] == 1
    assert len(list(tmp_path.iterdir())) == 2


KILLED = """
import sys, torch
from pathlib import Path
from vsodlib.training.state import save_state
step = 0
while True:
    step += 1
    save_state(Path(sys.argv[1]), {"step": step, "ballast": torch.full((300_000,), step)})
    print(step, flush=True)
"""


def test_a_kill_during_saving_leaves_a_readable_state(tmp_path):
    for delay in (0.0, 0.003, 0.007, 0.02):
        path = tmp_path / f"{delay}" / "state.pt"
        path.parent.mkdir()
        command = [sys.executable, "-c", KILLED, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(3):
                saved = int(process.stdout.readline())
            time.sleep(delay)
            process.kill()
        candidates = [path, path.with_suffix(".previous.pt")]
        state = torch.load(next(p for p in candidates if p.exists()))
        assert state["step"] >= saved
        assert (state["ballast"] == state["step"]).all()


def test_a_full_disk_leaves_the_state_before(tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    save_state(path, {"step": 1})

    def full(state, place):
        place.write_bytes(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 9 vs 8")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match=r"state\.pt cannot be written \(.* MB are free there\)"):
        save_state(path, {"step": 2})
    assert [p.name for p in tmp_path.iterdir()] == ["state.pt"]
    assert torch.load(path)["step"] == 1
