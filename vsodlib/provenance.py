"""Records of origin: the repository, its commit, the device that a number was made on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import torch

REPOSITORY = Path(__file__).resolve().parent.parent


def commit() -> str | None:
    """The repository's commit, with `+` behind it when tracked files differ; None outside git."""
    try:
        words = ["git", "-C", str(REPOSITORY), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def find_device(name: str) -> torch.device:
    """The torch device of this name, tried out.

    Raises:
        ValueError: there is no such device here.
    """
    try:
        torch.zeros(1, device=name).cpu()
    except (RuntimeError, AssertionError) as error:  # torch asserts where a device is not built in
        raise ValueError(f"Nothing can run on the device {name!r} ({error}).") from error
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """A device in words for a record: the GPU's name, or the CPU with its thread count."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"
