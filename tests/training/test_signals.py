"""Signals that stop a run, and processes that must finish the step under way."""

import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_workers_outlive_the_signal_that_stops_the_loop(by):
    """A terminal's Ctrl-C reaches the workers too, and the step under way waits for them."""
    code = "import os; from vsodlib.training.signals import leave_signals_to_the_loop as leave\n"
    code += f"leave(0); os.kill(os.getpid(), {int(by)}); print('alive')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout == "alive\n"
